"""SIGTERM while values are queued, in real programs: what is in the file, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import readers
import tensorflow as tf

import convscope

N_STEPS = 3000
BURST = """
import os, signal, sys, threading, numpy as np, convscope.termination
from convscope import Recorder

# The thread that writes hardly gets a turn before the signal.
sys.setswitchinterval(60)
array = np.ones((3, 3, 8, 8), "f4")

def burst(recorder, first=0):
    for step in range(first, first + 3000):
        assert recorder.kernel("conv1", array, step)

def end():
    os.kill(os.getpid(), signal.SIGTERM)
"""


def run(program: str, *arguments: Any) -> tuple[int, str, str]:
    """Runs a program; returns its status, standard output and standard error."""
    # Python 3.12 and newer warn about forks of programs with threads.
    quiet = ["-W", "ignore::DeprecationWarning"]
    command = [sys.executable, *quiet, "-c", BURST + program, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(convscope.__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return done.returncode, done.stdout, done.stderr


def steps(logdir: Path) -> list[int]:
    """The steps of all values, by TensorFlow's reader, which checks CRCs."""
    found = []
    for path in sorted(logdir.iterdir()):
        for raw in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(raw.numpy())
            found += [event.step] * len(event.summary.value)
    return found


def test_a_burst_is_in_the_file_when_sigterm_ends_the_program(tmp_path: Path) -> None:
    program = """
recorder = Recorder(sys.argv[1])
burst(recorder)
end()
print("went on")
"""
    assert run(program, tmp_path) == (-signal.SIGTERM, "", "")
    assert steps(tmp_path) == list(range(N_STEPS))
    assert len([value for _, value in readers.by_tensorboard(tmp_path)]) == N_STEPS


def test_recorders_of_several_directories_are_written(tmp_path: Path) -> None:
    program = """
recorders = [Recorder(f"{sys.argv[1]}/{n}") for n in range(3)]
for recorder in recorders:
    burst(recorder)
end()
"""
    assert run(program, tmp_path)[0] == -signal.SIGTERM
    for n in range(3):
        assert steps(tmp_path / str(n)) == list(range(N_STEPS))


@pytest.mark.parametrize("when", ["while it is put", "while there is no room"])
def test_a_signal_that_stops_a_call_half_way_loses_none_before_it(
    tmp_path: Path, when: str
) -> None:
    # Such a call holds the lock of callers that record.
    program = """
recorder = Recorder(sys.argv[1], queue_mb=1)
writer, n_calls = recorder._writer, 0
class Interrupted:
    def __init__(self, real):
        self.real = real
        self.get, self.get_nowait = real.get, real.get_nowait
    def put(self, one):
        global n_calls
        n_calls += 1
        self.real.put(one)
        if n_calls == 301:
            end()
if sys.argv[2] == "while it is put":
    writer._queue = Interrupted(writer._queue)
else:
    wait = convscope.writer._reached
    def reached(marker, seconds):
        # Until it has the next, the thread that writes is ahead of nobody.
        if not writer.n_waiting < 300:
            end()
        return wait(marker, seconds)
    convscope.writer._reached = reached
burst(recorder)
"""
    status, _, said = run(program, tmp_path, when)
    assert (status, said) == (-signal.SIGTERM, "")
    found = steps(tmp_path)
    assert found == list(range(len(found))) and len(found) >= 300


def test_a_signal_from_outside_comes_at_any_moment(tmp_path: Path) -> None:
    program = """
sys.setswitchinterval(0.005)
recorder = Recorder(sys.argv[1])
step = 0
while True:
    assert recorder.kernel("conv1", array, step)
    os.write(1, step.to_bytes(4, "little"))
    step += 1
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(convscope.__file__).parents[1])}
    for attempt, n_before in enumerate((1, 10, 257, 1000, 1024)):
        logdir = tmp_path / str(attempt)
        process = subprocess.Popen(
            [sys.executable, "-c", BURST + program, str(logdir)],
            stdout=subprocess.PIPE,
            env=environment,
        )
        assert process.stdout is not None
        said = process.stdout.read(4 * n_before)
        process.send_signal(signal.SIGTERM)
        said += process.stdout.read()
        assert process.wait() == -signal.SIGTERM
        process.stdout.close()
        last = int.from_bytes(said[-4:], "little")
        found = steps(logdir)
        # The value of the call that the signal stopped may have been queued too.
        assert found == list(range(len(found))) and last + 1 <= len(found) <= last + 2


USERS = """
def mine(number, frame):
    print("mine")
    sys.exit(7)
"""
ORDERS = {
    "before": "signal.signal(signal.SIGTERM, mine); recorder = Recorder(sys.argv[1])",
    "after": "recorder = Recorder(sys.argv[1]); signal.signal(signal.SIGTERM, mine)",
    "between": """
first = Recorder(sys.argv[1] + "/first")
signal.signal(signal.SIGTERM, mine)
recorder = Recorder(sys.argv[1])
first.close()
""",
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_handler_of_the_users_runs_once_and_decides(tmp_path: Path, order: str) -> None:
    program = (
        f"{USERS}\n{ORDERS[order]}\n"
        + """
