"""A case's run + the running program -> whether everything about it is right."""

from __future__ import annotations

import io
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from case import TAG, Case, Tensors, Wrong
from program import Program

VIEWS = ("filters", "matrix", "slice", "magnitude", "components", "maps", "samples", "image")
ANSWERS = {200, 400, 404, 415, 422, 503}
"""Statuses that blame the request or the file; any other status is a bug of the program."""
MOST_POKED = 3


def check_tensor(program: Program, run: str, key: tuple[str, int], array: np.ndarray) -> None:
    """A tensor is served bit for bit."""
    tag, step = key
    status, body = program.get("tensor", run=run, tag=tag, step=step)
    if status != 200:
        raise Wrong(f"tensor {tag[:60]!r} at {step} gave {status}: {body[:200]!r}")
    served = np.load(io.BytesIO(body))
    if served.shape != array.shape or served.dtype != array.dtype:
        raise Wrong(f"tensor {tag[:60]!r} at {step} is {served.dtype} {served.shape}")
    if served.tobytes() != array.tobytes():
        raise Wrong(f"tensor {tag[:60]!r} at {step} has other elements")


def check_tensors(program: Program, run: str, tensors: Tensors) -> None:
    """All these tensors are served bit for bit."""
    for key, array in tensors.items():
        check_tensor(program, run, key, array)


def poke(program: Program, run: str, tag: str, steps: list[int]) -> None:
    """Requests everything about a series; responses that blame the request or the file are
    allowed."""
    of = {"run": run, "tag": tag}
    asked: list[tuple[str, dict[str, Any]]] = [
        *(("sheet", of | {"view": view}) for view in VIEWS),
        ("sheet", of | {"order": "similarity", "labels": "index"}),
        ("sheet", of | {"order": "change", "range": "percentile:99", "zoom": 64}),
        ("sheet", of | {"minus_step": steps[0], "match": "cosine"}),
        ("sheet/info", of | {"scope": "run"}),
        ("values", of),
        ("stats", of),
        ("range", of),
        ("difference", of | {"minus_step": steps[0], "match": "cosine"}),
        ("difference", of | {"minus_step": steps[0]}),
        ("film", of | {"format": "gif", "to": steps[min(3, len(steps) - 1)]}),
        *(("tensor", of | {"step": step}) for step in {steps[0], steps[-1]}),
        *(("sheet", of | {"step": step}) for step in {steps[0], steps[-1]}),
    ]
    for path, query in asked:
        status, body = program.get(path, **query)
        if status not in ANSWERS:
            raise Wrong(f"{path} {str(query)[:200]} gave {status}: {body[:200]!r}")


def poke_all(program: Program, run: str) -> None:
    """Requests everything about the first series of the run, except the good one."""
    status, body = program.get("series", run=run)
    if status == 404:
        return
    listed = program.json("series", run=run)["series"]
    program.json("skipped", run=run)
    for series in [one for one in listed if one["tag"] != TAG][:MOST_POKED]:
        steps = program.json("steps", run=run, tag=series["tag"])["steps"]
        poke(program, run, series["tag"], steps)


def problems_of(program: Program, case: Case) -> list[dict[str, Any]]:
    """The problems that health lists for a case's run and below it."""
    below = str(program.logdir / case.name)

    def is_of(problem: dict[str, Any]) -> bool:
        run, file = problem["run"], problem["file"]
        in_run = run == case.name or run.startswith(case.name + "/")
        return in_run or file == below or file.startswith(below + os.sep)

    return [problem for problem in program.problems() if is_of(problem)]


def check_told(program: Program, case: Case) -> None:
    """Health lists the expected kinds, each once per file, and no others."""

    def kinds() -> set[str]:
        return {problem["kind"] for problem in problems_of(program, case)}

    def is_told() -> bool:
        now = kinds()
        return all(now & set(told.split("|")) for told in case.told)

    try:
        program.wait(is_told, "")
    except Wrong:
        raise Wrong(f"health tells {sorted(kinds())}, and not {sorted(case.told)}") from None
    told = problems_of(program, case)
    expected = {kind for kinds in (*case.told, *case.may) for kind in kinds.split("|")}
    if strange := {problem["kind"] for problem in told} - expected:
        raise Wrong(f"health tells {sorted(strange)}: {told[0]['message'][:200]}")
    lines = Counter((problem["run"], problem["file"], problem["kind"]) for problem in told)
    if doubled := [line for line, count in lines.items() if count > 1]:
        raise Wrong(f"health tells twice of {doubled[0]}")
    for kind, count in case.counts.items():
        counted = sum(problem["count"] for problem in told if problem["kind"] == kind)
        if counted != count:
            raise Wrong(f"health counts {counted} of {kind}, not {count}")


def check(program: Program, case: Case) -> None:
    """Everything about a case's run is right, or ``Wrong`` says what is not."""
    for tag in case.refused:
        status, _ = program.get("tensor", run=case.name, tag=tag)
        if status not in ANSWERS - {200}:
            raise Wrong(f"tensor {tag!r} gave {status}")
    check_told(program, case)
    check_tensors(program, case.name, case.good)
    poke_all(program, case.name)
    check_told(program, case)


def write(case: Case, logdir: Path) -> None:
    """Makes a case's run directory."""
    run = logdir / case.name
    run.mkdir()
    case.make(run)
