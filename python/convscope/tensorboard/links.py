"""Several directories -> a directory of links to them, removed with the process that made it.

A process that is killed cannot remove its directory, so its number is in the name, and the next
process that makes links removes the directories of processes that have ended.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path


def linked(groups: Iterable[tuple[str | None, str]]) -> str:
    """A directory with a link for each pair of a name and a path."""
    # The name contains the host: a shared temporary directory may contain directories of another
    # machine or container, whose process numbers mean nothing here. The program recognizes the
    # first part of the name, and does not suggest to log there.
    prefix = f"convscope-logdirs-{os.uname().nodename.replace('/', '_')}-"
    with contextlib.suppress(Exception):
        _remove_leftovers(Path(tempfile.gettempdir()), prefix)
    folder = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-"))
    atexit.register(_remove, folder, os.getpid())
    for name, path in groups:
        # Names have no slash, so that nothing is created below a link to a directory of the user.
        wanted = (name or os.path.basename(path) or "root").replace("/", "_").lstrip(".") or "_"
        link, count = folder / wanted, 1
        while link.is_symlink():
            count += 1
            link = folder / f"{wanted}-{count}"
        link.symlink_to(path, target_is_directory=True)
    return str(folder)


def _remove(folder: Path, maker: int) -> None:
    # A forked process inherits this call, and ends before the process that uses the links.
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers(parent: Path, prefix: str) -> None:
    for entry in list(os.scandir(parent)):
        maker = entry.name.removeprefix(prefix).partition("-")[0]
        if not entry.name.startswith(prefix) or not maker.isdecimal():
            continue
        is_ours = entry.is_dir(follow_symlinks=False) and entry.stat().st_uid == os.getuid()
        if is_ours and not _is_alive(int(maker)):
            shutil.rmtree(entry.path, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # The process belongs to another user, and is alive.
    return True
