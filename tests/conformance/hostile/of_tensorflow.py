"""Hostile checkpoints of TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tables as t
import wire
from case import kernel
from checkpoints import BAD, NOT_READ, Content, Hostile, Hostiles, bytes_of, kind, of

INDEX, DATA = "ckpt-1.index", "ckpt-1.data-00000-of-00001"
WEIGHT = kernel(1)
RAW = WEIGHT.astype("<f4").tobytes()
NAME = b"stem/kernel"
WHOLE = t.of_entries([t.header(), (NAME, t.of_array(WEIGHT))])


def bundle(index: Content, data: bytes = RAW, name: str = DATA) -> Callable[[Path], None]:
    """Writes an index and its numbers."""

    def make(run: Path) -> None:
        (run / INDEX).write_bytes(bytes_of(index))
        (run / name).write_bytes(data)

    return make


def indexed(name: str, index: Content, told: str = BAD, words: str = "") -> Hostile:
    """A hostile index beside good numbers."""
    return Hostile(f"tensorflow_{name}", bundle(index), INDEX, told, words)


def of_entry(entry: bytes) -> bytes:
    """An index of one tensor."""
    return t.of_entries([t.header(), (NAME, entry)])


@kind
def cut() -> Hostiles:
    """Indices and numbers that end early or have wrong bytes."""
    for name, length in (
        ("early", 20),
        ("in_the_footer", len(WHOLE) - 9),
        ("by_a_byte", len(WHOLE) - 1),
    ):
        yield indexed(f"index_cut_{name}", WHOLE[:length], BAD, "not whole")
    yield indexed("index_empty", b"", BAD, "not whole")
    yield indexed("index_of_zeros", bytes(1 << 20), BAD, "not whole")
    noise = b"\x01" + np.random.default_rng(1).bytes(1 << 20)
    # Others call their files so too, so what begins as nothing known is not told.
    yield Hostile("tensorflow_index_of_noise", bundle(noise), INDEX, "", verified="-")
    yield indexed("index_flipped", wire.flipped(WHOLE, 8), BAD, "checksum")
    yield indexed("index_flipped_at_its_index", wire.flipped(WHOLE, len(WHOLE) - 70), BAD)
    yield indexed("index_is_a_zip", b"PK\x03\x04" + WHOLE, BAD)
    yield Hostile("tensorflow_data_cut", bundle(WHOLE, RAW[:-1]), INDEX, BAD, "not whole")
    yield Hostile("tensorflow_data_empty", bundle(WHOLE, b""), INDEX, BAD, "not whole")
    missing = bundle(WHOLE, RAW, "ckpt-2.data-00000-of-00001")
    yield Hostile("tensorflow_data_missing", missing, INDEX, BAD, "not beside it")
    # The checksum is compared when the numbers are read, and by `verify`.
    flipped = bundle(WHOLE, wire.flipped(RAW, 100))
    yield Hostile("tensorflow_data_flipped", flipped, INDEX, "", verified="faults")


@kind
def circles() -> Hostiles:
    """Index blocks that name themselves, one another, or the same block again."""
    content = t.block([t.header(), (NAME, t.of_array(WEIGHT))])
    start = content + t.trailer(content)
    at = len(start)
    itself = t.block([(b"z", t.place(at, 23))])
    for length in range(15, 40):
        itself = t.block([(b"z", t.place(at, length))])
        if len(itself) == length:
            break
    whole = start + itself + t.trailer(itself) + t.footer(t.place(at, len(itself)))
    yield indexed("block_is_its_index", whole, BAD)
    again = [(bytes([65 + idx]), t.place(0, len(content))) for idx in range(20)]
    index = t.block(again)
    whole = start + index + t.trailer(index) + t.footer(t.place(at, len(index)))
    yield indexed("block_20_times", whole, BAD, "over each other")

    def million() -> bytes:
        many = t.block([(b"%07d" % idx, t.place(0, 0)) for idx in range(1_000_000)])
        return start + many + t.trailer(many) + t.footer(t.place(at, len(many)))

    yield indexed("index_of_a_million_blocks", million, BAD)
    whole = start + t.footer(t.place(at, 40))
    yield indexed("index_is_its_footer", whole, BAD)


@kind
def lies() -> Hostiles:
    """Places, lengths, shapes and numbers of files that do not exist."""
    last = (1 << 64) - 1
    for name, (at, length) in {
        "at_2_to_63": (1 << 63, 10),
        "of_2_to_63": (0, 1 << 63),
        "of_2_to_64": (last, last),
    }.items():
        yield indexed(
            f"block_{name}", WHOLE[:-48] + t.footer(t.place(at, length))[:40] + t.MAGIC, BAD
        )
    entries = {
        "of_2_to_62": t.entry((1 << 60,), 1 << 62),
        "at_2_to_64": t.entry(WEIGHT.shape, len(RAW), offset=last - 3),
        "of_another_size": t.entry(WEIGHT.shape, len(RAW) - 4),
        "of_overflow": t.entry((1 << 32, 1 << 32), 0),
        "of_a_negative_axis": t.entry((-1,), len(RAW)),
        "of_1000_axes": t.entry((1,) * 1_000, 4),
        "in_file_7": t.entry(WEIGHT.shape, len(RAW), shard=7),
        "in_file_2_to_40": t.entry(WEIGHT.shape, len(RAW), shard=1 << 40),
        "of_type_2_to_40": t.entry(WEIGHT.shape, len(RAW), dtype=1 << 40),
        "that_is_no_message": b"\xff" * 40,
    }
    for name, entry in entries.items():
        yield indexed(f"tensor_{name}", of_entry(entry), BAD)
    yield indexed("tensor_of_an_unknown_type", of_entry(t.entry((1,), 4, dtype=99)), "")
    for name, count in (("0_files", 0), ("2_to_63_files", 1 << 63)):
        index = t.of_entries([t.header(count), (NAME, t.of_array(WEIGHT))])
        yield indexed(f"of_{name}", index, BAD)
    yield indexed("without_header", t.of_entries([(NAME, t.of_array(WEIGHT))]), BAD, "no header")
    unsorted = t.of_entries([t.header(), (b"b", t.of_array(WEIGHT)), (b"a", t.of_array(WEIGHT))])
    yield indexed("names_not_sorted", unsorted, BAD, "not sorted")
    twice = t.of_entries([t.header(), (b"b", t.of_array(WEIGHT)), (b"b", t.of_array(WEIGHT))])
    yield indexed("name_twice", twice, BAD, "not sorted")
    yield indexed("packed_with_snappy", t.of_entries([t.header()], 1), NOT_READ, "Snappy")
    yield indexed("packed_with_zstd", t.of_entries([t.header()], 2), NOT_READ, "unknown way")
    slices = wire.number(1, 1) + wire.shape((1 << 40,))
    one = wire.block(1, wire.number(1, 0) + wire.number(2, 1))
    sliced = of_entry(slices + wire.block(7, one) * 300_000)
    yield indexed("tensor_of_300000_parts", sliced, NOT_READ, "parts")
    graph = (b"_CHECKPOINTABLE_OBJECT_GRAPH", t.entry((), 1 << 40, dtype=7))
    index = t.of_entries([t.header(), graph, (NAME, t.of_array(WEIGHT))])
    yield indexed("graph_of_2_to_40", index, BAD)
    graph = (b"_CHECKPOINTABLE_OBJECT_GRAPH", t.entry((), 100, dtype=7))
    index = t.of_entries([t.header(), graph, (NAME, t.of_array(WEIGHT))])
    yield indexed("graph_of_noise", index, NOT_READ, "names of its variables")


@kind
def crowds() -> Hostiles:
    """Very many tensors, and very long names: prefixes make them cheap to write."""
    one = t.entry((1,), 4)

    def many(count: int, entry: bytes) -> Callable[[], bytes]:
        names = lambda: [t.header(), *((b"%07d" % idx, entry) for idx in range(count))]  # noqa: E731
        return lambda: t.of_entries(names())

    yield indexed("of_150000_tensors", many(150_000, one), NOT_READ, "more than")
    yield indexed("of_a_million_tensors", many(1_000_000, b"\x08\x01"), NOT_READ, "more than")
    for name, letter in (("text", b"n"), ("no_text", b"\xff")):
        prefix = letter * 16_000
        long = [t.header(), *((prefix + b"%04d" % idx, one) for idx in range(1_990))]
        yield indexed(f"names_of_{name}", t.of_entries(long), NOT_READ, "names")


@kind
def elsewhere() -> Hostiles:
    """Names that lead away: only the files beside the index are opened."""

    def written(name: bytes) -> Callable[[Path], None]:
        return bundle(t.of_entries([t.header(), (name, t.of_array(WEIGHT))]))

    for name, key in (("above", b"../../../etc/passwd"), ("absolute", b"/etc/passwd")):
        yield Hostile(f"tensorflow_tensor_named_{name}", written(key), INDEX, "")

    def state(run: Path) -> None:
        bundle(WHOLE)(run)
        text = 'model_checkpoint_path: "/etc/passwd"\nall_model_checkpoint_paths: "../../x"\n'
        (run / "checkpoint").write_text(text)

    yield Hostile("tensorflow_state_names_etc_passwd", state, "checkpoint", NOT_READ, "passwd")

    def device(run: Path) -> None:
        (run / INDEX).write_bytes(WHOLE)
        os.symlink("/dev/zero", run / DATA)

    yield Hostile("tensorflow_data_is_a_device", device, INDEX, NOT_READ, "regular file")

    def fifo(run: Path) -> None:
        (run / INDEX).write_bytes(WHOLE)
        os.mkfifo(run / DATA)

    yield Hostile("tensorflow_data_is_a_fifo", fifo, INDEX, NOT_READ, "regular file")

    def sparse(run: Path) -> None:
        (run / INDEX).write_bytes(WHOLE)
        os.truncate(run / INDEX, 4 << 30)

    yield Hostile("tensorflow_sparse_index_of_4_gib", sparse, INDEX, NOT_READ, "more than")
    old = "model.ckpt-10"
    yield of("tensorflow_old_file_cut", old, b"\0\0\x8a\x01\x0a" + bytes(100), BAD, "")
    yield of(
        "tensorflow_old_file_of_10000_parts", f"{old}-00000-of-99999", b"\0\0\x8a\x01\x0a", NOT_READ
    )
