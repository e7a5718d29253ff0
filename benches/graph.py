"""Measures a log that begins with a graph of 400 MB: waiting times, and memory.

Times are measured from before the start of the daemon. The first sheet is there when
``/api/v1/sheet`` of a kernel that was logged after the graph has answered; the
graph was used when the kernel's layout is ``sure``. Memory is the peak
resident set until then. The peer is the data server, until its load cycle ends.
"""

from __future__ import annotations

import time
from pathlib import Path

from process import PATIENCE_S, Unavailable, daemon, data_server, vm_hwm_mb
from table import Row, attempt


def graph(binary: Path, logs: dict[str, Path], rounds: int) -> list[Row]:
    """The first sheet, the graph's facts, and memory."""
    log = logs["graph"]
    first = Row("400 MB of graph: first sheet", "data server", "ms")
    known = Row("400 MB of graph: its facts", "data server", "ms")
    memory = Row("400 MB of graph: peak memory", "data server", "MB", factor=10)
    for _ in range(rounds):
        with data_server(log) as peer:
            seconds = peer.wait_loaded()
            first.theirs.append(seconds * 1e3)
            known.theirs.append(seconds * 1e3)
            memory.theirs.append(vm_hwm_mb(peer.process.pid))
        attempt(first, lambda: follow(binary, log, known, memory))
    return [first, known, memory]


def follow(binary: Path, log: Path, known: Row, memory: Row) -> float:
    """Milliseconds until the first sheet; adds the other figures."""
    with daemon(binary, log) as server:
        tag = wait(server, lambda series: series["role"] == "kernel")["tag"]
        server.get(f"/api/v1/sheet?tag={tag}&step=latest")
        first_ms = (time.perf_counter() - server.started) * 1e3
        wait(server, lambda series: (series["layout_from"] or {}).get("confidence") == "sure")
        known.ours.append((time.perf_counter() - server.started) * 1e3)
        memory.ours.append(vm_hwm_mb(server.process.pid))
        return first_ms


def wait(server, holds) -> dict:
    """The first series for which something holds, as soon as there is one."""
    while time.perf_counter() - server.started < PATIENCE_S:
        for series in server.json("/api/v1/series")["series"]:
            if holds(series):
                return series
        time.sleep(0.001)
    raise Unavailable("the daemon never listed it")
