"""Hostile checkpoints of JAX: directories of Orbax, and files of Flax."""

from __future__ import annotations

import gzip
import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import orbax_files as o
from case import Tensors, kernel
from checkpoints import BAD, NOT_READ, Content, Hostile, Hostiles, bytes_of, kind, of

FILE = "_METADATA"
FLAX = "model.msgpack"
WEIGHT = kernel(1)
SHAPE = list(WEIGHT.shape)
RAW = WEIGHT.astype("<f4").tobytes()
ZARRAY = o.zarray(SHAPE, SHAPE)
GOOD: Tensors = {("kernel", 12): WEIGHT}


def saved(
    name: str,
    files: Callable[[], o.Files] | o.Files,
    told: str = BAD,
    words: str = "",
    *,
    good: Tensors | None = None,
    verified: str | None = None,
) -> Hostile:
    """A hostile directory of Orbax."""

    def make(run: Path) -> None:
        o.write(run, files() if callable(files) else files)

    return Hostile(name, make, FILE, told, words, good=good, verified=verified)


@kind
def trees() -> Hostiles:
    """What names the arrays: deep, large, or leading elsewhere."""
    yield saved("orbax_good", o.plain(ZARRAY, _0_0_0_0=RAW), "", good=GOOD)
    deep = b'{"tree_metadata":' + b"[" * 100_000
    yield saved("orbax_metadata_of_depth_100000", {FILE: deep}, "", verified="-")
    deep = b'{"tree_metadata":{"a":{"key_metadata":[{"key":' + b'{"a":' * 100_000
    yield saved("orbax_key_of_depth_100000", {FILE: deep}, BAD)
    leaf = '"%d":{"key_metadata":[{"key":"%d"}],"value_metadata":{}}'

    def million() -> o.Files:
        leaves = ",".join(leaf % (idx, idx) for idx in range(1_000_000))
        return {FILE: b'{"tree_metadata":{' + leaves.encode() + b"}}"}

    yield saved("orbax_million_leaves", million, NOT_READ)

    def many() -> o.Files:
        leaves = ",".join(leaf % (idx, idx) for idx in range(400_000))
        return {FILE: b'{"tree_metadata":{' + leaves.encode() + b"}}"}

    yield saved("orbax_400000_leaves", many, NOT_READ, "50000")

    def entries() -> o.Files:
        return {FILE: b'{"tree_metadata":{"a":[' + b"0," * 15_000_000 + b"0]}}"}

    yield saved("orbax_15_million_entries", entries, NOT_READ)
    keys = ",".join(['{"key":"k"}'] * 100_000)
    deep = b'{"tree_metadata":{"a":{"key_metadata":[%s],"value_metadata":{}}},"use_ocdbt":false}'
    yield saved("orbax_leaf_of_100000_keys", {FILE: deep % keys.encode()}, "", verified="-")
    long = o.metadata("k" * (12 << 20), use_ocdbt=False)
    yield saved("orbax_name_of_20_megabytes", {FILE: long}, "", verified="-")
    damaged = {f"{'k' * 250}/.zarray": b"{}", FILE: o.metadata("k" * 250, use_ocdbt=False)}
    yield saved("orbax_long_name_of_a_damaged_array", damaged, BAD)
    above = {FILE: o.metadata("kernel", "../../../../../etc", "/etc/ssl", use_ocdbt=False)}
    above |= {"kernel/.zarray": ZARRAY, "kernel/0.0.0.0": RAW}
    yield saved("orbax_arrays_elsewhere", above, NOT_READ, "out of its directory", good=GOOD)
    same = json.loads(o.metadata("kernel", use_ocdbt=False))["tree_metadata"].popitem()[1]
    again = {
        FILE: json.dumps({"tree_metadata": {str(idx): same for idx in range(50_000)}}).encode()
    }
    again |= {"kernel/.zarray": ZARRAY, "kernel/0.0.0.0": RAW, "manifest.ocdbt": b""}
    yield saved("orbax_with_an_empty_manifest", again, BAD)


