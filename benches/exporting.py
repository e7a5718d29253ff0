"""Measures how long an export of a whole logdir takes, and what memory that needs.

No other program turns logged tensors into pictures for TensorBoard, so there is no
peer: the goals are 400 sheets per second and core, and 300 MB. Ours is a whole
process, ``convscope export LOGDIR --to tensorboard``, from start to exit, into an empty
directory; ``convscope verify`` must then count a record for each tensor.

Memory is the largest resident size of that process, read while it runs.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from indexing import warm
from make_log import LAYERS, STEPS
from process import Unavailable, run, vm_hwm_mb
from table import Row, attempt

SHEETS = STEPS * LAYERS * 2
SHEETS_A_SECOND = 400
MOST_MB = 300


def export_once(binary: Path, logdir: Path, memory: Row) -> float:
    """Milliseconds of an export; stores its largest resident size."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        argv = [binary, "export", logdir, "--to", "tensorboard", "-o", out]
        started = time.perf_counter()
        process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        largest = 0.0
        while process.poll() is None:
            largest = max(largest, resident(process.pid))
            time.sleep(0.01)
        took = (time.perf_counter() - started) * 1e3
        if process.returncode != 0:
            raise Unavailable(f"convscope export exited with {process.returncode}")
        _, report = run([binary, "verify", out])
        # The first record of the file contains no picture.
        if str(SHEETS + 1).encode() not in report.replace(b",", b""):
            raise Unavailable(f"convscope export did not write {SHEETS} records")
        memory.ours.append(largest)
        return took


def resident(pid: int) -> float:
    """Largest resident MB so far; 0 if the process has just ended."""
    try:
        return vm_hwm_mb(pid)
    except (OSError, TypeError):
        return 0.0


def exports(binary: Path, logs: dict[str, Path], rounds: int) -> list[Row]:
    """2,400 sheets of the 1.1 GB run."""
    limit = SHEETS / (SHEETS_A_SECOND * (os.cpu_count() or 1)) * 1e3
    times = Row("export 2,400 sheets of 1.1 GB", "-", "ms", limit=limit)
    memory = Row("memory of that export", "-", "MB", limit=MOST_MB)
    warm(logs["tensors"])
    for _ in range(rounds):
        attempt(times, lambda: export_once(binary, logs["tensors"], memory))
    return [times, memory]
