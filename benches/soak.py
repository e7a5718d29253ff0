"""An hour of normal use of a daemon, and whether its memory grows.

Trainings log steps, runs appear and disappear, pages move through the steps, listen, and request
films, numbers and things that do not exist. Every ten seconds, the resident memory and the size of
the index (the number of listed tensors) are measured. The verdict compares the slope of memory
after the first ten minutes with that of the index. With ``--still-after MINUTES``, the permanent
trainings then log nothing more while everything else continues: what still grows, grows with time.

    .venv/bin/python benches/soak.py --binary target/release/convscope --minutes 60
"""

from __future__ import annotations

import argparse
import http.client
import random
import re
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from process import HOST, PATIENCE_S, Daemon, cpu_seconds, stop

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))
import convscope  # noqa: E402

ROUND_S = 1.0
TAKE_EVERY_S = 10.0
WARM_S = 600.0
# A listed value takes an entry in a map of steps, some tens of bytes; this is generous.
BYTES_A_VALUE = 200
# Other memory that varies: arenas of the allocator, buffers of connections.
SLACK_KB_A_MINUTE = 20.0


def resident_kb(pid: int) -> int:
    """Resident memory of a process now, in KiB."""
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1])


class Training:
    """A run that logs a kernel and its maps at each step."""

    def __init__(self, logdir: Path, seed: int) -> None:
        self.logdir = logdir
        self.step = 0
        self.random = np.random.default_rng(seed)
        self.recorder = convscope.Recorder(str(logdir))

    def log(self) -> None:
        """Logs one step."""
        self.step += 1
        kernel = self.random.normal(size=(5, 5, 3, 32)).astype(np.float32)
        maps = self.random.normal(size=(1, 28, 28, 32)).astype(np.float32)
        self.recorder.kernel("conv1", kernel, step=self.step, layout="HWIO")
        self.recorder.activation("conv1", maps, step=self.step, layout="NHWC")
        self.recorder.flush()

    def close(self) -> None:
        """Ends it."""
        self.recorder.close()