@kind
def arrays() -> Hostiles:
    """Shapes, grids and codecs that are impossible or enormous."""
    zarrays = {
        "of_2_to_63": (o.zarray([1 << 63], [1 << 63]), BAD),
        "of_2_to_63_in_two_axes": (o.zarray([1 << 63, 1 << 63], [1 << 63, 1 << 63]), BAD),
        "of_10_to_12_chunks": (o.zarray([10**12], [1]), NOT_READ),
        "of_2_to_124_chunks": (o.zarray([1 << 62, 1 << 62], [1, 1]), NOT_READ),
        "of_chunks_of_0": (o.zarray([4], [0]), BAD),
        "of_minus_1": (o.zarray([-1], [1]), BAD),
        "of_10000_axes": (o.zarray([1] * 10_000, [1] * 10_000), BAD),
        "of_chunks_of_2_to_63": (o.zarray([4], [1 << 63]), BAD),
        "of_deep_json": (b'{"fill_value":' + b"[" * 100_000, BAD),
        "of_a_megabyte": (b" " * (2 << 20) + ZARRAY, NOT_READ),
        "of_an_odd_fill_value": (o.zarray([1], [1], fill_value="x" * 900_000), NOT_READ),
        "of_an_odd_type": (o.zarray([1], [1], dtype="x" * 900_000), ""),
        "of_an_odd_order": (o.zarray([1], [1], order="x" * 900_000), BAD),
        "of_an_odd_compressor": (o.zarray([1], [1], compressor={"id": "x" * 900_000}), NOT_READ),
        "of_a_cut_chunk": (o.zarray([1], [1]), BAD),
    }
    for name, (array, told) in zarrays.items():
        yield saved(f"zarr_{name}", o.plain(array, _0=b"abc"), told)
    bytes_codec = {"name": "bytes"}
    zarr3 = {
        "order_of_one_axis": (
            o.zarr3(
                [2, 2],
                [2, 2],
                [{"name": "transpose", "configuration": {"order": [0, 0]}}, bytes_codec],
            ),
            BAD,
        ),
        "shards_of_2_to_40_chunks": (o.zarr3([1 << 40], [1 << 40], o.sharded([1])), NOT_READ),
        "shards_that_do_not_divide": (o.zarr3([4], [4], o.sharded([3])), BAD),
        "shards_of_0": (o.zarr3([4], [4], o.sharded([0])), BAD),
        "shard_without_an_index": (o.zarr3([4], [4], o.sharded([2])), BAD),
        "10000_codecs": (o.zarr3([1], [1], [bytes_codec] + [{"name": "crc32c"}] * 10_000), ""),
        "no_codecs": (o.zarr3([1], [1], []), BAD),
        "shards_in_shards": (
            o.zarr3(
                [1],
                [1],
                [
                    {
                        "name": "sharding_indexed",
                        "configuration": {"chunk_shape": [1], "codecs": o.sharded([1])},
                    }
                ],
            ),
            NOT_READ,
        ),
        "deep_codecs": (
            o.zarr3([1], [1], []).replace(
                b"[]", b'[{"name":"a","configuration":{"codecs":' * 20_000
            ),
            BAD,
        ),
    }
    for name, (array, told) in zarr3.items():
        files = {FILE: o.metadata("kernel", use_ocdbt=False), "kernel/zarr.json": array}
        verified = "faults" if name == "10000_codecs" else None
        yield saved(f"zarr3_{name}", files | {"kernel/c/0": b"abc"}, told, verified=verified)
    shard = {FILE: o.metadata("kernel", use_ocdbt=False)}
    shard["kernel/zarr.json"] = o.zarr3([4], [4], o.sharded([2]))
    for name, (offset, length) in {
        "outside": (100, 8),
        "at_2_to_63": (1 << 63, 1 << 63),
        "before_nothing": ((1 << 64) - 1, 8),
        "in_its_index": (0, 48),
    }.items():
        chunk = bytes(16) + struct.pack("<QQQQ", offset, length, 0, 8)
        yield saved(f"zarr3_shard_{name}", shard | {"kernel/c/0": chunk}, BAD)


