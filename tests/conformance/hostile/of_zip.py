"""Hostile archives: as PyTorch's and as Keras's."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import pickles as p
import zips
from checkpoints import BAD, NOT_READ, Hostile, Hostiles, kind, of
from of_pytorch import CONTENT, VALUE, WEIGHT, WHOLE
from zips import Member

FILE = "model.pt"
PICKLE = p.whole(VALUE)


def with_pickle(member: Member) -> bytes:
    """An archive with this member in the place of the pickle."""
    return zips.archive([member, *p.saved(PICKLE, CONTENT)[1:]])


@kind
def packed() -> Hostiles:
    """Members that are compressed or encrypted: nothing is unpacked, so no bomb goes off."""
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    # After a full flush the next part does not depend on those before it, so one is enough.
    megabyte = bomb.compress(bytes(1 << 20)) + bomb.flush(zlib.Z_FULL_FLUSH)
    zeros = megabyte * 4_096 + bomb.flush()
    members = {
        "bomb_of_4_gib": Member("m/data.pkl", zeros, 8, length=0xFFFFFFFE),
        "bomb_of_2_to_63": Member("m/data.pkl", zeros, 8, length=1 << 63, long=True),
        "deflated": Member("m/data.pkl", zlib.compress(PICKLE)[2:-4], 8, length=len(PICKLE)),
        "encrypted": Member("m/data.pkl", PICKLE, flags=1),
        "strongly_encrypted": Member("m/data.pkl", PICKLE, flags=0x41),
    }
    for name, number in (
        ("zstd", 93),
        ("lzma", 14),
        ("bzip2", 12),
        ("unknown", 99),
        ("aes", 0xFFFF),
    ):
        members[f"packed_with_{name}"] = Member("m/data.pkl", PICKLE, number)
    for name, member in members.items():
        yield of(f"zip_{name}", FILE, with_pickle(member), NOT_READ, "unpack the archive")
    storage = Member("m/data/0", zeros, 8, length=0xFFFFFFFE)
    content = zips.archive([*p.saved(PICKLE), storage])
    yield of("zip_bomb_in_a_storage", FILE, content, NOT_READ, "compressed")
    keras = [Member("config.json", b"{}"), Member("model.weights.h5", zeros, 8, length=0xFFFFFFFE)]
    yield of("zip_bomb_in_keras", "model.keras", zips.archive(keras), NOT_READ, "compressed")
    config = [Member("config.json", zeros, 8, length=0xFFFFFFFE), Member("model.weights.h5", b"x")]
    yield of("zip_bomb_of_a_configuration", "model.keras", zips.archive(config), BAD)


@kind
def lies() -> Hostiles:
    """Lengths, places and numbers of members that the archive does not have."""
    members = {
        "longer_than_the_archive": Member("m/data.pkl", PICKLE, length=1 << 30),
        "of_2_to_64": Member("m/data.pkl", PICKLE, length=(1 << 64) - 1, long=True),
        "at_the_end": Member("m/data.pkl", PICKLE, at=0xFFFFFFF0),
        "at_another_member": Member("m/data.pkl", PICKLE, at=5),
        "with_a_wrong_checksum": Member("m/data.pkl", PICKLE, crc=7),
    }
    for name, member in members.items():
        yield of(f"zip_member_{name}", FILE, with_pickle(member), BAD)
    body = WHOLE[: WHOLE.rindex(b"PK\x05\x06")]
    start = WHOLE.index(b"PK\x01\x02")
    ends = {
        "of_no_members": zips.end(0, len(body) - start, start),
        "of_more_members": zips.end(60_000, len(body) - start, start),
        "with_a_longer_directory": zips.end(4, 0xFFFFFFF0, start),
        "with_a_directory_elsewhere": zips.end(4, len(body) - start, 0xFFFFFFF0),
        "with_a_long_comment": zips.end(4, len(body) - start, start)[:-2] + b"\xff\xff",
        "of_2_to_64": zips.long_end((1 << 64) - 1, (1 << 64) - 1, (1 << 64) - 1, len(body)),
        "that_is_elsewhere": zips.long_end(4, len(body) - start, start, 1 << 63),
        "that_is_itself": zips.long_end(4, len(body) - start, start, len(body) + 56),
    }
    for name, last in ends.items():
        yield of(f"zip_end_{name}", FILE, body + last, BAD)
    several = bytearray(WHOLE)
    several[len(WHOLE) - 18] = 1
    yield of("zip_in_several_files", FILE, bytes(several), NOT_READ, "several files")


@kind
def overlaps() -> Hostiles:
    """Members that lie over each other, have one name, or lead out of the archive."""
    twice = [Member("m/data.pkl", PICKLE), *p.saved(PICKLE, CONTENT)]
    yield of("zip_name_twice", FILE, zips.archive(twice), BAD, "two members")
    # 10,000 members that are the same bytes: as stored, each is only as large as it is.
    same = [Member(f"m/data/{idx}", b"", at=0, length=len(PICKLE)) for idx in range(1, 10_000)]
    content = zips.archive([Member("m/data.pkl", PICKLE), Member("m/data/0", CONTENT["0"]), *same])
    step = "model_step_12.pt"
    good = {("conv1.weight", 12): WEIGHT}

    def writes(content: bytes) -> Callable[[Path], None]:
        return lambda run: (run / step).write_bytes(content) and None

    yield Hostile("zip_of_members_over_each_other", writes(content), step, "", good=good)
    nested = WHOLE
    for _ in range(50):
        nested = zips.archive(
            [
                Member("m/data.pkl", PICKLE),
                Member("m/data/1", nested),
                Member("m/data/0", CONTENT["0"]),
            ]
        )
    yield Hostile("zip_in_a_zip_50_times", writes(nested), step, "", good=good)
    for name, place in (
        ("above", "../../../../tmp/a"),
        ("absolute", "/etc/cron.d/a"),
        ("of_nul", "a\0b"),
    ):
        content = zips.archive([*p.saved(PICKLE, CONTENT), Member(place, b"x" * 100)])
        yield Hostile(f"zip_member_named_{name}", writes(content), step, "", good=good)
    outside = [Member("../data.pkl", PICKLE), Member("../data/0", CONTENT["0"])]
    yield Hostile("zip_pickle_named_above", writes(zips.archive(outside)), step, "", good=good)


@kind
def crowds() -> Hostiles:
    """Very many members, and very long names."""
    many = [*p.saved(PICKLE, CONTENT), *(Member(f"m/{idx}", b"") for idx in range(310_000))]
    yield of(
        "zip_of_310000_members", FILE, lambda many=many: zips.archive(many), NOT_READ, "members"
    )
    many = [*p.saved(PICKLE, CONTENT), *(Member(f"m/{idx}", b"") for idx in range(290_000))]
    yield of("zip_of_290000_members", FILE, lambda many=many: zips.archive(many), "")
    for name, letter in (("text", b"n"), ("no_text", b"\xff")):
        # Local headers with short names: the directory alone has the long ones.
        entries = b"".join(
            zips.listed(Member(letter * 65_000 + b"%04d" % idx, b"", at=0), 0) for idx in range(600)
        )
        body = zips.local(Member("m/data.pkl", PICKLE))
        own = zips.listed(Member("m/data.pkl", PICKLE), 0)
        content = body + own + entries + zips.end(601, len(own + entries), len(body))
        yield of(f"zip_names_of_{name}", FILE, content, NOT_READ, "names")
