"""Values in a bounded queue -> an event file, written by one thread; training waits only for
copies.

The thread takes no lock that a caller may hold: a signal can interrupt the main thread anywhere,
even within ``put``, and its handler waits for the thread (see ``termination``).

After a fork, the thread, the queue and the file belong to the parent; a child that records creates
its own. A value that cannot be written is lost and counted: the first loss is logged as a warning,
and training continues.

If the queue is full, the caller waits while the disk is working, so that no layer of a step is
missing. If nothing is written for ``STALL_SECONDS``, values are lost, but training continues.
TensorBoard's writer is not used because it computes CRCs in Python.
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
"""How long a full queue, or the end of the program, waits if nothing is written."""

Marker = SimpleQueue[None]
"""An entry of the queue; it receives an item when everything before it is in the file."""

_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


class Writer:
    """Writes values into one logdir, in the order in which they were queued.

    Args:
        logdir: the directory.
        capacity_bytes: the memory that waiting values may take.
        warns: whether the first loss is logged; see ``Losses``.

    Attributes:
        file: the file that values are written to.
        losses: values that could not be written or queued.
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
        # A SimpleQueue, because a signal handler may call put while it interrupts another put or
        # get.
        self._queue: SimpleQueue[Pending | Marker | None] = SimpleQueue()
        self._waiting: deque[Marker] = deque()
        # Callers count what they put, and the thread counts what it has handled.
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
        """Queues a value, and waits for room if there is none.

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
            # No thread reads the queue.
            marker.put(None)
        return marker

    def flush(self) -> bool:
        """Waits until everything queued so far is in the file.

        Returns:
            True; False if nothing was written for ``STALL_SECONDS``.
        """
        marker, n_done = self.mark(), self._n_done
        while not _reached(marker, STALL_SECONDS):
            if self._n_done == n_done:
                self.losses.stall(self.n_waiting, STALL_SECONDS)
                return False
            n_done = self._n_done
        return True

    def finish(self) -> None:
        """Makes the thread end after it has written what is queued; does not wait for it."""
        with self._putting:
            if not self._is_closing and self._thread is not None:
                self._queue.put(None)
            self._is_closing = True

    def close(self) -> None:
        """Writes what is queued, ends the thread and closes the file; refuses values meanwhile."""
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
        """In a forked child: drops the parent's values and file, which the parent writes."""
        self._begin()
        self.file.close()

    def _wait_for_room(self, len_bytes: int) -> bool:
        """Waits while the thread writes; a value larger than the queue is accepted when the queue
        is empty."""
        while not self._has_room(len_bytes):
            if self._is_stalled:
                return False
            written: Marker = SimpleQueue()
            self._waiting.append(written)
            # The thread notifies only callers that were waiting before there was room.
            if not self._has_room(len_bytes) and not _reached(written, STALL_SECONDS):
                self._is_stalled = True
        return True

    def _has_room(self, len_bytes: int) -> bool:
        len_waiting = self._len_put - self._len_done
        return not len_waiting or len_waiting + len_bytes <= self._capacity_bytes

    def _start(self) -> bool:
        if not threading.main_thread().is_alive():
            # The program is ending: a new thread would be stopped in the middle of a record.
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
        # A child of multiprocessing does not run atexit's functions, but it runs this.
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
        # Set only now: readers take the metadata from the first value of a tag in the file.
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
