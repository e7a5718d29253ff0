"""Removed files, logdirs that are created again, links that lead out, frequent renames."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from figure import Bound, Reading, measurement
from logged import append, file_of, step
from process import cpu_seconds
from served import Served, descriptors, scratch, served

N_RUNS = 10_000


@measurement("removed")
def removed(binary: Path) -> Iterator[Reading]:
    """Twenty files are shown and removed: open descriptors of them 5 s after that was detected."""
    with scratch() as logdir:
        for at in range(20):
            file_of(logdir / f"r{at}", [step("conv1/kernel", 0)])
        with served(binary, logdir) as program:
            program.until_loaded(30)
            for at in range(20):
                program.get(f"/api/v1/sheet?run=r{at}&tag=conv1%2Fkernel")
                shutil.rmtree(logdir / f"r{at}")
            program.until(lambda: not program.has("conv1/kernel", "r19"), 30)
            time.sleep(5)
            held = descriptors(program.pid, "(deleted)")
            yield Reading("20 removed files: still open", "files", held, Bound(most=0))


@measurement("remade")
def remade(binary: Path) -> Iterator[Reading]:
    """The logdir is removed and created again with a run: seconds until the run is listed."""

    def by_rename(logdir: Path) -> None:
        new = logdir.with_name("new")
        new.mkdir()
        shutil.rmtree(logdir)
        new.rename(logdir)
        # The program has detected the removal, and looked at the new logdir.
        time.sleep(1)

    def at_once(logdir: Path) -> None:
        shutil.rmtree(logdir)
        logdir.mkdir()
        time.sleep(1)

    def later(logdir: Path) -> None:
        shutil.rmtree(logdir)
        time.sleep(3)
        logdir.mkdir()

    for words, remake in (("by a rename", by_rename), ("at once", at_once), ("after 3 s", later)):
        with scratch() as folder:
            logdir = folder / "logs"
            file_of(logdir / "a", [step("conv1/kernel", 0)])
            with served(binary, logdir) as program:
                program.until_loaded(30)
                remake(logdir)
                file_of(logdir / "b", [step("conv1/kernel", 0)])
                seen = program.until(lambda: program.has("conv1/kernel", "b"), 40)
                yield Reading(
                    f"logdir removed and remade {words}: a run in it", "s", seen, Bound(most=2)
                )


@measurement("links")
def links(binary: Path) -> Iterator[Reading]:
    """A run, and a link beside it that leads out of the logdir: the cost of the first scan."""
    for target in ("/", "/proc", "/usr"):
        with scratch() as logdir:
            file_of(logdir / "a", [step("conv1/kernel", 0)])
            os.symlink(target, logdir / "away")
            with served(binary, logdir) as program:
                took = program.until_loaded(20)
                work = f"a link to {target} in the logdir"
                yield Reading(f"{work}: loaded", "s", took, Bound(most=2))
                yield Reading(
                    f"{work}: processor until then", "s", cpu_seconds(program.pid), Bound(most=1)
                )


def write_runs(logdir: Path) -> Path:
    """Writes ten thousand runs of one step; returns the file of the last one."""
    record = [step("conv1/kernel", 0)]
    paths = [file_of(logdir / f"r{at:05}", record) for at in range(N_RUNS)]
    return paths[-1]


@contextmanager
def renames(logdir: Path, a_second: float) -> Iterator[None]:
    """Writes and renames other files in the logdir, as programs do with checkpoints."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(1 / a_second):
            (logdir / "checkpoint.tmp").write_bytes(b"x")
            (logdir / "checkpoint.tmp").rename(logdir / "checkpoint")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def append_ms(program: Served, path: Path, at: int) -> float:
    """Milliseconds from an append until the step is served."""
    run = path.parent.name
    begun = time.perf_counter()
    append(path, step("conv1/kernel", at))
    asked = f"/api/v1/tensor?run={run}&tag=conv1%2Fkernel&step={at}"
    return 1e3 * program.until(lambda: program.get(asked)[0] == 200, 30, begun)


@measurement("renames")
def renamed(binary: Path) -> Iterator[Reading]:
    """Ten thousand runs; 20 renames per second of a file that is not a log: CPU time, appends."""
    with scratch() as logdir:
        path = write_runs(logdir)
        with served(binary, logdir) as program:
            program.until_loaded(90)
            time.sleep(3)
            quiet = median(append_ms(program, path, at) for at in range(1, 10))
            with renames(logdir, 20):
                time.sleep(2)
                share = program.cpu_share(10)
                busy = median(append_ms(program, path, at) for at in range(10, 30))
            yield Reading("10,000 runs, an append until it is served, median", "ms", quiet)
            yield Reading("the same beside 20 renames a second", "ms", busy, Bound(most=50))
            yield Reading("20 renames a second: share of a core", "%", share, Bound(most=5))
