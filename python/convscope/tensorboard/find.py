"""Where the ``convscope`` program is."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from .address import Unavailable


def find_binary() -> Path:
    """The program of ``CONVSCOPE_BIN``, of this Python's scripts, or of the path.

    Raises:
        Unavailable: Where it is in none of them; every place is named.
    """
    name = "convscope" + (sysconfig.get_config_var("EXE") or "")
    named = os.environ.get("CONVSCOPE_BIN")
    places = [Path(named)] if named else _places(name)
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            return place
    on_path = None if named else shutil.which(name)
    if on_path:
        return Path(on_path)
    tried = ", ".join(map(str, places))
    if named:
        raise Unavailable(f"CONVSCOPE_BIN names {tried}, which is no program: correct or unset it")
    raise Unavailable(
        f"the convscope program is not in {tried}, nor on the PATH: "
        "pip install --force-reinstall convscope brings it"
    )


def _places(name: str) -> list[Path]:
    scripts = [sysconfig.get_path("scripts"), str(Path(sys.executable).parent)]
    user = sysconfig.get_preferred_scheme("user")
    scripts.append(sysconfig.get_path("scripts", scheme=user))
    return list(dict.fromkeys(Path(folder) / name for folder in scripts if folder))
