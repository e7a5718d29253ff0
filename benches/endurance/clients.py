"""Clients that read nothing, and how the others are answered meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from figure import Bound, Reading, measurement
from logged import file_of, step
from served import scratch, served, unread


@measurement("streams")
def streams(binary: Path) -> Iterator[Reading]:
    """Event streams that nobody reads, connections that ask nothing: when health is answered."""
    with scratch() as logdir:
        file_of(logdir, [step("conv1/kernel", 0)])
        for count in (512, 1_000, 2_000):
            with served(binary, logdir) as program:
                program.until_loaded(30)
                with unread(program, count, "/api/v1/live"):
                    time.sleep(0.3)
                    took = program.health_ms()
                    yield Reading(f"{count:,} unread streams: health", "ms", took, Bound(most=100))
                time.sleep(0.5)
                after = program.health_ms()
                yield Reading(
                    f"{count:,} unread streams gone: health", "ms", after, Bound(most=100)
                )
        with served(binary, logdir) as program:
            program.until_loaded(30)
            with unread(program, 2_000, "") as taken:
                took = program.health_ms()
                note = "" if taken == 2_000 else f"{taken} were accepted"
                yield Reading("2,000 idle connections: health", "ms", took, Bound(most=100), note)


@measurement("films")
def films(binary: Path) -> Iterator[Reading]:
    """Eight films of 600 steps that nobody reads, then a ninth that is read."""
    rng = np.random.default_rng(1)
    kernel = rng.normal(0, 0.1, (5, 5, 3, 64)).astype(np.float32)
    with scratch() as logdir:
        file_of(logdir, (step("conv1/kernel", at, np.roll(kernel, at)) for at in range(600)))
        with served(binary, logdir) as program:
            program.until_loaded(30)
            film = "/api/v1/film?tag=conv1%2Fkernel&zoom=4"
            with unread(program, 8, film):
                time.sleep(2)
                begun = time.perf_counter()
                status, _ = program.get(f"{film}&to=5&format=gif")
                took = time.perf_counter() - begun
                work = "a ninth film beside 8 that nobody reads"
                yield Reading(f"{work}: comes", "1 = yes", float(status == 200), Bound(least=1))
                yield Reading(f"{work}: there", "s", took, Bound(most=5))
