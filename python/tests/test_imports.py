"""No module of the package imports one that imports it, directly or indirectly."""

from __future__ import annotations

import ast
from pathlib import Path

import convscope

PACKAGE = Path(convscope.__file__).parent


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(module: str, path: Path, modules: set[str]) -> set[str]:
    """The modules of the package that a module imports, anywhere in its code."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            parents = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join(parents + ([node.module] if node.module else []))
            names = {f"{base}.{alias.name}" for alias in node.names}
            found |= {name if name in modules else base for name in names}
    return (found & modules) - {module}


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """The modules that remain after repeatedly removing those that import no other one."""
    left = dict(arrows)
    while leaves := [name for name, used in left.items() if not used & left.keys()]:
        for name in leaves:
            del left[name]
    return sorted(left)


def test_there_is_no_circle() -> None:
    paths = {name_of(path): path for path in PACKAGE.rglob("*.py")}
    arrows = {module: imports(module, path, set(paths)) for module, path in paths.items()}
    assert sum(map(len, arrows.values())) > len(paths), "imports are found"
    assert circle(arrows) == []


def test_circles_are_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["a", "b", "c"]
