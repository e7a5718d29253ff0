"""The recorder's thread: forks, full disks, disks that hang, ends of programs."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import readers
import tensorflow as tf

import convscope.writer
from convscope import Recorder
from convscope.recorder import RecordError

ARRAY = np.ones((1, 8, 8, 16), np.float32)


def steps(path: Path) -> list[int]:
    """The steps of all values of a file, by a reader that checks CRCs."""
    found = []
    for raw in tf.data.TFRecordDataset(str(path)):
        event = tf.compat.v1.Event.FromString(raw.numpy())
        found += [event.step] * len(event.summary.value)
    return found


def run(program: str, *arguments: Any, expect: int = 0) -> str:
    """Runs a program with this package and returns its stderr."""
    code = "import os, sys, numpy as np\nfrom convscope import Recorder\n" + program
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(convscope.__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == expect, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "end",
    ["", "del recorder", "raise SystemExit", "recorder.close()", "recorder.flush(); os._exit(0)"],
)
def test_what_was_recorded_is_written_however_a_program_ends(tmp_path: Path, end: str) -> None:
    program = """
recorder = Recorder(sys.argv[1])
for step in range(200):
    recorder.activation("conv1", np.full((1, 64, 64, 4), step, "f4"), step, "NHWC")
"""
    run(program + end, tmp_path)
    assert steps(readers.only_file(tmp_path)) == list(range(200))


def test_a_recorder_can_be_made_and_used_while_the_program_ends(tmp_path: Path) -> None:
    program = """
import atexit
def late():
    recorder = Recorder(sys.argv[1])
    recorder.kernel("conv1", np.ones((3, 3, 1, 1)), 1)
    recorder.close()
atexit.register(late)
"""
    assert run(program, tmp_path) == ""
    assert steps(readers.only_file(tmp_path)) == [1]


@pytest.mark.parametrize("n_before", [0, 1])
def test_what_is_recorded_after_the_end_has_begun_is_written(tmp_path: Path, n_before: int) -> None:
    program = """
import atexit
recorder = Recorder(sys.argv[1])
array = np.ones((1, 64, 64, 4), "f4")
def late():
    for step in range(10, 15):
        assert recorder.activation("conv1", array, step, "NHWC")
atexit.register(late)
for step in range(int(sys.argv[2])):
    recorder.activation("conv1", array, step, "NHWC")
"""
    assert run(program, tmp_path, n_before) == ""
    found = [step for path in sorted(tmp_path.iterdir()) for step in steps(path)]
    assert found == [*range(n_before), *range(10, 15)]


def test_a_program_ends_while_a_thread_records_faster_than_the_disk(tmp_path: Path) -> None:
    program = """
import threading, time, convscope.writer
recorder = Recorder(sys.argv[1], queue_mb=1)
write = convscope.writer.Writer._write
def slowly(writer, pending):
    time.sleep(0.01)
    write(writer, pending)
convscope.writer.Writer._write = slowly
array = np.ones((1, 64, 64, 4), "f4")
def forever():
    step = 0
    while True:
        recorder.activation("conv1", array, step, "NHWC")
        step += 1
threading.Thread(target=forever, daemon=True).start()
recorder.activation("conv1", array, 0, "NHWC")
recorder.flush()
"""
    # Without care, it would never end, or end with an error.
    assert run(program, tmp_path) == ""


FORK = """
import multiprocessing
recorder = Recorder(sys.argv[1], strict=True)
array = np.ones((1, 256, 256, 8), "f4")
for step in range(20):
    recorder.activation("conv1", array, step, "NHWC")
def child():
    for step in range(100, 105):
        recorder.activation("conv1", array, step, "NHWC")
{fork}
for step in range(20, 40):
    recorder.activation("conv1", array, step, "NHWC")
recorder.close()
"""
FORKS = {
    "a child that records": """
