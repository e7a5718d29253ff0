"""Hostile rules, hidden damage, shapes without elements: what is reported, and what still works."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import wire
from figure import Bound, Reading, measurement
from logged import NAME, Sparse, file_of, step
from process import cpu_seconds
from served import Served, bytes_read, scratch, served

RULES = ".convscope.toml"
USUAL = "[[rule]]\ntag = 'conv1/*'\nrole = 'kernel'\n"
CHECKED = (1, 64, 256, 512)
"""32 MiB."""
SMALL_FILES = 20_000
BEGINS_AFTER_S = 6
"""The check begins 5 s after the first scan."""


GLOBS = {
    "150 kB of ?": "?" * 150_000,
    "150 kB of a*": "a*" * 75_000,
    "900 kB of choices": "{" + ",".join(f"layer{at}" for at in range(80_000)) + "}",
}


@measurement("rules")
def rules(binary: Path) -> Iterator[Reading]:
    """Globs that are too large: whether health reports them, and whether a new run is still found.

    Then a rules file that cannot be read for three seconds, because a directory has its name.
    """
    for words, glob in GLOBS.items():
        with scratch() as logdir:
            file_of(logdir / "a", [step("conv1/kernel", 0)])
            with served(binary, logdir) as program:
                program.until_loaded(30)
                (logdir / RULES).write_text(f"[[rule]]\ntag = '{glob}'\nrole = 'kernel'\n")
                time.sleep(4)
                is_told = program.health()["status"] != "ok"
                file_of(logdir / "b", [step("conv1/kernel", 0)])
                seen = program.until(lambda: program.has("conv1/kernel", "b"), 10)
                work = f"a glob of {words} in the rules"
                yield Reading(f"{work}: health says so", "1 = yes", float(is_told))
                yield Reading(f"{work}: a new run is seen", "s", seen, Bound(most=2))
    with scratch() as logdir:
        file_of(logdir / "a", [step("conv1/kernel", 0)])
        (logdir / RULES).write_text(USUAL)
        with served(binary, logdir) as program:
            program.until_loaded(30)
            (logdir / RULES).unlink()
            (logdir / RULES).mkdir()
            program.until(lambda: "bad_rules" in program.kinds(), 10)
            (logdir / RULES).rmdir()
            (logdir / RULES).write_text(USUAL)
            mended = program.until(lambda: program.health()["status"] == "ok", 15)
            work = "rules unreadable for a moment: health is ok again"
            yield Reading(work, "s", mended, Bound(most=3))


@measurement("flipped")
def flipped(binary: Path) -> Iterator[Reading]:
    """One wrong bit in a tensor of 18 kB that nobody requests: seconds until health reports it.

    Then 4 GB of intact tensors are checked: CPU time and bytes read, for 10 s after the scan.
    """
    large = np.zeros((3, 3, 16, 32), np.float32)
    with scratch() as logdir:
        records = [step("conv1/kernel", at, large) for at in range(20)]
        records[7] = wire.flipped(records[7], 9_000)
        file_of(logdir, records)
        with served(binary, logdir) as program:
            told = program.until(lambda: "bad_payload_crc" in program.kinds(), 60)
            yield Reading(
                "a flipped bit in a tensor that nobody asks for: told", "s", told, Bound(most=30)
            )
        said = subprocess.run([binary, "ls", "--verify", logdir], capture_output=True, check=False)
        is_said = said.returncode == 0 and b"crc" in (said.stdout + said.stderr).lower()
        yield Reading("ls --verify names it", "1 = yes", float(is_said), Bound(least=1))
    with scratch() as logdir:
        sparse = Sparse(logdir / NAME)
        for at in range(128):
            sparse.add(at, b"", "conv1/activation", CHECKED)
        sparse.close()
        with served(binary, logdir) as program:
            program.until_loaded(60)
            cpu, read, begun = (
                cpu_seconds(program.pid),
                bytes_read(program.pid),
                time.perf_counter(),
            )
            time.sleep(10)
            took = time.perf_counter() - begun
            share = 100 * (cpu_seconds(program.pid) - cpu) / took
            pace = (bytes_read(program.pid) - read) / took / 1e6
            yield Reading("the check in the background: share of a core", "%", share, Bound(most=5))
            yield Reading("its pace", "MB/s", pace, Bound(most=50))


def checked(program: Served) -> int:
    """The number of checked records in health."""
    return program.health().get("checked", {}).get("records", 0)


@measurement("small files")
def small_files(binary: Path) -> Iterator[Reading]:
    """20,000 files of two tensors of 4.6 kB: CPU time while they are checked.

    The first tensor of a tag is checked when it is scanned, the other one in the background.
    """
    with scratch() as logdir:
        records = [step("conv1/kernel", at, np.zeros((3, 3, 8, 16), np.float32)) for at in (0, 1)]
        for at in range(SMALL_FILES):
            file_of(logdir / f"r{at % 50}", records, f"{NAME}{at}")
        with served(binary, logdir, "--poll", "300") as program:
            program.until_loaded(120)
            time.sleep(BEGINS_AFTER_S)
            before = checked(program)
            cpu, begun = cpu_seconds(program.pid), time.perf_counter()
            time.sleep(8)
            share = 100 * (cpu_seconds(program.pid) - cpu) / (time.perf_counter() - begun)
            done = checked(program) - before
            work = "20,000 small files are checked: share of a core"
            yield Reading(work, "%", share, Bound(most=10))
            yield Reading("records that were checked meanwhile", "records", done, Bound(least=100))


@measurement("no elements")
def no_elements(binary: Path) -> Iterator[Reading]:
    """Two steps of kernels with an axis of length 0, compared with ``match=cosine``."""
    with scratch() as logdir:
        shapes = ((0, 3, 3, 4), (3, 3, 0, 4), (3, 3, 4, 0), (0, 5), (5, 0))
        for at, shape in enumerate(shapes):
            file_of(
                logdir / f"r{at}",
                [step("conv1/kernel", n, np.zeros(shape, np.float32)) for n in (0, 1)],
            )
        with served(binary, logdir) as program:
            program.until_loaded(30)
            query = "tag=conv1%2Fkernel&minus_step=0&match=cosine"
            asked = [
                (f"r{at}", path)
                for at in range(len(shapes))
                for path in ("difference", "sheet", "values")
            ]
            statuses = [program.get(f"/api/v1/{path}?run={run}&{query}")[0] for run, path in asked]
            faults = sum(status in (0, 500) for status in statuses)
            yield Reading(
                "axes of length 0 with match=cosine: answers 500", "of 15", faults, Bound(most=0)
            )
