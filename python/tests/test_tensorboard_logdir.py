"""Which directory the tab shows; names are those of TensorBoard's own reading of the flag."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tensorboard.backend.event_processing import data_ingester

from convscope.tensorboard.address import Absent, Unavailable
from convscope.tensorboard.logdir import Logdir, local, parse_spec
from convscope.tensorboard.presence import Presence


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
    for logdir in (Logdir("gs://bucket/logs", ""), Logdir("", "a:/x,b:s3://bucket")):
        with pytest.raises(Unavailable, match="is not on this machine"):
            logdir.served()
    with pytest.raises(Unavailable, match="without --logdir"):
        Logdir("", "").served()


def test_a_tab_without_its_program_is_shown_and_warned_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    presence = Presence(Absent("no program"), is_ours=True)
    presence.watch()
    assert presence.is_shown()
    assert [record.getMessage() for record in caplog.records] == [
        "The ConvScope tab is without its program: no program"
    ]
