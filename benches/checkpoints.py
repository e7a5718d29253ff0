"""Measures how quickly checkpoints are shown, what is read of them, and the memory that it takes.

- Large: for each format a sparse checkpoint of 2 GB is written beside the logdir of a running
  daemon and moved into it. The time counts from the first answer of ``/api/v1/series`` that lists
  the kernel of ``conv1``, which is when the daemon has seen that the checkpoint is whole, to the
  last byte of the PNG of its sheet; the list is asked for every millisecond. A second figure counts
  from the end of the move instead. Memory is the growth of ``VmHWM`` of the daemon from before the
  move to after the PNG; the daemon has served the PNG of another, small checkpoint before.
- Many: ``convscope ls`` of 500 files of a small network, from before the start to after the exit:
  a first run, before which the kernel was told to forget the pages of these files, and later ones.
- Bytes: ``convscope ls`` of 100 sparse checkpoints of 1 GB. What is read is ``rchar`` of
  ``/proc/PID/io``, all bytes that the process and its threads got from read calls, of any file;
  the program maps no file into memory. It is read of the ended process before it is reaped.

    .venv/bin/python benches/checkpoints.py [--bin target/release/convscope]

Prints a line for each figure with its limit, and exits with 1 if one is missed. The files are
sparse, lie in a temporary directory, and are removed.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import process
import sparse
from process import Daemon, Unavailable

ROOT = Path(__file__).resolve().parent.parent
GIGABYTE = 1_000_000_000
N_MANY, N_LARGE = 500, 100
ROUNDS = 5


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        work: what was done.
        value: the figure.
        unit: its unit.
        limit: it has to be below; None if it is only told.
    """

    work: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def is_kept(self) -> bool:
        """Whether it is below its limit."""
        return self.limit is None or self.value < self.limit

    def line(self) -> str:
        """The figure as a line of the table."""
        limit = "" if self.limit is None else f"< {self.limit:g} {self.unit}"
        verdict = "" if self.limit is None else ("kept" if self.is_kept else "MISSED")
        return f"{self.work:68} {self.value:10.4g} {self.unit:3}  {limit:12} {verdict}"


def tag_of(format_name: str) -> str:
    """The tag of the kernel of ``conv1``."""
    return "conv1.weight" if format_name in ("safetensors", "pytorch") else "conv1/kernel"


def is_listed(daemon: Daemon, run: str, tag: str) -> bool:
    """Whether the daemon lists a series."""
    return any(
        one["run"] == run and one["tag"] == tag for one in daemon.json("/api/v1/series")["series"]
    )


def png(daemon: Daemon, run: str, tag: str) -> bytes:
    """The sheet of a series."""
    return daemon.get(f"/api/v1/sheet?run={run}&tag={tag}&step=2")


def moved(daemon: Daemon, written: Path, into: Path, tag: str) -> tuple[float, float]:
    """Moves a checkpoint into the logdir.

    Returns:
        Seconds from when it is listed, and from when it was moved, to when its sheet is there.
    """
    # The last name is that of the file which is opened.
    names = sorted(path.name for path in written.iterdir())
    into.mkdir()
    for name in sorted(names, key=lambda name: name.endswith(".index")):
        os.rename(written / name, into / name)
    begun = time.perf_counter()
    while not is_listed(daemon, into.name, tag):
        if time.perf_counter() - begun > process.PATIENCE_S:
            raise Unavailable(f"{into.name} is never listed")
        time.sleep(0.001)
    seen = time.perf_counter()
    sheet = png(daemon, into.name, tag)
    ended = time.perf_counter()
    served = np.load(io.BytesIO(daemon.get(f"/api/v1/tensor?run={into.name}&tag={tag}&step=2")))
    same = (sparse.KERNEL, sparse.KERNEL.transpose(2, 3, 1, 0))
    is_same = any(np.array_equal(served, kernel) for kernel in same)
    if not sheet.startswith(b"\x89PNG") or not is_same:
        raise Unavailable("the sheet is no PNG, or the kernel has other numbers")
    return ended - seen, ended - begun