class Life:
    """The actions of trainings and people, one round per second."""

    def __init__(self, logdir: Path, server: Daemon, n_logging: float) -> None:
        """Takes the number of rounds in which the permanent trainings log."""
        self.logdir = logdir
        self.server = server
        self.n_logging = n_logging
        self.random = random.Random(7)
        self.trainings = [Training(logdir / f"run{idx}", idx) for idx in range(3)]
        self.passing: Training | None = None
        self.streams: list[socket.socket] = []
        self.values = 0
        self.refused = 0
        self.late = 0

    def ask(self, path: str) -> None:
        """Sends one request and ignores the response; on a busy machine, there may be none."""
        connection = http.client.HTTPConnection(HOST, self.server.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            self.refused += answer.status >= 400
        except OSError:
            self.late += 1
        finally:
            connection.close()

    def listen(self) -> None:
        """A page opens; an older one closes."""
        stream = socket.create_connection((HOST, self.server.port), timeout=10)
        stream.sendall(b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.streams.append(stream)
        if len(self.streams) > 10:
            self.streams.pop(0).close()

    def drain(self) -> None:
        """Reads the events of the streams, as pages do."""
        for stream in self.streams:
            stream.setblocking(False)
            try:
                while stream.recv(1 << 16):
                    pass
            except BlockingIOError:
                pass

    def come_and_go(self, round_idx: int) -> None:
        """A run appears for a minute and is removed."""
        if round_idx % 60 == 10:
            self.passing = Training(self.logdir / f"passing{round_idx}", round_idx)
        if round_idx % 60 == 50 and self.passing:
            self.passing.close()
            shutil.rmtree(self.passing.logdir)
            self.passing = None

    def round(self, round_idx: int) -> None:
        """One second."""
        self.come_and_go(round_idx)
        logging = self.trainings if round_idx < self.n_logging else []
        for training in [*logging, *filter(None, [self.passing])]:
            training.log()
        self.values = sum(training.step for training in self.trainings) * 2
        training = self.random.choice(self.trainings)
        run, step = training.logdir.name, self.random.randint(1, training.step)
        of_run = f"run={run}&tag=conv1/kernel"
        for back in range(5):
            self.ask(f"/api/v1/sheet?{of_run}&step={max(1, step - back)}")
        self.ask(f"/api/v1/sheet/info?run={run}&tag=conv1/activation&step=latest")
        asks: list[Callable[[], None]] = [
            self.listen,
            lambda: self.ask(f"/api/v1/stats?{of_run}&step={step}"),
            lambda: self.ask(f"/api/v1/stats?{of_run}&steps=all"),
            lambda: self.ask(f"/api/v1/sheet?{of_run}&step={step}&scope=run"),
            lambda: self.ask(f"/api/v1/film?{of_run}&from={step}&to={step + 10}&format=gif"),
            lambda: self.ask(f"/api/v1/sheet?{of_run}&step={step}&minus_step=1"),
            lambda: self.ask("/api/v1/series"),
            lambda: self.ask("/api/v1/runs"),
            lambda: self.ask(f"/api/v1/sheet?{of_run}&step=-{round_idx}"),
            lambda: self.ask(f"/api/v1/sheet?run={run}&tag=no{round_idx}"),
            lambda: self.ask(f"/no/such/page{round_idx}"),
        ]
        self.random.choice(asks)()
        self.drain()

    def close(self) -> None:
        """Ends all of it."""
        for training in [*self.trainings, *filter(None, [self.passing])]:
            training.close()
        for stream in self.streams:
            stream.close()


def soak(binary: Path, minutes: float, cache_mb: int, still_after: float) -> bool:
    """Runs one daemon, prints its memory over time, and returns whether it stays bounded."""
    with tempfile.TemporaryDirectory() as folder:
        logdir = Path(folder) / "logs"
        logdir.mkdir()
        server = Daemon(binary, logdir, Path(folder) / "port", "--cache-mb", str(cache_mb))
        life = Life(logdir, server, still_after * 60 / ROUND_S)
        points: list[tuple[float, int, int]] = []
        try:
            began = time.monotonic()
            round_idx = 0
            while (now := time.monotonic() - began) < minutes * 60:
                life.round(round_idx)
                round_idx += 1
                if now >= len(points) * TAKE_EVERY_S:
                    points.append((now, resident_kb(server.process.pid), life.values))
                    if len(points) % 6 == 1:
                        print(f"{now / 60:6.1f} min {points[-1][1]:8d} kB {life.values:8d} values")
                        sys.stdout.flush()
                time.sleep(max(0.0, began + round_idx * ROUND_S - time.monotonic()))
            cpu = cpu_seconds(server.process.pid) / (time.monotonic() - began)
            print(f"{life.refused} refusals, {life.late} requests without an answer")
        finally:
            life.close()
            stop(server.process)
    return verdict(points, cpu, cache_mb)


def verdict(points: list[tuple[float, int, int]], cpu: float, cache_mb: int) -> bool:
    """Compares the slopes of memory and index after the first minutes, and prints them."""
    warm = [point for point in points if point[0] >= min(WARM_S, points[-1][0] / 2)]
    minutes = np.array([at / 60 for at, _, _ in warm])
    grows = float(np.polyfit(minutes, [kb for _, kb, _ in warm], 1)[0])
    index = float(np.polyfit(minutes, [n * BYTES_A_VALUE / 1024 for _, _, n in warm], 1)[0])
    holds = grows <= index + SLACK_KB_A_MINUTE
    print(
        f"cache {cache_mb} MB, after {warm[0][0] / 60:.0f} min: memory {grows:+.1f} kB a minute, "
        f"of which the index explains {index:.1f}; {cpu:.1%} of a core: "
        + ("no growth besides" if holds else "GROWS")
    )
    return holds


def main() -> int:
    """Reads the arguments and soaks one daemon for each size of cache."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--binary", type=Path, default=Path("target/release/convscope"))
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--cache-mb", type=int, default=0)
    parser.add_argument("--still-after", type=float, default=float("inf"), metavar="MINUTES")
    args = parser.parse_args()
    return 0 if soak(args.binary, args.minutes, args.cache_mb, args.still_after) else 1


if __name__ == "__main__":
    sys.exit(main())
