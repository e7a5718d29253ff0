"""Records that are truncated, flipped, zeroed or have a wrong length; invalid files."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import wire
from case import AROUND, TAG, Case, Cases, between, file_of, good_records, kernel, kernels, kind

HOLE = ("hole|bad_length_crc",)
"""Zeros are waited for; if nobody fills them for half a minute, they are damage."""
LARGE = (3, 3, 16, 32)
"""A kernel of 18 kB: larger than records that are checked while they are scanned."""


def good_record(step: int, shape: tuple[int, ...] = (3, 3, 2, 4)) -> bytes:
    """One record of a kernel."""
    return wire.logged(TAG, step, wire.whole(kernel(step, shape)))


@kind("files")
def cut_records() -> Cases:
    """The file ends within its last record: this is no fault, because a writer may continue."""
    whole = good_record(9)
    for name, left in (
        ("header", 5),
        ("length_crc", 11),
        ("payload", 60),
        ("footer", len(whole) - 2),
    ):
        content = wire.version() + good_records(0, 1) + whole[:left]
        yield Case(f"cut_in_{name}", file_of(content), good=kernels(0, 1))


@kind("files")
def flipped_bits() -> Cases:
    """One bit of one record is wrong; the records around it are intact."""
    places = (("length", 0, "bad_length_crc"), ("length_high", 7, "bad_length_crc"))
    places += (("length_crc", 9, "bad_length_crc"), ("payload", 40, "bad_payload_crc"))
    places += (("payload_crc", -1, "bad_payload_crc"),)
    for name, at, told in places:
        hostile = wire.flipped(good_record(9), at)
        yield Case(f"flipped_{name}", between(hostile), (told,), good=AROUND)
    for name, at in (("start", 90), ("middle", 9_000), ("crc", -2)):
        hostile = wire.flipped(good_record(9, LARGE), at)
        # Nobody requests this step: the damage has to be found in the background.
        newest = good_record(10, LARGE)
        good = AROUND | {(TAG, 10): kernel(10, LARGE)}
        yield Case(
            f"flipped_large_{name}", between(hostile + newest), ("bad_payload_crc",), good=good
        )


@kind("files")
def many_flipped_bits() -> Cases:
    """Hundreds of damaged records of one file are one line of health."""
    damaged = b"".join(wire.flipped(good_record(10 + step), 50) for step in range(500))
    yield Case(
        "flipped_500_payloads",
        between(damaged),
        ("bad_payload_crc",),
        counts={"bad_payload_crc": 500},
        good=AROUND,
    )
    gaps = b"".join(
        wire.flipped(good_record(10 + step), 1) + good_record(10 + step) for step in range(200)
    )
    good = AROUND | kernels(*range(10, 210))
    yield Case(
        "flipped_200_lengths",
        between(gaps),
        ("bad_length_crc",),
        counts={"bad_length_crc": 200},
        good=good,
    )


@kind("files")
def zeroed_bytes() -> Cases:
    """Zeros, as a disk that lost a page leaves, or a writer that has not filled them yet."""
    small, large = good_record(9), good_record(9, LARGE)
    payload = small[:12] + bytes(len(small) - 16) + small[-4:]
    yield Case("zeroed_payload", between(payload), ("bad_payload_crc",), good=AROUND)
    page = large[:4_096] + bytes(4_096) + large[8_192:]
    yield Case("zeroed_page", between(page), ("bad_payload_crc",), good=AROUND)
    head = bytes(12) + small[12:]
    yield Case("zeroed_header", between(head), HOLE, good=kernels(0, 1))
    end = wire.version() + good_records(0, 1) + bytes(1 << 20)
    yield Case("zeros_at_the_end", file_of(end), HOLE, good=kernels(0, 1))
    yield Case("zeros_alone", file_of(bytes(1 << 20)), HOLE)


def sparse(content: bytes, length: int) -> Callable[[Path], None]:
    """Writes a file that begins with the content and is as long as asked, mostly without blocks."""

    def make(run: Path) -> None:
        path = run / "events.out.tfevents.1764000000.sparse"
        path.write_bytes(content)
        os.truncate(path, length)

    return make


@kind("sparse")
def sparse_files() -> Cases:
    """Files of gigabytes without content: they must not fill memory or block the program."""
    start = wire.version() + good_records(0, 1)
    yield Case("sparse_hole_of_64_gib", sparse(start, 64 << 30), HOLE, good=kernels(0, 1))
    yield Case("sparse_zeros_of_64_gib", sparse(b"", 64 << 30), HOLE)


@kind("sparse search")
def sparse_searches() -> Cases:
    """A record with a wrong length, and gigabytes of zeros to search for the next one."""
    lie = wire.version() + good_records(0, 1) + wire.header(1 << 60)
    yield Case(
        "sparse_search_of_16_gib",
        sparse(lie, 16 << 30),
        may=("too_long", "bad_length_crc"),
        is_alone=True,
        ends_loading=False,
    )


@kind("files")
def lengths_that_lie() -> Cases:
    """A length with a right CRC that no record has."""
    for exponent in (31, 40, 60, 63):
        hostile = wire.header(1 << exponent) + bytes(range(256)) * 8
        yield Case(f"length_2_to_{exponent}", between(hostile), ("too_long",), good=AROUND)
    for name, length in (("minus_1", -1), ("minus_16", -16), ("above_the_cap", (1 << 30) + 1)):
        yield Case(
            f"length_{name}", between(wire.header(length) + b"x" * 99), ("too_long",), good=AROUND
        )
    # Below the cap a length beyond the file's end is a record that is still being written.
    for name, length in (("a_gib", 1 << 30), ("half_a_gib", 1 << 29)):
        content = wire.version() + good_records(0, 1) + wire.header(length) + b"x" * 5_000
        yield Case(f"length_of_{name}_in_5_kb", file_of(content), good=kernels(0, 1))
    empty = wire.record(b"")
    yield Case("length_0", between(empty * 1_000), good=AROUND)


@kind("files")
def files_that_are_none() -> Cases:
    """Other files with the name of an event file."""
    rng = np.random.default_rng(1)
    noise = rng.bytes(1 << 20)
    whole = wire.version() + good_records(0, 1)
    yield Case("file_empty", file_of(b""))
    yield Case("file_of_noise", file_of(noise), ("bad_length_crc",))
    yield Case("file_compressed", file_of(gzip.compress(whole, mtime=0)), ("bad_length_crc",))
    yield Case("file_of_text", file_of(b"step,loss\n1,0.5\n" * 1_000), ("bad_length_crc",))
    yield Case("file_with_noise_inside", between(noise), ("bad_length_crc",), good=AROUND)
    yield Case(
        "file_ends_in_noise", file_of(whole + noise), ("bad_length_crc",), good=kernels(0, 1)
    )
    yield Case(
        "file_begins_with_a_byte", file_of(b"\n" + whole), ("bad_length_crc",), good=kernels(0, 1)
    )
    # Headers with a right CRC, each of which claims the rest of the file: only the last can be
    # true.
    liars = b"".join(wire.header(1 << 29) for _ in range(2_000))
    yield Case("file_of_headers", file_of(whole + liars), good=kernels(0, 1))
