"""Real TensorBoards with the ConvScope tab, started and stopped; for ``tensorboard_tab.py``.

Logs grow by TensorBoard's own event writer.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util import tensor_util

PATIENCE_S = 120
"""Ends a hang; nothing is expected to take so long."""
BROWSER_WITHIN_S = 900
"""Ends a hang of the browser, whose own waits each end before."""


def wait_until(truth: Callable[[], Any], words: str) -> Any:
    """Calls a function until its result is true; returns the result."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := truth():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {PATIENCE_S} s: {words}")


def append_step(log: Path, tag: str, step: int, array: np.ndarray) -> None:
    """Logs one more tensor, as a training would."""
    tensor = tensor_util.make_tensor_proto(array)
    append(log, step, summary_pb2.Summary.Value(tag=tag, tensor=tensor))


def append_scalar(log: Path, tag: str, step: int, number: float) -> None:
    """Logs one more number."""
    append(log, step, summary_pb2.Summary.Value(tag=tag, simple_value=number))


def append(log: Path, step: int, value: summary_pb2.Summary.Value) -> None:
    """Logs one more value."""
    summary = summary_pb2.Summary(value=[value])
    event = event_pb2.Event(wall_time=time.time(), step=step, summary=summary)
    with log.open("ab") as file:
        RecordWriter(file).write(event.SerializeToString())


def children_of(pid: int) -> dict[int, str]:
    """Processes that this one started, with their programs."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        # A thread or a process may end meanwhile.
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in (task / "children").read_text().split():
                found[int(child)] = os.readlink(f"/proc/{child}/exe")
    return found


def has_ended(pid: int) -> bool:
    """Whether a process has ended, or is a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Answer:
    """The status, headers (names in lower case) and body of a response."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        """Reads it to its end."""
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Site:
    """An HTTP server on this machine."""

    def __init__(self, port: int, prefix: str) -> None:
        """Stores its address; ``prefix`` has no slash at its end."""
        self.port, self.prefix = port, prefix

    def open(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Sends a request; underscores in names of headers become dashes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, self.prefix + path, headers=named)
        return connection, connection.getresponse()

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Sends a request and reads the response."""
        connection, response = self.open(path, method, **headers)
        try:
            return Answer(response)
        finally:
            connection.close()

    @contextmanager
    def events(self) -> Iterator[Iterator[dict[str, Any]]]:
        """The event stream of a ConvScope."""
        connection, response = self.open("/api/v1/live")
        assert response.getheader("content-type") == "text/event-stream"
        try:
            yield _events(response)
        finally:
            connection.close()


def _events(response: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """The events of a stream as they arrive; raises if it takes too long."""
    end = time.monotonic() + PATIENCE_S
    for line in iter(response.readline, b""):
        assert time.monotonic() < end, "the event that was waited for did not come"
        if line.startswith(b"data:"):
            yield json.loads(line[5:])


class Board(Site):
    """A running TensorBoard."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, prefix: str) -> None:
        """Waits until it listens."""
        self.process, self.log = process, log
        super().__init__(self._wait_for_port(), prefix)
        self.tab = Site(self.port, f"{prefix}/data/plugin/convscope")

    def said(self) -> str:
        """All that it printed."""
        return self.log.read_text(errors="replace")

    def listing(self) -> dict[str, Any]:
        """Its list of plugins."""
        return self.get("/data/plugins_listing").json()

    def daemon(self) -> int:
        """The process that the tab started."""

        def look() -> list[int]:
            found = children_of(self.process.pid)
            return [pid for pid, program in found.items() if not program.endswith("/server")]

        return wait_until(look, "the tab starts its daemon")[0]

    def _wait_for_port(self) -> int:
        def look() -> re.Match[str] | None:
            assert self.process.poll() is None, f"TensorBoard ended:\n{self.said()}"
            return re.search(r"TensorBoard \S+ at http://[^/ ]+:(\d+)/", self.said())

        return int(wait_until(look, "TensorBoard listens")[1])


@contextmanager
def tensorboard(*options: str | Path, **variables: str) -> Iterator[Board]:
    """A TensorBoard of this Python, with these additional variables; killed at the end."""
    argv = [sys.executable, "-m", "tensorboard.main", "--port", "0", *options]
    prefix = next((str(o).split("=")[1] for o in options if "path_prefix" in str(o)), "")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                argv, stdout=file, stderr=file, env=os.environ | variables, cwd=folder
            )
        try:
            yield Board(process, log, prefix)
        finally:
            process.kill()
            process.wait()
