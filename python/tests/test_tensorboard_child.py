"""How the program is started, and what is said where it does not start; programs are scripts."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from convscope._find import BinaryNotFound
from convscope.tensorboard.address import Unavailable
from convscope.tensorboard.child import Child


def program(folder: Path, body: str) -> str:
    """A program that notes its start and runs ``body``, with its arguments in ``argv``."""
    path = folder / "program"
    text = f"""#!{sys.executable}
import sys, os
argv = sys.argv[1:]
open({str(folder / "starts")!r}, "a").write(".")
port_file = argv[argv.index("--port-file") + 1]
def listen():
    open(port_file + "~", "w").write("4242\\n")
    os.rename(port_file + "~", port_file)
"""
    path.write_text(text + textwrap.dedent(body))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def starts(folder: Path) -> int:
    return len((folder / "starts").read_text())


def test_it_gets_the_logdir_and_ends_with_its_input(tmp_path: Path) -> None:
    body = f"""
    open({str(tmp_path / "argv")!r}, "w").write("\\n".join(argv))
    listen()
    sys.stdin.read()
    open({str(tmp_path / "ended")!r}, "w").close()
    """
    path = program(tmp_path, body)
    child = Child(lambda: path, lambda: "--odd logdir")
    assert child.address().port == 4242
    assert child.address().port == 4242
    child.close()
    argv = (tmp_path / "argv").read_text().split("\n")
    assert argv[0] == "serve" and argv[-2:] == ["--", "--odd logdir"]
    assert "--exit-with-stdin" in argv and argv[argv.index("--port") + 1] == "0"
    assert (tmp_path / "ended").exists() and starts(tmp_path) == 1
    port_file = Path(argv[argv.index("--port-file") + 1])
    assert not port_file.parent.exists()
    with pytest.raises(Unavailable, match="ending"):
        child.address()


def test_its_last_words_are_passed_on_and_it_is_not_started_at_once_again(tmp_path: Path) -> None:
    path = program(tmp_path, "sys.stderr.write('unknown option\\n'); sys.exit(2)")
    child = Child(lambda: path, lambda: "logdir")
    for _ in range(3):
        with pytest.raises(Unavailable, match="ended at once with 2: unknown option; another"):
            child.address()
    assert starts(tmp_path) == 1


def test_it_may_say_more_than_a_pipe_holds(tmp_path: Path) -> None:
    path = program(tmp_path, "sys.stderr.write('word\\n' * 100000); listen(); sys.stdin.read()")
    child = Child(lambda: path, lambda: "logdir")
    assert child.address().port == 4242
    child.close()


def test_one_that_died_is_started_again(tmp_path: Path) -> None:
    path = program(tmp_path, "listen(); sys.stdin.read()")
    child = Child(lambda: path, lambda: "logdir")
    child.address()
    pid = child.pid
    assert pid is not None
    os.kill(pid, 9)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    child.address()
    assert child.pid != pid and starts(tmp_path) == 2
    child.close()


def test_it_ends_when_this_process_is_killed(tmp_path: Path) -> None:
    body = f"""
    listen()
    sys.stdin.read()
    open({str(tmp_path / "ended")!r}, "w").close()
    """
    path = program(tmp_path, body)
    os.mkfifo(tmp_path / "ended")
    code = f"""
import os
from convscope.tensorboard.child import Child
Child(lambda: {path!r}, lambda: "logdir").address()
os.kill(os.getpid(), 9)
"""
    source = str(Path(__file__).resolve().parents[1])
    environment = os.environ | {"PYTHONPATH": source}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert ended.returncode == -9
    # Opens when the program opens the other end, which it does when its input has ended.
    with (tmp_path / "ended").open("rb") as note:
        assert note.read() == b""


def test_what_cannot_be_started_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\0\0")
    broken.chmod(0o700)
    with pytest.raises(Unavailable, match="broken cannot be started"):
        Child(lambda: str(broken), lambda: "logdir").address()

    def nowhere() -> str:
        raise BinaryNotFound("not in a, b")

    with pytest.raises(Unavailable, match="not in a, b"):
        Child(nowhere, lambda: "logdir").address()
