"""Values that could not be written -> their count, the first error, and one warning."""

from __future__ import annotations

import logging
from pathlib import Path

log = logging.getLogger("convscope")


class Losses:
    """The lost values of one logdir.

    Attributes:
        n: values that could not be written, or for which the queue had no room.
    """

    def __init__(self, logdir: Path, *, warns: bool) -> None:
        """Starts without losses.

        Args:
            logdir: where the values should have gone.
            warns: whether the first loss is logged; otherwise the caller of ``take_failure``
                reports it.
        """
        self.n = 0
        self._logdir = logdir
        self._failure: Exception | None = None
        self._has_warned = not warns

    def refuse(self) -> None:
        """Counts a value that was put while the writer closed."""
        self.n += 1

    def fail(self, error: Exception) -> None:
        """Counts a value that could not be written."""
        self.n += 1
        self._failure = self._failure or error
        self._warn(f"the recorder cannot write to {self._logdir}: {error}")

    def find_no_room(self, seconds: float) -> None:
        """Counts a value for which the queue had no room within this time."""
        self.n += 1
        self._warn(
            f"nothing was written to {self._logdir} for {seconds:.0f} s and the queue is full"
        )

    def stall(self, n_waiting: int, seconds: float) -> None:
        """Records that values are still waiting and that none was written within this time."""
        error = TimeoutError(f"nothing was written for {seconds:.0f} s")
        self._failure = self._failure or error
        counted = "1 value waits" if n_waiting == 1 else f"{n_waiting} values wait"
        self._warn(f"{counted} for {self._logdir}: {error}")

    def take_failure(self) -> Exception | None:
        """The first error since the last call."""
        failure, self._failure = self._failure, None
        return failure

    def _warn(self, what: str) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        log.warning(
            "convscope: %s; from now on values are lost, and training continues. "
            "Free some space there, or record to another logdir. This is logged once.",
            what,
        )
