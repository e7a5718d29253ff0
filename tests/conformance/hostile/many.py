"""Logdirs with very many of one thing: tags, steps, attempts, files, runs, faults."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import wire
from case import (
    AROUND,
    SHAPE,
    TAG,
    Case,
    Cases,
    between,
    file_of,
    good_records,
    kernel,
    kernels,
    kind,
)


@kind("many")
def many_tags() -> Cases:
    """Thousands of tags in one file, or in one record."""
    small = wire.whole(np.ones((1, 1, 1, 1), np.float32))
    records = b"".join(wire.logged(f"layer{idx}/kernel", 9, small) for idx in range(20_000))
    last = {("layer19999/kernel", 9): np.ones((1, 1, 1, 1), np.float32)}
    yield Case("tags_20000", between(records), good=AROUND | last, is_alone=True)
    values = b"".join(wire.value(f"layer{idx}/kernel", small) for idx in range(20_000))
    yield Case(
        "tags_20000_in_a_record",
        between(wire.record(wire.event(9, values))),
        good=AROUND | last,
        is_alone=True,
    )
    pictures = b"".join(
        wire.record(
            wire.event(
                9,
                wire.block(
                    1, wire.block(1, b"a/image/%d" % idx) + wire.block(4, wire.block(4, b"x"))
                ),
            )
        )
        for idx in range(20_000)
    )
    yield Case(
        "tags_of_20000_pictures",
        between(pictures),
        may=("undecodable",),
        good=AROUND,
        is_alone=True,
    )
    scalars = b"".join(
        wire.record(wire.event(9, wire.block(1, wire.block(1, b"s%d" % idx) + wire.floating(2, 1))))
        for idx in range(50_000)
    )
    yield Case("tags_of_50000_scalars", between(scalars), good=AROUND, is_alone=True)


@kind("many")
def many_attempts() -> Cases:
    """The same step again and again, as PyTorch writes if no step is given."""
    record = wire.logged(TAG, 0, wire.whole(kernel(7)))
    for count in (10_000, 100_000):
        content = wire.version() + record * count + good_records(0, 1)
        yield Case(f"attempts_{count}", file_of(content), good=kernels(0, 1), is_alone=True)


@kind("many")
def many_steps() -> Cases:
    """A hundred thousand steps, forwards and backwards."""
    small = wire.whole(np.zeros(SHAPE, np.float32))
    for name, steps in (("forwards", range(10, 60_010)), ("backwards", range(60_010, 10, -1))):
        content = (
            wire.version()
            + good_records(0, 1)
            + b"".join(wire.logged(TAG, step, small) for step in steps)
        )
        yield Case(f"steps_60000_{name}", file_of(content), good=kernels(0, 1), is_alone=True)


@kind("many")
def many_files() -> Cases:
    """Thousands of files in a run, thousands of runs, a damaged file in each."""

    def files(run: Path) -> None:
        for idx in range(3_000):
            file_of(wire.version(), f"events.out.tfevents.{idx:010}.a")(run)
        file_of(wire.version() + good_records(0, 1))(run)

    def runs(run: Path) -> None:
        file_of(wire.version() + good_records(0, 1))(run)
        for idx in range(2_000):
            (run / f"r{idx}").mkdir()
            file_of(wire.version() + good_records(0))(run / f"r{idx}")

    def damaged(run: Path) -> None:
        file_of(wire.version() + good_records(0, 1))(run)
        for idx in range(1_500):
            file_of(b"no event file", f"events.out.tfevents.{idx:010}.a")(run)

    def empty(run: Path) -> None:
        file_of(wire.version() + good_records(0, 1))(run)
        for idx in range(5_000):
            (run / f"d{idx}").mkdir()

    yield Case("files_3000", files, good=kernels(0, 1), is_alone=True)
    yield Case("runs_2000", runs, good=kernels(0, 1), is_alone=True)
    yield Case(
        "files_1500_damaged", damaged, ("bad_length_crc",), good=kernels(0, 1), is_alone=True
    )
    yield Case("directories_5000_empty", empty, good=kernels(0, 1), is_alone=True)


@kind("many")
def many_records() -> Cases:
    """Records without any content, and events without any value."""
    yield Case(
        "records_of_nothing", between(wire.record(b"") * 200_000), good=AROUND, is_alone=True
    )
    bare = wire.record(wire.double(1, wire.WALL_TIME) + wire.block(5, b""))
    yield Case("events_of_nothing", between(bare * 100_000), good=AROUND, is_alone=True)
    bad = wire.record(b"\x0f\x0f\x0f")
    yield Case(
        "records_of_no_event",
        between(bad * 100_000),
        ("not_an_event",),
        counts={"not_an_event": 100_000},
        good=AROUND,
        is_alone=True,
    )
