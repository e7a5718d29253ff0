"""A running program, and measurements of its memory, CPU time and responses."""

from __future__ import annotations

import http.client
import json
import math
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from process import HOST, Unavailable, cpu_seconds
from sockets import reset

TOO_MUCH_MB = 9_000
"""A program that takes more is ended, to protect the machine."""


def memory_mb(pid: int, name: str = "VmRSS") -> float:
    """A figure of ``/proc/PID/status`` in MB of 10^6 bytes; 0 if the process has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def bytes_read(pid: int) -> int:
    """The bytes that a process has read so far by ``read`` and similar calls."""
    return int(re.search(r"rchar: (\d+)", Path(f"/proc/{pid}/io").read_text())[1])


class Served:
    """``convscope serve`` on a free port.

    Attributes:
        pid: its process.
        port: where it listens.
        headers: the headers of each request.
        peak_mb: the largest observed resident size.
    """

    def __init__(
        self, binary: Path, logdir: Path, folder: Path, options: tuple[str, ...], space_mb: int
    ) -> None:
        """Starts it and waits until it listens.

        Args:
            binary: the program.
            logdir: what it watches.
            folder: for the file that says its port.
            options: of ``serve``.
            space_mb: the limit of its address space; 0 for none.
        """
        port_file = folder / "port"
        self.headers: dict[str, str] = {}
        if "--token" in options:
            token = options[options.index("--token") + 1]
            self.headers["Authorization"] = f"Bearer {token}"
        argv = [
            binary,
            "serve",
            logdir,
            "--host",
            HOST,
            "--port",
            "0",
            "--port-file",
            port_file,
            *options,
        ]
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=(lambda: limit(space_mb)) if space_mb else None,
        )
        self.pid, self.peak_mb = self.process.pid, 0.0
        threading.Thread(target=self._watch, daemon=True).start()
        self.port = self._wait_for_port(port_file)

    def _watch(self) -> None:
        while self.process.poll() is None:
            self.peak_mb = max(self.peak_mb, memory_mb(self.pid, "VmHWM"))
            if self.peak_mb > TOO_MUCH_MB:
                self.process.kill()
            time.sleep(0.01)

    def _wait_for_port(self, port_file: Path) -> int:
        end = time.monotonic() + 60
        while self.is_alive and time.monotonic() < end:
            if port_file.exists() and (text := port_file.read_text()).endswith("\n"):
                return int(text)
            time.sleep(0.001)
        self.process.kill()
        raise Unavailable(f"it does not listen; it exited with {self.process.wait()}")

    @property
    def is_alive(self) -> bool:
        """Whether the process is running."""
        return self.process.poll() is None

    def get(self, path: str, timeout_s: float = 60.0) -> tuple[int, bytes]:
        """Status and body of an answer; status 0 if none came in time."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=timeout_s)
        try:
            connection.request("GET", path, headers=self.headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    def health(self) -> dict[str, Any]:
        """The response of health; raises ``Unavailable`` if there is none."""
        status, body = self.get("/api/v1/health")
        if status != 200:
            raise Unavailable(f"health gave {status}")
        return json.loads(body)

    def kinds(self) -> set[str]:
        """The kinds of faults that health names."""
        return {problem["kind"] for problem in self.health()["problems"]}

    def health_ms(self, timeout_s: float = 15.0) -> float:
        """Milliseconds until health is answered on its own connection; infinite if never."""
        begun = time.perf_counter()
        status, _ = self.get("/api/v1/health", timeout_s)
        return (time.perf_counter() - begun) * 1e3 if status == 200 else math.inf

    def until(
        self, holds: Callable[[], bool], patience_s: float, begun: float | None = None
    ) -> float:
        """Seconds until something holds; infinite if it does not in time."""
        start = time.perf_counter() if begun is None else begun
        while not holds():
            if time.perf_counter() - start > patience_s or not self.is_alive:
                return math.inf
            time.sleep(0.005)
        return time.perf_counter() - start

    def until_loaded(self, patience_s: float) -> float:
        """Seconds from before the start until the first scan has ended."""
        return self.until(lambda: self.health()["status"] != "loading", patience_s, self.started)

    def has(self, tag: str, run: str = ".") -> bool:
        """Whether a series is listed."""
        return self.get(f"/api/v1/steps?run={quote(run)}&tag={quote(tag, safe='')}")[0] == 200

    def cache_bytes(self) -> float:
        """The size of the caches according to ``/metrics``."""
        _, body = self.get("/metrics")
        found = re.findall(r"^convscope_cache_bytes\{[^}]*\} (\d+)", body.decode(), re.M)
        return float(sum(map(int, found)))

    def cpu_share(self, seconds: float) -> float:
        """The percentage of a core that it uses during the next seconds."""
        before, begun = cpu_seconds(self.pid), time.perf_counter()
        time.sleep(seconds)
        return 100 * (cpu_seconds(self.pid) - before) / (time.perf_counter() - begun)

    def ms_to_stop(self, patience_s: float = 40.0) -> float:
        """Milliseconds from SIGTERM to the exit."""
        if not self.is_alive:
            return math.inf
        begun = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            return math.inf
        return (time.perf_counter() - begun) * 1e3


def limit(space_mb: int) -> None:
    """Bounds the address space of this process."""
    resource.setrlimit(resource.RLIMIT_AS, (space_mb << 20, space_mb << 20))


@contextmanager
def served(binary: Path, logdir: Path, *options: str, space_mb: int = 0) -> Iterator[Served]:
    """A running program that is ended at the end."""
    with tempfile.TemporaryDirectory() as folder:
        program = Served(binary, logdir, Path(folder), options, space_mb)
        try:
            yield program
        finally:
            if program.is_alive:
                program.process.kill()
            program.process.wait()


@contextmanager
def unread(program: Served, count: int, path: str | None) -> Iterator[list[socket.socket]]:
    """Opens connections that read nothing; yields those that were accepted.

    Args:
        program: the program to connect to.
        count: how many.
        path: the path that is requested on each; ``None`` to send nothing.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() if path else b""
    streams: list[socket.socket] = []
    try:
        for _ in range(count):
            with suppress(OSError):
                stream = socket.create_connection((HOST, program.port), timeout=15)
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                streams.append(stream)
                stream.sendall(request)
                continue
            break
        yield streams
    finally:
        reset(streams)


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty directory that is removed at the end."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def descriptors(pid: int, ending: str) -> int:
    """The number of open descriptors of files with this ending."""
    count = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            count += os.readlink(link).endswith(ending)
    return count
