"""How the program is started, and the messages if it does not start; programs are scripts."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from convscope._find import BinaryNotFound
from convscope.tensorboard import child as children
from convscope.tensorboard.address import Ending, Unavailable
from convscope.tensorboard.child import Child
from convscope.tensorboard.port_file import read_port


def program(folder: Path, body: str) -> str:
    """A program that counts its starts and runs ``body``, with its arguments in ``argv``."""
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


def test_a_token_of_the_users_is_not_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSCOPE_TOKEN", "s3cret")
    monkeypatch.setenv("CONVSCOPE_LOG", "info")
    body = f"""
    names = [name for name in os.environ if name.startswith("CONVSCOPE_")]
    open({str(tmp_path / "names")!r}, "w").write(" ".join(names))
    listen()
    sys.stdin.read()
    """
    path = program(tmp_path, body)
    child = Child(lambda: path, lambda: "logdir")
    child.address()
    child.close()
    names = (tmp_path / "names").read_text().split()
    assert "CONVSCOPE_LOG" in names and "CONVSCOPE_TOKEN" not in names


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
    with pytest.raises(Ending, match="ending"):
        child.address()


def test_its_last_words_are_passed_on_and_it_is_not_started_at_once_again(tmp_path: Path) -> None:
    path = program(tmp_path, "sys.stderr.write('unknown option\\n'); sys.exit(2)")
    child = Child(lambda: path, lambda: "logdir")
    for _ in range(3):
        with pytest.raises(Unavailable, match="ended at once with 2: unknown option; another"):
            child.address()
    assert starts(tmp_path) == 1


def test_every_failure_says_what_to_do_but_for_a_logdir_that_cannot_be_read(tmp_path: Path) -> None:
    for code in (0, 1, 127):
        path = program(tmp_path, f"sys.exit({code})")
        with pytest.raises(Unavailable, match=f"with {code}: .*--force-reinstall.*CONVSCOPE_BIN"):
            Child(lambda path=path: path, lambda: "logdir").address()
    path = program(tmp_path, "sys.stderr.write('no permission'); sys.exit(3)")
    with pytest.raises(Unavailable, match="with 3: no permission$"):
        Child(lambda: path, lambda: "logdir").address()


def test_words_are_short_and_steer_no_terminal(tmp_path: Path) -> None:
    body = "os.write(2, b'\\x1b[2J' + b'x' * 100000 + b'\\nlast\\xff\\n'); sys.exit(1)"
    path = program(tmp_path, body)
    with pytest.raises(Unavailable) as failure:
        Child(lambda: path, lambda: "logdir").address()
    words = str(failure.value)
    assert words.isprintable() and "[2Jxxx" in words and "x last\N{REPLACEMENT CHARACTER};" in words
    assert words.count("x" * 400) == 1


@pytest.mark.parametrize(
    ("written", "expected"),
    [(b"4242\n", 4242), (b"65535\n", 65535), (b"", None), (b"42", None)],
)
def test_a_port_is_a_whole_line(tmp_path: Path, written: bytes, expected: int | None) -> None:
    assert read_port(tmp_path / "port") is None
    (tmp_path / "port").write_bytes(written)
    assert read_port(tmp_path / "port") == expected


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        (b"not a port\n", "not a port"),
        (b"not a port", "not a port"),
        (b"\xff\xfe\0\n", "\ufffd\ufffd\ufffd"),
        (b"99999\n", "99999"),
        (b"0\n", "0"),
        (b"-5\n", "-5"),
        (b"1" * 5000 + b"\n", "1" * 40),
        (b"1\n2\n", "1\N{REPLACEMENT CHARACTER}2"),
    ],
)
def test_what_is_no_port_is_shown_and_its_program_ended(
    tmp_path: Path, written: bytes, seen: str
) -> None:
    body = f"open(port_file, 'wb').write({written!r}); sys.stdin.read()"
    path = program(tmp_path, body)
    child = Child(lambda: path, lambda: "logdir")
    for _ in range(3):
        with pytest.raises(Unavailable) as failure:
            child.address()
        assert f"program wrote {seen!r} and no port: another program may" in str(failure.value)
        assert "pip install --force-reinstall convscope" in str(failure.value)
        assert child.pid is None
    assert starts(tmp_path) == 1


def test_one_that_does_not_listen_is_given_up_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "START_WITHIN_S", 0.01)
    path = program(tmp_path, "sys.stdin.read()")
    child = Child(lambda: path, lambda: "logdir")
    for _ in range(3):
        with pytest.raises(Unavailable, match="did not listen within .*--force-reinstall"):
            child.address()
        assert child.pid is None


def test_the_end_does_not_wait_for_one_that_hangs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hangs")
    path = program(tmp_path, f"open({str(tmp_path / 'hangs')!r}, 'w').close(); sys.stdin.read()")
    child = Child(lambda: path, lambda: "logdir")
    failures: list[Unavailable] = []

    def ask() -> None:
        try:
            child.address()
        except Unavailable as failure:
            failures.append(failure)

    asking = threading.Thread(target=ask)
    asking.start()
    (tmp_path / "hangs").read_bytes()
    child.close()
    asking.join()
    assert [type(failure) for failure in failures] == [Ending]
    assert child.pid is None


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
    # This open returns when the program opens the other end, after its input has ended.
    with (tmp_path / "ended").open("rb") as note:
        assert note.read() == b""


def test_a_forked_process_does_not_hold_its_input(tmp_path: Path) -> None:
    path = program(tmp_path, "listen(); sys.stdin.read()")
    code = f"""
import os
from convscope.tensorboard.child import Child
child = Child(lambda: {path!r}, lambda: "logdir")
child.address()
pipe = child._process.stdin.fileno()
if not (forked := os.fork()):
    try:
        os.fstat(pipe)
    except OSError:
        child.close()
        os._exit(0)
    os._exit(1)
print(os.waitpid(forked, 0)[1], child.address().port, child.pid is not None)
child.close()
"""
    source = str(Path(__file__).resolve().parents[1])
    environment = os.environ | {"PYTHONPATH": source}
    argv = [sys.executable, "-c", code]
    said = subprocess.run(argv, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    assert said.stdout == "0 4242 True\n" and starts(tmp_path) == 1


def test_what_cannot_be_started_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\0\0")
    broken.chmod(0o700)
    with pytest.raises(Unavailable, match="broken cannot be started: .*--force-reinstall"):
        Child(lambda: str(broken), lambda: "logdir").address()

    def nowhere() -> str:
        raise BinaryNotFound("not in a, b")

    with pytest.raises(Unavailable, match="not in a, b"):
        Child(nowhere, lambda: "logdir").address()
