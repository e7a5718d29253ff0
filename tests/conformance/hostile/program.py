"""The program under attack: it is started, watched, queried and ended, each within limits."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from case import Wrong

HOST = "127.0.0.1"
PATIENCE_S = float(os.environ.get("HOSTILE_PATIENCE_S", "60"))
"""How long to wait for a state that has to come."""
CACHE_MB = 8
MOST_MB = 250 + CACHE_MB
"""The limit of the program's memory."""
KILLED_ABOVE_MB = 1_200
"""Above this, the program is killed to protect the machine."""
STOPS_WITHIN_S = 1.0
NOBODY = 65_534


def most_memory_mb(pid: int) -> float:
    """The largest resident size of a process so far, in MB of 10^6 bytes; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


class Program:
    """A running ``convscope serve``.

    Attributes:
        port: where it listens.
        logdir: what it watches.
        is_debug: whether it is a debug build, judged by the name of its directory.
    """

    def __init__(self, binary: Path, logdir: Path, *options: str, is_nobody: bool = False) -> None:
        """Starts it and waits until it listens.

        Args:
            binary: the program.
            logdir: what it watches.
            options: further options of ``serve``.
            is_nobody: whether it runs without root permissions.
        """
        self.logdir, self.is_debug = logdir, binary.parent.name == "debug"
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        folder.chmod(0o777)
        port_file = folder / "port"
        self._said = (folder / "said").open("w+b")
        argv = [binary, "serve", logdir, "--host", HOST, "--port", "0", "--port-file", port_file]
        argv += ["--cache-mb", str(CACHE_MB), *options]
        user: dict[str, Any] = (
            {"user": NOBODY, "group": NOBODY, "extra_groups": []} if is_nobody else {}
        )
        # What it keeps of checkpoints is removed with its other files.
        user["env"] = os.environ | {"XDG_STATE_HOME": str(folder)}
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._said, **user
        )
        self.peak_mb = 0.0
        self._is_killed_for_memory = False
        threading.Thread(target=self._watch_memory, daemon=True).start()
        self.port = self._wait_for_port(port_file)

    def _wait_for_port(self, port_file: Path) -> int:
        end = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < end:
            if port_file.exists() and (text := port_file.read_text()).endswith("\n"):
                return int(text)
            time.sleep(0.002)
        words = self.last_words()
        self.end()
        raise Wrong(f"it does not listen: {words}")

    def _watch_memory(self) -> None:
        while self.process.poll() is None:
            self.peak_mb = max(self.peak_mb, most_memory_mb(self.process.pid))
            if self.peak_mb > KILLED_ABOVE_MB:
                self._is_killed_for_memory = True
                self.process.kill()
            time.sleep(0.02)

    def last_words(self) -> str:
        """The end of what it wrote to its standard error."""
        self._said.seek(0)
        return self._said.read()[-300:].decode(errors="replace").strip()

    def get(self, path: str, /, **query: object) -> tuple[int, bytes]:
        """Status and body of an answer below ``/api/v1/``; raises ``Wrong`` if there is none."""
        address = f"/api/v1/{path}" + (f"?{urlencode(query)}" if query else "")
        return self.get_raw(address, address)

    def get_raw(self, address: str, name: str) -> tuple[int, bytes]:
        """Status and body of an answer of any address."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", address)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Wrong(f"{name[:200]} is not answered: {error!r}{self._why_dead()}") from error
        finally:
            connection.close()

    def _why_dead(self) -> str:
        if self._is_killed_for_memory:
            return f"; it had {self.peak_mb:.0f} MB and was killed"
        if self.process.poll() is None:
            return ""
        return f"; it exited with {self.process.returncode}: {self.last_words()}"

    def json(self, path: str, /, **query: object) -> Any:
        """The JSON of an answer that must be 200."""
        status, body = self.get(path, **query)
        if status != 200:
            raise Wrong(f"{path} {query} gave {status}: {body[:200]!r}")
        return json.loads(body)

    def problems(self) -> list[dict[str, Any]]:
        """The problems that health lists."""
        return self.json("health")["problems"]

    def wait(self, holds: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
        """Asks again and again until something holds.

        Raises:
            Wrong: it does not within the patience; the message is ``what``.
        """
        end = time.monotonic() + patience_s
        while not holds():
            if time.monotonic() > end:
                raise Wrong(f"{what}, after {patience_s:.0f} s")
            time.sleep(0.01)

    def wait_loaded(self) -> None:
        """Waits until the first scan has ended."""
        self.wait(lambda: self.json("health")["status"] != "loading", "it is still loading")

    def check_memory(self) -> None:
        """Raises ``Wrong`` if it ever used too much memory."""
        self.peak_mb = max(self.peak_mb, most_memory_mb(self.process.pid))
        if self.peak_mb > MOST_MB:
            raise Wrong(f"it took {self.peak_mb:.0f} MB, more than {MOST_MB}")

    def check_stop(self) -> None:
        """Ends it by SIGTERM; raises ``Wrong`` if it is already dead or ends late."""
        if self.process.poll() is not None:
            raise Wrong(f"it is dead{self._why_dead()}")
        begun = time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            raise Wrong("20 s after SIGTERM it was still there") from None
        took = time.monotonic() - begun
        if took > STOPS_WITHIN_S:
            raise Wrong(f"it ended {took:.1f} s after SIGTERM")
        if self.process.returncode != 0:
            raise Wrong(f"it exited with {self.process.returncode}: {self.last_words()}")

    def end(self) -> None:
        """Ends it and removes its files."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._said.close()
        self._folder.cleanup()


def is_root() -> bool:
    """Whether this suite, and programs that it starts, ignore file permissions."""
    return os.geteuid() == 0
