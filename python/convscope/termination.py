"""SIGTERM -> queued values are written, then the program ends as by default.

A scheduler that stops a job sends SIGTERM, which ends Python without ``atexit``. The handler is
set only if the signal has its default action, and acts only in the process that set it: handlers of
others are neither replaced nor called, and one that is set later replaces this one.

It may interrupt the main thread at any point, so it takes no lock that the main thread may hold,
and does not use logging.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
import weakref
from queue import Empty

from convscope.writer import Writer

END_SECONDS = 5.0
"""How long the end of the program waits for the disk. Schedulers kill it 10 to 30 seconds after
SIGTERM."""

_writers: weakref.WeakSet[Writer] = weakref.WeakSet()
_pid: int | None = None
_deadline: float | None = None


def write_before(writer: Writer) -> None:
    """Makes SIGTERM wait until this writer has written its queue.

    Does nothing outside of the main thread, or if the signal already has a handler.
    """
    global _pid
    if sys.platform == "win32" or not _is_main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        _set(_end)
        _pid = os.getpid()
    _writers.add(writer)


def forget(writer: Writer) -> None:
    """Restores the default action when the last writer is closed."""
    _writers.discard(writer)
    if not _writers and _is_main_thread() and signal.getsignal(signal.SIGTERM) is _end:
        _set(signal.SIG_DFL)


def _end(number: int, frame: object) -> None:
    """The handler. A later handler may call it as the previous one; then the program continues, as
    it does if the previous one is SIG_DFL, which cannot be called."""
    if os.getpid() == _pid:
        _write()
    if signal.getsignal(number) is _end:
        _set(signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _write() -> None:
    """Waits for the writers; a second signal during this time waits no longer than the first."""
    global _deadline
    is_first = _deadline is None
    if _deadline is None:
        _deadline = time.monotonic() + END_SECONDS
    try:
        for writer, marker in [(one, one.mark()) for one in list(_writers)]:
            try:
                marker.get(timeout=max(0.0, _deadline - time.monotonic()))
            except Empty:
                _say(writer)
    finally:
        if is_first:
            _deadline = None


def _say(writer: Writer) -> None:
    """Writes to standard error if that does not block; logging is not used, since it takes
    locks."""
    text = (
        f"convscope: SIGTERM: {writer.n_waiting} values for {writer.file.logdir} were not written "
        f"within {END_SECONDS:.0f} s and are lost\n"
    )
    try:
        if select.select([], [2], [], 0)[1]:
            os.write(2, text.encode(errors="replace"))
    except (OSError, ValueError):
        # There is no standard error.
        pass


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _set(handler: signal.Handlers | object) -> None:
    try:
        signal.signal(signal.SIGTERM, handler)  # type: ignore[arg-type]
    except ValueError:
        # Subinterpreters handle no signals.
        pass


def _default_in_child() -> None:
    """Restores the default in a forked child, which has no values to write."""
    _writers.clear()
    if signal.getsignal(signal.SIGTERM) is _end:
        _set(signal.SIG_DFL)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_default_in_child)
