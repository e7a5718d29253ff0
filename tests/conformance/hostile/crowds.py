"""Very many connections at once, and answers that nobody reads."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import wire
from asked import get, said, status_of
from case import EVENT_FILE, Wrong, kernel
from deeds import Deed, Deeds, World, group
from program import HOST

HEALTH_WITHIN_S = 2.0
"""A tenth of a second is meant; the rest is for a slow machine."""


@contextlib.contextmanager
def crowd(world: World, count: int, request: bytes) -> Iterator[list[socket.socket]]:
    """So many connections at once, each with these bytes sent and nothing read."""
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
        for stream in streams:
            # Ends it at once, so that a thousand of them leave nothing behind.
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            stream.close()


def check_health(world: World) -> None:
    """Health is answered soon, on a connection of its own."""
    begun = time.monotonic()
    status = status_of(said(world, get("/api/v1/health"), limit=1_000))
    took = time.monotonic() - begun
    if status != 200 or took > HEALTH_WITHIN_S:
        raise Wrong(f"health gave {status or 'nothing'} after {took:.1f} s")


def crowded(count: int, request: bytes) -> Callable[[World], None]:
    """Very many connections that take nothing; health is answered beside them."""

    def act(world: World) -> None:
        with crowd(world, count, request):
            check_health(world)
            time.sleep(0.3)
            check_health(world)
        check_health(world)

    return act


@group("crowds")
def crowds() -> Deeds:
    """Connections by the thousand."""
    slow = b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
    yield Deed("idle_2000", crowded(2_000, b""))
    yield Deed("slow_headers_800", crowded(800, slow))
    yield Deed("streams_600_unread", crowded(600, get("/api/v1/live")))
    yield Deed("streams_2000_unread", crowded(2_000, get("/api/v1/live")))
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
    """Logs steps of one shape in the deed's run; gives the query that names the series."""
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
    """Large answers and films that nobody takes."""

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