def large(binary: Path, folder: Path, format_name: str) -> Iterator[Figure]:
    """One checkpoint of 2 GB of a format, several times, each time with a new daemon."""
    ending, write = sparse.FORMATS[format_name]
    tag, times, growths, bytes_on_disk = tag_of(format_name), [], [], 0
    for number in range(ROUNDS):
        logdir, written = folder / f"logs{number}", folder / f"written{number}"
        (logdir / "small").mkdir(parents=True)
        written.mkdir()
        small = logdir / "small" / "model_step_2.safetensors"
        sparse.of_safetensors(small, 4 * sparse.BALLAST_ROWS)
        age(logdir)
        write(written / f"model_step_2{ending}", 2 * GIGABYTE)
        # What was written a moment ago may still change without a trace.
        age(written)
        bytes_on_disk = sum(path.stat().st_blocks * 512 for path in written.iterdir())
        with process.daemon(binary, logdir) as daemon:
            daemon.wait_loaded()
            png(daemon, "small", "conv1.weight")
            before = process.vm_hwm_mb(daemon.process.pid)
            times.append(moved(daemon, written, logdir / "large", tag))
            growths.append(process.vm_hwm_mb(daemon.process.pid) - before)
    for path in folder.rglob("model_step_2*"):
        path.unlink()
    name = f"{format_name} of 2 GB ({bytes_on_disk / 1e3:.0f} kB on disk)"
    yield Figure(
        f"{name}: listed -> PNG, longest of {ROUNDS}", 1e3 * max(t[0] for t in times), "ms", 50
    )
    yield Figure(f"{name}: moved -> PNG, longest of {ROUNDS}", 1e3 * max(t[1] for t in times), "ms")
    yield Figure(f"{name}: more memory, most of {ROUNDS}", max(growths), "MB", 30)


def small_network() -> dict[str, np.ndarray]:
    """The weights of a small network, as PyTorch has them."""
    rng, shapes = np.random.default_rng(0), {}
    before = 3
    for number, channels in enumerate((16, 32, 64), 1):
        shapes[f"conv{number}.weight"] = (channels, before, 3, 3)
        shapes[f"conv{number}.bias"] = (channels,)
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"bn{number}.{part}"] = (channels,)
        before = channels
    shapes |= {"fc.weight": (10, 64), "fc.bias": (10,)}
    return {name: rng.normal(0, 0.1, shape).astype("<f4") for name, shape in shapes.items()}


def small_file(format_name: str) -> bytes:
    """A file of the small network."""
    weights = small_network()
    if format_name == "safetensors":
        return sparse.safetensors_files.whole(weights)
    if format_name == "pytorch":
        pickles = sparse.pickles
        entries = {
            name: pickles.tensor(str(idx), array.shape)
            for idx, (name, array) in enumerate(weights.items())
        }
        storages = {str(idx): array.tobytes() for idx, array in enumerate(weights.values())}
        return pickles.archive(pickles.whole(pickles.dictionary(entries)), storages)
    return small_keras(weights)


def small_keras(weights: dict[str, np.ndarray]) -> bytes:
    """The same network as Keras 3 saves it: an archive of a configuration and an HDF5 file."""
    import h5py

    classes = {"conv": "Conv2D", "bn": "BatchNormalization", "fc": "Dense"}
    paths = {"conv": "conv2d", "bn": "batch_normalization", "fc": "dense"}
    layers: dict[str, list[np.ndarray]] = {}
    for name, array in weights.items():
        if array.ndim == 4:
            array = array.transpose(2, 3, 1, 0)
        layers.setdefault(name.split(".")[0], []).append(array if array.ndim != 2 else array.T)
    listed, buffer = [], io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for layer, arrays in layers.items():
            kind = layer.rstrip("0123456789")
            number = int(layer[len(kind) :] or 1) - 1
            path = f"layers/{paths[kind]}" + (f"_{number}" if number else "")
            group = file.create_group(f"{path}/vars")
            group.attrs["name"] = layer
            for idx, array in enumerate(arrays):
                group.create_dataset(str(idx), data=array)
            listed.append({"class_name": classes[kind], "config": {"name": layer}})
    config = {"class_name": "Sequential", "config": {"name": "small", "layers": listed}}
    members = {
        "metadata.json": b"{}",
        "config.json": json.dumps(config).encode(),
        "model.weights.h5": buffer.getvalue(),
    }
    return sparse.zips.archive([sparse.zips.Member(*one) for one in members.items()])