process = multiprocessing.get_context("fork").Process(target=child)
process.start(); process.join(); assert process.exitcode == 0""",
    "a child that records nothing": """
process = multiprocessing.get_context("fork").Process(target=int)
process.start(); process.join(); assert process.exitcode == 0""",
    "os.fork": """
pid = os.fork()
if pid == 0:
    child(); sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0""",
}


@pytest.mark.parametrize("how", FORKS)
def test_a_fork_leaves_each_process_with_its_own_file(tmp_path: Path, how: str) -> None:
    run(FORK.format(fork=FORKS[how]), tmp_path)
    files = sorted((steps(path) for path in tmp_path.iterdir()), key=len)
    childs = [] if "nothing" in how else [list(range(100, 105))]
    assert files == [*childs, list(range(40))]


def test_a_childs_file_says_the_layout_too(tmp_path: Path) -> None:
    run(FORK.format(fork=FORKS["os.fork"]), tmp_path)
    files = list(tmp_path.iterdir())
    assert len(files) == 2
    for path in files:
        raws = list(tf.data.TFRecordDataset(str(path)))
        first = tf.compat.v1.Event.FromString(raws[1].numpy()).summary.value[0]
        assert first.metadata.plugin_data.plugin_name == "convscope"


FULL = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
recorder = Recorder(sys.argv[1])
for step in range(100):
    recorder.activation("conv1", np.ones((1, 32, 32, 8), "f4"), step, "NHWC")
recorder.flush()
print(recorder.n_lost, file=sys.stderr)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
recorder.activation("conv1", np.ones((1, 32, 32, 8), "f4"), 100, "NHWC")
recorder.close()
"""


def test_a_full_disk_warns_once_and_leaves_whole_records(tmp_path: Path) -> None:
    said = run(FULL, tmp_path, 100_000).splitlines()
    assert len(said) == 2 and "File too large" in said[0] and str(tmp_path) in said[0]
    # Three records of 32 KiB fit; when there is room again, recording continues after them.
    assert said[1] == "97"
    assert steps(readers.only_file(tmp_path)) == [0, 1, 2, 100]


def test_a_disk_without_any_room_is_left_as_it_was(tmp_path: Path) -> None:
    said = run(FULL, tmp_path, 10).splitlines()
    assert len(said) == 2 and "this is logged once" in said[0].lower()
    assert steps(readers.only_file(tmp_path)) == [100]


def test_a_strict_recorder_raises_on_a_full_disk(tmp_path: Path) -> None:
    program = FULL.replace("(sys.argv[1])", "(sys.argv[1], strict=True)")
    assert "RecordError: the recorder cannot write to" in run(program, tmp_path, 100_000, expect=1)


@pytest.mark.parametrize("is_strict", [False, True])
def test_a_logdir_that_is_a_file_warns_once_or_raises(
    tmp_path: Path, is_strict: bool, caplog: pytest.LogCaptureFixture
) -> None:
    taken = tmp_path / "file"
    taken.write_text("")
    if is_strict:
        with pytest.raises(RecordError, match="cannot write to"):
            Recorder(taken, strict=True)
        return
    with Recorder(taken) as recorder:
        for step in range(5):
            recorder.activation("conv1", ARRAY, step, "NHWC")
    assert len(caplog.records) == 1 and str(taken) in caplog.text
    assert recorder.n_lost == 6


