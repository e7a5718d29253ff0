"""Shared by the cases of ``tensorboard_tab.py``: the program, logs, and the package."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tensorboard_board import Board, Site, tensorboard, wait_until

ROOT = Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "tests" / "fixtures" / "recipe_tf1"


def write_entry_point(folder: Path, version: str) -> None:
    """Writes the metadata that pip would write for ``convscope``, without the package."""
    facts = folder / f"convscope-{version}.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: convscope\nVersion: {version}\n")
    entry = "[tensorboard_plugins]\nconvscope = convscope.tensorboard.plugin:Plugin\n"
    (facts / "entry_points.txt").write_text(entry)


class Scene:
    """Shared by all cases: the program, a temporary folder, logs."""

    def __init__(self, binary: Path, scratch: Path) -> None:
        """An installed package is used as it is."""
        self.binary, self.scratch = binary, scratch
        # A TensorBoard that is killed cannot remove its temporary files.
        self.variables = {"TMPDIR": str(scratch)}
        self.kept_picture: Path | None = None

    def use_sources(self) -> None:
        """Lets TensorBoard find this checkout's package, with the entry point pip would write."""
        words = subprocess.run(
            [self.binary, "--version"], capture_output=True, text=True, check=True
        )
        write_entry_point(self.scratch, words.stdout.split()[-1])
        path = os.pathsep.join([str(self.scratch), str(ROOT / "python")])
        self.variables |= {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        self.variables["CONVSCOPE_BIN"] = str(self.binary)

    def logdir(self, name: str) -> Path:
        """A copy of the fixture."""
        target = self.scratch / name
        target.mkdir(parents=True)
        for log in FIXTURE.glob("*tfevents*"):
            shutil.copy(log, target)
        return target

    def board(self, *options: str | Path, **variables: str) -> AbstractContextManager[Board]:
        """A TensorBoard with the tab."""
        return tensorboard(*options, **(self.variables | variables))

    @contextmanager
    def daemon(self, logdir: Path, *options: str) -> Iterator[Site]:
        """The program itself, without TensorBoard."""
        port_file = self.scratch / "port"
        argv = [self.binary, "serve", logdir, "--port", "0", "--port-file", port_file, *options]
        process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        try:
            wait_until(port_file.exists, "the program listens")
            yield Site(int(port_file.read_text()), "")
        finally:
            process.kill()
            process.wait()
            port_file.unlink()
