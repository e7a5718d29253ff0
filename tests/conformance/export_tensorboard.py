"""Reads the files of ``convscope export`` with the programs for which they are written.

A real TensorBoard is started on an export of a fixture and asked over HTTP: it must list
every exported step of every tag and return the bytes that TensorFlow's own reader, with
CRC checks, finds in the event files; their pixels must be those of ``convscope render``.
NumPy must open the NPZ files and find the arrays that were logged.

    .venv/bin/python tests/conformance/export_tensorboard.py [--bin target/debug/convscope]
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
PATIENCE_S = 120
Key = tuple[str, str, int]
"""Run, tag, step."""


def convscope(binary: Path, *arguments: str | Path) -> None:
    """Runs the program, which must succeed."""
    subprocess.run([binary, *arguments], check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE_S)


def pixels(picture: bytes) -> np.ndarray:
    """A picture's colours, rows by columns by 3."""
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


def read_with_tensorflow(out: Path) -> dict[Key, bytes]:
    """Every picture of an export; raises ``DataLossError`` where a CRC is wrong."""
    found: dict[Key, bytes] = {}
    for path in sorted(out.rglob("*tfevents*")):
        run = path.parent.relative_to(out).as_posix()
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                if value.HasField("image"):
                    picture = value.image.encoded_image_string
                else:
                    width, height, picture = value.tensor.string_val
                    size = Image.open(io.BytesIO(picture)).size
                    assert size == (int(width), int(height)), value.tag
                key = (run, value.tag, event.step)
                assert key not in found, f"{key} is there twice"
                found[key] = picture
    return found


class TensorBoard:
    """A running TensorBoard, asked over HTTP."""

    def __init__(self, port: int) -> None:
        """Remembers where it listens."""
        self.root = f"http://127.0.0.1:{port}/data/plugin/images/"

    def get(self, path: str, **query: object) -> bytes:
        """The body of an answer."""
        address = f"{self.root}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=PATIENCE_S) as answer:
            return answer.read()

    def json(self, path: str, **query: object) -> Any:
        """The JSON of an answer."""
        return json.loads(self.get(path, **query))

    def pictures(self) -> dict[Key, bytes]:
        """Every picture that it shows."""
        found: dict[Key, bytes] = {}
        for run, tags in self.json("tags").items():
            for tag, facts in tags.items():
                for sample in range(facts["samples"]):
                    for one in self.json("images", run=run, tag=tag, sample=sample):
                        query = dict(urllib.parse.parse_qsl(one["query"]))
                        found[run, tag, one["step"]] = self.get("individualImage", **query)
        return found

    def wait(self, count: int) -> dict[Key, bytes]:
        """Asks until this many pictures are shown; returns all pictures that are shown."""
        end = time.monotonic() + PATIENCE_S
        while True:
            found = self.pictures()
            if len(found) >= count or time.monotonic() > end:
                return found


@contextmanager
def tensorboard(logdir: Path) -> Iterator[TensorBoard]:
    """A TensorBoard that keeps every step, stopped at the end."""
    program = Path(sys.executable).parent / "tensorboard"
    # 0 means all for its reader and none for its images plugin.
    options = ["--port", "0", "--samples_per_plugin", "images=100000", "--reload_interval", "1"]
    argv = [program, "--logdir", logdir, "--host", "127.0.0.1", *options]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log)
        try:
            yield TensorBoard(wait_for_port(process, log))
        finally:
            process.kill()
            process.wait()


def wait_for_port(process: subprocess.Popen[bytes], log: io.BufferedRandom) -> int:
    """The port that TensorBoard announces on its standard error."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        text = os.pread(log.fileno(), 1 << 20, 0).decode()
        if "http://127.0.0.1:" in text:
            return int(text.split("http://127.0.0.1:")[1].split("/")[0])
        time.sleep(0.05)
    raise SystemExit(f"TensorBoard did not start:\n{os.pread(log.fileno(), 1 << 20, 0).decode()}")


def manifest(fixture: Path) -> list[dict[str, Any]]:
    """The arrays that were logged into a fixture, one line each."""
    return json.loads((fixture / "manifest.json").read_text())


def check_tensorboard(binary: Path, fixture: Path, scratch: Path, *options: str) -> int:
    """Compares an export with TensorBoard's API; returns the number of pictures."""
    out = scratch / "events"
    convscope(binary, "export", fixture, "--to", "tensorboard", "-o", out, *options)
    written = read_with_tensorflow(out)
    with tensorboard(out) as board:
        shown = board.wait(len(written))
    assert written and shown.keys() == written.keys(), written.keys() ^ shown.keys()
    assert all(shown[key] == picture for key, picture in written.items())
    return len(written)


def check_pixels(binary: Path, fixture: Path, out: Path, scratch: Path) -> None:
    """Compares the pictures of an export without options with ``convscope render``."""
    written = read_with_tensorflow(out)
    for (run, tag, step), picture in written.items():
        source_tag = tag.rsplit("/", 1)[0]
        file = scratch / "one.png"
        where = ("--run", run, "--tag", source_tag, "--step", str(step))
        convscope(binary, "render", fixture, *where, "-o", file)
        assert np.array_equal(pixels(picture), pixels(file.read_bytes())), (run, tag, step)


def check_every_step(fixture: Path, written: dict[Key, bytes], roles: set[str]) -> None:
    """Every logged tensor of these roles has its picture."""
    logged = {
        (line["run"], line["tag"], line["step"])
        for line in manifest(fixture)
        if line["role"] in roles and line["layout"]
    }
    shown = {(run, tag.rsplit("/", 1)[0], step) for run, tag, step in written}
    assert logged and logged <= shown, logged - shown


def check_arrays(binary: Path, fixture: Path, out: Path) -> int:
    """NumPy opens every NPZ file and finds the logged arrays; returns their number."""
    convscope(binary, "export", fixture, "--to", "npz", "-o", out)
    files = json.loads((out / "manifest.json").read_text())["files"]
    where = {(entry["run"], entry["tag"]): entry for entry in files}
    count = 0
    for line in manifest(fixture):
        entry = where[line["run"], line["tag"]]
        path = out / entry["file"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
        truth = np.load(fixture / line["npy"])
        with np.load(path) as arrays:
            array = arrays[str(line["step"])]
        assert array.dtype == truth.dtype and array.shape == truth.shape, line
        assert array.tobytes() == truth.tobytes(), line
        count += 1
    return count


def main() -> None:
    """Checks everything, or raises."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=ROOT / "target" / "debug" / "convscope")
    binary = parser.parse_args().bin.resolve()
    for name, roles in (("recipe_tf1", {"kernel", "activation"}), ("keras_tf2", {"kernel"})):
        fixture = FIXTURES / name
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            count = check_tensorboard(binary, fixture, scratch)
            written = read_with_tensorflow(scratch / "events")
            check_every_step(fixture, written, roles)
            check_pixels(binary, fixture, scratch / "events", scratch)
            arrays = check_arrays(binary, fixture, scratch / "arrays")
            print(f"{name}: TensorBoard shows {count} pictures, NumPy reads {arrays} arrays")
    with tempfile.TemporaryDirectory() as folder:
        options = ("--preset", "classic")
        count = check_tensorboard(binary, FIXTURES / "recipe_tf1", Path(folder), *options)
        print(f"recipe_tf1, classic preset: TensorBoard shows {count} pictures")


if __name__ == "__main__":
    main()
