"""TensorBoard's ``--logdir`` and ``--logdir_spec`` -> one directory that the daemon can serve.

Several directories become one of links, named as in ``--logdir_spec``: the daemon follows links,
so runs have the same names as in TensorBoard.
"""

from __future__ import annotations

import logging
import os
import re

from .address import Unavailable
from .links import linked

logger = logging.getLogger("tensorboard")
# As TensorBoard parses the flag (backend/event_processing/data_ingester.py).
_URI = re.compile(r"[a-zA-Z][0-9a-zA-Z.]*://.*")


class Logdir:
    """The directory, or directories, that TensorBoard was started with."""

    def __init__(self, logdir: str, spec: str) -> None:
        """Keeps the two flags; each may be empty."""
        self._logdir = logdir
        self._spec = spec
        self._served: str | None = None

    def served(self) -> str:
        """An absolute path, always the same one.

        Raises:
            Unavailable: There is none, or none on this machine.
        """
        if self._served is None:
            self._served = self._choose()
        return self._served

    def _choose(self) -> str:
        if self._logdir:
            return local(self._logdir)
        groups = parse_spec(self._spec)
        if not groups:
            raise Unavailable(
                "TensorBoard was started without --logdir: name one, or a running ConvScope "
                "with --convscope_url"
            )
        if len(groups) == 1 and groups[0][0] is None:
            return local(groups[0][1])
        return linked(_on_this_machine(groups))


def local(path: str) -> str:
    """The absolute path of a logdir.

    Raises:
        Unavailable: It is not on this machine.
    """
    path = path.removeprefix("file://")
    if _URI.match(path):
        raise Unavailable(
            f"{path} is not on this machine, and ConvScope reads local files: mount it, or start "
            "convscope serve where it is and name its address with --convscope_url"
        )
    return os.path.abspath(os.path.expanduser(path))


def parse_spec(spec: str) -> list[tuple[str | None, str]]:
    """Names and paths of ``name:path,path``; if a path has several names, the last one counts, as
    in TensorBoard."""
    groups: dict[str, str | None] = {}
    for part in spec.split(","):
        name, colon, path = part.partition(":")
        is_named = colon and not _URI.match(part) and not part.startswith("/")
        if part:
            groups[path if is_named else part] = name if is_named else None
    return [(name, path) for path, name in groups.items()]


def _on_this_machine(groups: list[tuple[str | None, str]]) -> list[tuple[str | None, str]]:
    """The directories that can be shown; raises ``Unavailable`` only if there are none."""
    here, elsewhere = [], []
    for name, path in groups:
        try:
            here.append((name, local(path)))
        except Unavailable as failure:
            elsewhere.append((path, failure))
    if not here:
        raise elsewhere[0][1]
    if elsewhere:
        paths = ", ".join(path for path, _ in elsewhere)
        logger.warning("The ConvScope tab leaves out %s: ConvScope reads local files", paths)
    return here
