"""Merged records: a small tensor beside a large one, and records of very many values."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import wire
from figure import Bound, Reading, measurement
from logged import KERNEL, NAME, Sparse, append, file_of, step
from served import bytes_read, memory_mb, scratch, served

STEPS = 500
ACTIVATION = (1, 32, 256, 256)
"""8 MiB."""
CACHE_MB = 64
EMPTY_BYTES = 64 << 20


def write_merged(logdir: Path) -> None:
    """A log like that of TensorFlow 1's ``merge_all``: both tensors in one record per step, 4
    GB."""
    sparse = Sparse(logdir / NAME)
    for at in range(STEPS):
        sparse.add(
            at, wire.value("conv1/weights", wire.whole(KERNEL)), "conv1/activation", ACTIVATION
        )
    sparse.close()


@measurement("merged")
def merged(binary: Path) -> Iterator[Reading]:
    """Requests the kernel of 144 bytes at every step once; then again in other colours.

    Memory is the growth of the resident size minus that of the caches according to ``/metrics``.
    The bytes are those of the process' calls of ``read``.
    """
    with scratch() as logdir:
        write_merged(logdir)
        with served(binary, logdir, "--cache-mb", str(CACHE_MB)) as program:
            program.until_loaded(60)
            before, cached = memory_mb(program.pid), program.cache_bytes()
            first = [sheet_ms(program, at, "viridis") for at in range(STEPS)]
            cached = (program.cache_bytes() - cached) / 1e6
            grown = memory_mb(program.pid) - before - cached
            yield Reading("memory beside the caches after 500 sheets", "MB", grown, Bound(most=100))
            yield Reading("what the caches say they hold", "MB", cached)
            yield Reading("a sheet that nobody asked for before, median", "ms", median(first))
        with served(binary, logdir, "--cache-mb", "0") as program:
            program.until_loaded(60)
            for at in range(100):
                sheet_ms(program, at, "viridis")
            read = bytes_read(program.pid)
            again = [sheet_ms(program, at, "magma") for at in range(100)]
            kilobytes = (bytes_read(program.pid) - read) / 100 / 1e3
            yield Reading(
                "another sheet of a step seen before, no cache, median", "ms", median(again)
            )
            yield Reading("bytes read for it", "kB", kilobytes, Bound(most=100))


def sheet_ms(program, at: int, cmap: str) -> float:
    """Milliseconds until a sheet of the kernel has arrived."""
    begun = time.perf_counter()
    status, _ = program.get(f"/api/v1/sheet?tag=conv1%2Fweights&step={at}&cmap={cmap}")
    return (time.perf_counter() - begun) * 1e3 if status == 200 else math.inf


@measurement("empty values")
def empty_values(binary: Path) -> Iterator[Reading]:
    """A record of 64 MiB of empty values, 33 million of them, and a kernel after it.

    Seconds are those until the kernel is listed; memory is measured then, and 3 s later.
    """
    with scratch() as logdir:
        crowd = wire.record(wire.event(0, wire.block(1, b"") * (EMPTY_BYTES // 2)))
        file_of(logdir, [crowd, step("conv1/kernel", 1)])
        del crowd
        with served(binary, logdir) as program:
            took = program.until(lambda: program.has("conv1/kernel"), 90, program.started)
            yield Reading(
                "64 MiB of empty values: seconds until what follows is listed",
                "s",
                took,
                Bound(most=5),
            )
            yield Reading("the most memory meanwhile", "MB", program.peak_mb, Bound(most=250))
            append(logdir / NAME, step("conv1/kernel", 2))
            time.sleep(3)
            yield Reading("memory 3 s later", "MB", memory_mb(program.pid), Bound(most=100))
