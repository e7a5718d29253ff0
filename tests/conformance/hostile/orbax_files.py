"""Keys and values, right or wrong as asked -> databases of OCDBT, and arrays of Zarr."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import google_crc32c
from wire import varint

MANIFEST, NODE = 0x0CDB3A2A, 0x0CDB20DE
BLOCK = 128 << 10
"""The most bytes of one block of Zstandard."""


def zeros_of_zstd(length: int, window: int = 0x68) -> bytes:
    """A frame of Zstandard that unpacks to zeros: each block repeats a byte."""
    n_blocks = length // BLOCK
    block = (2 | BLOCK << 3).to_bytes(3, "little") + b"\0"
    last = (3 | BLOCK << 3).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\x00" + bytes([window]) + block * (n_blocks - 1) + last


def framed(magic: int, body: bytes, *, is_packed: bool = False, crc: int | None = None) -> bytes:
    """A manifest or a node."""
    head = struct.pack(">I", magic) + struct.pack("<Q", 4 + 8 + 2 + len(body) + 4)
    content = head + bytes([0, is_packed]) + body
    return content + struct.pack("<I", google_crc32c.value(content) if crc is None else crc)


def table(*paths: str | bytes) -> bytes:
    """A table of files."""
    raw = [path.encode() if isinstance(path, str) else path for path in paths]
    own = b"".join(varint(len(path)) for path in raw)
    return varint(len(raw)) + bytes(max(len(raw) - 1, 0)) + own + bytes(len(raw)) + b"".join(raw)


def manifest(path: str, length: int, *, offset: int = 0, height: int = 0) -> bytes:
    """A manifest whose root is in this file."""
    body = bytes(16) + bytes([0, 100, 100, 4, 0]) + table(path) + bytes([1, 1, height, 0])
    return framed(MANIFEST, body + varint(offset) + varint(length) + bytes(12))


Value = bytes | tuple[int, int]
"""The bytes, or where they are in the file of the table."""


def leaf_body(entries: dict[bytes, Value], *paths: str) -> bytes:
    """The body of a node of keys."""
    keys = sorted(entries)
    places = [entries[key] for key in keys if isinstance(entries[key], tuple)]
    parts = [
        b"\0",
        table(*paths),
        varint(len(keys)),
        bytes(max(len(keys) - 1, 0)),
        b"".join(varint(len(key)) for key in keys),
        b"".join(keys),
    ]
    for key in keys:
        value = entries[key]
        parts.append(varint(value[1] if isinstance(value, tuple) else len(value)))
    parts.append(bytes(isinstance(entries[key], tuple) for key in keys))
    parts.append(bytes(len(places)))
    parts += [varint(offset) for offset, _ in places]
    parts += [value for key in keys if isinstance(value := entries[key], bytes)]
    return b"".join(parts)


def leaf(entries: dict[bytes, Value], *paths: str) -> bytes:
    """A node of keys."""
    return framed(NODE, leaf_body(entries, *paths))


def interior(height: int, path: str, keys: list[bytes], places: list[tuple[int, int]]) -> bytes:
    """A node whose children are at these places of a file; their keys have all in common."""
    parts = [bytes([height]), table(path), varint(len(keys))]
    shared = [0]
    for before, key in zip(keys, keys[1:], strict=False):
        same = next(
            (at for at, two in enumerate(zip(before, key, strict=False)) if len({*two}) > 1), 0
        )
        shared.append(same)
    parts += [varint(length) for length in shared[1:]]
    parts += [varint(len(key) - length) for key, length in zip(keys, shared, strict=True)]
    parts += [varint(len(key)) for key in keys]
    parts += [key[length:] for key, length in zip(keys, shared, strict=True)]
    parts.append(bytes(len(keys)))
    parts += [varint(offset) for offset, _ in places] + [varint(length) for _, length in places]
    return framed(NODE, b"".join(parts) + bytes(3 * len(keys)))


def metadata(*names: str, **more: Any) -> bytes:
    """A ``_METADATA`` of arrays with these names."""
    leaves = {
        f"({name!r},)": {
            "key_metadata": [{"key": name, "key_type": 2}],
            "value_metadata": {"value_type": "jax.Array", "skip_deserialize": False},
        }
        for name in names
    }
    return json.dumps({"tree_metadata": leaves} | more).encode()


def zarray(shape: list[int], chunks: list[int], **more: Any) -> bytes:
    """The metadata of an array of Zarr 2."""
    fields = {
        "zarr_format": 2,
        "shape": shape,
        "chunks": chunks,
        "dtype": "<f4",
        "compressor": None,
        "fill_value": None,
        "order": "C",
        "filters": None,
        "dimension_separator": ".",
    }
    return json.dumps(fields | more).encode()


def zarr3(shape: list[int], chunks: list[int], codecs: list[Any], **more: Any) -> bytes:
    """The metadata of an array of Zarr 3."""
    fields = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": "float32",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
        "chunk_key_encoding": {"name": "default"},
        "fill_value": 0,
        "codecs": codecs,
    }
    return json.dumps(fields | more).encode()


def sharded(chunk: list[int]) -> list[Any]:
    """The codecs of an array in shards of these chunks."""
    configuration = {
        "chunk_shape": chunk,
        "codecs": [{"name": "bytes"}],
        "index_codecs": [{"name": "bytes"}],
    }
    return [{"name": "sharding_indexed", "configuration": configuration}]


Files = dict[str, bytes]


def write(run: Path, files: Files) -> Path:
    """Writes the files of a checkpoint and returns its directory."""
    item = run / "12" / "default"
    for name, content in files.items():
        (item / name).parent.mkdir(parents=True, exist_ok=True)
        (item / name).write_bytes(content)
    return item


def plain(array: bytes, *, name: str = "kernel", **chunks: bytes) -> Files:
    """A checkpoint of an array of Zarr 2 in a directory of its own."""
    files = {"_METADATA": metadata(name, use_ocdbt=False), f"{name}/.zarray": array}
    return files | {f"{name}/{key[1:].replace('_', '.')}": chunk for key, chunk in chunks.items()}


def database(root: bytes, *, height: int = 0, **more: bytes) -> Files:
    """A checkpoint of a database whose root is all of ``d/0``."""
    files = {
        "_METADATA": metadata("kernel"),
        "manifest.ocdbt": manifest("d/0", len(root), height=height),
    }
    return files | {"d/0": root} | {f"d/{name}": content for name, content in more.items()}
