"""A bounded queue and one thread that writes its values, so that training only waits for a copy.

The thread takes no lock that a caller may hold: a signal interrupts the main thread anywhere, also
within ``put``, and its handler waits for the thread (see ``termination``).

A fork leaves the thread, the queue and the file to the parent; a child that records has its own
from then on. A value that cannot be written is lost and counted: the first is logged as a warning,
and training goes on.

A full queue makes the caller wait while the disk gets on, so that no layer of a step is missing. A
disk that writes nothing for ``STALL_SECONDS`` costs values, never the training. TensorBoard's
writer is not used because it computes its CRC in Python.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import weakref
from collections import deque
from multiprocessing.util import Finalize
from pathlib import Path
from queue import Empty, SimpleQueue

from convscope.events import Value, value_record
from convscope.file import EventFile
from convscope.losses import Losses
from convscope.pending import Pending

log = logging.getLogger("convscope")

STALL_SECONDS = 10.0
"""How long a full queue, or the end of the program, waits while nothing is written."""

Marker = SimpleQueue[None]
"""An entry of the queue that gets an item when everything before it is in the file."""

_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


class Writer:
    """Writes values into one logdir, in the order in which they were put.

    Args:
        logdir: the directory.
        capacity_bytes: the memory that waiting values may take.
        warns: whether the first loss is logged, or left to who takes the failure.

    Attributes:
        file: the file that they are written to.
        losses: values that could not be written, or found no room.
    """

    def __init__(self, logdir: Path, capacity_bytes: int, *, warns: bool) -> None:
        self.file = EventFile(logdir)
        self.losses = Losses(logdir, warns=warns)
        self._capacity_bytes = capacity_bytes
        self._described: set[str] = set()
        self._begin()
        _writers.add(self)

    def _begin(self) -> None:
        self._putting = threading.Lock()
        self._without_thread = threading.Lock()
        # Its put may be called by a signal handler that interrupts another put or get.
        self._queue: SimpleQueue[Pending | Marker | None] = SimpleQueue()
        self._waiting: deque[Marker] = deque()
        # Callers count what they put, and the thread what it has done.
        self._len_put = self._len_done = 0
        self._n_put = self._n_done = 0
        self._is_closing = False
        self._is_over = True
        self._is_stalled = False
        self._thread: threading.Thread | None = None
        self._at_end_of_child: Finalize | None = None

    @property
    def n_waiting(self) -> int:
        """Values that are not in the file yet."""
        return self._n_put - self._n_done

    def open(self) -> None:
        """Creates the file now; an error is counted as the loss of a value."""
        try:
            self.file.open()
        except OSError as error:
            self.losses.fail(error)

    def put(self, pending: Pending) -> bool:
        """Queues a value, after waiting for room if there is none.

        Returns:
            Whether there was room before the writer stalled or began to close.
        """
        while not self._is_closing:
            if not self._wait_for_room(pending.len_bytes):
                self.losses.find_no_room(STALL_SECONDS)
                return False
            with self._putting:
                # Another thread may have taken the room, or closed.
                if self._has_room(pending.len_bytes) and not self._is_closing:
                    self._len_put += pending.len_bytes
                    self._n_put += 1
                    self._queue.put(pending)
                    has_thread = self._thread is not None or self._start()
                    break
        else:
            self.losses.refuse()
            return False
        if not has_thread:
            with self._without_thread:
                self._write_queue()
        return True

    def mark(self) -> Marker:
        """Marks the end of the queue; takes no lock, so that signal handlers can call it.

        Returns:
            A marker that gets an item once everything queued so far is in the file, or lost.
        """
        marker: Marker = SimpleQueue()
        self._queue.put(marker)
        if self._is_over:
            # Nobody reads the queue.
            marker.put(None)
        return marker

    def flush(self) -> bool:
        """Waits until everything queued so far is in the file.

        Returns:
            Whether it is; False if nothing was written for ``STALL_SECONDS``.
        """
        marker, n_done = self.mark(), self._n_done
        while not _reached(marker, STALL_SECONDS):
            if self._n_done == n_done:
                self.losses.stall(self.n_waiting, STALL_SECONDS)
                return False
            n_done = self._n_done
        return True

    def finish(self) -> None:
        """Makes the thread end when it has written what is queued, without waiting for it."""
        with self._putting:
            if not self._is_closing and self._thread is not None:
                self._queue.put(None)
            self._is_closing = True

    def close(self) -> None:
        """Writes what is queued, ends the thread and closes the file; takes no values meanwhile."""
        self.finish()
        is_written = self.flush()
        if self._thread is not None:
            # A thread that still writes closes the file itself.
            self._thread.join(STALL_SECONDS if is_written else 0)
        if self._thread is None or not self._thread.is_alive():
            self._thread = None
            self._is_closing = False
            self.file.close()

    def forget(self) -> None:
        """In a forked child: leaves the parent's values and file to the parent."""
        self._begin()
        self.file.close()

    def _wait_for_room(self, len_bytes: int) -> bool:
        """Waits while the thread writes; a value larger than the queue goes in when that is
        empty."""
        while not self._has_room(len_bytes):
            if self._is_stalled:
                return False
            written: Marker = SimpleQueue()
            self._waiting.append(written)
            # The thread tells only those of new room who waited before it came.
            if not self._has_room(len_bytes) and not _reached(written, STALL_SECONDS):
                self._is_stalled = True
        return True

    def _has_room(self, len_bytes: int) -> bool:
        len_waiting = self._len_put - self._len_done
        return not len_waiting or len_waiting + len_bytes <= self._capacity_bytes

    def _start(self) -> bool:
        if not threading.main_thread().is_alive():
            # The program ends: a thread would be stopped in the middle of a record.
            return False
        thread = threading.Thread(target=self._run, name="convscope-writer", daemon=True)
        self._is_over = False
        try:
            thread.start()
        except RuntimeError:
            # The interpreter is shutting down and starts no more threads.
            self._is_over = True
            return False
        self._thread = thread
        atexit.register(self.close)
        # A child of multiprocessing ends without atexit's functions, but not without this.
        self._at_end_of_child = Finalize(None, self.close, exitpriority=0)
        return True

    def _run(self) -> None:
        while self._take(self._queue.get()):
            pass
        self.file.close()
        atexit.unregister(self.close)
        if self._at_end_of_child is not None:
            self._at_end_of_child.cancel()
        self._is_over = True
        self._write_queue()

    def _write_queue(self) -> None:
        """Writes what is in the queue now."""
        try:
            while True:
                self._take(self._queue.get_nowait())
        except Empty:
            pass

    def _take(self, one: Pending | Marker | None) -> bool:
        """Handles one entry of the queue; returns whether more may come."""
        if one is None:
            return False
        if isinstance(one, Pending):
            try:
                self._write(one)
            except Exception as error:
                self.losses.fail(error)
            self._len_done += one.len_bytes
            self._n_done += 1
            self._is_stalled = False
            while self._waiting:
                self._waiting.popleft().put(None)
        else:
            one.put(None)
        return True

    def _write(self, pending: Pending) -> None:
        self._open()
        metadata = None if pending.tag in self._described else pending.metadata
        value = Value(pending.tag, pending.step, pending.wall_time, pending.payload(), metadata)
        self.file.append(value_record(value))
        # Readers learn what a tag is from its first value, so that has to be in the file.
        self._described.add(pending.tag)

    def _open(self) -> None:
        """Opens the file; in a new one, each tag is described again."""
        path, was_open = self.file.path, self.file.is_open
        self.file.open()
        if self.file.path != path:
            self._described.clear()
            if was_open:
                log.warning(
                    "convscope: %s was removed while it was written; recording continues in %s",
                    path,
                    self.file.path,
                )


def _reached(marker: Marker, seconds: float) -> bool:
    """Whether the marker gets its item within this time."""
    try:
        marker.get(timeout=seconds)
    except Empty:
        return False
    return True


def _forget_all() -> None:
    for writer in list(_writers):
        writer.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