@kind
def bombs() -> Hostiles:
    """Chunks and nodes of few bytes that unpack to gigabytes, and a window of all memory."""
    gibibyte = o.zeros_of_zstd(1 << 30)
    packed = {
        "zstd": gibibyte,
        "zstd_of_a_huge_window": o.zeros_of_zstd(1 << 20, window=0xFF),
        "zlib": zlib.compress(bytes(1 << 27), 9),
        "gzip": gzip.compress(bytes(1 << 27), 9),
    }
    for name, chunk in packed.items():
        array = o.zarray(SHAPE, SHAPE, compressor={"id": name.split("_")[0]})
        # A frame of Zstandard has no checksum here, so nothing is compared.
        verified = "" if name.startswith("zstd") else "faults"
        yield saved(f"zarr_bomb_of_{name}", o.plain(array, _0_0_0_0=chunk), "", verified=verified)
    twice = [{"name": "bytes"}] + [{"name": "zstd"}] * 3
    files = {FILE: o.metadata("kernel", use_ocdbt=False)}
    files["kernel/zarr.json"] = o.zarr3(SHAPE, SHAPE, twice)
    yield saved("zarr3_bomb_in_a_bomb", files | {"kernel/c/0/0/0/0": gibibyte}, "")
    array = o.zarray([1 << 30], [1 << 30], compressor={"id": "zstd"})
    yield saved(
        "zarr_of_4_gib_of_zeros", o.plain(array, _0=o.zeros_of_zstd(4 << 30)), "", verified="-"
    )
    node = o.framed(o.NODE, gibibyte, is_packed=True)
    yield saved("ocdbt_bomb_in_a_node", o.database(node), BAD, "64 MiB")
    manifest = o.framed(o.MANIFEST, gibibyte, is_packed=True)
    yield saved("ocdbt_bomb_in_the_manifest", o.database(b"") | {"manifest.ocdbt": manifest}, BAD)
    node = o.framed(o.NODE, o.zeros_of_zstd(60 << 20), is_packed=True)
    yield saved("ocdbt_node_of_60_mib_of_zeros", o.database(node), BAD)


def flat(n_entries: int, value: o.Value = b"") -> dict[bytes, o.Value]:
    """So many keys of one value."""
    return {b"%08x" % idx: value for idx in range(n_entries)}


@kind
def nodes() -> Hostiles:
    """Nodes of databases that lead astray, repeat, or are very many."""
    entries: dict[bytes, o.Value] = {b"kernel/.zarray": ZARRAY, b"kernel/0.0.0.0": RAW}
    good = o.leaf(entries)
    yield saved("ocdbt_good", o.database(good), "", good=GOOD)
    for name, path in (
        ("above", "../../../etc/passwd"),
        ("absolute", "/etc/passwd"),
        ("null", "a\0b"),
    ):
        manifest = {"manifest.ocdbt": o.manifest(path, 30)}
        yield saved(f"ocdbt_root_{name}", o.database(good) | manifest, BAD)
        away = o.leaf(entries | {b"kernel/0.0.0.0": (0, 16)}, path)
        told = NOT_READ if name == "null" else BAD
        yield saved(f"ocdbt_numbers_{name}", o.database(away), told)
    outside = o.leaf(entries | {b"kernel/0.0.0.0": (1 << 62, 288)}, "d/0")
    yield saved("ocdbt_numbers_outside_of_a_file", o.database(outside), BAD)
    outside = o.leaf(entries | {b"kernel/0.0.0.0": ((1 << 64) - 4, 288)}, "d/0")
    yield saved("ocdbt_numbers_at_2_to_64", o.database(outside), BAD)
    manifest = {"manifest.ocdbt": o.manifest("d/0", len(good), offset=1 << 60)}
    yield saved("ocdbt_root_outside_of_a_file", o.database(good) | manifest, BAD)
    manifest = {"manifest.ocdbt": o.manifest("d/0", 1 << 60)}
    yield saved("ocdbt_root_of_2_to_60", o.database(good) | manifest, BAD)
    wrong = o.framed(o.NODE, o.leaf_body(entries), crc=7)
    yield saved("ocdbt_wrong_checksum", o.database(wrong), BAD, "checksum")
    keys = [b"%04x" % idx for idx in range(1_000)]
    length = len(o.interior(3, "d/0", keys, [(0, 20_000)] * 1_000))
    circle = o.interior(3, "d/0", keys, [(0, length)] * 1_000)
    yield saved("ocdbt_tree_in_itself", o.database(circle, height=3), BAD)
    yield saved("ocdbt_of_200_levels", o.database(circle, height=200), BAD)
    levels = {"1": o.leaf({b"": b"x"})}
    for height in range(1, 6):
        below = levels[str(height)]
        here = o.interior(height, f"d/{height}", keys, [(0, len(below))] * 1_000)
        levels[str(height + 1)] = here
    root = o.interior(6, "d/6", keys, [(0, len(levels["6"]))] * 1_000)
    yield saved("ocdbt_tree_of_10_to_18_nodes", o.database(root, height=6, **levels), NOT_READ)

    def long_keys() -> o.Files:
        # What stands before the keys of the root stands before those of all levels below it.
        short = [b"%04d" % idx for idx in range(1_900)]
        levels, below = {"n0": o.leaf({b"": b"x"})}, 0
        for height in range(1, 11):
            below = len(levels[f"n{height - 1}"])
            node = o.interior(height, f"d/n{height - 1}", short, [(0, below)] * 1_900)
            levels[f"n{height}"] = node
        long = [b"k" * 15_000 + key for key in short]
        root = o.interior(11, "d/n10", long, [(0, len(levels["n10"]))] * 1_900)
        return o.database(root, height=11, **levels)

    yield saved("ocdbt_long_keys_of_many_levels", long_keys, BAD, "too long")
    yield saved("ocdbt_million_entries", lambda: o.database(o.leaf(flat(1_000_000))), NOT_READ)
    yield saved("ocdbt_450000_entries", lambda: o.database(o.leaf(flat(450_000))), NOT_READ)
    names = [f"f{idx}" for idx in range(100_000)]
    yield saved("ocdbt_100000_files", lambda: o.database(o.leaf(entries, *names)), NOT_READ)
    claims = o.framed(o.NODE, b"\0\0" + b"\xff" * 9 + b"\x01" + bytes(1_000))
    yield saved("ocdbt_claims_2_to_64_entries", o.database(claims), BAD)
    claims = o.framed(o.NODE, b"\0\0" + b"\xff" * 11)
    yield saved("ocdbt_number_of_77_bits", o.database(claims), BAD)
    huge = o.leaf({b"k" * 20_000: b""})
    yield saved("ocdbt_key_of_20000_bytes", o.database(huge), BAD)
    held = o.leaf({b"%04d" % idx: bytes(1 << 20) for idx in range(60)})
    yield saved("ocdbt_60_mib_of_values", lambda: o.database(held), "", verified="-")


