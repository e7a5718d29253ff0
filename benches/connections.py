"""Prints how a daemon answers while many clients take places, and how much memory they take.

    .venv/bin/python benches/connections.py [--bin target/release/convscope] [--connections 2000]

Each row is a daemon of its own, but for films on the recipe's log. Clients of the row are opened
first, then /api/v1/health is asked 50 times on new connections, with the token where there is one.
A request that is not answered within 5 s is shown as "no answer". Needs Linux, for the memory, and
a limit of descriptors that allows the sockets.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))

from convscope import Recorder  # noqa: E402

LOG = ROOT / "tests" / "fixtures" / "recipe_tf1"
TOKEN = "s3cret"
ANSWER_WITHIN_S = 5
N_REQUESTS = 50
FILM_WITHIN_S = 60
HANG_S = 120

Clients = list[socket.socket]


class Daemon:
    """A program that serves a log."""

    def __init__(self, program: Path, log: Path, *options: str) -> None:
        """Starts it and waits for its port."""
        folder = tempfile.TemporaryDirectory()
        port_file = Path(folder.name) / "port"
        self._folder = folder
        self.process = subprocess.Popen(
            [program, "serve", log, "--port", "0", "--port-file", port_file, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        give_up_at = time.monotonic() + HANG_S
        while not port_file.exists():
            if self.process.poll() is not None or time.monotonic() > give_up_at:
                raise SystemExit(f"{program} does not listen")
            time.sleep(0.01)
        self.port = int(port_file.read_text())

    def connect(self) -> socket.socket:
        """A connection."""
        client = socket.create_connection(("127.0.0.1", self.port), ANSWER_WITHIN_S)
        client.settimeout(ANSWER_WITHIN_S)
        return client

    def ask(self, path: str, token: str | None = None) -> socket.socket:
        """A connection on which something was asked for."""
        client = self.connect()
        bearer = f"Authorization: Bearer {token}\r\n" if token else ""
        with contextlib.suppress(OSError):
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n".encode())
        return client

    def status(
        self, path: str, token: str | None = None, within_s: float = ANSWER_WITHIN_S
    ) -> int | None:
        """The status of an answer; None where none came in time."""
        with contextlib.suppress(OSError, IndexError, ValueError):
            with self.ask(path, token) as client:
                client.settimeout(within_s)
                return int(client.recv(65536).split(b" ", 2)[1])
        return None

    def memory_mb(self) -> float:
        """Its resident memory."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1000

    def stop(self) -> None:
        """Ends it."""
        self.process.kill()
        self.process.wait()
        self._folder.cleanup()


def many(n: int, client: Callable[[], socket.socket]) -> Clients:
    """As many clients as are let in."""
    clients: Clients = []
    with contextlib.suppress(OSError):
        clients.extend(client() for _ in range(n))
    return clients


def idle(daemon: Daemon, n: int) -> Clients:
    """Clients that say nothing."""
    return many(n, daemon.connect)


def listening(daemon: Daemon, n: int) -> Clients:
    """Clients with an event stream that they do not read."""
    return many(n, lambda: daemon.ask("/api/v1/live"))


def both(daemon: Daemon, n: int) -> Clients:
    """Half and half."""
    return listening(daemon, n // 2) + idle(daemon, n - n // 2)


ROWS: list[tuple[str, Callable[[Daemon, int], Clients], tuple[str, ...]]] = [
    ("idle connections", idle, ()),
    ("event streams", listening, ()),
    ("half idle, half streams", both, ()),
    ("without the token, where it is asked for", both, ("--token", TOKEN)),
]


@contextlib.contextmanager
def running(program: Path, *options: str, log: Path = LOG) -> Iterator[Daemon]:
    """A daemon that has loaded."""
    daemon = Daemon(program, log, *options)
    try:
        give_up_at = time.monotonic() + HANG_S
        while daemon.status("/api/v1/health", TOKEN) != 200:
            if time.monotonic() > give_up_at:
                raise SystemExit(f"{program} does not answer")
        yield daemon
    finally:
        daemon.stop()


def row(
    program: Path, n: int, fill: Callable[[Daemon, int], Clients], options: tuple[str, ...]
) -> str:
    """One line of the table."""
    with running(program, *options) as daemon:
        before = daemon.memory_mb()
        clients = fill(daemon, n)
        took_ms: list[float] = []
        for _ in range(N_REQUESTS):
            began = time.monotonic()
            if daemon.status("/api/v1/health", TOKEN) != 200:
                break
            took_ms.append((time.monotonic() - began) * 1000)
        grown = daemon.memory_mb() - before
        for client in clients:
            client.close()
    if len(took_ms) < N_REQUESTS:
        return f"{'no answer':>18}  {grown:8.1f}"
    took_ms.sort()
    return f"{took_ms[len(took_ms) // 2]:8.1f} {took_ms[-1]:9.1f}  {grown:8.1f}"


def ninth_film(program: Path) -> str:
    """After how long one is answered, while nobody reads eight others."""
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(folder, strict=True)
        noise = np.random.default_rng(0)
        for step in range(20):
            recorder.activation("block", noise.random((1, 512, 512, 1), np.float32), step, "NHWC")
        recorder.close()
        with running(program, log=Path(folder)) as daemon:
            clients = many(8, lambda: daemon.ask("/api/v1/film?tag=block/activation"))
            for client in clients:
                client.settimeout(HANG_S)
                client.recv(64)
            film, began = "/api/v1/film?tag=block/activation&every=100", time.monotonic()
            while time.monotonic() - began < FILM_WITHIN_S:
                if daemon.status(film, within_s=FILM_WITHIN_S) == 200:
                    return f"{time.monotonic() - began:.1f} s"
                time.sleep(0.1)
            return "no answer"


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=ROOT / "target" / "release" / "convscope")
    parser.add_argument("--connections", type=int, default=2000)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"{options.connections} clients: median and slowest answer in ms, memory they take in MB")
    for name, fill, flags in ROWS:
        print(f"{name:40}{row(options.bin, options.connections, fill, flags)}", flush=True)
    print(f"{'a ninth film beside eight unread ones':40}{ninth_film(options.bin):>18}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
