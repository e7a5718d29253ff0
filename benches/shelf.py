"""Measures the shelf on a training that keeps one file.

- Saves: a checkpoint of 200 MB (sparse) is written in place once a second, within half a second,
  and left for at least 0.3 s. The daemon is killed with SIGKILL twice and started again. Counted
  are saves during which a daemon ran from before the write began until the next one; for each, the
  first convolution is fetched from the API at the end and compared bit for bit. A save that is not
  there has to be named in ``shelf.lost_saves`` of ``/api/v1/health``.
- Cost: processor time of the daemon while 60 saves come, with the shelf and without it, in turn.
- Delay: the time of a picture that nobody asked for before, while saves come, with and without.

    .venv/bin/python benches/shelf.py [--bin target/release/convscope] [--saves 100]

Prints a line for each figure with its limit, and exits with 1 if one is missed.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
import tempfile
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from process import Daemon, Unavailable, cpu_seconds, stop

ROOT = Path(__file__).resolve().parent.parent
SHAPE = (64, 3, 7, 7)
OTHER = (64, 64, 3, 3)
LENGTH = 200_000_000
WRITTEN_IN_S = 0.4
EVERY_S = 1.0
LEFT_S = 0.35


def kernel(step: int) -> np.ndarray:
    """The first convolution at a step."""
    return np.random.default_rng(step).normal(0, 0.1, SHAPE).astype("<f4")


def save(path: Path, step: int) -> None:
    """Overwrites a safetensors file in place, slowly."""
    raw = kernel(step).tobytes()
    rest = LENGTH - len(raw)
    other = (
        np.random.default_rng(~step & 0xFFFF).normal(0, 0.1, (64, 64, 3, 3)).astype("<f4").tobytes()
    )
    ends = [len(raw), len(raw) + len(other), len(raw) + rest]
    header = {
        "__metadata__": {"step": str(step)},
        "conv1.weight": {"dtype": "F32", "shape": SHAPE, "data_offsets": [0, ends[0]]},
        "layer1.weight": {
            "dtype": "F32",
            "shape": [64, 64, 3, 3],
            "data_offsets": [ends[0], ends[1]],
        },
        "ballast": {
            "dtype": "U8",
            "shape": [ends[2] - ends[1]],
            "data_offsets": [ends[1], ends[2]],
        },
    }
    text = json.dumps(header).encode()
    with path.open("wb", buffering=0) as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for part in (raw, other):
            file.write(part)
            time.sleep(WRITTEN_IN_S / 4)
        for quarter in (1, 2, 3, 4):
            file.seek(8 + len(text) + ends[1] + (ends[2] - ends[1]) * quarter // 4 - 1)
            file.write(b"\0")
            time.sleep(WRITTEN_IN_S / 8)


@dataclass
class Training:
    """Saves that were written, with when each began and until when it lay there."""

    path: Path
    saves: int
    first: int = 0
    times: dict[int, tuple[float, float]] = field(default_factory=dict)

    def run(self) -> None:
        """Writes them, one a second."""
        for step in range(self.first, self.first + self.saves):
            began = time.monotonic()
            save(self.path, step)
            left = time.monotonic()
            time.sleep(max(LEFT_S, began + EVERY_S - left))
            self.times[step] = (began, time.monotonic())


def tensor(daemon: Daemon, step: int) -> bytes | None:
    """The numbers of the first convolution at a step; None if it is not on the scrubber."""
    try:
        body = daemon.get(f"/api/v1/tensor?tag=conv1.weight&step={step}")
    except Unavailable:
        return None
    return body[-4 * int(np.prod(SHAPE)) :]


def saves_in_place(binary: Path, n_saves: int) -> bool:
    """Runs the training, kills the daemon twice, and compares what is on the scrubber."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        logdir = place / "logs"
        logdir.mkdir()
        training = Training(logdir / "last.safetensors", n_saves)
        alive: list[tuple[float, float]] = []
        lost: list[str] = []

        def start() -> tuple[Daemon, float]:
            port = place / f"port{len(alive)}"
            return Daemon(binary, logdir, port, "--shelf", str(place / "shelf")), time.monotonic()

        daemon, since = start()
        thread = threading.Thread(target=training.run)
        thread.start()
        for after in (n_saves * 0.3, n_saves * 0.3):
            time.sleep(after * EVERY_S)
            lost += daemon.json("/api/v1/health")["shelf"]["lost_saves"]
            alive.append((since, time.monotonic()))
            daemon.process.kill()
            daemon.process.wait()
            time.sleep(2.5)
            daemon, since = start()
        thread.join()
        time.sleep(1)
        alive.append((since, time.monotonic()))
        lost += daemon.json("/api/v1/health")["shelf"]["lost_saves"]
        counted = [
            step
            for step, (began, until) in training.times.items()
            if any(start <= began and until <= end for start, end in alive)
        ]
        found = {step: tensor(daemon, step) for step in counted}
        right = [step for step, raw in found.items() if raw == kernel(step).tobytes()]
        torn = [step for step, raw in found.items() if raw is not None and step not in right]
        missing = [step for step, raw in found.items() if raw is None]
        named = [step for step in missing if any(line.endswith(f"step {step}") for line in lost)]
        size = daemon.json("/api/v1/health")["shelf"]["bytes"]
        stop(daemon.process)
    n_needed = int(len(counted) * 0.98)
    print(f"saves counted {len(counted)} of {n_saves}; on the scrubber, bit for bit {len(right)}")
    print(f"torn {len(torn)}; missing {missing}; of these named {named}; shelf {size / 1e6:.1f} MB")
    return len(right) >= n_needed and not torn and len(named) == len(missing)


