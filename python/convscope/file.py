"""Records -> a growing event file that never ends with half a record, even if writing fails."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

from convscope.events import first_record

WRITER = "convscope.recorder"
"""The name of the writer in the file's first event."""

_numbers = itertools.count()


class EventFile:
    """An event file; ``open`` creates it.

    Attributes:
        logdir: the directory, which is the run.
        path: the file, or None before it exists; a new one after the previous one was removed.
    """

    def __init__(self, logdir: Path) -> None:
        self.logdir = logdir
        self.path: Path | None = None
        self._file: FileIO | None = None
        self._len_good = 0
        self._counts_links = False

    @property
    def is_open(self) -> bool:
        """Whether records can be appended to ``path``."""
        return self._file is not None

    def open(self) -> None:
        """Creates the directory and the file with its first record, unless the file exists.

        Raises:
            OSError: one of them cannot be created or written.
        """
        if self._file is not None and not self._is_removed(self._file):
            return
        self.close()
        self.logdir.mkdir(parents=True, exist_ok=True)
        path = self.logdir / _name(time.time())
        # Unbuffered: what was written is in the file at once, and a forked child inherits no bytes
        # that it would write again.
        self._file = FileIO(path, "x")
        self.path = path
        self._len_good = 0
        self._counts_links = os.fstat(self._file.fileno()).st_nlink > 0
        self.append(first_record(time.time(), WRITER))

    def append(self, parts: Sequence[bytes]) -> None:
        """Writes one record into the file that is open.

        Args:
            parts: the record's bytes, one part after the other.

        Raises:
            OSError: the disk is full or cannot be reached; the file ends after the previous record.
        """
        assert self._file is not None
        try:
            for part in parts:
                _write_all(self._file, part)
        except OSError:
            self._forget_torn_record()
            raise
        self._len_good += sum(map(len, parts))

    def close(self) -> None:
        """Closes the file; ``open`` creates a new one."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _is_removed(self, file: FileIO) -> bool:
        """Whether the file was removed; False if the file system does not count links."""
        return self._counts_links and os.fstat(file.fileno()).st_nlink == 0

    def _forget_torn_record(self) -> None:
        assert self._file is not None and self.path is not None
        try:
            self._file.seek(self._len_good)
            self._file.truncate()
            if self._len_good == 0:
                # Otherwise each value would leave an empty file on a full disk.
                self.close()
                self.path.unlink()
        except OSError:
            # The disk cannot be reached any more; readers skip a record that is cut short.
            self.close()


def _write_all(file: FileIO, part: bytes) -> None:
    view = memoryview(part)
    while view:
        view = view[file.write(view) :]


def _name(now: float) -> str:
    """``events.out.tfevents.TIME.HOST.PID.N.tensors``: TensorFlow's form, which sorts by time.
    PyTorch's ``SummaryWriter`` numbers its files in the same way, so without the ending
    ``.tensors`` a file of the same second would have the same name."""
    host = socket.gethostname().replace(os.sep, "_") or "localhost"
    return f"events.out.tfevents.{int(now):010d}.{host}.{os.getpid()}.{next(_numbers)}.tensors"