assert signal.getsignal(signal.SIGTERM) is mine
burst(recorder)
end()
"""
    )
    assert run(program, tmp_path) == (7, "mine\n", "")
    found = [path for path in tmp_path.iterdir() if path.is_file()]
    assert len(found) == 1 and len(list(tf.data.TFRecordDataset(str(found[0])))) == N_STEPS + 1


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    program = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
recorder = Recorder(sys.argv[1])
end()
print("went on")
"""
    assert run(program, tmp_path) == (0, "went on\n", "")


def test_a_later_handler_that_calls_the_one_before_is_not_ended(tmp_path: Path) -> None:
    # PyTorch Lightning combines handlers in this way: it ends the training itself.
    program = """
recorder = Recorder(sys.argv[1])
before = signal.getsignal(signal.SIGTERM)
def both(number, frame):
    print("checkpoint")
    if callable(before):
        before(number, frame)
    print("went on", recorder._writer.n_waiting)
signal.signal(signal.SIGTERM, both)
burst(recorder)
end()
burst(recorder, 3000)
recorder.close()
"""
    assert run(program, tmp_path) == (0, "checkpoint\nwent on 0\n", "")
    assert steps(tmp_path) == list(range(2 * N_STEPS))


def test_a_handler_that_is_set_again_ends_the_program(tmp_path: Path) -> None:
    program = """
recorder = Recorder(sys.argv[1])
before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
end()
signal.signal(signal.SIGTERM, before)
burst(recorder)
end()
"""
    assert run(program, tmp_path) == (-signal.SIGTERM, "", "")
    assert steps(tmp_path) == list(range(N_STEPS))


def test_a_recorder_of_another_thread_leaves_the_default(tmp_path: Path) -> None:
    program = """
made = []
thread = threading.Thread(target=lambda: made.append(Recorder(sys.argv[1])))
thread.start(); thread.join()
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
end()
"""
    assert run(program, tmp_path) == (-signal.SIGTERM, "", "")


def test_the_default_is_there_again_when_the_last_recorder_is_closed(tmp_path: Path) -> None:
    program = """
first, second = Recorder(sys.argv[1]), Recorder(sys.argv[1])
first.close()
assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
second.close()
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
third = Recorder(sys.argv[1])
burst(third)
end()
"""
    assert run(program, tmp_path) == (-signal.SIGTERM, "", "")
    assert steps(tmp_path) == list(range(N_STEPS))


CHILDREN = {
    "os.fork": """
pid = os.fork()
if pid == 0:
    child()
""",
    "multiprocessing": """
import multiprocessing
process = multiprocessing.get_context("fork").Process(target=child)
process.start()
pid = process.pid
""",
}


@pytest.mark.parametrize("how", CHILDREN)
def test_a_child_just_dies_and_the_parent_goes_on(tmp_path: Path, how: str) -> None:
    program = f"""
recorder = Recorder(sys.argv[1])
burst(recorder)
ready, tell = os.pipe()
def child():
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    os.write(tell, b"1")
    while True:
        signal.pause()
{CHILDREN[how]}
assert os.read(ready, 1) == b"1"
os.kill(pid, signal.SIGTERM)
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status))
burst(recorder, 3000)
end()
"""
    assert run(program, tmp_path) == (-signal.SIGTERM, f"{-signal.SIGTERM}\n", "")
    assert steps(tmp_path) == list(range(2 * N_STEPS))


def test_a_handler_in_a_forked_child_writes_nothing_of_the_parents(tmp_path: Path) -> None:
    # If a C library forks without Python, the child still has the handler.
    program = """
recorder = Recorder(sys.argv[1])
ours = signal.getsignal(signal.SIGTERM)
burst(recorder)
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGTERM, ours)
    end()
    os._exit(3)
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status))
recorder.close()
"""
    assert run(program, tmp_path) == (0, f"{-signal.SIGTERM}\n", "")
    assert steps(tmp_path) == list(range(N_STEPS))


def test_a_disk_that_hangs_is_waited_for_no_longer_than_that(tmp_path: Path) -> None:
    program = """
convscope.termination.END_SECONDS = 0.01
recorder = Recorder(sys.argv[1])
recorder._writer.file.append = lambda parts: threading.Event().wait()
for step in range(5):
    recorder.kernel("conv1", array, step)
end()
"""
    status, _, said = run(program, tmp_path)
    assert status == -signal.SIGTERM
    assert said.startswith("convscope: SIGTERM: 5 values for ") and said.endswith("are lost\n")
    assert said.count("\n") == 1


def test_a_second_signal_does_not_cut_the_first_short(tmp_path: Path) -> None:
    program = """
recorder = Recorder(sys.argv[1])
append, n_records = recorder._writer.file.append, 0
def interrupted(parts):
    global n_records
    n_records += 1
    if n_records == 100:
        end()
    append(parts)
recorder._writer.file.append = interrupted
burst(recorder)
end()
"""
    assert run(program, tmp_path) == (-signal.SIGTERM, "", "")
    assert steps(tmp_path) == list(range(N_STEPS))