def one_run(binary: Path, n_saves: int, *flags: str) -> tuple[float, list[float]]:
    """Processor time a second, and milliseconds of each picture, while saves come."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        logdir = place / "logs"
        (logdir / "still").mkdir(parents=True)
        for step in range(4):
            save(logdir / "still" / f"step_{step}.safetensors", step)
        daemon = Daemon(binary, logdir, place / "port", *flags)
        time.sleep(2)
        training = threading.Thread(target=Training(logdir / "last.safetensors", n_saves).run)
        before, began = cpu_seconds(daemon.process.pid), time.monotonic()
        training.start()
        training.join()
        cpu = (cpu_seconds(daemon.process.pid) - before) / (time.monotonic() - began)
        pictures: list[float] = []
        training = threading.Thread(
            target=Training(logdir / "last.safetensors", n_saves // 3, first=n_saves).run
        )
        training.start()
        number = 0
        while training.is_alive():
            number += 1
            tag = urllib.parse.quote("conv1.weight")
            query = f"run=still&tag={tag}&step={number % 4}&range=fixed:-1:{1 + number / 1e4}"
            start = time.perf_counter()
            daemon.get(f"/api/v1/sheet?{query}")
            pictures.append(1e3 * (time.perf_counter() - start))
            time.sleep(0.005)
        stop(daemon.process)
    return cpu, pictures


def cost(binary: Path, n_saves: int) -> bool:
    """Compares the shelf with none."""
    with tempfile.TemporaryDirectory() as shelf:
        without = one_run(binary, n_saves, "--no-shelf")
        with_shelf = one_run(binary, n_saves, "--shelf", shelf)
    share = 100 * (with_shelf[0] - without[0])
    print(f"of a core, without: {100 * without[0]:.2f} %, with it: {100 * with_shelf[0]:.2f} %")
    print(f"copying: {share:.2f} % of a core (< 1 %)")
    ends = []
    for name, (_, pictures) in (("without", without), ("with", with_shelf)):
        median, high, most = np.percentile(pictures, [50, 99, 100])
        ends.append(high)
        print(
            f"a picture {name} the shelf: median {median:.2f}, 99 % {high:.2f}, "
            f"longest {most:.2f} ms of {len(pictures)}"
        )
    print(f"delay at 99 %: {ends[1] - ends[0]:.2f} ms (< 20 ms)")
    return share < 1 and ends[1] - ends[0] < 20


def main() -> int:
    """Runs both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=ROOT / "target" / "release" / "convscope")
    parser.add_argument("--saves", type=int, default=100)
    args = parser.parse_args()
    is_right = saves_in_place(args.bin, args.saves)
    is_cheap = cost(args.bin, min(args.saves, 60))
    return 0 if is_right and is_cheap else 1


if __name__ == "__main__":
    sys.exit(main())
