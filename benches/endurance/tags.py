"""Work that grows with the logdir: clients of many runs, many tags, large layers, many rules."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from figure import Bound, Reading, measurement
from logged import append, file_of, step
from places import N_RUNS, write_runs
from served import Served, scratch, served

N_TAGS = 100_000
N_RULED = 20_000
N_KERNELS = 20_000


@contextmanager
def listeners(program: Served, count: int) -> Iterator[None]:
    """Clients that follow the event stream and read all of it."""
    import http.client

    connections = []
    for _ in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=60)
        connection.request("GET", "/api/v1/live")
        connections.append((connection, connection.getresponse()))

    def read(answer) -> None:
        try:
            while answer.read1(1 << 16):
                pass
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            return

    threads = [
        threading.Thread(target=read, args=(answer,), daemon=True) for _, answer in connections
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for connection, _ in connections:
            if connection.sock:
                connection.sock.shutdown(2)
            connection.close()


@measurement("listeners")
def listening(binary: Path) -> Iterator[Reading]:
    """Ten thousand runs, 20 clients, 20 appends per second, each to another run: CPU time."""
    with scratch() as logdir:
        name = write_runs(logdir).name
        files = [logdir / f"r{at:05}" / name for at in range(0, N_RUNS, 25)]
        with served(binary, logdir) as program:
            program.until_loaded(90)
            time.sleep(3)
            with listeners(program, 20):
                stop = threading.Event()

                def work() -> None:
                    at = 1
                    while not stop.wait(0.05):
                        append(files[at % len(files)], step("conv1/kernel", at))
                        at += 1

                thread = threading.Thread(target=work)
                thread.start()
                time.sleep(2)
                share = program.cpu_share(10)
                stop.set()
                thread.join()
            work_done = "10,000 runs, 20 listeners, 20 appends a second: share of a core"
            yield Reading(work_done, "%", share, Bound(most=10))


@measurement("tags")
def tags(binary: Path) -> Iterator[Reading]:
    """A hundred thousand tags: health while four clients list all tags for 10 s; then a new tag."""
    with scratch() as logdir:
        path = file_of(logdir, (step(f"block{n // 100}/layer{n}/kernel", 0) for n in range(N_TAGS)))
        with served(binary, logdir) as program:
            loaded = program.until_loaded(120)
            yield Reading("100,000 tags: loaded", "s", loaded)
            stop = threading.Event()

            def ask() -> None:
                while not stop.is_set():
                    program.get("/api/v1/series", 60)

            askers = [threading.Thread(target=ask) for _ in range(4)]
            for asker in askers:
                asker.start()
            time.sleep(0.5)
            waits, end = [], time.monotonic() + 10
            while time.monotonic() < end:
                waits.append(program.health_ms(60))
                time.sleep(0.1)
            stop.set()
            for asker in askers:
                asker.join()
            yield Reading(
                "four clients list them: health, slowest", "ms", max(waits), Bound(most=100)
            )
            yield Reading("four clients list them: health, median", "ms", median(waits))
            seen = [until_new(program, path, n) for n in range(3)]
            yield Reading(
                "a new tag among them: listed, median", "s", median(seen), Bound(most=0.5)
            )


def until_new(program: Served, path: Path, number: int) -> float:
    """Seconds from an append of a tag that is new until it is listed."""
    tag, begun = f"new{number}/kernel", time.perf_counter()
    append(path, step(tag, 1))
    return program.until(lambda: program.has(tag), 60, begun)


@measurement("ruled tags")
def ruled_tags(binary: Path) -> Iterator[Reading]:
    """A thousand rules and twenty thousand tags: seconds until a new tag is listed."""
    with scratch() as logdir:
        rules = "".join(f"[[rule]]\ntag = 'block{n}/*/k*l'\nlayer = 'l{n}'\n" for n in range(1_000))
        (logdir / ".convscope.toml").write_text(rules)
        path = file_of(logdir, (step(f"block{n % 500}/layer{n}/kernel", 0) for n in range(N_RULED)))
        with served(binary, logdir) as program:
            yield Reading("1,000 rules, 20,000 tags: loaded", "s", program.until_loaded(120))
            seen = [until_new(program, path, n) for n in range(3)]
            yield Reading(
                "1,000 rules, 20,000 tags: a new tag, median", "s", median(seen), Bound(most=0.5)
            )


@measurement("kernels of one layer")
def kernels_of_one_layer(binary: Path) -> Iterator[Reading]:
    """Twenty thousand kernels of one layer: seconds until loaded, and until a new tag is listed."""
    with scratch() as logdir:
        path = file_of(logdir, (step(f"conv1/kernel_{n}", 0) for n in range(N_KERNELS)))
        with served(binary, logdir) as program:
            loaded = program.until_loaded(120)
            yield Reading("20,000 kernels of one layer: loaded", "s", loaded, Bound(most=5))
            seen = [until_new(program, path, n) for n in range(3)]
            yield Reading(
                "20,000 kernels of one layer: a new tag, median", "s", median(seen), Bound(most=0.5)
            )
