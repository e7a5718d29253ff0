"""Compares ConvScope with other programs on this machine and prints a table.

Every comparison runs the other program (the peer) and ours in turn, several times, with a warm page
cache, and shows medians and minima. The method is described at the top of ``indexing.py``,
``pictures.py``, ``film.py``, ``decoding.py``, ``graph.py``, ``exporting.py``, ``live.py``
and ``recording.py``.
Logs are made once by ``make_log.py``.

    .venv/bin/python benches/bench.py [--bin target/release/convscope] [--only live,idle]

Peers: TensorBoard's data server as the package ``tensorboard-data-server`` ships it,
TensorBoard, NumPy with matplotlib and Pillow. If something cannot be measured, the table has a dash
and a note below.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import decoding
import exporting
import film
import graph
import indexing
import live
import make_log
import pictures
import recording
from table import Row, render

ROOT = Path(__file__).resolve().parent.parent
PEERS = ("tensorboard-data-server", "tensorboard", "numpy", "matplotlib", "pillow")


def parse(argv: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=ROOT / "target" / "release" / "convscope")
    parser.add_argument(
        "--data", type=Path, default=make_log.DEFAULT, help="where the logs are made"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="names of parts, by comma: " + ", ".join(PARTS))
    parser.add_argument("--json", type=Path, help="write all figures to this file too")
    parser.add_argument("--check", action="store_true", help="exit 1 where a goal is missed")
    options = parser.parse_args(argv)
    options.bin = options.bin.resolve()
    unknown = set((options.only or "").split(",")) - {*PARTS, ""}
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return options


Logs = dict[str, Path]
PARTS: dict[str, Callable[[argparse.Namespace, Logs], list[Row]]] = {
    "tensors": lambda o, logs: indexing.tensors(o.bin, logs, o.rounds),
    "plain": lambda o, logs: indexing.plain(o.bin, logs, o.rounds),
    "scalars": lambda o, logs: indexing.scalars(o.bin, logs, o.rounds),
    "checksums": lambda o, logs: indexing.checksums(o.bin, logs, o.rounds),
    "pictures": lambda o, logs: pictures.pictures(o.rounds),
    "film": lambda o, logs: film.film(o.bin, logs, o.rounds),
    "decoding": lambda o, logs: decoding.decoding(o.rounds),
    "graph": lambda o, logs: graph.graph(o.bin, logs, o.rounds),
    "export": lambda o, logs: exporting.exports(o.bin, logs, o.rounds),
    "recording": lambda o, logs: recording.recording(o.rounds),
    "live": lambda o, logs: live.live(o.bin),
    "start": lambda o, logs: live.start(o.bin, logs, o.rounds),
    "idle": lambda o, logs: live.idle(o.bin, logs),
}
"""Name of a part -> the function that measures it."""
NEEDS = {
    "tensors": ("tensors",),
    "plain": ("plain",),
    "scalars": ("scalars",),
    "checksums": ("tensors",),
    "film": ("film",),
    "graph": ("graph",),
    "export": ("tensors",),
    "start": ("tensors",),
    "idle": ("tensors",),
}
"""Name of a part -> the logs that it reads."""


def main() -> int:
    """Measures, prints, and returns whether all goals are met."""
    options = parse(sys.argv[1:])
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PEERS)
    print(f"{os.cpu_count()} processors; {versions}", flush=True)
    parts = options.only.split(",") if options.only else list(PARTS)
    logs = make_log.ensure(options.data, {log for part in parts for log in NEEDS.get(part, ())})
    rows: list[Row] = []
    for name in parts:
        print(f"measuring {name}", file=sys.stderr, flush=True)
        rows += PARTS[name](options, logs)
    print(render(rows))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    missed = [row.work for row in rows if row.met is False]
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
