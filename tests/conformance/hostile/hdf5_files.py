"""Messages, right or wrong as asked -> the bytes of HDF5 files of the old form."""

from __future__ import annotations

import struct

UNDEFINED = (1 << 64) - 1
DATASPACE, DATATYPE, LINK, EXTERNAL, LAYOUT, FILTERS = 0x01, 0x03, 0x06, 0x07, 0x08, 0x0B
ATTRIBUTE, CONTINUATION, SYMBOL_TABLE = 0x0C, 0x10, 0x11
SUPERBLOCK_LEN = 96
FLOAT32 = b"\x11\x20\x1f\x00" + struct.pack("<IHHBBBBI", 4, 0, 32, 23, 8, 0, 23, 127)
TEXT_OF_ANY_LENGTH = b"\x19\x01\x00\x00" + struct.pack("<I", 16) + b"\x13\0\0\0\1\0\0\0"


class File:
    """A file that grows: each part that is put into it has an address."""

    def __init__(self) -> None:
        """Only the room of the superblock."""
        self.data = bytearray(SUPERBLOCK_LEN)

    def put(self, content: bytes) -> int:
        """Appends bytes at an address that is a multiple of 8."""
        self.data += bytes(-len(self.data) % 8)
        at = len(self.data)
        self.data += content
        return at

    def header(self, *messages: bytes, at: int | None = None) -> int:
        """Appends an object header, or puts it where there is room for it."""
        body = b"".join(messages)
        content = struct.pack("<BBHIII", 1, 0, len(messages) & 0xFFFF, 1, len(body), 0) + body
        if at is None:
            return self.put(content)
        self.data[at : at + len(content)] = content
        return at

    def whole(self, root: int, end: int | None = None) -> bytes:
        """The file with a superblock, whose root group has its header at ``root``."""
        end = len(self.data) if end is None else end
        start = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0])
        start += struct.pack("<HHI", 4, 16, 0) + struct.pack("<QQQQ", 0, UNDEFINED, end, UNDEFINED)
        start += struct.pack("<QQII", 0, root, 0, 0) + bytes(16)
        self.data[: len(start)] = start
        return bytes(self.data)


def message(kind: int, body: bytes, length: int | None = None) -> bytes:
    """A message of an object header."""
    body += bytes(-len(body) % 8)
    return struct.pack("<HHBBBB", kind, len(body) if length is None else length, 0, 0, 0, 0) + body


def link(name: str, address: int) -> bytes:
    """The message of a link."""
    raw = name.encode()
    return message(LINK, struct.pack("<BBH", 1, 1, len(raw)) + raw + struct.pack("<Q", address))


def dataspace(*lengths: int) -> bytes:
    """The message of a shape."""
    head = struct.pack("<BBB5x", 1, len(lengths) & 0xFF, 0)
    return message(DATASPACE, head + b"".join(struct.pack("<Q", length) for length in lengths))


def datatype(content: bytes = FLOAT32) -> bytes:
    """The message of an element type."""
    return message(DATATYPE, content)


def contiguous(address: int, length: int) -> bytes:
    """The message of numbers in one piece."""
    return message(LAYOUT, b"\x03\x01" + struct.pack("<QQ", address, length))


def chunked(tree: int, *lengths: int) -> bytes:
    """The message of numbers in chunks that a tree lists."""
    body = b"\x03\x02" + struct.pack("<BQ", len(lengths) + 1, tree)
    return message(LAYOUT, body + b"".join(struct.pack("<I", length) for length in (*lengths, 4)))


def in_a_row(address: int, *lengths: int) -> bytes:
    """The message of numbers in chunks one after the other."""
    body = struct.pack("<BBBBB", 4, 2, 0, len(lengths) + 1, 4)
    body += b"".join(struct.pack("<I", length) for length in (*lengths, 4))
    return message(LAYOUT, body + struct.pack("<BQ", 2, address))


def tree(kind: int, level: int, children: list[tuple[bytes, int]]) -> bytes:
    """A node of a tree."""
    head = b"TREE" + struct.pack("<BBHQQ", kind, level, len(children), UNDEFINED, UNDEFINED)
    return head + b"".join(key + struct.pack("<Q", child) for key, child in children)


def chunk_key(*first: int) -> bytes:
    """The key of a chunk of float32 that begins at these indices."""
    return struct.pack("<II", 4, 0) + b"".join(struct.pack("<Q", index) for index in (*first, 0))


def attribute(name: str, count: int, values: bytes, form: bytes = TEXT_OF_ANY_LENGTH) -> bytes:
    """The message of an attribute."""
    raw = name.encode() + b"\0"
    space = struct.pack("<BBB5xQ", 1, 1, 0, count)
    head = struct.pack("<BBHHH", 1, 0, len(raw), len(form), len(space))
    padded = [part + bytes(-len(part) % 8) for part in (raw, form, space)]
    return message(ATTRIBUTE, head + b"".join(padded) + values)


def text_heap(text: bytes) -> bytes:
    """A global heap with one object."""
    padded = text + bytes(-len(text) % 8)
    length = 16 + 16 + len(padded) + 16
    item = struct.pack("<HHIQ", 1, 1, 0, len(text)) + padded
    return b"GCOL\x01\0\0\0" + struct.pack("<Q", length) + item + bytes(16)
