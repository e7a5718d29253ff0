"""Measures how a running daemon keeps up: a new step, the start, doing nothing.

A new step: this process appends one complete record to a log with one ``write``, and measures
the time until the event stream of ``api/v1/live`` reports the step. That is the
daemon's part of the time until a picture is in a browser. The peer is the data
server with its default pause, until the load cycle that began after the
append has ended.

The start: from before the process to the first byte of ``/``. The peer is TensorBoard.

Doing nothing: CPU time over some seconds with a loaded log.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from process import HOST, PATIENCE_S, Unavailable, cpu_seconds, daemon, data_server, fetch, stop
from table import Row, attempt

APPENDS = 100
PEER_APPENDS = 5
IDLE_S = 20
FIRST_STEPS = 20
TAG = "conv1/kernel"


def make_records(count: int) -> list[bytes]:
    """Whole records: the file's version, then a (5, 5, 3, 64) kernel at steps 0, 1, ..."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import numpy as np
    import tensorflow as tf
    from tensorboard.compat.proto import event_pb2

    kernel = np.random.default_rng(3).normal(0, 0.1, (5, 5, 3, 64)).astype(np.float32)
    events = [event_pb2.Event(wall_time=1_764_000_000, file_version="brain.Event:2")]
    for step in range(count):
        event = event_pb2.Event(wall_time=1_764_000_000 + step, step=step)
        value = event.summary.value.add(tag=TAG)
        value.tensor.dtype = 1
        for size in kernel.shape:
            value.tensor.tensor_shape.dim.add(size=size)
        value.tensor.tensor_content = np.roll(kernel, step).tobytes()
        events.append(event)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records"
        with tf.io.TFRecordWriter(str(path)) as file:
            for event in events:
                file.write(event.SerializeToString())
        return list(split_records(path.read_bytes()))


def split_records(data: bytes) -> Iterator[bytes]:
    """The framed records of a file: 12 bytes of header, the data, 4 bytes of CRC."""
    while data:
        size = 16 + int.from_bytes(data[:8], "little")
        yield data[:size]
        data = data[size:]


