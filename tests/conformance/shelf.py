"""Runs real trainings beside ConvScope, with their defaults, and looks at what stays of them.

    python tests/conformance/shelf.py --bin target/debug/convscope --only torch_save --python PYTHON

Each training of ``trainings/`` keeps one checkpoint. ConvScope is started on its directory before
it begins. Afterwards every save's first convolution has to be on the scrubber, bit for bit: what
was saved is noted by ``trainings/record.py``, which does not change the training. TensorBoard's
own reader has to find the same tensors on the shelf. ``--python`` names a Python that has the
libraries of the training; without ``--only`` all are run. Exits with 1 if a save is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TRAININGS = sorted(path.stem for path in (HERE / "trainings").glob("*.py") if path.stem != "record")
PATIENCE_S = 60


def get(port: int, path: str) -> bytes:
    """The body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"GET {path} gave {answer.status}: {body[:300]!r}")
    return body


def kernel_of(port: int) -> dict[str, Any] | None:
    """The first kernel with a window."""
    series = json.loads(get(port, "/api/v1/series"))["series"]
    kernels = [one for one in series if one["role"] == "kernel" and len(one["shape"]) == 4]
    first = [one for one in kernels if one["tag"].removeprefix("model/")[:5] in ("conv1", "0.wei")]
    return max(first or kernels, key=lambda one: one["steps"], default=None)


def on_scrubber(port: int) -> tuple[set[str], int]:
    """The SHA-256 of the first convolution at each step and attempt, and how many there are."""
    kernel = kernel_of(port)
    if kernel is None:
        return set(), 0
    at = urllib.parse.urlencode({"run": kernel["run"], "tag": kernel["tag"]})
    steps = json.loads(get(port, f"/api/v1/steps?{at}"))
    found: set[str] = set()
    count = 0
    for step, attempts in zip(steps["steps"], steps["attempts"], strict=True):
        for attempt in range(attempts):
            npy = get(port, f"/api/v1/tensor?{at}&step={step}&attempt={attempt}")
            start = 10 + int.from_bytes(npy[8:10], "little")
            found.add(hashlib.sha256(npy[start:]).hexdigest())
            count += 1
    return found, count


def in_tensorboard(shelf: Path) -> set[str]:
    """The SHA-256 of each tensor that TensorBoard's own reader finds on the shelf."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    found: set[str] = set()
    for run in {path.parent for path in shelf.rglob("*.convscope-shelf")}:
        events = EventAccumulator(str(run), size_guidance={"tensors": 0})
        events.Reload()
        for tag in events.Tags()["tensors"]:
            if tag != "convscope/save":
                tensors = (make_ndarray(event.tensor_proto) for event in events.Tensors(tag))
                found |= {hashlib.sha256(tensor.tobytes()).hexdigest() for tensor in tensors}
    return found


def run(name: str, binary: Path, python: str) -> bool:
    """Runs one training, and compares."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        work, notes, port_file = place / "work", place / "notes", place / "port"
        work.mkdir()
        argv = [binary, "serve", work, "--port", "0", "--port-file", port_file]
        argv += ["--shelf", place / "shelf"]
        daemon = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not port_file.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            port = int(port_file.read_text())
            training = [python, HERE / "trainings" / "record.py"]
            training += [HERE / "trainings" / f"{name}.py", work, notes]
            quiet = {
                "TF_CPP_MIN_LOG_LEVEL": "3",
                "JAX_PLATFORMS": "cpu",
                "CUDA_VISIBLE_DEVICES": "",
            }
            subprocess.run(training, check=True, env=os.environ | quiet, stdout=subprocess.DEVNULL)
            saved = [json.loads(line) for line in notes.read_text().splitlines()]
            while True:
                found, count = on_scrubber(port)
                if found >= set(saved) or time.monotonic() > deadline + PATIENCE_S:
                    break
                time.sleep(0.1)
        finally:
            daemon.terminate()
            daemon.wait()
        unknown_to_tensorboard = set(saved) - in_tensorboard(place / "shelf")
    missing = [number for number, digest in enumerate(saved) if digest not in found]
    extra = found - set(saved)
    print(f"{name}: {len(saved)} saves, {count} on the scrubber, missing {missing}", end="")
    print(f", {len(extra)} that nobody saved" if extra else "", end="")
    print(f", TensorBoard reads {len(set(saved)) - len(unknown_to_tensorboard)} of them")
    return not missing and not extra and not unknown_to_tensorboard and len(saved) > 1


def main() -> int:
    """Runs what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=ROOT / "target" / "debug" / "convscope")
    parser.add_argument("--only", action="append", choices=TRAININGS)
    parser.add_argument("--python", default=sys.executable)
    args = parser.parse_args()
    results = [run(name, args.bin, args.python) for name in args.only or TRAININGS]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
