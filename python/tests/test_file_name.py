"""The recorder's files have names of their own, even if another writer starts in the same
second."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from convscope.file import EventFile


def test_a_writer_of_the_same_second_and_process_keeps_its_file(tmp_path: Path) -> None:
    # The names of tensorboard.summary.writer.event_file_writer, for any present second.
    place = f"{socket.gethostname()}.{os.getpid()}"
    for second in range(int(time.time()), int(time.time()) + 600):
        for number in range(3):
            (tmp_path / f"events.out.tfevents.{second:010d}.{place}.{number}").touch()
    before = set(tmp_path.iterdir())
    for _ in range(3):
        file = EventFile(tmp_path)
        file.open()
        file.close()
    written = set(tmp_path.iterdir()) - before
    assert len(written) == 3
    assert all(path.stat().st_size == 0 for path in before)