@contextmanager
def growing_log(records: list[bytes]) -> Iterator[tuple[Path, int, Iterator[tuple[int, bytes]]]]:
    """A logdir with some first steps, its open file, and the (step, record) pairs to append."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.out.tfevents.1764000000.bench.0"
        path.write_bytes(b"".join(records[: FIRST_STEPS + 1]))
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        rest = records[FIRST_STEPS + 1 :]
        try:
            yield Path(folder), file, iter(enumerate(rest, FIRST_STEPS))
        finally:
            os.close(file)


class Stream:
    """The event stream of ``api/v1/live``."""

    def __init__(self, port: int) -> None:
        """Connects and reads the first event, which is sent immediately."""
        self.connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_S)
        self.connection.request("GET", "/api/v1/live")
        self.answer = self.connection.getresponse()
        if self.answer.status != 200:
            raise Unavailable(f"GET /api/v1/live gave {self.answer.status}")
        self.next()

    def next(self) -> dict:
        """The data of the next event."""
        try:
            while line := self.answer.readline():
                if line.startswith(b"data:"):
                    return json.loads(line[5:])
        except TimeoutError:
            raise Unavailable(f"no event in {PATIENCE_S:.0f} s") from None
        raise Unavailable("the event stream ended")

    def wait_for_step(self, step: int) -> None:
        """Reads events until one reports this step or a later one."""
        while True:
            for change in self.next()["changed"]:
                if change["tag"] == TAG and change["last_step"] >= step:
                    return


def follow(binary: Path, records: list[bytes], typical: Row, worst: Row) -> None:
    """Appends steps at uneven intervals and measures the time until the stream reports each."""
    gaps = random.Random(4)
    with growing_log(records) as (logdir, file, rest), daemon(binary, logdir) as server:
        server.wait_loaded()
        stream = Stream(server.port)
        for step, record in rest:
            time.sleep(gaps.uniform(0.005, 0.2))
            start = time.perf_counter()
            os.write(file, record)
            stream.wait_for_step(step)
            elapsed = (time.perf_counter() - start) * 1e3
            typical.ours.append(elapsed)
            worst.ours.append(elapsed)


def follow_as_peer(records: list[bytes], row: Row) -> None:
    """The same for the data server with its pause of 5 s between loads."""
    gaps = random.Random(5)
    with growing_log(records) as (logdir, file, rest), data_server(logdir) as server:
        server.wait_loaded()
        for (_, record), _ in zip(rest, range(PEER_APPENDS), strict=False):
            time.sleep(gaps.uniform(0.1, 4.5))
            start = time.perf_counter()
            os.write(file, record)
            while server.wait_for("Starting load cycle") < start:
                pass
            row.theirs.append((server.wait_for("Finished load cycle") - start) * 1e3)


def live(binary: Path) -> list[Row]:
    """A step that is appended until it is announced."""
    typical = Row("append to live event, median", "data server", "ms", limit=50)
    worst = Row("append to live event, 99%", "data server", "ms", limit=150, quantile=0.99)
    records = make_records(FIRST_STEPS + APPENDS)
    try:
        follow(binary, records, typical, worst)
    except Unavailable as error:
        typical.note = worst.note = str(error)
    follow_as_peer(records, typical)
    worst.theirs = [max(typical.theirs)]
    worst.note = worst.note or f"the peer's figure is its longest of {PEER_APPENDS}"
    typical.note = (
        typical.note or "the goal is for the picture in a browser, this is our part of it"
    )
    return [typical, worst]


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def tensorboard_start(logdir: Path) -> float:
    """Seconds from TensorBoard's start to the first answer of ``/``."""
    port = free_port()
    argv = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir)]
    argv += ["--host", HOST, "--port", str(port)]
    start = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                fetch(port, "/")
                return time.perf_counter() - start
            except OSError:
                if time.perf_counter() - start > PATIENCE_S:
                    raise Unavailable("TensorBoard did not start") from None
                time.sleep(0.005)
    finally:
        stop(process)


def our_start(binary: Path, logdir: Path) -> float:
    """Seconds from our start to the complete response of ``/``."""
    with daemon(binary, logdir) as server:
        server.get("/")
        return time.perf_counter() - server.started


def start(binary: Path, logs: dict[str, Path], rounds: int) -> list[Row]:
    """Start on the 1.1 GB run."""
    row = Row("start to first page, 1.1 GB", "TensorBoard", "ms")
    for turn in range(rounds):
        if turn < 2:
            row.theirs.append(tensorboard_start(logs["tensors"]) * 1e3)
        attempt(row, lambda: our_start(binary, logs["tensors"]) * 1e3)
    return [row]


def idle(binary: Path, logs: dict[str, Path]) -> list[Row]:
    """Processor time of both while nothing happens to the 1.1 GB run."""
    row = Row(f"idle for {IDLE_S} s, processor", "data server", "ms")
    with data_server(logs["tensors"]) as peer:
        peer.wait_loaded()
        before = cpu_seconds(peer.process.pid)
        try:
            with daemon(binary, logs["tensors"]) as server:
                server.wait_loaded()
                ours = cpu_seconds(server.process.pid)
                before = cpu_seconds(peer.process.pid)
                time.sleep(IDLE_S)
                row.ours.append((cpu_seconds(server.process.pid) - ours) * 1e3)
        except Unavailable as error:
            row.note = str(error)
            time.sleep(IDLE_S)
        row.theirs.append((cpu_seconds(peer.process.pid) - before) * 1e3)
    tick = 1000 / os.sysconf("SC_CLK_TCK")
    row.note = row.note or f"the kernel counts in steps of {tick:.0f} ms"
    return [row]
