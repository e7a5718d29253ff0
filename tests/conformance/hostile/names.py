"""Odd tags and metadata, odd files, links that lead anywhere, and places that cannot be read."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import wire
from case import (
    AROUND,
    EVENT_FILE,
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

WHOLE = wire.version() + good_records(0, 1)


@kind("names")
def odd_tags() -> Cases:
    """Tags of any bytes: each is served under the name that the list gives it."""
    tags = {
        "of_html": "<script>alert(1)</script>/kernel",
        "of_a_path": "../../../../etc/passwd",
        "absolute": "/etc/passwd",
        "of_percents": "%2e%2e%2f%00/kernel",
        "of_an_attribute": "__proto__",
        "of_spaces": "  conv 1 / kernel  ",
        "of_signs": "a&b=c?d#e;f+g",
        "of_quotes": "\"'`\\",
        "right_to_left": "\u202elenrek/\u2066conv",
        "of_emoji": "\U0001f600/kernel",
        "combining": "e" + "\u0301" * 500,
        "of_a_newline": "conv\n1/kernel",
        "of_escapes": "\x1b[31mconv\x1b[0m/\x07kernel",
        "of_nul": "conv\x00/kernel",
        "of_slashes": "/" * 3_000,
        "of_dots": ".",
        "long": "k" * 60_000,
        "of_a_glob": "conv[1]*{a,b}?/kernel",
    }
    for name, tag in tags.items():
        hostile = wire.logged(tag, 9, wire.whole(kernel(9)))
        yield Case(f"tag_{name}", between(hostile), good=AROUND | {(tag, 9): kernel(9)})
    too_long = wire.logged("k" * 70_000, 9, wire.whole(kernel(9)))
    yield Case("tag_too_long", between(too_long), ("not_an_event",), good=AROUND)
    megabyte = wire.logged("k" * (1 << 20), 9, wire.whole(kernel(9)))
    yield Case("tag_of_a_megabyte", between(megabyte), ("not_an_event",), good=AROUND)
    # Bytes that are not text are shown as \xNN.
    hostile = wire.logged(b"conv\xff\xfe/kernel", 9, wire.whole(kernel(9)))
    yield Case(
        "tag_of_no_text", between(hostile), good=AROUND | {("conv\\xff\\xfe/kernel", 9): kernel(9)}
    )
    empty = wire.logged("", 9, wire.whole(kernel(9)))
    yield Case("tag_empty", between(empty), good=AROUND | {("", 9): kernel(9)})


def operation(more: str) -> bytes:
    """Metadata of the plugin convscope for a convolution."""
    return f'{{"layer": "l", "operation": {{"kind": "Conv2D", {more}}}}}'.encode()


@kind("names")
def metadata_that_lies() -> Cases:
    """Metadata that contradicts the value, or is too large."""
    array = kernel(9)
    lies = {
        "scalars": wire.metadata("scalars"),
        "images": wire.metadata("images"),
        "histograms": wire.metadata("histograms"),
        "audio": wire.metadata("audio"),
        "text": wire.metadata("text"),
    }
    for name, metadata in lies.items():
        hostile = wire.logged("odd/kernel", 9, wire.whole(array), more=metadata)
        yield Case(f"metadata_of_{name}", between(hostile), may=("undecodable",), good=AROUND)
    contents = {
        "of_5_megabytes": b"x" * (5 << 20),
        "no_json": b"{",
        "of_nested_json": b"[" * 4_000,
        "of_another_layout": b'{"layer": "l", "role": "kernel", "layout": "NHWC"}',
        "of_a_wrong_layout": b'{"role": "kernel", "layout": "DHWIO"}',
        "of_huge_strides": operation('"strides": [99999999999999999999]'),
        "of_a_large_position": operation('"position": 18446744073709551615'),
        "of_zero_strides": operation('"window": [0, 0], "strides": [0, 0]'),
        "of_wrong_types": b'{"layer": 7, "role": [], "layout": {}}',
        "of_no_text": b'{"layer": "\xff\xfe"}',
    }
    for name, content in contents.items():
        hostile = wire.logged(
            "odd/kernel", 9, wire.whole(array), more=wire.metadata("convscope", content)
        )
        yield Case(f"metadata_{name}", between(hostile), good=AROUND | {("odd/kernel", 9): array})
    long = wire.metadata("p" * 100_000)
    hostile = wire.logged("odd/kernel", 9, wire.whole(array), more=long)
    yield Case("metadata_of_a_long_plugin", between(hostile), ("not_an_event",), good=AROUND)


def linked(target: Callable[[Path], str | Path], name: str) -> Callable[[Path], None]:
    """Writes good steps, and a link beside them."""

    def make(run: Path) -> None:
        file_of(WHOLE)(run)
        os.symlink(target(run), run / name)

    return make


@kind("links")
def links_that_lead_away() -> Cases:
    """Links to the whole machine, to nothing, and to themselves."""
    # What the kernel makes up is told; of what lies on a disk only how much is walked is bounded.
    # The root is not among them: what a machine's other directories hold is nothing to test with.
    for name in ("proc", "sys", "proc/self"):
        make = linked(lambda _, name=name: f"/{name}", "away")
        told = ("left_out",)
        yield Case(f"link_to_{name.replace('/', '_')}", make, told, good=kernels(0, 1))
    for name in ("dev", "etc", "usr"):
        make = linked(lambda _, name=name: f"/{name}", "away")
        may = ("left_out", "unreadable")
        yield Case(f"link_to_{name}", make, may=may, good=kernels(0, 1))
    yield Case("link_to_its_directory", linked(lambda run: run, "again"), good=kernels(0, 1))
    yield Case("link_to_its_parent", linked(lambda run: run.parent, "up"), good=kernels(0, 1))
    yield Case(
        "link_to_itself",
        linked(lambda run: run / "it", "it"),
        good=kernels(0, 1),
        may=("unreadable",),
    )
    yield Case("link_to_nothing", linked(lambda _: "nowhere", "gone"), good=kernels(0, 1))
    for name, target in (
        ("zero", "/dev/zero"),
        ("full", "/dev/full"),
        ("random", "/dev/urandom"),
        ("memory", "/proc/self/mem"),
        ("pagemap", "/proc/self/pagemap"),
    ):
        make = linked(lambda _, target=target: target, "events.out.tfevents.device")
        told = ("unreadable", "bad_length_crc", "hole", "outside")
        yield Case(f"file_is_a_link_to_{name}", make, may=told, good=kernels(0, 1))
    dangling = linked(lambda _: "nowhere", "events.out.tfevents.gone")
    yield Case("file_is_a_link_to_nothing", dangling, ("unreadable",), good=kernels(0, 1))
    circular = linked(lambda run: run / "events.out.tfevents.it", "events.out.tfevents.it")
    yield Case("file_is_a_link_to_itself", circular, ("unreadable",), good=kernels(0, 1))


@kind("links")
def crowds_of_links() -> Cases:
    """Directories that can be reached on very many paths."""

    def ring(run: Path) -> None:
        file_of(WHOLE)(run)
        for idx in range(300):
            (run / f"d{idx}").mkdir()
            os.symlink(run / f"d{(idx + 1) % 300}", run / f"d{idx}" / "next")
            os.symlink(run, run / f"d{idx}" / "up")

    def ladder(run: Path) -> None:
        # Two paths at each of 40 levels are 2 ** 40 paths in total.
        file_of(WHOLE)(run)
        rung = run
        for _ in range(40):
            (rung / "a").mkdir()
            os.symlink("a", rung / "b")
            rung = rung / "a"

    def hard(run: Path) -> None:
        file_of(WHOLE)(run)
        for idx in range(200):
            os.link(run / EVENT_FILE, run / f"{EVENT_FILE}.{idx}")

    yield Case("links_in_a_ring", ring, good=kernels(0, 1))
    yield Case("links_as_a_ladder", ladder, good=kernels(0, 1))
    yield Case("hard_links", hard, good=kernels(0, 1))


@kind("links")
def things_that_are_no_files() -> Cases:
    """FIFOs, sockets and directories that are named like event files."""

    def fifo(run: Path) -> None:
        file_of(WHOLE)(run)
        os.mkfifo(run / "events.out.tfevents.fifo")

    def listening(run: Path) -> None:
        file_of(WHOLE)(run)
        before = os.getcwd()
        os.chdir(run)
        try:
            with socket.socket(socket.AF_UNIX) as unix:
                unix.bind("events.out.tfevents.socket")
        finally:
            os.chdir(before)

    def directory(run: Path) -> None:
        file_of(WHOLE)(run)
        (run / "events.out.tfevents.directory").mkdir()

    yield Case("fifo", fifo, good=kernels(0, 1))
    yield Case("socket", listening, good=kernels(0, 1))
    yield Case("directory", directory, good=kernels(0, 1))


@kind("links")
def odd_places() -> Cases:
    """Names and depths at the limits of a file system."""

    def deep(levels: int, name: str) -> Callable[[Path], None]:
        def make(run: Path) -> None:
            file_of(WHOLE)(run)
            before = os.getcwd()
            os.chdir(run)
            try:
                for _ in range(levels):
                    os.mkdir(name)
                    os.chdir(name)
            finally:
                os.chdir(before)

        return make

    def odd_files(run: Path) -> None:
        file_of(WHOLE)(run)
        for name in (
            b"\xff\xfe.tfevents",
            b"a\nb.tfevents",
            b"t" * 247 + b"tfevents",
            b" .tfevents",
            b"-rf.tfevents",
        ):
            (run / os.fsdecode(name)).write_bytes(b"")

    yield Case("depth_of_200", deep(200, "d"), ("left_out",), good=kernels(0, 1))
    yield Case(
        "path_beyond_the_longest",
        deep(60, "d" * 200),
        good=kernels(0, 1),
        may=("unreadable", "left_out"),
    )
    yield Case("files_with_odd_names", odd_files, good=kernels(0, 1))


@kind("unprivileged")
def places_without_permission() -> Cases:
    """Files and directories that the program may not read, each reported once."""

    def without(name: str, mode: int) -> Callable[[Path], None]:
        def make(run: Path) -> None:
            file_of(WHOLE)(run)
            (run / "closed").mkdir()
            (run / "closed" / "events.out.tfevents.inside").write_bytes(WHOLE)
            os.chmod(run / name, mode)

        return make

    yield Case(
        "directory_without_permission",
        without("closed", 0o000),
        ("unreadable",),
        good=kernels(0, 1),
    )
    yield Case(
        "directory_that_may_be_listed_only",
        without("closed", 0o444),
        ("unreadable",),
        good=kernels(0, 1),
    )
    yield Case(
        "directory_that_may_be_entered_only",
        without("closed", 0o111),
        ("unreadable",),
        good=kernels(0, 1),
    )
    inside = "closed/events.out.tfevents.inside"
    yield Case(
        "file_without_permission", without(inside, 0o000), may=("unreadable",), good=kernels(0, 1)
    )


@kind("names")
def two_writers_of_a_tag() -> Cases:
    """One tag as a kernel in one file and as a picture, number or text in another."""
    others = {
        "scalar": wire.record(
            wire.event(5, wire.block(1, wire.block(1, TAG.encode()) + wire.floating(2, 1)))
        ),
        "text": wire.logged(
            TAG, 5, wire.number(1, 7) + wire.block(8, b"words"), wire.metadata("text")
        ),
        "other_shape": wire.logged(TAG, 5, wire.whole(np.zeros((5, 5, 1, 7), np.float32))),
        "other_type": wire.logged(TAG, 5, wire.tensor((4,), wire.block(4, bytes(32)), 2)),
    }
    for name, other in others.items():
        yield Case(f"tag_also_of_a_{name}", between(other), good=AROUND, may=("undecodable",))
