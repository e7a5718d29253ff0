"""A daemon of our own: started for a logdir, started again where it died, gone with this process.

It stops when its standard input ends, which is a pipe that only this process holds. So it never
outlives TensorBoard, however that dies.
"""

from __future__ import annotations

import collections
import contextlib
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from .._find import BinaryNotFound
from .address import Address, Unavailable

START_WITHIN_S = 60
"""Ends a hang only: a start takes some 10 ms."""
AGAIN_AFTER_S = 5
"""A program that fails at once is not started again with every request."""
LAST_LINES = 20


class Child:
    """The daemon on one logdir."""

    def __init__(self, find: Callable[[], str], logdir: Callable[[], str]) -> None:
        """Starts nothing yet.

        Args:
            find: Where the program is; raises ``BinaryNotFound``.
            logdir: What it shall serve; raises ``Unavailable``. Asked once, at the first start.
        """
        self._find = find
        self._logdir = logdir
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._address: Address | None = None
        self._said: collections.deque[str] = collections.deque(maxlen=LAST_LINES)
        self._failure: Unavailable | None = None
        self._failed_at = 0.0
        self._is_closed = False

    def address(self) -> Address:
        """Where it listens. Starts it where it does not run, which takes some 10 ms.

        Raises:
            Unavailable: Where it cannot be started, with what it said.
        """
        with self._lock:
            if self._address and self._process and self._process.poll() is None:
                return self._address
            if self._failure and time.monotonic() - self._failed_at < AGAIN_AFTER_S:
                raise self._failure
            try:
                self._address = self._start()
            except Unavailable as failure:
                self._failure, self._failed_at = failure, time.monotonic()
                raise
            self._failure = None
            return self._address

    @property
    def pid(self) -> int | None:
        """The process, where one was started."""
        return self._process.pid if self._process else None

    def close(self) -> None:
        """Ends it and waits until it is gone. It is not started again."""
        with self._lock:
            self._is_closed = True
            self._end()

    def _start(self) -> Address:
        if self._is_closed:
            raise Unavailable("TensorBoard is ending")
        self._end()
        logdir = self._logdir()
        try:
            program = self._find()
        except BinaryNotFound as error:
            raise Unavailable(str(error)) from error
        folder = Path(tempfile.mkdtemp(prefix="convscope-"))
        port_file = folder / "port"
        try:
            self._process = self._spawn(program, logdir, port_file)
            return Address("127.0.0.1", self._wait_for_port(program, port_file))
        except OSError as error:
            raise Unavailable(f"{program} cannot be started: {error}") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _spawn(self, program: str, logdir: str, port_file: Path) -> subprocess.Popen[bytes]:
        command = [program, "serve", "--port", "0", "--port-file", str(port_file)]
        # The logdir comes last, after a mark, so that one that begins with a dash is no option.
        process = subprocess.Popen(
            [*command, "--exit-with-stdin", "--", logdir],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # An interrupt of the terminal is for TensorBoard, which may choose to go on.
            start_new_session=True,
        )
        said: collections.deque[str] = collections.deque(maxlen=LAST_LINES)
        self._said = said
        assert process.stderr is not None
        arguments = (process.stderr, said)
        threading.Thread(target=_drain, args=arguments, name="convscope-log", daemon=True).start()
        return process

    def _wait_for_port(self, program: str, port_file: Path) -> int:
        process = self._process
        assert process is not None
        give_up_at = time.monotonic() + START_WITHIN_S
        while time.monotonic() < give_up_at:
            ended = process.poll()
            with contextlib.suppress(FileNotFoundError):
                return int(port_file.read_text())
            if ended is not None:
                raise Unavailable(self._why_it_ended(program, ended))
            time.sleep(0.005)
        self._end()
        raise Unavailable(f"{program} did not listen within {START_WITHIN_S} s: {self._words()}")

    def _why_it_ended(self, program: str, code: int) -> str:
        # The last words come through another thread, which ends with the pipe.
        for _ in range(100):
            if self._said:
                break
            time.sleep(0.005)
        hint = ""
        if code == 2:
            hint = "; another version may be in the way: pip install --force-reinstall convscope"
        return f"{program} ended at once with {code}: {self._words()}{hint}"

    def _words(self) -> str:
        return " ".join(self._said) or "it said nothing"

    def _end(self) -> None:
        process, self._process, self._address = self._process, None, None
        if process is None:
            return
        if process.stdin:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _drain(pipe: IO[bytes], said: collections.deque[str]) -> None:
    """Keeps the last lines of what is said; a full pipe would stop the one who says it."""
    with pipe, contextlib.suppress(ValueError):
        for line in pipe:
            said.append(line.decode("utf-8", "replace").strip())