@kind
def lying_over() -> Hostiles:
    """Small chunks that all are the same bytes of one shard, which is a value in the database."""
    count = 60_000
    array = o.zarr3([count], [count], o.sharded([1]))
    # Each of them claims all bytes, which are compressed.
    array = array.replace(
        b'[{"name": "bytes"}], "index', b'[{"name": "bytes"}, {"name": "zstd"}], "index'
    )

    def files() -> o.Files:
        shard = struct.pack("<QQ", 0, 16 * count) * count
        return o.database(o.leaf({b"kernel/zarr.json": array, b"kernel/c/0": shard}))

    yield saved("zarr3_60000_chunks_of_a_megabyte", files, "")


@kind
def odd_places() -> Hostiles:
    """Directories with FIFOs, links and very many files."""
    good = o.leaf({b"kernel/.zarray": ZARRAY, b"kernel/0.0.0.0": (0, 288)}, "d/1")

    def fifo(run: Path) -> None:
        os.mkfifo(o.write(run, o.database(good)) / "d" / "1")

    yield Hostile("ocdbt_numbers_in_a_fifo", fifo, FILE, NOT_READ, "not there")

    def fifo_of_a_chunk(run: Path) -> None:
        os.mkfifo(o.write(run, o.plain(ZARRAY)) / "kernel" / "0.0.0.0")

    yield Hostile("zarr_chunk_is_a_fifo", fifo_of_a_chunk, FILE, "", verified="-")

    def circle(run: Path) -> None:
        item = o.write(run, o.database(good))
        (item / "d" / "1").symlink_to("1")

    yield Hostile("ocdbt_numbers_in_a_link_to_itself", circle, FILE, NOT_READ, verified="faults")

    def zeros(run: Path) -> None:
        item = o.write(run, o.database(good))
        (item / "d" / "1").symlink_to("/dev/zero")

    yield Hostile("ocdbt_numbers_in_a_device", zeros, FILE, NOT_READ)

    def processes(run: Path) -> None:
        item = o.write(run, {FILE: o.metadata("kernel")})
        for idx in range(5_000):
            (item / f"ocdbt.process_{idx}").mkdir()
            (item / f"ocdbt.process_{idx}" / "manifest.ocdbt").write_bytes(o.manifest("d/0", 0))

    yield Hostile("orbax_of_5000_processes", processes, FILE, "", verified="-")

    def chunks(run: Path) -> None:
        item = o.write(run, o.plain(o.zarray([12_000], [1])))
        for idx in range(12_000):
            (item / "kernel" / str(idx)).write_bytes(b"\0\0\x80?")

    yield Hostile("zarr_of_12000_files", chunks, FILE, "")


