"""Measures a daemon under attack or with very large logs: memory, CPU time, response times.

Each measurement runs with each program in turn and prints figures with the limit that must hold.
Programs are given by name; the default is the release build.

    .venv/bin/python benches/endurance [--binary before=PATH --binary now=PATH] [--only merged]

Memory and CPU time are read from ``/proc``. Everything uses the loopback device of this machine,
ends on its own, and removes its files. The docstring of each function describes how its figure is
measured.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import signal
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent), str(ROOT / "python")]
sys.path.append(str(ROOT / "tests" / "conformance" / "hostile"))

import attempts  # noqa: E402, F401
import clients  # noqa: E402, F401
import damage  # noqa: E402, F401
import large  # noqa: E402, F401
import merged  # noqa: E402, F401
import places  # noqa: E402, F401
import tags  # noqa: E402, F401
from figure import MEASUREMENTS, Reading, Row, is_missed, render  # noqa: E402
from process import Unavailable  # noqa: E402


def parse(argv: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--binary", action="append", metavar="NAME=PATH", help="may be given several times"
    )
    parser.add_argument("--only", help="measurements, by comma: " + ", ".join(MEASUREMENTS))
    parser.add_argument("--json", type=Path, help="write all figures to this file too")
    parser.add_argument(
        "--check",
        action="store_true",
        help="exit 1 where a bound does not hold or a measurement fails",
    )
    options = parser.parse_args(argv)
    named = options.binary or [f"now={ROOT / 'target' / 'release' / 'convscope'}"]
    options.programs = {
        name: Path(path).resolve() for name, _, path in (one.partition("=") for one in named)
    }
    options.chosen = options.only.split(",") if options.only else list(MEASUREMENTS)
    if unknown := set(options.chosen) - set(MEASUREMENTS):
        parser.error(
            f"no measurement {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}"
        )
    return options


def measure(name: str, programs: dict[str, Path]) -> list[Row]:
    """The rows of one measurement."""
    rows: dict[str, Row] = {}
    for program, path in programs.items():
        begun = time.monotonic()
        try:
            for reading in MEASUREMENTS[name](path):
                rows.setdefault(reading.work, Row(name, reading)).of[program] = reading
        except (Unavailable, OSError, LookupError) as error:
            reading = Reading("all of it", "-", math.nan, note=str(error))
            rows.setdefault(reading.work, Row(name, reading)).of[program] = reading
        print(f"{name} of {program}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return list(rows.values())


def main() -> int:
    """Measures, prints, and returns whether everything could be measured and all limits hold."""
    options = parse(sys.argv[1:])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows = [row for name in options.chosen for row in measure(name, options.programs)]
    print(f"{os.cpu_count()} processors\n\n{render(rows, list(options.programs))}")
    if options.json:
        figures = [
            {"measurement": row.measurement, "work": row.first.work, "unit": row.first.unit}
            | {name: reading.value for name, reading in row.of.items()}
            for row in rows
        ]
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if options.check and is_missed(rows, list(options.programs)[-1]) else 0


if __name__ == "__main__":
    # Exits normally on a signal, so that no program and no directory remains.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