def age(folder: Path) -> None:
    """Makes files a minute old, as those of a training that has ended are."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - 60,) * 2)


def forget(folder: Path) -> None:
    """Tells the kernel to write files to the disk and to forget their pages."""
    for path in folder.iterdir():
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


def many(binary: Path, folder: Path, format_name: str) -> Iterator[Figure]:
    """``ls`` of many small files."""
    ending, content = sparse.FORMATS[format_name][0], small_file(format_name)
    for number in range(N_MANY):
        (folder / f"model_step_{number}{ending}").write_bytes(content)
    age(folder)
    forget(folder)
    argv = [binary, "ls", folder]
    first, said = process.run(argv)
    again = sorted(process.run(argv)[0] for _ in range(ROUNDS))
    if f"{N_MANY} steps" not in said.decode():
        raise Unavailable(f"ls does not list {N_MANY} steps: {said[-300:]!r}")
    name = f"ls of {N_MANY} {ending} files of {len(content) / 1e3:.0f} kB"
    yield Figure(f"{name}: first run", first, "s", 1)
    yield Figure(f"{name}: longest of {ROUNDS} warm runs", again[-1], "s", 1)


def read_bytes(argv: list[str | Path]) -> tuple[int, str]:
    """Runs a program; returns the bytes that it read, and what it printed."""
    with tempfile.TemporaryFile() as out:
        program = subprocess.Popen(argv, stdout=out, stderr=subprocess.DEVNULL)
        # Waits without reaping it: what it read is told until then.
        os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)
        counts = Path(f"/proc/{program.pid}/io").read_text()
        if program.wait() != 0:
            raise Unavailable(f"ls exited with {program.returncode}")
        out.seek(0)
        said = out.read().decode()
    return int(counts.split("rchar: ")[1].split("\n")[0]), said


def bytes_of_large(binary: Path, folder: Path, format_name: str) -> Iterator[Figure]:
    """``ls`` of many checkpoints of 1 GB."""
    ending, write = sparse.FORMATS[format_name]
    for number in range(N_LARGE):
        write(folder / f"model_step_{number}{ending}", GIGABYTE)
    age(folder)
    length = sum(path.stat().st_size for path in folder.iterdir())
    nothing = folder / "nothing"
    nothing.mkdir()
    own, _ = read_bytes([binary, "ls", nothing])
    read, said = read_bytes([binary, "ls", folder])
    if f"{N_LARGE} steps" not in said:
        raise Unavailable(f"ls does not list {N_LARGE} steps: {said[-300:]!r}")
    name = f"ls of {N_LARGE} {ending} of 1 GB"
    yield Figure(f"{name}: read, of all bytes", 1e6 * read / length, "ppm", 1_000)
    yield Figure(f"{name}: read, without what ls reads of nothing", (read - own) / 1e3, "kB")


def figures(binary: Path, only: str) -> Iterator[Figure]:
    """All figures, one after the other."""
    parts = {"large": large, "many": many, "bytes": bytes_of_large}
    for part, measure in parts.items():
        for format_name in sparse.FORMATS:
            if (
                part == "many" and format_name == "tensorflow"
            ) or only not in f"{part} {format_name}":
                continue
            with tempfile.TemporaryDirectory() as folder:
                yield from measure(binary, Path(folder), format_name)


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=ROOT / "target" / "release" / "convscope")
    parser.add_argument(
        "--only", default="", help="parts and formats that hold this: large pytorch"
    )
    options = parser.parse_args()
    n_missed = n_limits = 0
    for figure in figures(options.bin.resolve(), options.only):
        print(figure.line(), flush=True)
        n_limits += figure.limit is not None
        n_missed += not figure.is_kept
    print(f"{n_limits - n_missed} limits kept, {n_missed} missed")
    return 1 if n_missed else 0


if __name__ == "__main__":
    sys.exit(main())
