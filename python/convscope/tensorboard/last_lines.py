"""The output of a program on a pipe -> its last lines, fit for a message."""

from __future__ import annotations

import collections
import contextlib
import threading
from typing import IO

LAST_LINES = 20
LINE_LEN = 500
"""The kept part of a line: a program may print without line ends."""
REPLACED = "\N{REPLACEMENT CHARACTER}"


class LastLines:
    """The last lines of a pipe, which is read to its end: a full pipe would block the program."""

    def __init__(self, pipe: IO[bytes]) -> None:
        """Starts a thread that reads the pipe."""
        self._lines: collections.deque[str] = collections.deque(maxlen=LAST_LINES)
        self._thread = threading.Thread(
            target=self._read, args=(pipe,), name="convscope-log", daemon=True
        )
        self._thread.start()

    def words(self) -> str:
        """All of them in one line."""
        return " ".join(self._lines) or "it printed nothing"

    def wait_for_end(self) -> None:
        """Waits for the last lines of a program that has ended, but not for a child of it that
        still has the pipe open."""
        self._thread.join(timeout=0.5)

    def _read(self, pipe: IO[bytes]) -> None:
        is_new = True
        with pipe, contextlib.suppress(ValueError):
            while piece := pipe.readline(LINE_LEN):
                if is_new:
                    self._lines.append(printable(piece.decode("utf-8", "replace")))
                is_new = piece.endswith(b"\n")


def printable(text: str) -> str:
    """Text, shortened and without characters that control a terminal or end a line."""
    letters = text.strip()[:LINE_LEN]
    return "".join(letter if letter.isprintable() else REPLACED for letter in letters)
