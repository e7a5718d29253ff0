"""Hostile safetensors files and indices."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import safetensors_files as files
from case import kernel
from checkpoints import BAD, NOT_READ, Hostile, Hostiles, kind, of

FILE = "model.safetensors"
INDEX = "model.safetensors.index.json"
WHOLE = files.whole({"conv1.weight": kernel(1), "conv2.weight": kernel(2)})
HEADER_LEN = struct.unpack("<Q", WHOLE[:8])[0]


@kind
def cut() -> Hostiles:
    """The file ends early, or goes on."""
    places = {"in_the_length": 5, "after_the_length": 8, "in_the_header": 60}
    places |= {"after_the_header": 8 + HEADER_LEN, "in_the_numbers": len(WHOLE) - 100}
    places["before_the_last_byte"] = len(WHOLE) - 1
    for name, length in places.items():
        yield of(f"safetensors_cut_{name}", FILE, WHOLE[:length], BAD, "not whole")
    yield of("safetensors_with_a_tail", FILE, WHOLE + b"tail", BAD, "bytes")
    yield of("safetensors_twice", FILE, WHOLE + WHOLE, BAD, "bytes")
    yield of("safetensors_empty", FILE, b"", BAD, "not whole")
    yield of("safetensors_of_zeros", FILE, bytes(1 << 20), BAD)
    yield of("safetensors_of_noise", FILE, np.random.default_rng(1).bytes(1 << 20), BAD)
    yield of("safetensors_is_a_zip", FILE, b"PK\x03\x04" + bytes(1_000), BAD)


@kind
def lies() -> Hostiles:
    """Lengths and places that no file has."""
    for name, length in (("2_to_63", 1 << 63), ("2_to_64", (1 << 64) - 1), ("a_gib", 1 << 30)):
        content = struct.pack("<Q", length) + WHOLE[8:]
        yield of(f"safetensors_header_of_{name}", FILE, content, BAD)
    last = (1 << 64) - 1
    entries = {
        "ends_before_it_begins": files.entry(400, 0, [100]),
        "ends_at_2_to_64": files.entry(0, last, [(1 << 62) - 1]),
        "begins_at_2_to_64": files.entry(last - 4, last, [1]),
        "of_2_to_64_elements": files.entry(0, 400, [1 << 32, 1 << 32]),
        "of_no_bytes_and_many_elements": files.entry(0, 0, [1 << 40]),
        "of_another_size": files.entry(0, 400, [101]),
        "of_many_axes": files.entry(0, 4, [1] * 1_000),
    }
    for name, entry in entries.items():
        yield of(f"safetensors_tensor_{name}", FILE, files.of({"a": entry}, bytes(400)), BAD)
    overlap = {"a": files.entry(0, 400, [100]), "b": files.entry(200, 600, [100])}
    yield of("safetensors_overlap", FILE, files.of(overlap, bytes(600)), BAD, "overlap")
    hole = {"a": files.entry(0, 400, [100]), "b": files.entry(600, 1_000, [100])}
    yield of("safetensors_hole", FILE, files.of(hole, bytes(1_000)), BAD, "no tensor")
    two = json.dumps(files.entry(0, 4, [1])), json.dumps(files.entry(4, 8, [1]))
    text = f'{{"a": {two[0]}, "a": {two[1]}}}'
    yield of("safetensors_name_twice", FILE, files.raw(text.encode(), bytes(8)), BAD, "twice")
    for name in ("F128", "", "x" * 1_000_000):
        odd = files.of({"a": files.entry(0, 4, [1], name)}, bytes(4))
        yield of(f"safetensors_type_{name[:4] or 'empty'}", FILE, odd, "", "")


@kind
def odd_json() -> Hostiles:
    """Headers that are no JSON, or not that of tensors."""
    entry = '"a": {"dtype": "F32", "shape": [%s], "data_offsets": [0, %s]}'
    headers = {
        "nan": "{" + entry % ("NaN", "4") + "}",
        "infinity": "{" + entry % ("Infinity", "4") + "}",
        "a_fraction": "{" + entry % ("1.5", "4") + "}",
        "an_exponent": "{" + entry % ("1e400", "4") + "}",
        "a_negative_number": "{" + entry % ("-1", "4") + "}",
        "a_number_of_a_megabyte": "{" + entry % ("9" * (1 << 20), "4") + "}",
        "three_offsets": '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}}',
        "no_shape": '{"a": {"dtype": "F32", "data_offsets": [0, 4]}}',
        "a_text_for_a_shape": '{"a": {"dtype": "F32", "shape": "%s"}}' % ("x" * 5_000_000),
        "a_list": "[1, 2, 3]",
        "a_number": "7",
        "an_open_text": '{"a',
        "depth_of_a_million": "[" * 1_000_000 + "]" * 1_000_000,
        "depth_in_an_entry": '{"a": {"dtype": ' + "[" * 1_000_000,
        "metadata_of_numbers": '{"__metadata__": {"step": 7}}',
    }
    for name, header in headers.items():
        yield of(f"safetensors_json_of_{name}", FILE, files.raw(header.encode(), bytes(4)), BAD)
    yield of("safetensors_json_of_no_text", FILE, files.raw(b'{"\xff\xfe": 1}'), BAD)


@kind
def crowds() -> Hostiles:
    """Headers with very much in them: memory must not grow with it."""
    n_many = 160_000
    entry = '"%d":{"dtype":"U8","shape":[],"data_offsets":[%d,%d]}'
    many = ",".join(entry % (idx, idx, idx + 1) for idx in range(n_many))
    content = files.raw(f"{{{many}}}".encode(), bytes(n_many))
    yield of("safetensors_of_160000_tensors", FILE, content, NOT_READ, "more than 50000 tensors")
    most = ",".join(entry % (idx, idx, idx + 1) for idx in range(49_000))
    content = files.raw(f"{{{most}}}".encode(), bytes(49_000))
    yield of("safetensors_of_49000_tensors", FILE, content, "")
    # A million would have a header of more bytes than are read.
    entries = ",".join(entry % (idx, 0, 0) for idx in range(1_000_000))
    content = files.raw(f"{{{entries}}}".encode())
    yield of("safetensors_of_a_million_tensors", FILE, content, BAD, "header")
    pairs = ",".join(f'"{idx:x}":""' for idx in range(1_400_000))
    content = files.raw(f'{{"__metadata__":{{{pairs}}}}}'.encode())
    yield of("safetensors_metadata_of_a_million", FILE, content, "")
    axes = "0," * 8_000_000 + "0"
    content = files.raw(f'{{"a":{{"dtype":"U8","shape":[{axes}],"data_offsets":[0,0]}}}}'.encode())
    yield of("safetensors_shape_of_8_million", FILE, content, BAD, "impossible")
    name = "n" * 15_000_000
    content = files.of({name: files.entry(0, 4, [2])}, bytes(4))
    yield of("safetensors_name_of_15_megabytes", FILE, content, BAD)
    names = {f"{'n' * 15_000}{idx}": files.entry(0, 0, [0]) for idx in range(1_000)}
    yield of("safetensors_names_of_15_kilobytes", FILE, files.of(names), "")


def index(weight_map: object, more: Callable[[Path], None] | None = None) -> Callable[[Path], None]:
    """Writes an index, and what ``more`` writes."""

    def make(run: Path) -> None:
        (run / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
        if more:
            more(run)

    return make


def links(run: Path) -> None:
    """1,000 links to one file with a long header."""
    header = b"{" + b" " * (4 << 20) + b"}"
    (run / "one.bin").write_bytes(files.raw(header))
    for idx in range(1_000):
        os.symlink("one.bin", run / f"part{idx:03}.safetensors")


@kind
def indices() -> Hostiles:
    """Indices that name what is not beside them, themselves, or too much."""
    places = {
        "above": "../../../../etc/passwd",
        "absolute": "/etc/passwd",
        "below": "a/b.safetensors",
        "empty": "",
        "of_dots": "..",
        "of_nul": "a\0b.safetensors",
    }
    for name, place in places.items():
        make = index({"conv1.weight": place})
        yield Hostile(f"safetensors_index_names_{name}", make, INDEX, NOT_READ)
    itself = index({"conv1.weight": INDEX})
    yield Hostile("safetensors_index_names_itself", itself, INDEX, BAD)
    missing = index({"a": "model-00001-of-00002.safetensors"})
    yield Hostile("safetensors_index_without_files", missing, INDEX, NOT_READ, "cannot be opened")
    many = index({f"t{idx}": f"{'f' * 200}{idx}.safetensors" for idx in range(1_000)})
    yield Hostile("safetensors_index_of_1000_missing_files", many, INDEX, NOT_READ)
    too_many = index({f"t{idx}": f"f{idx}.safetensors" for idx in range(5_000)})
    yield Hostile("safetensors_index_of_5000_files", too_many, INDEX, NOT_READ, "1000 files")
    entries = index({f"{idx:x}": "a" for idx in range(1_000_000)})
    yield Hostile("safetensors_index_of_a_million_tensors", entries, INDEX, NOT_READ, "opened")
    device = index({"a": "a.bin"}, lambda run: os.symlink("/dev/zero", run / "a.bin"))
    yield Hostile("safetensors_index_names_a_device", device, INDEX, NOT_READ, "regular file")
    fifo = index({"a": "a.bin"}, lambda run: os.mkfifo(run / "a.bin"))
    yield Hostile("safetensors_index_names_a_fifo", fifo, INDEX, NOT_READ, "regular file")
    crowd = index({f"t{idx}": f"part{idx:03}.safetensors" for idx in range(1_000)}, links)
    yield Hostile("safetensors_index_of_1000_links", crowd, INDEX, "")
    for name, text in (
        ("a_list", "[]"),
        ("numbers", '{"weight_map": {"a": 7}}'),
        ("nothing", "{}"),
    ):
        yield of(f"safetensors_index_of_{name}", INDEX, text.encode(), BAD, "index")
    yield of("safetensors_index_cut", INDEX, b'{"weight_map": {"a": "b', BAD, "not whole")
    deep = b'{"weight_map": ' + b"[" * 1_000_000
    yield of("safetensors_index_depth_of_a_million", INDEX, deep, BAD)
