"""No object of the package reads, sets or calls a private name of another one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import convscope

PACKAGE = Path(convscope.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def defined(tree: ast.Module) -> Iterator[str]:
    """The private names that the classes of a module define: methods, and attributes of self."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (one.name for one in node.body if isinstance(one, ast.FunctionDef))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node):
            yield node.attr


def is_own(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def test_private_names_are_used_by_their_own_class_alone() -> None:
    trees = {path: ast.parse(path.read_text()) for path in MODULES}
    names = {name for tree in trees.values() for name in defined(tree) if is_private(name)}
    assert len(names) > 50
    used = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}: {ast.unparse(node)}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in names and not is_own(node)
    ]
    assert used == []
