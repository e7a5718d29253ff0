"""Hostile models of ONNX."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from case import kernel
from checkpoints import BAD, NOT_READ, Hostile, Hostiles, kind, of
from wire import varint

FILE = "model_step_12.onnx"
BESIDE = "model.onnx.data"
WEIGHT = kernel(1, (8, 3, 3, 3))
RAW = WEIGHT.astype("<f4").tobytes()
GOOD = {("kernel", 12): WEIGHT}


def field(number: int, content: bytes) -> bytes:
    """A field of bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def number(at: int, value: int) -> bytes:
    """A field of a number."""
    return varint(at << 3) + varint(value)


def tensor(
    *more: bytes, shape: tuple[int, ...] = WEIGHT.shape, dtype: int = 1, name: bytes = b"kernel"
) -> bytes:
    """A ``TensorProto`` with these fields besides its form."""
    dims = b"".join(number(1, length) for length in shape)
    return dims + number(2, dtype) + field(8, name) + b"".join(more)


def outside(**entries: str) -> tuple[bytes, bytes]:
    """The fields that say that numbers are in another file."""
    pairs = [field(1, key.encode()) + field(2, value.encode()) for key, value in entries.items()]
    return b"".join(field(13, pair) for pair in pairs), number(14, 1)


def node(operator: str, *more: bytes) -> bytes:
    """A ``NodeProto``."""
    return field(4, operator.encode()) + b"".join(more)


def model(*initializers: bytes, nodes: bytes = b"") -> bytes:
    """A model of these initializers."""
    graph = nodes + b"".join(field(5, one) for one in initializers)
    return number(1, 8) + field(7, graph) + field(8, number(2, 17))


HERE = tensor(field(9, RAW))


def placed(
    name: str, told: str, make: Callable[[Path], None] | None = None, **entries: str
) -> Hostile:
    """A model whose numbers are elsewhere."""
    content = model(tensor(*outside(**entries)))

    def write(run: Path) -> None:
        (run / FILE).write_bytes(content)
        if make:
            make(run / BESIDE)
        else:
            (run / BESIDE).write_bytes(RAW)

    return Hostile(f"onnx_{name}", write, FILE, told)


