"""Tensors of 256 MiB: many requests at once, and little memory."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from figure import Bound, Reading, measurement
from logged import NAME, Sparse, file_of, step
from served import Served, scratch, served

SHAPE = (1, 512, 512, 256)
"""256 MiB."""
N_REQUESTS = 40
SPACE_MB = 768


def write_large(logdir: Path) -> None:
    """Forty steps of the large tensor, and a small one."""
    sparse = Sparse(logdir / "big" / NAME)
    for at in range(N_REQUESTS):
        sparse.add(at, b"", "conv1/activation", SHAPE)
    sparse.close()
    file_of(logdir / "small", [step("conv1/kernel", 0)])


def ask_at_once(program: Served) -> Counter[int]:
    """The statuses of many sheets of the large tensor that are requested at once."""
    statuses: Counter[int] = Counter()

    def ask(number: int) -> None:
        # All channels have more pixels than a picture may have: refused before anything is read.
        query = f"run=big&tag=conv1%2Factivation&channels=0-15&step={number}"
        statuses[program.get(f"/api/v1/sheet?{query}", 120)[0]] += 1

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(N_REQUESTS)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    return statuses


@measurement("large")
def large(binary: Path) -> Iterator[Reading]:
    """Forty sheets of tensors of 256 MiB at once; then with 768 MiB of address space."""
    with scratch() as logdir:
        write_large(logdir)
        with served(binary, logdir) as program:
            program.until_loaded(60)
            begun = time.perf_counter()
            statuses = ask_at_once(program)
            took, note = time.perf_counter() - begun, said(statuses)
            work = "40 sheets of 256 MiB tensors at once"
            yield Reading(f"{work}: the most memory", "MB", program.peak_mb, Bound(most=1_500))
            yield Reading(f"{work}: all answered", "s", took, note=note)
            yield Reading(f"{work}: neither 200 nor 503", "answers", odd(statuses), Bound(most=0))
        with served(binary, logdir, space_mb=SPACE_MB) as program:
            program.until_loaded(60)
            statuses = ask_at_once(program)
            work = "the same in 768 MiB of address space"
            yield Reading(f"{work}: alive", "1 = yes", float(program.is_alive), Bound(least=1))
            yield Reading(
                f"{work}: neither 200 nor 503",
                "answers",
                odd(statuses),
                Bound(most=0),
                said(statuses),
            )
            status, _ = program.get("/api/v1/sheet?run=small&tag=conv1%2Fkernel")
            yield Reading(
                f"{work}: then a small sheet", "HTTP", status, Bound(most=200, least=None)
            )


def odd(statuses: Counter[int]) -> int:
    """The number of responses that are neither a picture nor a status that asks to try again."""
    return sum(count for status, count in statuses.items() if status not in (200, 503))


def said(statuses: Counter[int]) -> str:
    """The count of each status; 0 means no response."""
    return ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