def text(value: str) -> bytes:
    """A text of MessagePack."""
    raw = value.encode()
    return b"\xdb" + struct.pack(">I", len(raw)) + raw


def array(shape: list[int], raw: bytes, dtype: str = "float32", claims: int | None = None) -> bytes:
    """An array as Flax packs it."""
    lengths = b"".join(b"\xcf" + struct.pack(">Q", length) for length in shape)
    body = b"\x93\xdc" + struct.pack(">H", len(shape)) + lengths + text(dtype)
    body += b"\xc6" + struct.pack(">I", len(raw)) + raw
    return b"\xc9" + struct.pack(">Ib", len(body) if claims is None else claims, 1) + body


def flax(name: str, value: Content, told: str = BAD, words: str = "") -> Hostile:
    """A file of one entry."""
    return of(f"flax_{name}", FLAX, lambda: b"\x81" + text("kernel") + bytes_of(value), told, words)


@kind
def packs() -> Hostiles:
    """Files of Flax that nest, claim and repeat."""
    whole = array(SHAPE, RAW)
    yield flax("good", whole, "")
    yield flax("depth_of_100000_lists", b"\x91" * 100_000 + b"\xc0", NOT_READ)
    yield flax("depth_of_100000_maps", b"\x81\xa1a" * 100_000 + b"\xc0", NOT_READ)
    yield flax("list_of_2_to_32", b"\xdd\xff\xff\xff\xff", BAD)
    yield flax("map_of_2_to_32", b"\xdf\xff\xff\xff\xff", BAD)
    yield flax("text_of_2_to_32", b"\xdb\xff\xff\xff\xff", BAD)
    yield flax("cut_array", whole[:-7], BAD)
    yield flax("tail", whole + b"\0", BAD)
    yield flax("array_that_claims_less", array(SHAPE, RAW, claims=20), BAD)
    yield flax("array_that_claims_more", array(SHAPE, RAW, claims=1 << 31), BAD)
    yield flax("array_of_2_to_62", array([1 << 62], RAW), BAD)
    yield flax("array_of_overflow", array([1 << 33, 1 << 33], RAW), BAD)
    yield flax("array_of_minus_1", array([(1 << 64) - 1], RAW), BAD)
    yield flax("array_of_10000_axes", array([1] * 10_000, RAW), BAD)
    yield flax("array_of_nothing", b"\xd4\x01\xc0", BAD)
    yield flax("key_of_a_list", b"\x81\x91\xc0\xc0", BAD)
    yield flax("million_keys", b"\xdf\0\x0f\x42\x40" + b"\xa1a\x01" * 1_000_000, NOT_READ)
    yield flax("5_million_values", b"\xdd\x00\x4c\x4b\x40" + b"\xc0" * 5_000_000, NOT_READ)
    names = text("n" * 4_000) + b"\x81" + text("n" * 4_000)
    yield flax("long_names", b"\xde\xff\xff" + (names + b"\x01") * 65_535, NOT_READ)
    yield flax(
        "200000_arrays",
        lambda: (
            b"\xdf\0\x03\r@"
            + b"".join(text(str(idx)) + array([1], b"abcd") for idx in range(200_000))
        ),
        NOT_READ,
    )

    def chunked(shape: list[int], *chunks: bytes) -> bytes:
        lengths = b"".join(
            text(str(idx)) + b"\xcf" + struct.pack(">Q", length) for idx, length in enumerate(shape)
        )
        parts = b"".join(text(str(idx)) + chunk for idx, chunk in enumerate(chunks))
        head = b"\x83" + text("__msgpack_chunked_array__") + b"\xc3" + text("shape")
        head += bytes([0x80 + len(shape)]) + lengths
        return head + text("chunks") + bytes([0x80 + len(chunks)]) + parts

    quarter = array([36], bytes(144))
    yield flax("chunks_of_less", chunked([72, 2], quarter), BAD)
    yield flax("chunks_of_more", chunked([2, 2], quarter), BAD)
    yield flax("chunks_of_2_to_126", chunked([1 << 63, 1 << 63], quarter), BAD)
    odd = array([1 << 33, 1 << 33], b"", "a type of nobody")
    yield flax("chunks_of_an_odd_type", chunked([1 << 62], odd), BAD)