@kind
def forms() -> Hostiles:
    """Tensors of impossible shapes, messages that nest or repeat."""
    good = model(HERE)
    yield Hostile(
        "onnx_good", lambda run: (run / FILE).write_bytes(good) and None, FILE, "", good=GOOD
    )
    yield of("onnx_cut", FILE, good[:-40], BAD, "not whole")
    yield of("onnx_of_zeros", FILE, bytes(1 << 20), BAD)
    shapes = {
        "of_terabytes": (1 << 40, 4),
        "of_2_to_62": (1 << 62,),
        "of_overflow": (1 << 33, 1 << 33),
        "of_minus_1": (-1, 4),
        "of_100000_axes": (1,) * 100_000,
    }
    for name, shape in shapes.items():
        yield of(f"onnx_tensor_{name}", FILE, model(tensor(field(9, RAW), shape=shape)), BAD)
    numbers = tensor(field(7, b"\xff" * 1_000), shape=(100,), dtype=7)
    yield of("onnx_numbers_without_an_end", FILE, model(numbers), "")
    claims = tensor(field(7, b"\x01" * 100), shape=(1 << 50,), dtype=7)
    yield of("onnx_petabyte_of_numbers", FILE, model(claims), "")
    more = tensor(field(7, b"\x01" * 1_000_000), shape=(10,), dtype=7)
    yield of("onnx_more_numbers_than_elements", FILE, model(more), "")
    deep = b""
    for _ in range(10_000):
        deep = field(1, node("If", field(5, field(1, b"then_branch") + field(6, deep))))
    yield of("onnx_depth_of_10000_graphs", FILE, model(nodes=deep), NOT_READ)
    nested = b"\x0b" * 100_000
    yield of("onnx_groups_of_depth_100000", FILE, model(HERE, nodes=nested), BAD)
    length = varint((1 << 64) - 1)
    yield of("onnx_field_of_2_to_64", FILE, b"\x3a" + length + b"\x42" + length, BAD)
    yield of("onnx_number_of_11_bytes", FILE, b"\x08" + b"\xff" * 11, BAD)
    long = tensor(field(9, RAW), name=b"n" * 10_000_000)
    yield of("onnx_name_of_10_megabytes", FILE, lambda: model(long), BAD)
    odd = model(tensor(field(9, RAW), name=b"\xff\xfe\x00"))
    yield of("onnx_name_of_no_text", FILE, odd, "")
    small = field(5, tensor(field(9, b"abcd"), shape=(1,), name=b"k"))
    many = lambda: number(1, 8) + field(7, small * 60_000) + field(8, number(2, 17))  # noqa: E731
    yield of("onnx_60000_initializers", FILE, many, NOT_READ, "50000")
    nothing = lambda: number(1, 8) + field(7, b"\x1a\0" * 8_000_000) + field(8, b"")  # noqa: E731
    yield of("onnx_8_million_empty_fields", FILE, nothing, "")
    inputs = field(1, b"x") * 200_000
    conv = field(1, node("Conv", inputs, field(2, b"y")))
    yield of("onnx_node_of_200000_inputs", FILE, lambda: model(HERE, nodes=conv), "")
    circle = field(1, node("Transpose", field(1, b"a"), field(2, b"b")))
    circle += field(1, node("Transpose", field(1, b"b"), field(2, b"a")))
    circle += field(1, node("Conv", field(1, b"x"), field(1, b"a"), field(2, b"y")))
    yield of("onnx_nodes_in_a_circle", FILE, model(HERE, nodes=circle), "")

    def chain() -> bytes:
        one = b"".join(
            field(1, node("Identity", field(1, b"n%d" % idx), field(2, b"n%d" % (idx + 1))))
            for idx in range(90_000)
        )
        first = field(1, node("Identity", field(1, b"kernel"), field(2, b"n0")))
        return model(
            HERE, nodes=first + one + field(1, node("Conv", field(1, b"x"), field(1, b"n90000")))
        )

    yield of("onnx_chain_of_90000_nodes", FILE, chain, "")


@kind
def elsewhere() -> Hostiles:
    """Numbers in other files."""
    size = str(len(RAW))
    for name, location in (
        ("etc_passwd", "/etc/passwd"),
        ("above", "../../../../etc/passwd"),
        ("above_in_the_middle", "a/../../../../etc/passwd"),
        ("null", "a\0b"),
        ("nowhere", "nothing.data"),
        ("nameless", ""),
        ("dot", "."),
    ):
        yield placed(f"numbers_{name}", NOT_READ, location=location, offset="0", length=size)
    yield placed("numbers_of_a_long_name", BAD, location="x" * 100_000, offset="0", length=size)
    yield placed("numbers_at_minus_1", BAD, location=BESIDE, offset="-1", length=size)
    yield placed("numbers_at_2_to_64", BAD, location=BESIDE, offset=str((1 << 64) - 8), length=size)
    yield placed("numbers_of_letters", BAD, location=BESIDE, offset="x" * 100_000)
    yield placed("numbers_of_minus_1", BAD, location=BESIDE, offset="0", length="-1")
    yield placed("numbers_beyond_the_file", BAD, location=BESIDE, offset="8", length=size)
    yield placed("numbers_of_another_length", BAD, location=BESIDE, offset="0", length="8")
    entries = {"location": BESIDE, "offset": "0", "length": size}
    yield placed("numbers_in_a_fifo", NOT_READ, os.mkfifo, **entries)
    yield placed("numbers_in_a_directory", NOT_READ, os.mkdir, **entries)
    yield placed(
        "numbers_in_a_device", NOT_READ, lambda path: path.symlink_to("/dev/zero"), **entries
    )
    yield placed("numbers_in_a_circle", NOT_READ, lambda path: path.symlink_to(BESIDE), **entries)
    names = [tensor(*outside(location=f"f{idx}"), name=b"k%d" % idx) for idx in range(5_000)]

    def many(run: Path) -> None:
        (run / FILE).write_bytes(model(*names))
        for idx in range(5_000):
            (run / f"f{idx}").write_bytes(RAW)

    yield Hostile("onnx_5000_files", many, FILE, NOT_READ)
