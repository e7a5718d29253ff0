"""Finds the ``convscope`` binary that was installed beside this package.

The order is that of uv (python/uv/_find_uv.py): the scripts directory of this Python, the places
where pip puts scripts for ``--prefix``, ``--target`` and ``--user``, and finally ``PATH``, where
there may be another version.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator

VARIABLE = "CONVSCOPE_BIN"
"""The environment variable with the path of the binary to use instead of all others."""


class BinaryNotFound(FileNotFoundError):
    """There is no binary in any place where an installation puts it."""


def find_binary() -> str:
    """The path of the ``convscope`` binary.

    Returns:
        An absolute path of an executable file.

    Raises:
        BinaryNotFound: nothing was found; the message lists all places that were searched, and says
            what to do.
    """
    named = os.environ.get(VARIABLE)
    if named:
        if _is_program(named):
            return os.path.abspath(named)
        raise BinaryNotFound(
            f"convscope: {VARIABLE} names {named}, which is not an executable file: correct "
            "or unset it"
        )
    name = "convscope" + (sysconfig.get_config_var("EXE") or "")
    tried = list(dict.fromkeys(_places()))
    for directory in tried:
        path = os.path.join(directory, name)
        if _is_program(path):
            return path
    on_path = shutil.which(name)
    if on_path and _is_program(on_path):
        return os.path.abspath(on_path)
    raise BinaryNotFound(_message(name, tried))


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _places() -> Iterator[str]:
    """The directories in which an installer may have put the binary, best first."""
    yield sysconfig.get_path("scripts")
    # In a virtual environment, the package may be installed in the Python that it is based on.
    yield sysconfig.get_path("scripts", vars={"base": sys.base_prefix})
    package = os.path.dirname(os.path.abspath(__file__))
    site_packages = os.path.dirname(package)
    if os.path.basename(site_packages) in ("site-packages", "dist-packages"):
        # pip install --prefix: PREFIX/lib/python3.N/site-packages, on Windows
        # PREFIX\Lib\site-packages.
        levels = (os.pardir,) * (2 if sys.platform == "win32" else 3)
        scripts = "Scripts" if sys.platform == "win32" else "bin"
        yield os.path.abspath(os.path.join(site_packages, *levels, scripts))
    # pip install --target puts scripts into bin beside the packages.
    yield os.path.join(site_packages, "bin")
    yield sysconfig.get_path("scripts", scheme=sysconfig.get_preferred_scheme("user"))


def _message(name: str, tried: list[str]) -> str:
    lines = "\n".join(f"  {directory}" for directory in tried)
    return (
        f"convscope: there is no {name} in any of\n{lines}\nand none on PATH.\n"
        "Install the wheel again (pip install --force-reinstall convscope), "
        f"or set {VARIABLE} to the path of the binary."
    )
