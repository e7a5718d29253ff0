"""The file that the daemon writes when it listens -> the port."""

from __future__ import annotations

import re
from pathlib import Path

from .last_lines import printable

SHOWN_LEN = 40


class NoPort(Exception):
    """The file contains something else, which is the message."""


def read_port(file: Path) -> int | None:
    """The port, or None while the file is missing or incomplete.

    Raises:
        NoPort: The file does not begin like a port: another program wrote it.
    """
    try:
        written = file.read_bytes()
    except FileNotFoundError:
        return None
    if re.fullmatch(rb"[0-9]{0,5}", written):
        return None
    port = int(written) if re.fullmatch(rb"[0-9]{1,5}\n", written) else 0
    if not 1 <= port <= 65535:
        raise NoPort(printable(written.decode("utf-8", "replace"))[:SHOWN_LEN])
    return port
