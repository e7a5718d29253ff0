"""Very many connections at once, and responses that nobody reads."""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import wire
from asked import get, said, status_of
from case import EVENT_FILE, Wrong, kernel
from deeds import Deed, Deeds, World, group
from program import HOST
from sockets import HEADERS_WITHIN_S, half_of_connections, reset, still_open

HEALTH_WITHIN_MS = 100.0
"""The limit for the median and the slowest of ``ASKED`` responses of a release build."""
DEBUG_WITHIN_MS = 2_000.0
"""The same for a debug build, which is an order of magnitude slower."""
ASKED = 10
TRIES = 3
"""How often health is measured before it counts as late: the machine may be busy."""


@contextlib.contextmanager
def crowd(world: World, count: int, request: bytes) -> Iterator[list[socket.socket]]:
    """Opens many connections at once, sends these bytes on each, and reads nothing."""
    streams: list[socket.socket] = []
    try:
        for _ in range(count):
            try:
                stream = socket.create_connection((HOST, world.program.port), timeout=15)
            except OSError as error:
                raise Wrong(f"connection {len(streams) + 1} is not taken: {error!r}") from error
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            streams.append(stream)
            stream.sendall(request)
        yield streams
    finally:
        reset(streams)


def health_ms(world: World) -> list[float]:
    """The milliseconds of some requests of health, in ascending order, each on a new connection."""
    took = []
    for _ in range(ASKED):
        begun = time.monotonic()
        status = status_of(said(world, get("/api/v1/health"), limit=1_000))
        took.append((time.monotonic() - begun) * 1e3)
        if status != 200:
            raise Wrong(f"health gave {status or 'nothing'} after {took[-1]:.0f} ms")
    return sorted(took)


def check_health(world: World, calm_ms: float = 0.0) -> None:
    """Health is answered soon; prints the median and the slowest answer.

    On a busy machine, responses are late anyway. So the slowest one may take ``calm_ms`` longer,
    which is the time of the slowest one without other requests, and the best of a few tries counts.

    Args:
        world: the program.
        calm_ms: the additional time for the slowest response.

    Raises:
        Wrong: in each try, the median or the slowest response is late.
    """
    within = DEBUG_WITHIN_MS if world.program.is_debug else HEALTH_WITHIN_MS
    for _ in range(TRIES):
        took = health_ms(world)
        figures = f"health: median {median(took):.1f} ms, slowest {took[-1]:.1f} ms"
        print(f"{world.run.name}: {figures}", file=sys.stderr, flush=True)
        if median(took) <= within and took[-1] <= within + calm_ms:
            return
    raise Wrong(f"{figures}; {within:.0f} ms are allowed, the slowest {calm_ms:.0f} ms more")


def check_open(streams: list[socket.socket], begun: float) -> None:
    """Checks that all connections are still open, as far as the limit of descriptors allows.

    Args:
        streams: idle connections, or connections with event streams.
        begun: when the first was opened. Nothing is checked if that is so long ago that idle
            connections have to be closed.
    """
    is_open, wanted = still_open(streams), min(len(streams), half_of_connections())
    seconds = time.monotonic() - begun
    print(f"{is_open} of {len(streams)} are open after {seconds:.1f} s", file=sys.stderr)
    if is_open < wanted and seconds < HEADERS_WITHIN_S:
        raise Wrong(f"{is_open} of {len(streams)} connections are still open, not {wanted}")


def crowded(count: int, request: bytes, stays: bool = False) -> Callable[[World], None]:
    """Very many connections that read nothing, while health must be answered.

    Args:
        count: how many connections.
        request: what is sent on each.
        stays: whether the program has to keep all of them open.
    """

    def act(world: World) -> None:
        calm_ms, begun = health_ms(world)[-1], time.monotonic()
        with crowd(world, count, request) as streams:
            check_health(world, calm_ms)
            time.sleep(0.3)
            check_health(world, calm_ms)
            if stays:
                check_open(streams, begun)
        check_health(world, calm_ms)

    return act


@group("crowds")
def crowds() -> Deeds:
    """Connections by the thousand."""
    slow = b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
    yield Deed("idle_2000", crowded(2_000, b"", stays=True))
    yield Deed("slow_headers_800", crowded(800, slow, stays=True))
    yield Deed("streams_600_unread", crowded(600, get("/api/v1/live"), stays=True))
    yield Deed("streams_2000_unread", crowded(2_000, get("/api/v1/live"), stays=True))
    yield Deed("pages_600_unread", crowded(600, get("/api/v1/openapi.json")))
    yield Deed(
        "pipelined_2000", crowded(4, get("/api/v1/health").replace(b"close", b"keep-alive") * 2_000)
    )

    def come_and_go(world: World) -> None:
        for _ in range(1_500):
            with crowd(world, 1, get("/api/v1/live")):
                pass
        check_health(world)

    yield Deed("streams_come_and_go", come_and_go)


def log_steps(world: World, shape: tuple[int, ...], count: int) -> str:
    """Logs steps of one shape into the deed's run; returns the query for the series."""
    path: Path = world.run / EVENT_FILE
    with path.open("wb") as file:
        file.write(wire.version())
        for step in range(count):
            file.write(wire.logged("big/kernel", step, wire.whole(kernel(step % 3, shape))))
    name = world.run.name
    listed = lambda: world.program.get("steps", run=name, tag="big/kernel")[0] == 200  # noqa: E731
    world.program.wait(listed, "the large steps are not listed")
    return f"run={name}&tag=big%2Fkernel"


@group("crowds")
def unread_answers() -> Deeds:
    """Large responses and films that nobody reads."""

    def films(world: World) -> None:
        series = log_steps(world, (5, 5, 3, 64), 400)
        request = get(f"/api/v1/film?{series}&zoom=4")
        with crowd(world, 8, request):
            check_health(world)
            time.sleep(1)
            status, _ = world.program.get_raw(
                f"/api/v1/film?{series}&to=3&format=gif", "a ninth film"
            )
            if status != 200:
                raise Wrong(f"a ninth film beside eight that nobody reads gave {status}")

    def tensors(world: World) -> None:
        series = log_steps(world, (3, 3, 512, 512), 2)
        with crowd(world, 60, get(f"/api/v1/tensor?{series}&step=0")):
            check_health(world)
            time.sleep(1)
            check_health(world)
            world.program.check_memory()

    def sheets(world: World) -> None:
        series = log_steps(world, (3, 3, 512, 512), 2)
        with crowd(world, 40, get(f"/api/v1/sheet?{series}&view=matrix&step=1&zoom=4")):
            check_health(world)
            time.sleep(1)
            check_health(world)

    yield Deed("films_8_unread", films)
    yield Deed("tensors_60_unread", tensors)
    yield Deed("sheets_40_unread", sheets)
