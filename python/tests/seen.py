"""What the ``convscope`` program finds in a logdir, by its command line and its HTTP API."""

from __future__ import annotations

import io
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np


def series(binary: Path, logdir: Path) -> dict[str, dict[str, Any]]:
    """The entry of ``convscope ls --json`` for each tag of the only run."""
    done = subprocess.run(
        [binary, "ls", "--json", logdir], capture_output=True, text=True, check=True
    )
    return {one["tag"]: one for one in json.loads(done.stdout)["series"]}


def faults(binary: Path, logdir: Path) -> str:
    """The faults that ``convscope verify`` prints; it checks every CRC."""
    done = subprocess.run([binary, "verify", logdir], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode else ""


def sure_layouts(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Tags -> layouts, if ConvScope is sure of them."""
    return {
        tag: one["layout"]
        for tag, one in found.items()
        if one["layout"] is not None and one["layout_from"]["confidence"] == "sure"
    }


DEADLINE_S = 120
"""Ends a wait for the program; nothing should take this long."""


@dataclass(frozen=True)
class Server:
    """A running ``convscope serve``."""

    url: str

    def get(self, path: str, **query: Any) -> bytes:
        """The body of an answer."""
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(query)}", timeout=DEADLINE_S) as answer:
            return answer.read()

    def tensor(self, tag: str, step: int, run: str = ".") -> np.ndarray:
        """A tensor from the API."""
        return np.load(io.BytesIO(self.get("tensor", run=run, tag=tag, step=step)))


@contextmanager
def served(binary: Path, logdir: Path, scratch: Path) -> Iterator[Server]:
    """Starts the program on a free port and stops it."""
    port_file = scratch / "port"
    port_file.unlink(missing_ok=True)
    options = ["--port", "0", "--port-file", port_file, "--exit-with-stdin"]
    process = subprocess.Popen([binary, "serve", logdir, *options], stdin=subprocess.PIPE)
    assert process.stdin is not None
    try:
        _wait_until(lambda: _is_ready(process, port_file), "convscope serve does not listen")
        server = Server(f"http://127.0.0.1:{port_file.read_text().strip()}")
        _wait_until(lambda: _is_loaded(server), "convscope serve still loads")
        yield server
        process.stdin.close()
        process.wait(DEADLINE_S)
    finally:
        process.kill()
        process.wait()


def _is_ready(process: subprocess.Popen[bytes], port_file: Path) -> bool:
    assert process.poll() is None, "convscope serve ended before it listened"
    return port_file.exists() and port_file.read_text().endswith("\n")


def _is_loaded(server: Server) -> bool:
    return json.loads(server.get("health"))["status"] != "loading"


def _wait_until(is_so: Callable[[], bool], message: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < end, message
        time.sleep(0.01)
