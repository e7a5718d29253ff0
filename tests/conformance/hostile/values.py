"""Whole records with values that no writer makes: by the million, nested, or impossible."""

from __future__ import annotations

import struct

import numpy as np
import wire
from case import AROUND, TAG, Case, Cases, between, file_of, good_records, kernel, kernels, kind

MILLION = 1_000_000


@kind("many values")
def empty_values() -> Cases:
    """A record of 16 MiB of entries that take two to six bytes in the file and much more in
    memory."""
    count = 16 << 20
    forms = {
        "empty": wire.block(1, b""),
        "tagged": wire.block(1, wire.block(1, b"a")),
        "numbered": wire.block(1, wire.block(1, b"a") + wire.floating(2, 0.5)),
        "with_metadata": wire.block(1, wire.block(9, b"")),
        "with_a_tensor": wire.block(1, wire.block(1, b"a") + wire.block(8, b"")),
        "with_a_shape": wire.block(1, wire.block(8, wire.block(2, wire.block(2, b"") * 4))),
        "with_an_image": wire.block(1, wire.block(1, b"a/image/0") + wire.block(4, b"")),
        "with_a_histogram": wire.block(1, wire.block(1, b"h") + wire.block(5, b"")),
    }
    told, may = ("not_an_event",), ("undecodable",)
    for name, form in forms.items():
        hostile = wire.record(wire.event(9, form * (count // len(form))))
        yield Case(f"values_{name}", between(hostile), told, may, good=AROUND, is_alone=True)


@kind("many values")
def empty_values_of_many_tags() -> Cases:
    """One and a half million empty values, each with a tag of its own."""
    a_record = 200_000
    tags = [wire.block(1, wire.block(1, b"%07d" % idx)) for idx in range(1_500_000)]
    records = (
        wire.record(wire.event(9, b"".join(tags[first : first + a_record])))
        for first in range(0, len(tags), a_record)
    )
    yield Case(
        "values_of_many_tags",
        between(b"".join(records)),
        ("too_many_tags",),
        good=AROUND,
        is_alone=True,
    )


@kind("many values")
def a_tensor_among_many_values() -> Cases:
    """A kernel in the same record as very many other entries."""
    crowd = {
        "values": wire.block(1, wire.block(1, b"loss") + wire.floating(2, 1.0)) * 200_000,
        "texts": wire.value("texts", wire.number(1, 7) + wire.block(8, b"") * 4 * MILLION),
        "unknown_fields": wire.number(99, 1) * 2 * MILLION,
        "large_neighbour": wire.value(
            "big", wire.tensor((4 << 20,), wire.block(4, bytes(16 << 20)))
        ),
    }
    for name, other in crowd.items():
        own = wire.value(TAG, wire.whole(kernel(9)))
        may = ("not_an_event", "undecodable") if name != "values" else ()
        yield Case(
            f"kernel_beside_{name}",
            between(wire.record(wire.event(9, own + other))),
            may=may,
            good=AROUND | kernels(9),
            is_alone=True,
        )


@kind("many values")
def repeated_fields() -> Cases:
    """One field of a message, a million times."""
    own = wire.block(1, TAG.encode()) + wire.block(8, wire.whole(kernel(9)))
    repeated = {
        "summaries": wire.double(1, wire.WALL_TIME) + wire.block(5, b"") * MILLION,
        "steps": wire.number(2, 7) * MILLION,
        "wall_times": wire.double(1, 1.0) * MILLION,
        "tags": wire.event(9, wire.block(1, wire.block(1, b"other") * MILLION + own)),
        "metadata": wire.event(9, wire.block(1, wire.metadata("p", b"c") * MILLION + own)),
        "shapes": wire.event(9, wire.value("s", wire.block(2, b"") * MILLION)),
        "dtypes": wire.event(9, wire.value("d", wire.number(1, 1) * MILLION)),
        "tensors": wire.event(9, wire.block(1, wire.block(1, b"t") + wire.block(8, b"") * MILLION)),
    }
    for name, payload in repeated.items():
        may = ("not_an_event", "undecodable")
        yield Case(f"a_million_{name}", between(wire.record(payload)), may=may, good=AROUND)


@kind("values")
def malformed_messages() -> Cases:
    """Intact records whose payload is not an event."""
    double = wire.double(1, wire.WALL_TIME)
    broken = {
        "length_beyond_its_parent": wire.block(5, wire.key(1, wire.BYTES) + wire.varint(9_999)),
        "varint_of_11_bytes": wire.key(2, wire.VARINT) + b"\xff" * 10 + b"\x01",
        "field_number_0": wire.key(0, wire.VARINT) + b"\x01",
        "wire_type_6": b"\x0e",
        "wire_type_7": b"\x0f",
        "group_without_end": wire.key(20, wire.GROUP) * 3,
        "end_without_group": wire.key(20, wire.GROUP_END),
        "groups_nested_deeply": wire.key(20, wire.GROUP) * 100_000
        + wire.key(20, wire.GROUP_END) * 100_000,
        "wall_time_of_another_type": wire.number(1, 7),
        "noise": np.random.default_rng(2).bytes(3_000),
        "huge_length": wire.key(5, wire.BYTES) + wire.varint(1 << 62) + b"x",
    }
    for name, payload in broken.items():
        hostile = wire.record(double + payload)
        yield Case(f"message_{name}", between(hostile), ("not_an_event",), good=AROUND)


@kind("values")
def nested_messages() -> Cases:
    """Nested messages in unknown fields."""
    for name, field in (("in_value", 15), ("in_tensor", 99)):
        deep = b""
        for _ in range(5_000):
            deep = wire.block(field, deep)
        content = wire.whole(kernel(9)) + deep if name == "in_tensor" else wire.whole(kernel(9))
        hostile = wire.logged(TAG, 9, content, more=deep if name == "in_value" else b"")
        yield Case(f"nested_{name}", between(hostile), good=AROUND | kernels(9))


@kind("values")
def impossible_shapes() -> Cases:
    """Impossible lengths of axes, which are reported for the tag and take no memory."""
    some = wire.block(4, bytes(64))
    shapes: dict[str, tuple[int, ...]] = {
        "negative": (-1, 3),
        "smallest": (-(2**63), 2),
        "overflowing": (2**32, 2**32, 2**32),
        "terabytes": (2**40,),
        "exabytes": (2**31, 2**30),
        "wrong_product": (3, 3, 7, 9),
    }
    for name, dims in shapes.items():
        hostile = wire.logged("odd/kernel", 9, wire.tensor(dims, some))
        yield Case(
            f"shape_{name}",
            between(hostile),
            may=("undecodable",),
            good=AROUND,
            refused=("odd/kernel",),
        )
    many = wire.logged("odd/kernel", 9, wire.tensor((1,) * 255, some))
    yield Case("shape_of_255_axes", between(many), may=("not_an_event", "undecodable"), good=AROUND)
    unknown = wire.number(1, 1) + wire.block(2, wire.number(3, 1)) + some
    yield Case(
        "shape_unknown", between(wire.logged("odd", 9, unknown)), good=AROUND, refused=("odd",)
    )
    named = wire.number(1, 1) + wire.block(
        2, wire.block(2, wire.number(1, 16) + wire.block(2, b"n" * MILLION))
    )
    held = {("odd", 9): np.zeros(16, np.float32)}
    yield Case(
        "shape_with_a_long_name", between(wire.logged("odd", 9, named + some)), good=AROUND | held
    )


@kind("values")
def constants_that_fill() -> Cases:
    """Short lists that stand for gigabytes."""
    one = wire.key(5, wire.BYTES) + wire.varint(4) + struct.pack("<f", 1.0)
    for name, elements in (("ones", one), ("zeros", b"")):
        for length in (2**25, 2**36):
            hostile = wire.logged("odd", 9, wire.tensor((length,), elements))
            yield Case(
                f"filled_with_{length}_{name}",
                between(hostile),
                may=("undecodable",),
                good=AROUND,
                refused=("odd",),
            )


@kind("values")
def unknown_types() -> Cases:
    """Types that TensorFlow does not define, or that are not numbers."""
    for dtype in (0, 7, 20, 21, 34, 77, 101, -1, 2**31 - 1, 2**40 + 1):
        hostile = wire.logged("odd", 9, wire.tensor((16,), wire.block(4, bytes(64)), dtype))
        # Of an enum's 64 bits the lower 32 count.
        held = {("odd", 9): np.zeros(16, np.float32)} if dtype == 2**40 + 1 else {}
        refused = () if held or dtype == 101 else ("odd",)
        yield Case(
            f"type_{dtype}",
            between(hostile),
            may=("undecodable",),
            good=AROUND | held,
            refused=refused,
        )


@kind("values")
def odd_contents() -> Cases:
    """Contents of a wrong length, and invalid numbers."""
    for name, length in (("short", 63), ("long", 65), ("doubled", 128)):
        hostile = wire.logged("odd", 9, wire.tensor((16,), wire.block(4, bytes(length))))
        yield Case(
            f"content_{name}", between(hostile), may=("undecodable",), good=AROUND, refused=("odd",)
        )
    bools = wire.logged("odd", 9, wire.tensor((4,), wire.block(4, b"\x00\x01\x02\xff"), 10))
    yield Case(
        "content_of_no_bools", between(bools), ("undecodable",), good=AROUND, refused=("odd",)
    )
    for name, number in (
        ("nan", np.nan),
        ("inf", np.inf),
        ("denormal", 1e-45),
        ("largest", 3.4028235e38),
    ):
        array = np.full((3, 3, 2, 4), number, np.float32)
        array[0, 0, 0, 0] = -array[0, 0, 0, 0]
        hostile = wire.logged("odd/kernel", 9, wire.whole(array))
        yield Case(f"content_of_{name}", between(hostile), good=AROUND | {("odd/kernel", 9): array})
    small = b"".join(wire.key(5, wire.FIXED32) + struct.pack("<f", step) for step in range(100_000))
    held = {("odd", 9): np.arange(100_000, dtype=np.float32)}
    unpacked = wire.logged("odd", 9, wire.tensor((100_000,), small))
    yield Case("content_unpacked", between(unpacked), good=AROUND | held)


EMPTY_SHAPES = (
    (0,),
    (0, 3, 3, 4),
    (3, 3, 0, 4),
    (3, 3, 4, 0),
    (1, 0, 0, 64),
    (0, 0),
    (0, 5),
    (5, 0),
    (0,) * 5,
)


@kind("values")
def shapes_without_elements() -> Cases:
    """An axis of length 0, in requests of every kind."""
    for shape in EMPTY_SHAPES:
        for tag in ("empty/kernel", "empty/activation"):
            array = np.zeros(shape, np.float32)
            both = b"".join(wire.logged(tag, step, wire.whole(array)) for step in (8, 9))
            name = "x".join(map(str, shape)) + "_" + tag.rpartition("/")[2]
            yield Case(
                f"empty_{name}", between(both), good=AROUND | {(tag, 9): array, (tag, 8): array}
            )


@kind("values")
def odd_steps_and_times() -> Cases:
    """Steps at the limits of their type, invalid times."""
    for name, step in (("smallest", -(2**63)), ("largest", 2**63 - 1), ("minus_1", -1)):
        hostile = wire.logged("odd/kernel", step, wire.whole(kernel(9)))
        yield Case(
            f"step_{name}", between(hostile), good=AROUND | {("odd/kernel", step): kernel(9)}
        )
    for name, time in (("nan", np.nan), ("inf", np.inf), ("huge", 1e300), ("negative", -1e18)):
        values = wire.value("odd/kernel", wire.whole(kernel(9)))
        hostile = wire.record(wire.event(9, values, wall_time=time))
        yield Case(f"time_{name}", between(hostile), good=AROUND | {("odd/kernel", 9): kernel(9)})


@kind("values")
def twice_the_file_version() -> Cases:
    """Files that begin more than once, or never."""
    yield Case("version_missing", file_of(good_records(0, 1)), good=kernels(0, 1))
    yield Case("version_1000_times", between(wire.version() * 1_000), good=AROUND)
    future = wire.record(wire.double(1, 1.0) + wire.block(3, b"brain.Event:99"))
    yield Case("version_of_the_future", file_of(future + good_records(0, 1)), good=kernels(0, 1))
