"""Hostile HDF5 files."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hdf5_files as h
import numpy as np
import wire
from case import kernel
from checkpoints import BAD, NOT_READ, Hostile, Hostiles, kind, of

FILE = "model.h5"
WEIGHT = kernel(1)


def with_dataset(*messages: bytes, data: bytes = b"") -> bytes:
    """A file of one dataset with these messages; its numbers are at the first address."""
    file = h.File()
    file.put(data)
    return file.whole(file.header(h.link("kernel", file.header(*messages))))


def good() -> bytes:
    """A file of one good dataset."""
    content = WEIGHT.astype("<f4").tobytes()
    layout = h.contiguous(h.SUPERBLOCK_LEN, len(content))
    return with_dataset(h.dataspace(*WEIGHT.shape), h.datatype(), layout, data=content)


WHOLE = good()


def by_h5py(fill: Callable[..., None], **options: object) -> Callable[[Path], None]:
    """Writes a file with h5py."""

    def make(run: Path) -> None:
        import h5py

        with h5py.File(run / FILE, "w", **options) as file:
            fill(file)

    return make


@kind
def cut() -> Hostiles:
    """The file ends early, goes on, or has a byte that is wrong."""
    for name, length in (
        ("in_its_name", 5),
        ("in_the_superblock", 50),
        ("by_a_byte", len(WHOLE) - 1),
    ):
        yield of(f"hdf5_cut_{name}", FILE, WHOLE[:length], BAD, "not whole")
    yield of("hdf5_empty", FILE, b"", BAD, "not whole")
    yield of("hdf5_of_zeros", FILE, bytes(1 << 20), BAD, "not whole")
    yield of(
        "hdf5_of_noise", FILE, b"\x01" + np.random.default_rng(1).bytes(1 << 20), BAD, "no HDF5"
    )
    yield of("hdf5_with_a_tail", FILE, WHOLE + b"tail", BAD, "bytes")
    for name, at in (("signature", 3), ("version", 8), ("address_width", 13), ("root", 71)):
        yield of(f"hdf5_flipped_{name}", FILE, wire.flipped(WHOLE, at), FLIPPED[name])
    yield of("hdf5_is_a_zip", FILE, b"PK\x03\x04" + bytes(1_000), BAD)
    yield Hostile("hdf5_good", lambda run: (run / FILE).write_bytes(WHOLE) and None, FILE, "")


FLIPPED = {"signature": BAD, "version": NOT_READ, "address_width": NOT_READ, "root": BAD}


@kind
def circles() -> Hostiles:
    """Groups, trees and headers that lead back to themselves."""
    file = h.File()
    root = file.put(bytes(200))
    file.header(h.link("a", root), h.link("b", root), at=root)
    yield of("hdf5_group_in_itself", FILE, file.whole(root), "")
    file = h.File()
    groups = [file.put(bytes(2_000)) for _ in range(30)]
    for at in groups:
        file.header(
            *(h.link(f"g{other}", other_at) for other, other_at in enumerate(groups)), at=at
        )
    yield of("hdf5_groups_in_each_other", FILE, file.whole(groups[0]), "")
    file = h.File()
    at = file.header()
    for level in range(200):
        at = file.header(h.link(f"level{level}", at), h.link("again", at))
    yield of("hdf5_depth_of_200", FILE, file.whole(at), BAD, "deep")
    file = h.File()
    root = file.put(bytes(64))
    again = h.message(h.CONTINUATION, struct.pack("<QQ", root + 16, 24))
    file.header(again, at=root)
    yield of("hdf5_header_in_itself", FILE, file.whole(root), BAD)
    file = h.File()
    node = file.put(bytes(80))
    heap = file.put(b"HEAP" + bytes(4) + struct.pack("<QQQ", 8, 0, node))
    file.data[node : node + 40] = h.tree(0, 0, [(bytes(8), node)])
    root = file.header(h.message(h.SYMBOL_TABLE, struct.pack("<QQ", node, heap)))
    yield of("hdf5_tree_in_itself", FILE, file.whole(root), BAD)
    file.data[node : node + 40] = h.tree(0, 9, [(bytes(8), node)])
    yield of("hdf5_tree_above_itself", FILE, file.whole(root), BAD)


@kind
def shapes() -> Hostiles:
    """Datasets of enormous shapes, with no numbers or others."""
    typed = h.datatype()
    at, four = h.SUPERBLOCK_LEN, struct.pack("<f", 1.0)
    layouts = {
        "of_2_to_62": (h.dataspace(1 << 62), h.contiguous(at, 4), BAD),
        "of_2_to_64": (h.dataspace((1 << 64) - 1), h.contiguous(at, 4), BAD),
        "of_overflow": (h.dataspace(1 << 32, 1 << 32), h.contiguous(at, 4), BAD),
        "at_2_to_63": (h.dataspace(1), h.contiguous(1 << 63, 4), BAD),
        "at_2_to_64": (h.dataspace(1), h.contiguous((1 << 64) - 2, 4), BAD),
        "without_place": (h.dataspace(1 << 40), h.contiguous(h.UNDEFINED, 4), NOT_READ),
        "of_255_axes": (h.dataspace(*([1] * 255)), h.contiguous(at, 4), BAD),
        "of_no_chunks": (h.dataspace(4), h.chunked(h.UNDEFINED, 4), NOT_READ),
        "of_chunks_of_0": (h.dataspace(4), h.chunked(at, 0), BAD),
        "of_2_to_40_chunks": (h.dataspace(1 << 40), h.chunked(at, 1), NOT_READ),
        "of_2_to_63_chunks": (h.dataspace(1 << 63), h.in_a_row(at, 1), NOT_READ),
        "of_chunks_of_other_axes": (h.dataspace(4, 4), h.chunked(at, 1), BAD),
        "of_chunks_that_are_none": (h.dataspace(4), h.chunked(at, 1), BAD),
        "of_chunks_beyond_the_file": (h.dataspace(100), h.in_a_row(at, 10), BAD),
        "of_an_unknown_layout": (
            h.dataspace(1),
            h.message(h.LAYOUT, b"\x09" + bytes(23)),
            NOT_READ,
        ),
    }
    for name, (space, layout, told) in layouts.items():
        content = with_dataset(space, typed, layout, data=four)
        yield of(f"hdf5_dataset_{name}", FILE, content, told)
    odd = h.datatype(b"\x12" + bytes(3) + struct.pack("<I", 0xFFFFFFFF) + bytes(16))
    content = with_dataset(h.dataspace(1), odd, h.contiguous(at, 4), data=four)
    yield of("hdf5_dataset_of_an_odd_type", FILE, content, "")
    # No tree has to be read to know these, so a small file names very many.
    axes = [1] * 31 + [200_000]
    content = with_dataset(
        h.dataspace(*axes), typed, h.in_a_row(at, *([1] * 32)), data=bytes(800_000)
    )
    yield of("hdf5_200000_chunks_of_32_axes", FILE, content, "")
    file = h.File()
    numbers = file.put(four)
    leaf = file.put(h.tree(1, 0, [(h.chunk_key(0), numbers)] * 60_000))
    top = file.put(h.tree(1, 1, [(h.chunk_key(0), leaf)] * 60_000))
    data = file.header(h.dataspace(150_000), typed, h.chunked(top, 1))
    yield of("hdf5_tree_of_one_chunk_again", FILE, file.whole(file.header(h.link("k", data))), BAD)


@kind
def crowds() -> Hostiles:
    """Headers, names and texts that are read again and again: memory must not grow with it."""
    file = h.File()
    zeros = file.put(bytes(15 << 20))
    parts = [h.message(h.CONTINUATION, struct.pack("<QQ", zeros, 15 << 20))] * 12
    yield of("hdf5_header_of_empty_messages", FILE, file.whole(file.header(*parts)), NOT_READ)
    file = h.File()
    heap = file.put(h.text_heap(b"x" * 4_000))
    refs = struct.pack("<IQI", 4_000, heap, 1) * 3_900
    texts = [h.attribute(f"layer_names{idx}", 3_900, refs) for idx in range(100)]
    yield of("hdf5_attributes_of_one_text", FILE, file.whole(file.header(*texts)), NOT_READ)
    empty = b"\x13\0\0\0" + bytes(4)
    texts = [h.attribute(f"layer_names{idx}", 100_000, b"", empty) for idx in range(10_000)]
    file = h.File()
    yield of("hdf5_attributes_of_empty_texts", FILE, file.whole(file.header(*texts)), NOT_READ)
    file = h.File()
    names = file.put(b"n" * (1 << 20) + bytes(8))
    heap = file.put(b"HEAP" + bytes(4) + struct.pack("<QQQ", (1 << 20) + 8, 0, names))
    entry = struct.pack("<QQII", 0, h.SUPERBLOCK_LEN, 0, 0) + bytes(16)
    table = file.put(b"SNOD\x01\0" + struct.pack("<H", 60_000) + entry * 60_000)
    node = file.put(h.tree(0, 0, [(bytes(8), table)] * 50))
    root = file.header(h.message(h.SYMBOL_TABLE, struct.pack("<QQ", node, heap)))
    yield of("hdf5_names_of_a_megabyte", FILE, file.whole(root), NOT_READ)
    content = struct.pack("<f", 1.0)
    file = h.File()
    file.put(content)
    data = file.header(h.dataspace(1), h.datatype(), h.contiguous(h.SUPERBLOCK_LEN, 4))
    links = [h.link("same", data)] * 49_000
    yield of("hdf5_49000_links_of_one_name", FILE, file.whole(file.header(*links)), "")
    links = [h.link(f"{idx:x}", data) for idx in range(200_000)]
    content = file.whole(file.header(*links))
    yield of("hdf5_of_200000_datasets", FILE, content, NOT_READ, "50000")


@kind
def packed() -> Hostiles:
    """Compressed datasets of which few chunks are written."""
    for how in ("gzip", "lzf"):

        def bomb(file: Any, how: str = how) -> None:
            shape = (1 << 14, 1 << 14)
            chunks = (1 << 10, 1 << 10)
            file.create_dataset("kernel", shape, "f4", chunks=chunks, compression=how)
            file["kernel"][:1024, :1024] = 0

        words = "not all written"
        yield Hostile(f"hdf5_bomb_of_{how}", by_h5py(bomb), FILE, NOT_READ, words)


GZIP, SHUFFLE, FLETCHER, LZF = (1, bytes(4)), (2, bytes(4)), (3, b""), (32_000, b"")


def filtered(name: str, *filters: tuple[int, bytes], data: bytes, told: str = "") -> Hostile:
    """A dataset of one chunk with these filters: their numbers and values; all of it is packed."""
    listed = b"".join(
        struct.pack("<HHHH", number, 0, 0, len(values) // 4) + values + bytes(len(values) % 8)
        for number, values in filters
    )
    file = h.File()
    numbers = file.put(data)
    key = struct.pack("<II", len(data), 0) + bytes(16)
    tree = file.put(h.tree(1, 0, [(key, numbers)]) + struct.pack("<IIQQ", 0, 0, 72, 0))
    head = h.message(h.FILTERS, bytes([1, len(filters)]) + bytes(6) + listed)
    data_at = file.header(h.dataspace(72), h.datatype(), head, h.chunked(tree, 72))
    content = file.whole(file.header(h.link("kernel", data_at)))

    def make(run: Path) -> None:
        (run / FILE).write_bytes(content)

    # These have checksums, and none of them is right.
    is_summed = not told and {GZIP, FLETCHER} & {*filters}
    verified = "faults" if is_summed else None
    return Hostile(f"hdf5_filters_{name}", make, FILE, told, verified=verified)


@kind
def filters() -> Hostiles:
    """Chunks whose filters give more than the chunk, less, or never end."""
    bomb = zlib.compress(bytes(1 << 28), 9)
    raw = bytes(range(72)) * 4
    endless = b"\x00\x00" + b"\xe0\xff\x00" * 300_000
    yield filtered("unknown", (999, b""), data=raw, told=NOT_READ)
    yield filtered("bomb_of_gzip", GZIP, data=bomb)
    yield filtered("bomb_in_a_bomb", GZIP, GZIP, GZIP, data=zlib.compress(bomb, 9))
    yield filtered("bomb_of_lzf", LZF, data=endless)
    yield filtered("lzf_before_its_beginning", LZF, data=b"\x3f\xff" * 10)
    yield filtered("lzf_cut", LZF, data=b"\x1fabc")
    yield filtered("gzip_of_less", GZIP, data=zlib.compress(raw[:20]))
    yield filtered("gzip_of_more", GZIP, data=zlib.compress(raw + b"x"))
    yield filtered("gzip_of_no_gzip", GZIP, data=raw)
    yield filtered("gzip_of_nothing", GZIP, data=b"")
    yield filtered("shuffle_of_2_to_32", (2, b"\xff" * 4), data=raw)
    yield filtered("shuffle_of_0", SHUFFLE, data=raw)
    yield filtered("fletcher_of_two_bytes", FLETCHER, data=b"ab")
    yield filtered("fletcher_is_wrong", FLETCHER, data=raw + b"abcd")
    yield filtered("255_times_gzip", *[GZIP] * 255, data=bomb)
    yield filtered("255_times_shuffle", *[(2, struct.pack("<I", 4))] * 255, data=raw)
    yield filtered("255_times_fletcher", *[FLETCHER] * 255, data=raw + bytes(4 * 255))
    cut = h.message(h.FILTERS, bytes([1, 255]) + bytes(6) + bytes(16))
    claims = h.message(
        h.FILTERS, b"\x01\x01" + bytes(6) + struct.pack("<HHHH", 1, 65_535, 0, 65_535)
    )
    for name, head in (("that_are_missing", cut), ("of_endless_values", claims)):
        messages = (h.dataspace(72), h.datatype(), head, h.chunked(96, 72))
        yield of(f"hdf5_filters_{name}", FILE, with_dataset(*messages, data=raw), BAD)


@kind
def elsewhere() -> Hostiles:
    """Numbers and groups in other files: these are not opened."""

    def external(file: Any) -> None:
        place = ("/etc/passwd", 0, 16)
        file.create_dataset("kernel", (4,), "f4", external=[place])

    def above(file: Any) -> None:
        place = ("../../../../etc/passwd", 0, 16)
        file.create_dataset("kernel", (4,), "f4", external=[place])

    yield Hostile("hdf5_numbers_in_etc_passwd", by_h5py(external), FILE, NOT_READ, "other files")
    yield Hostile("hdf5_numbers_above", by_h5py(above), FILE, NOT_READ, "other files")

    def linked(file: Any) -> None:
        import h5py

        file["away"] = h5py.ExternalLink("/etc/passwd", "/")
        file["up"] = h5py.ExternalLink("../../a.h5", "/")
        file["soft"] = h5py.SoftLink("/soft")

    yield Hostile("hdf5_links_to_other_files", by_h5py(linked), FILE, NOT_READ, "3 links")

    def virtual(file: Any) -> None:
        import h5py

        layout = h5py.VirtualLayout((4,), "f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "kernel", (4,))
        file.create_virtual_dataset("kernel", layout)

    yield Hostile(
        "hdf5_virtual_dataset", by_h5py(virtual, libver="latest"), FILE, NOT_READ, "virtual"
    )

    def many(run: Path) -> None:
        (run / FILE).write_bytes(WHOLE)
        os.truncate(run / FILE, 2 << 30)

    yield Hostile("hdf5_sparse_of_2_gib", many, FILE, BAD, "not whole")
