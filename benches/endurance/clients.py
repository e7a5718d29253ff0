"""Clients that read nothing, and the response times of other clients meanwhile."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
from figure import Bound, Reading, measurement
from logged import file_of, step
from served import Served, memory_mb, scratch, served, unread
from sockets import half_of_connections, still_open

N_CLIENTS = 2_000
N_ASKED = 50
LIVE = "/api/v1/live"
TOKEN = "s3cret"


def asked(program: Served, work: str) -> Iterator[Reading]:
    """The median and the slowest of many requests of health, each on a new connection."""
    took: list[float] = []
    # A program that does not answer would take minutes for all requests.
    while len(took) < N_ASKED and math.inf not in took:
        took.append(program.health_ms())
    yield Reading(
        f"{work}: health, median",
        "ms",
        median(took) if math.inf not in took else math.inf,
        Bound(most=100),
    )
    yield Reading(f"{work}: health, slowest", "ms", max(took), Bound(most=100))


def open_after(work: str, clients: list[socket.socket], count: int) -> Reading:
    """How many clients were accepted and are still connected."""
    room = min(count, half_of_connections())
    note = "" if room == count else f"the limit of descriptors has room for {room}"
    return Reading(f"{work}: still open", "clients", still_open(clients), Bound(least=room), note)


@measurement("streams")
def streams(binary: Path) -> Iterator[Reading]:
    """Event streams that nobody reads: response times of health, during them and after they end."""
    with scratch() as logdir:
        file_of(logdir, [step("conv1/kernel", 0)])
        for count in (512, 1_000, N_CLIENTS):
            with served(binary, logdir) as program:
                program.until_loaded(30)
                work, before = f"{count:,} unread streams", memory_mb(program.pid)
                with unread(program, count, LIVE) as clients:
                    time.sleep(0.3)
                    yield from asked(program, work)
                    yield open_after(work, clients, count)
                    grown = memory_mb(program.pid) - before
                    yield Reading(f"{work}: memory they take", "MB", grown)
                time.sleep(0.5)
                yield from asked(program, f"{work} gone")


@measurement("idle")
def idle(binary: Path) -> Iterator[Reading]:
    """Clients that send nothing, alone and beside streams: response times of health.

    Half of the connections may be clients without the token. So if a token is required, idle
    clients and those that request a stream together use all allowed connections.
    """
    half = N_CLIENTS // 2
    with scratch() as logdir:
        file_of(logdir, [step("conv1/kernel", 0)])
        for work, n_streams, n_idle, options in (
            (f"{N_CLIENTS:,} idle clients", 0, N_CLIENTS, ()),
            (f"{half:,} unread streams, {half:,} idle clients", half, half, ()),
            (f"{N_CLIENTS:,} clients without the token", half, half, ("--token", TOKEN)),
        ):
            with served(binary, logdir, *options) as program:
                program.until_loaded(30)
                before = memory_mb(program.pid)
                with (
                    unread(program, n_streams, LIVE) as listening,
                    unread(program, n_idle, None) as silent,
                ):
                    yield from asked(program, work)
                    if not options:
                        yield open_after(work, listening + silent, N_CLIENTS)
                    grown = memory_mb(program.pid) - before
                    yield Reading(f"{work}: memory they take", "MB", grown)


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
