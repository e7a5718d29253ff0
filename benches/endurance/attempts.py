"""One step logged again and again, and how soon the program ends after SIGTERM."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from figure import Bound, Reading, measurement
from logged import file_of, step
from served import scratch, served

PATIENCE_S = 60
N_TAGS = 100_000


@measurement("attempts")
def attempts(binary: Path) -> Iterator[Reading]:
    """Always step 0, as PyTorch's writer logs if no step is given: seconds until loaded."""
    record = step("conv1.weight", 0)
    for count in (10_000, 30_000, 100_000):
        with scratch() as logdir:
            file_of(logdir, [record] * count)
            with served(binary, logdir) as program:
                took = program.until_loaded(PATIENCE_S)
                bound = Bound(most=3 * count / 100_000 + 0.2)
                yield Reading(f"step 0 logged {count:,} times: loaded", "s", took, bound)


@measurement("stop")
def stop(binary: Path) -> Iterator[Reading]:
    """Milliseconds from SIGTERM to the exit: while loading, walking a machine, listing 100,000
    tags."""
    with scratch() as logdir:
        file_of(logdir, [step("conv1.weight", 0)] * 400_000)
        with served(binary, logdir) as program:
            time.sleep(0.7)
            yield Reading(
                "SIGTERM while 400,000 attempts are loaded",
                "ms",
                program.ms_to_stop(),
                Bound(most=200),
            )
    with served(binary, Path("/")) as program:
        time.sleep(1.0)
        yield Reading("SIGTERM while / is walked", "ms", program.ms_to_stop(), Bound(most=200))
    with scratch() as logdir:
        file_of(logdir, (step(f"layer{n}/kernel", 0) for n in range(N_TAGS)))
        with served(binary, logdir) as program:
            program.until_loaded(PATIENCE_S)
            askers = [
                threading.Thread(target=program.get, args=("/api/v1/series", 60.0))
                for _ in range(4)
            ]
            for asker in askers:
                asker.start()
            time.sleep(0.5)
            # Responses that are being sent get half a second.
            took = program.ms_to_stop()
            yield Reading(
                "SIGTERM while 100,000 tags are listed four times", "ms", took, Bound(most=800)
            )
            for asker in askers:
                asker.join()
