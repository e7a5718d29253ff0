"""Starts, waits for and measures the programs that are compared.

Resident memory is ``VmHWM`` of a serving process once it has loaded: the kernel's
own high-water mark of that process. (``ru_maxrss`` of a child cannot be used: it counts
the pages of the parent it was forked from.)
"""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

HOST = "127.0.0.1"
PATIENCE_S = 60.0


class Unavailable(Exception):
    """A program is missing or does not work; the message says why."""


def vm_hwm_mb(pid: int) -> float:
    """Largest resident size of a living process so far, in MB of 10^6 bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6


def cpu_seconds(pid: int) -> float:
    """Processor time of all threads of a living process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(argv: list[str | Path], ok: tuple[int, ...] = (0,)) -> tuple[float, bytes]:
    """Runs a program to its end.

    Args:
        argv: the program and its arguments.
        ok: exit codes that do not mean a failure.

    Returns:
        Seconds from before the start to after the exit, and what it wrote to stdout.

    Raises:
        Unavailable: the program is not there, or it failed.
    """
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        try:
            code = subprocess.run(
                argv, stdout=out, stderr=subprocess.DEVNULL, check=False
            ).returncode
        except OSError as error:
            raise Unavailable(str(error)) from error
        seconds = time.perf_counter() - start
        if code not in ok:
            raise Unavailable(f"{Path(argv[0]).name} {argv[1]} exited with {code}")
        out.seek(0)
        return seconds, out.read()


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that was started here."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class DataServer:
    """TensorBoard's data server, followed through its own log on stderr."""

    def __init__(self, logdir: Path, *flags: str) -> None:
        """Starts it on a free port."""
        import tensorboard_data_server

        binary = tensorboard_data_server.server_binary()
        argv = [binary, "--logdir", logdir, "--host", HOST, "--port", "0", "-v", *flags]
        self.started = time.perf_counter()
        self.process = subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.lines: queue.Queue[tuple[float, str]] = queue.Queue()
        threading.Thread(target=self._read, args=(self.process.stderr,), daemon=True).start()

    def _read(self, stderr: IO[bytes]) -> None:
        for line in stderr:
            self.lines.put((time.perf_counter(), line.decode()))

    def wait_for(self, words: str) -> float:
        """Waits for a line that holds these words; returns when it came."""
        while True:
            try:
                when, line = self.lines.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise Unavailable(f"the data server never said {words!r}") from None
            if words in line:
                return when

    def wait_loaded(self) -> float:
        """Seconds from before the start to the end of the load cycle."""
        return self.wait_for("Finished load cycle") - self.started


@contextmanager
def data_server(logdir: Path, *flags: str) -> Iterator[DataServer]:
    """A running data server that is stopped at the end."""
    server = DataServer(logdir, *flags)
    try:
        yield server
    finally:
        stop(server.process)


class Daemon:
    """``convscope serve`` on a free port."""

    def __init__(self, binary: Path, logdir: Path, port_file: Path, *flags: str) -> None:
        """Starts it and waits until it listens."""
        argv = [binary, "serve", logdir, "--host", HOST, "--port", "0", "--port-file", port_file]
        argv += flags
        self.started = time.perf_counter()
        try:
            self.process = subprocess.Popen(
                argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise Unavailable(str(error)) from error
        self.port = self._wait_for_port(port_file)

    def _wait_for_port(self, port_file: Path) -> int:
        while self.process.poll() is None:
            if port_file.exists() and (text := port_file.read_text()).endswith("\n"):
                return int(text)
            if time.perf_counter() - self.started > PATIENCE_S:
                stop(self.process)
                raise Unavailable("the daemon wrote no port file")
            time.sleep(0.0002)
        raise Unavailable(f"convscope serve exited with {self.process.returncode}")

    def get(self, path: str) -> bytes:
        """The body of an answer."""
        return fetch(self.port, path)

    def json(self, path: str) -> Any:
        """The JSON of an answer."""
        return json.loads(self.get(path))

    def wait_loaded(self) -> float:
        """Seconds from before the start until its health is no longer ``loading``."""
        while self.json("/api/v1/health")["status"] == "loading":
            if time.perf_counter() - self.started > PATIENCE_S:
                raise Unavailable("the daemon is still loading")
            time.sleep(0.001)
        return time.perf_counter() - self.started


@contextmanager
def daemon(binary: Path, logdir: Path) -> Iterator[Daemon]:
    """A running daemon that is stopped at the end."""
    with tempfile.TemporaryDirectory() as folder:
        server = Daemon(binary, logdir, Path(folder) / "port")
        try:
            yield server
        finally:
            stop(server.process)


def fetch(port: int, path: str) -> bytes:
    """GET from a server on this machine; raises ``Unavailable`` if the answer is not 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise Unavailable(f"GET {path} gave {answer.status}")
    return body
