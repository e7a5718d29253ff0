"""Members, right or wrong as asked -> the bytes of zip archives."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass


@dataclass
class Member:
    """A member, and what its headers claim.

    Attributes:
        name: its name.
        content: its bytes in the archive.
        method: 0 for stored, 8 for deflated, others for what nobody knows.
        length: the claimed length; None for the right one.
        flags: 1 for encrypted.
        crc: the claimed CRC; None for the right one.
        at: where its local header is claimed to be; None for where it is.
        long: whether its lengths stand in a field of 64 bits.
    """

    name: str | bytes
    content: bytes
    method: int = 0
    length: int | None = None
    flags: int = 0
    crc: int | None = None
    at: int | None = None
    long: bool = False

    @property
    def raw_name(self) -> bytes:
        """The name's bytes."""
        return self.name.encode() if isinstance(self.name, str) else self.name

    def fixed(self) -> tuple[bytes, bytes]:
        """What both headers say of it, and the extra field."""
        length = len(self.content) if self.length is None else self.length
        crc = zlib.crc32(self.content) if self.crc is None else self.crc
        packed = len(self.content) if self.length is None or self.method else length
        extra = struct.pack("<HHQQ", 1, 16, length, packed) if self.long else b""
        lengths = (0xFFFFFFFF, 0xFFFFFFFF) if self.long else (packed, length)
        head = struct.pack("<HHHHHIII", 20, self.flags, self.method, 0, 0, crc, *lengths)
        return head + struct.pack("<HH", len(self.raw_name), len(extra)), extra


def local(member: Member) -> bytes:
    """The local header of a member and its bytes."""
    fixed, extra = member.fixed()
    return b"PK\x03\x04" + fixed + member.raw_name + extra + member.content


def listed(member: Member, at: int) -> bytes:
    """The entry of a member in the directory."""
    fixed, extra = member.fixed()
    at = at if member.at is None else member.at
    more = struct.pack("<HHHII", 0, 0, 0, 0, at)
    return b"PK\x01\x02\x14\x00" + fixed + more + member.raw_name + extra


def end(count: int, length: int, offset: int, comment: bytes = b"") -> bytes:
    """The end of an archive."""
    fields = (0, 0, count & 0xFFFF, count & 0xFFFF, length, offset, len(comment))
    return b"PK\x05\x06" + struct.pack("<HHHHIIH", *fields) + comment


def long_end(count: int, length: int, offset: int, at: int) -> bytes:
    """The end of an archive in fields of 64 bits; ``at`` is where it will be."""
    fields = (44, 45, 45, 0, 0, count, count, length, offset)
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", *fields)
    return (
        record + b"PK\x06\x07" + struct.pack("<IQI", 0, at, 1) + end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    )


def archive(members: list[Member]) -> bytes:
    """An archive."""
    body, directory = bytearray(), bytearray()
    for member in members:
        directory += listed(member, len(body))
        body += local(member)
    offset = len(body)
    last = end(len(members), len(directory), offset)
    if len(members) > 0xFFFF:
        last = long_end(len(members), len(directory), offset, offset + len(directory))
    return bytes(body + directory) + last
