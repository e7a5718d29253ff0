"""A bounded queue and one thread that writes what is in it, so that training pays for a copy and
nothing else.

A fork leaves the thread, the queue and the file to the parent; a child that records has its own
from then on. A value that cannot be written is counted and lost: the first is logged as a warning,
and training goes on.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path

from convscope.events import Metadata, Payload, Value, value_record
from convscope.file import EventFile

log = logging.getLogger("convscope")

STALL_SECONDS = 10.0
"""So long a full queue waits for a writer that writes nothing, and so long the end of a program
does."""

_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


@dataclass(frozen=True)
class Pending:
    """One value in the queue.

    Attributes:
        tag: its tag.
        step: its step.
        wall_time: when it was recorded, in seconds since 1970.
        len_bytes: what it holds of memory.
        payload: makes the tensor, on the writer's thread.
        metadata: what goes with the first value of the tag.
    """

    tag: str
    step: int
    wall_time: float
    len_bytes: int
    payload: Callable[[], Payload]
    metadata: Metadata | None


class Writer:
    """Writes values of one logdir in the order of their coming.

    Args:
        logdir: the directory.
        capacity_bytes: what may wait in memory.
        warns: whether the first fault is logged, or left to who takes it.

    Attributes:
        file: where they go.
        n_lost: values that could not be written, or found no room.
        failure: the first fault since somebody took it (see ``take_failure``).
    """

    def __init__(self, logdir: Path, capacity_bytes: int, *, warns: bool) -> None:
        self.file = EventFile(logdir)
        self.n_lost = 0
        self.failure: Exception | None = None
        self._capacity_bytes = capacity_bytes
        self._has_warned = not warns
        self._described: set[str] = set()
        self._begin()
        _writers.add(self)

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._without_thread = threading.Lock()
        self._queue: deque[Pending] = deque()
        self._len_bytes = 0
        self._n_put = 0
        self._n_done = 0
        self._is_closing = False
        self._is_stalled = False
        self._thread: threading.Thread | None = None
        self._at_end_of_child: Finalize | None = None

    def open(self) -> None:
        """Makes the file now; a fault is counted as that of a value is."""
        try:
            self.file.open()
        except OSError as error:
            self.fail(error)

    def put(self, pending: Pending) -> bool:
        """Queues a value, after waiting for room if there is none.

        Returns:
            Whether there was room before the writer stalled or began to close.
        """
        with self._changed:
            if not self._has_room(pending.len_bytes):
                self.n_lost += 1
                self._warn(
                    f"nothing was written for {STALL_SECONDS:.0f} s and the queue is full", None
                )
                return False
            if self._is_closing:
                self.n_lost += 1
                return False
            self._queue.append(pending)
            self._len_bytes += pending.len_bytes
            self._n_put += 1
            self._changed.notify_all()
            has_thread = self._thread is not None or self._start()
        if not has_thread:
            with self._without_thread:
                self._write_queue()
        return True

    def flush(self) -> bool:
        """Waits until everything queued so far is in the file.

        Returns:
            Whether it is; False if nothing was written for ``STALL_SECONDS``.
        """
        with self._changed:
            n_put = self._n_put
            while self._n_done < n_put:
                if not self._changed.wait(STALL_SECONDS):
                    self._stall(n_put - self._n_done)
                    return False
        return True

    def finish(self) -> None:
        """Lets the thread write what is queued and end, without waiting for it."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()

    def close(self) -> None:
        """Writes what is queued, ends the thread and closes the file; takes nothing meanwhile."""
        self.finish()
        is_written = self.flush()
        if self._thread is not None:
            # One that still writes closes the file itself.
            self._thread.join(STALL_SECONDS if is_written else 0)
        if self._thread is None or not self._thread.is_alive():
            self._thread = None
            self._is_closing = False
            self.file.close()

    def take_failure(self) -> Exception | None:
        """The first fault since the last call."""
        failure, self.failure = self.failure, None
        return failure

    def fail(self, error: Exception) -> None:
        """Counts a value that is lost, and warns of the first."""
        self.n_lost += 1
        self.failure = self.failure or error
        self._warn(f"cannot write to {self.file.logdir}", error)

    def forget(self) -> None:
        """In a forked child: leaves the parent's values and file to the parent."""
        self._begin()
        self.file.close()

    def _has_room(self, len_bytes: int) -> bool:
        """Waits as long as the writer gets on; a value larger than the queue goes in alone."""
        while self._len_bytes and self._len_bytes + len_bytes > self._capacity_bytes:
            if self._is_stalled or not self._changed.wait(STALL_SECONDS):
                self._is_stalled = True
                return False
        return True

    def _stall(self, n_waiting: int) -> None:
        error = TimeoutError(f"nothing was written for {STALL_SECONDS:.0f} s")
        self.failure = self.failure or error
        self._warn(f"{self.file.logdir} is behind by {n_waiting}", error)

    def _start(self) -> bool:
        if not threading.main_thread().is_alive():
            # The program ends: a thread would be stopped in the midst of a record.
            return False
        thread = threading.Thread(target=self._run, name="convscope-writer", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # The interpreter is shutting down and starts no more threads.
            return False
        self._thread = thread
        atexit.register(self.close)
        # A child of multiprocessing ends without atexit's functions, but not without this.
        self._at_end_of_child = Finalize(None, self.close, exitpriority=0)
        return True

    def _run(self) -> None:
        while self._wait_for_work():
            self._write_queue()
        self.file.close()
        atexit.unregister(self.close)
        if self._at_end_of_child is not None:
            self._at_end_of_child.cancel()

    def _wait_for_work(self) -> bool:
        with self._changed:
            while not self._queue and not self._is_closing:
                self._changed.wait()
            return bool(self._queue)

    def _write_queue(self) -> None:
        while self._queue:
            pending = self._queue.popleft()
            try:
                self._write(pending)
            except Exception as error:
                self.fail(error)
            with self._changed:
                self._len_bytes -= pending.len_bytes
                self._n_done += 1
                self._is_stalled = False
                self._changed.notify_all()

    def _write(self, pending: Pending) -> None:
        self._open()
        metadata = None if pending.tag in self._described else pending.metadata
        value = Value(pending.tag, pending.step, pending.wall_time, pending.payload(), metadata)
        self.file.append(value_record(value))
        # Only what is in the file has told its readers what the tag is.
        self._described.add(pending.tag)

    def _open(self) -> None:
        """Each file tells its readers anew what its tags are."""
        path, was_open = self.file.path, self.file.is_open
        self.file.open()
        if self.file.path != path:
            self._described.clear()
            if was_open:
                log.warning(
                    "convscope: %s was removed while it was written; recording goes on in %s",
                    path,
                    self.file.path,
                )

    def _warn(self, what: str, error: Exception | None) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        cause = f": {error}" if error is not None else ""
        log.warning(
            "convscope: %s%s; values are lost from here on and training goes on. "
            "Make room, or record to another logdir. This is said once.",
            what,
            cause,
        )


def _forget_all() -> None:
    for writer in list(_writers):
        writer.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