class Gate:
    """A disk that writes nothing until it is opened."""

    def __init__(self, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = threading.Event()
        append = recorder._writer.file.append
        monkeypatch.setattr(
            recorder._writer.file, "append", lambda parts: (self.opened.wait(), append(parts))
        )


def test_a_full_queue_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = np.ones((1, 256, 256, 8), np.float32)
    with Recorder(tmp_path, queue_mb=4, strict=True) as recorder:
        gate = Gate(recorder, monkeypatch)
        recorder.activation("conv1", large, 0, "NHWC")
        recorder.activation("conv1", large, 1, "NHWC")
        third = threading.Thread(target=recorder.activation, args=("conv1", large, 2, "NHWC"))
        third.start()
        gate.opened.set()
        third.join()
    assert steps(readers.only_file(tmp_path)) == [0, 1, 2]


def test_a_disk_that_hangs_costs_values_and_not_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(convscope.writer, "STALL_SECONDS", 0.01)
    large = np.ones((1, 256, 256, 8), np.float32)
    recorder = Recorder(tmp_path, queue_mb=4)
    gate = Gate(recorder, monkeypatch)
    taken = [recorder.activation("conv1", large, step, "NHWC") for step in range(5)]
    assert taken == [True, True, False, False, False]
    assert len(caplog.records) == 1 and "queue is full" in caplog.text
    gate.opened.set()
    monkeypatch.setattr(convscope.writer, "STALL_SECONDS", 10.0)
    recorder.flush()
    assert recorder.activation("conv1", large, 5, "NHWC")
    recorder.close()
    assert steps(readers.only_file(tmp_path)) == [0, 1, 5]


def stalled(
    logdir: Path, monkeypatch: pytest.MonkeyPatch, *, is_strict: bool
) -> tuple[Recorder, Gate]:
    """A recorder with one value that its disk does not write, and a short limit of waiting."""
    monkeypatch.setattr(convscope.writer, "STALL_SECONDS", 0.01)
    recorder = Recorder(logdir, strict=is_strict)
    gate = Gate(recorder, monkeypatch)
    recorder.activation("conv1", ARRAY, 0, "NHWC")
    return recorder, gate


def test_a_close_that_cannot_write_says_so_and_leaves_whole_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder, gate = stalled(tmp_path, monkeypatch, is_strict=False)
    thread = recorder._writer._thread
    recorder.close()
    assert len(caplog.records) == 1 and "1 value waits for" in caplog.text
    gate.opened.set()
    assert thread is not None
    thread.join()
    assert steps(readers.only_file(tmp_path)) == [0]


def test_a_strict_flush_that_cannot_write_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, gate = stalled(tmp_path, monkeypatch, is_strict=True)
    with pytest.raises(RecordError, match="nothing was written"):
        recorder.flush()
    gate.opened.set()


@pytest.mark.parametrize("what", ["the file", "the directory"])
def test_recording_goes_on_in_a_new_file_where_somebody_removed_it(
    tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    logdir = tmp_path / "logs"
    with Recorder(logdir, strict=True) as recorder:
        recorder.activation("conv1", ARRAY, 0, "NHWC")
        recorder.flush()
        removed = readers.only_file(logdir)
        shutil.rmtree(logdir) if what == "the directory" else removed.unlink()
        for step in (1, 2):
            recorder.activation("conv1", ARRAY, step, "NHWC")
    assert steps(readers.only_file(logdir)) == [1, 2]
    ((_, first), _) = readers.by_tensorflow(logdir)
    assert first.metadata.plugin_data.plugin_name == "convscope"
    assert len(caplog.records) == 1 and f"{removed} was removed" in caplog.text


def test_a_recorder_that_nothing_refers_to_leaves_no_thread(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.activation("conv1", ARRAY, 0, "NHWC")
    writer, thread = weakref.ref(recorder._writer), recorder._writer._thread
    del recorder
    assert thread is not None
    thread.join()
    del thread
    gc.collect()
    assert writer() is None
    assert steps(readers.only_file(tmp_path)) == [0]


def test_a_value_larger_than_the_queue_goes_through_alone(tmp_path: Path) -> None:
    large = np.ones((1, 512, 512, 4), np.float32)
    with Recorder(tmp_path, queue_mb=1, strict=True) as recorder:
        for step in range(3):
            recorder.activation("conv1", large, step, "NHWC")
    assert steps(readers.only_file(tmp_path)) == [0, 1, 2]
