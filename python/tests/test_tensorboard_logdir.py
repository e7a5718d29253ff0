"""Which directory the tab shows; names are those of TensorBoard's own parser of the flag."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing import data_ingester

from convscope.tensorboard.address import Unavailable
from convscope.tensorboard.links import linked
from convscope.tensorboard.logdir import Logdir, local, parse_spec


@pytest.mark.parametrize(
    "spec",
    [
        "/a",
        "a:/x,b:/y",
        "/x,/y",
        "name:/path:with/a/colon",
        "/foo:bar/baz",
        "gs://bucket/a",
        "n:gs://bucket/a,/x",
        "a:/x,b:/x",
    ],
)
def test_specs_are_read_as_tensorboard_reads_them(spec: str) -> None:
    expected = data_ingester._parse_event_files_spec(spec)
    assert {path: name for name, path in parse_spec(spec)} == expected


def test_one_logdir_is_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    assert Logdir("logs", "").served() == str(tmp_path / "logs")
    assert Logdir("", "/x").served() == "/x"
    assert local("~/logs") == "/home/someone/logs"
    assert local("file:///x") == "/x"


def test_several_become_links_with_a_name_each(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spec = f"a:{tmp_path}/1,a:{tmp_path}/2,{tmp_path}/run,../up:{tmp_path}/3,/"
    logdir = Logdir("", spec)
    folder = Path(logdir.served())
    assert str(folder) == logdir.served()
    links = {link.name: os.readlink(link) for link in folder.iterdir()}
    expected = {"a": "1", "a-2": "2", "run": "run", "_up": "3"}
    assert links == {name: f"{tmp_path}/{path}" for name, path in expected.items()} | {"root": "/"}


def test_what_is_not_on_this_machine_is_named() -> None:
    for logdir in (Logdir("gs://bucket/logs", ""), Logdir("", "a:gs://bucket,b:s3://bucket")):
        with pytest.raises(Unavailable, match="gs://bucket.* is not on this machine"):
            logdir.served()
    with pytest.raises(Unavailable, match="without --logdir"):
        Logdir("", "").served()


def test_what_is_elsewhere_is_left_out_with_one_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    logdir = Logdir("", "a:/x,b:s3://bucket,gs://other")
    assert [link.name for link in Path(logdir.served()).iterdir()] == ["a"]
    assert logdir.served() == logdir.served()
    (record,) = caplog.records
    assert "leaves out s3://bucket, gs://other: " in record.getMessage()


def run(code: str, tmp: Path) -> str:
    """The output of a separate Python, with the folder of links in its ``tempfile`` directory."""
    source = str(Path(__file__).resolve().parents[1])
    variables = os.environ | {"PYTHONPATH": source, "TMPDIR": str(tmp)}
    argv = [sys.executable, "-c", f"from convscope.tensorboard.links import linked\n{code}"]
    return subprocess.run(argv, env=variables, stdout=subprocess.PIPE, text=True).stdout.strip()


def test_links_go_with_the_process_that_made_them_and_not_with_a_forked_one(tmp_path: Path) -> None:
    code = """
import os, sys
folder = linked([("a", "/")])
if not (forked := os.fork()):
    sys.exit()
os.waitpid(forked, 0)
print(os.listdir(folder))
"""
    assert run(code, tmp_path) == "['a']"
    assert list(tmp_path.iterdir()) == []


def test_links_of_one_that_was_killed_are_removed_by_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    target = tmp_path / "logs"
    (target / "kept").mkdir(parents=True)
    code = (
        f"import os; print(linked([('a', {str(target)!r})]), flush=True); os.kill(os.getpid(), 9)"
    )
    left = Path(run(code, tmp_path))
    assert (left / "a").is_symlink()
    own = Path(linked([("b", str(target))]))
    foreign = tmp_path / "convscope-logdirs-elsewhere-1-x"
    foreign.mkdir()
    other = Path(linked([("c", str(target))]))
    assert not left.exists() and (target / "kept").is_dir()
    assert own.is_dir() and other.is_dir() and foreign.is_dir()


def test_a_folder_that_cannot_be_swept_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(os, "scandir", refused)
    assert Path(linked([("a", "/")])).parent == tmp_path
