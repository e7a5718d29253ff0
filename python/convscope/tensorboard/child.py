"""The daemon that the tab starts on a logdir, restarts if it died, and ends with this process.

It stops when its standard input ends, which is a pipe that only this process holds. So it never
runs longer than TensorBoard, however TensorBoard ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

from .._find import BinaryNotFound
from .address import Address, Ending, Unavailable
from .port_file import NoPort, read_port
from .last_lines import LastLines

START_WITHIN_S = 10
"""Only a daemon that hangs takes longer: a start takes about 10 ms."""
AGAIN_AFTER_S = 5
"""A program that fails at once is not restarted with every request."""
REMEDY = "pip install --force-reinstall convscope, or name the right program in CONVSCOPE_BIN"
LOGDIR_UNREADABLE = 3
"""The daemon's exit code for a logdir that it cannot read."""


class Child:
    """The daemon on one logdir."""

    remedy = REMEDY

    def __init__(self, find: Callable[[], str], logdir: Callable[[], str]) -> None:
        """Starts nothing yet.

        Args:
            find: Returns the path of the program; raises ``BinaryNotFound``.
            logdir: Returns the directory to serve; raises ``Unavailable``. Called at each start.
        """
        self._find = find
        self._logdir = logdir
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._address: Address | None = None
        self._failure: Unavailable | None = None
        self._failed_at = 0.0
        self._is_closed = False
        _children.add(self)

    def address(self) -> Address:
        """Its address. Starts it if it does not run, which takes about 10 ms.

        Raises:
            Ending: It was closed.
            Unavailable: It cannot be started; the message has its last lines.
        """
        with self._lock:
            if self._is_closed:
                raise Ending
            if self._address and self._process and self._process.poll() is None:
                return self._address
            if self._failure and time.monotonic() - self._failed_at < AGAIN_AFTER_S:
                raise self._failure
            try:
                self._address = self._start()
            except Unavailable as failure:
                self._end()
                self._failure, self._failed_at = failure, time.monotonic()
                raise
            self._failure = None
            return self._address

    @property
    def pid(self) -> int | None:
        """The number of the process, if one was started."""
        return self._process.pid if self._process else None

    def close(self) -> None:
        """Ends it and waits until it has ended. It is not started again."""
        # Set before the lock is taken: a thread that waits for a start holds the lock and checks
        # this.
        self._is_closed = True
        with self._lock:
            self._end()

    def forget(self) -> None:
        """In a forked process: forgets the program, which belongs to the process that started
        it."""
        process, self._process, self._address = self._process, None, None
        self._lock = threading.Lock()
        if process and process.stdin:
            with contextlib.suppress(OSError):
                process.stdin.close()

    def _start(self) -> Address:
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
            assert self._process.stderr is not None
            lines = LastLines(self._process.stderr)
            return Address("127.0.0.1", self._wait_for_port(program, port_file, lines))
        except NoPort as written:
            raise Unavailable(
                f"{program} wrote {str(written)!r} and no port: another program may be in the way; "
                f"{REMEDY}"
            ) from written
        except (OSError, ValueError) as error:
            raise Unavailable(f"{program} cannot be started: {error}; {REMEDY}") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _spawn(self, program: str, logdir: str, port_file: Path) -> subprocess.Popen[bytes]:
        command = [program, "serve", "--port", "0", "--port-file", str(port_file)]
        # The logdir comes after --, so that one that begins with a dash is not taken for an option.
        return subprocess.Popen(
            [*command, "--exit-with-stdin", "--", logdir],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # With a token that the user has set for other programs, the tab would be refused.
            env={name: value for name, value in os.environ.items() if name != "CONVSCOPE_TOKEN"},
            # An interrupt from the terminal is for TensorBoard, which may decide to continue.
            start_new_session=True,
        )

    def _wait_for_port(self, program: str, port_file: Path, lines: LastLines) -> int:
        process = self._process
        assert process is not None
        give_up_at = time.monotonic() + START_WITHIN_S
        while time.monotonic() < give_up_at:
            if self._is_closed:
                raise Ending
            ended = process.poll()
            if (port := read_port(port_file)) is not None:
                return port
            if ended is not None:
                raise Unavailable(_why_it_ended(program, ended, lines))
            time.sleep(0.005)
        raise Unavailable(
            f"{program} did not listen within {START_WITHIN_S} s: {lines.words()}; {REMEDY}"
        )

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


def _why_it_ended(program: str, code: int, lines: LastLines) -> str:
    lines.wait_for_end()
    words = f"{program} ended at once with {code}: {lines.words()}"
    if code == LOGDIR_UNREADABLE:
        return words
    return f"{words}; another version may be in the way: {REMEDY}"


_children: weakref.WeakSet[Child] = weakref.WeakSet()


def _forget_all() -> None:
    # Otherwise a forked process, such as a data loader, would keep the pipe open after this process
    # ends.
    for child in list(_children):
        child.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
