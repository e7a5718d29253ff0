"""The code that ConvScope suggests for logs without tensors -> its results in a real training."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from textwrap import indent

import pages
import seen


def recipe(binary: Path, logdir: Path, scratch: Path, framework: str, with_package: bool) -> str:
    """The code for a framework, with the logdir filled in."""
    with seen.served(binary, logdir, scratch) as server:
        recipes = json.loads(server.get("recipes"))["recipes"]
    (found,) = (
        one["code"]
        for one in recipes
        if (one["framework"], one["with_package"]) == (framework, with_package)
    )
    assert f'"{logdir}"' in found
    if with_package:
        listed = subprocess.run([binary, "ls", logdir], capture_output=True, text=True, check=True)
        assert indent(found, "    ") in listed.stdout
    return found


def layers_shown_after(
    binary: Path, directory: Path, training: str, *, framework: str, with_package: bool
) -> dict[str, set[str]]:
    """Runs a training that logs no tensors, then again with the code that ConvScope suggests.

    Args:
        binary: the program.
        directory: where; the training logs into ``logs`` below it.
        training: Python; ``LOGDIR`` stands for the logdir.
        framework: its name in ConvScope.
        with_package: whether the code uses the package.

    Returns:
        Roles -> the layers of which ConvScope shows such tensors.
    """
    logdir = directory / "logs"
    before = training.replace("LOGDIR", str(logdir))
    pages.run_blocks("without", [before], directory)
    assert list(logdir.rglob("*tfevents*"))
    assert seen.series(binary, logdir) == {}
    code = recipe(binary, logdir, directory, framework, with_package)
    pages.run_blocks(framework, [before, code], directory)
    shown: dict[str, set[str]] = {}
    for one in seen.series(binary, logdir).values():
        if one["views"]:
            shown.setdefault(one["role"], set()).add(one["layer"])
    return shown
