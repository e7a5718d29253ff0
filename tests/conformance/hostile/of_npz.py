"""Hostile archives of NumPy."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace

import numpy as np
import zips
from case import kernel
from checkpoints import BAD, MARKER, NOT_READ, Hostile, Hostiles, kind, of
from zips import Member

FILE = "model_step_12.npz"
WEIGHT = kernel(1)
RAW = WEIGHT.astype("<f4").tobytes()
GOOD = {("kernel", 12): WEIGHT}


def head(text: str, version: int = 1, length: int | None = None) -> bytes:
    """The bytes before the numbers."""
    raw = text.encode()
    length = len(raw) if length is None else length
    form = "<H" if version == 1 else "<I"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(form, length) + raw


def described(shape: str, descr: str = "'<f4'", order: str = "False") -> bytes:
    """The bytes before numbers of this shape."""
    return head(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}")


BEFORE = described(str(WEIGHT.shape))
WHOLE = Member("kernel.npy", BEFORE + RAW)


def saved(name: str, *members: Member, told: str = BAD, words: str = "") -> Hostile:
    """An archive of these members."""
    return of(f"npz_{name}", FILE, zips.archive(list(members)), told, words)


def verified(name: str, *members: Member) -> Hostile:
    """An archive of whose members only their numbers are wrong, which ``verify`` says."""
    return replace(saved(name, *members, told=""), verified="faults")


def packed(content: bytes) -> bytes:
    """The bytes as Deflate packs them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


@kind
def heads() -> Hostiles:
    """Headers with code, of impossible shapes, or of none."""
    good = zips.archive([WHOLE])
    yield Hostile(
        "npz_good", lambda run: (run / FILE).write_bytes(good) and None, FILE, "", good=GOOD
    )
    code = f"__import__('os').system('touch {MARKER}')"
    shapes = {
        "of_code": code,
        "of_code_in_it": f"({code},)",
        "of_minus_1": "(-1, 4)",
        "of_2_to_64": f"({1 << 64}, 4)",
        "of_2_to_63": f"({1 << 63}, 4)",
        "of_overflow": f"({1 << 33}, {1 << 33})",
        "of_terabytes": f"({1 << 40}, 4)",
        "of_1000_axes": f"({'1, ' * 1_000})",
        "of_deep_brackets": "(" * 20_000,
        "of_floats": "(3.0, 4)",
        "of_nothing": "",
    }
    for name, shape in shapes.items():
        yield saved(f"shape_{name}", Member("other.npy", described(shape) + RAW), WHOLE)
    types = {
        "of_code": code,
        "of_objects": "'|O'",
        "of_a_structure": "[('a', '<f4'), ('b', 'O')]",
        "of_deep_lists": "[" * 15_000 + "]" * 15_000,
        "of_long_text": "'<U4000000000'",
        "of_a_long_name": f"'{'x' * 30_000}'",
    }
    for name, descr in types.items():
        told = NOT_READ if name == "of_objects" else ""
        member = Member("other.npy", described("(3, 4)", descr) + bytes(48))
        yield saved(f"type_{name}", member, WHOLE, told=told)
    order = Member("other.npy", described(str(WEIGHT.shape), order=code) + RAW)
    yield saved("order_of_code", order, WHOLE)
    heads = {
        "of_2_to_32": head("{", 2, 0xFFFFFFFF),
        "of_60000": head(" " * 60_000),
        "of_version_9": b"\x93NUMPY\x09\x00\x10\x00" + bytes(100),
        "cut": BEFORE[:9],
        "of_no_text": head("\0" * 100),
        "missing": b"",
        "of_open_quotes": head("{'descr"),
        "of_letters": head("{'ä': 'ß', 'descr': '" + "ä" * 9_000),
    }
    for name, raw in heads.items():
        yield saved(f"head_{name}", Member("other.npy", raw), WHOLE)
    objects = io.BytesIO()

    class Evil:
        def __reduce__(self) -> tuple:
            import os

            return os.system, (f"touch {MARKER}",)

    np.savez(objects, evil=np.array([Evil()], dtype=object), kernel=WEIGHT)
    yield of("npz_objects_that_call_a_program", FILE, objects.getvalue(), NOT_READ, "not read")


@kind
def archives() -> Hostiles:
    """Bombs, and lengths that lie."""
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    megabyte = bomb.compress(bytes(1 << 20)) + bomb.flush(zlib.Z_FULL_FLUSH)
    zeros = megabyte * 4_096 + bomb.flush()
    whole = BEFORE + RAW
    crc = zlib.crc32(whole)
    members = {
        "bomb_without_a_head": (Member("kernel.npy", zeros, 8, length=len(whole)), BAD),
        "bomb_of_2_to_63": (Member("kernel.npy", zeros, 8, length=1 << 63, long=True), BAD),
        "that_claims_less": (Member("kernel.npy", packed(whole), 8, length=len(BEFORE)), BAD),
        "that_claims_more": (Member("kernel.npy", packed(whole), 8, length=len(whole) * 2), BAD),
        "of_2_to_64": (Member("kernel.npy", whole, length=(1 << 64) - 1, long=True), BAD),
        "packed_with_lzma": (Member("kernel.npy", whole, 14), NOT_READ),
        "encrypted": (Member("kernel.npy", whole, flags=1), NOT_READ),
    }
    for name, (member, told) in members.items():
        yield saved(name, member, Member("a.npy", described("(2, 2)") + bytes(16)), told=told)
    # What follows the claimed length is never unpacked.
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(BEFORE) + packer.flush(zlib.Z_FULL_FLUSH)
    behind = first + zeros
    bomb_behind = Member("kernel.npy", behind, 8, length=len(whole), crc=crc)
    yield verified("bomb_behind_a_head", bomb_behind)
    flipped = Member("kernel.npy", packed(BEFORE + bytes(len(RAW))), 8, length=len(whole), crc=crc)
    yield verified("of_another_checksum", flipped)
    terabyte = described(f"({1 << 38},)")
    claims = Member("other.npy", packed(terabyte), 8, length=len(terabyte) + (1 << 40), long=True)
    yield verified("terabyte_of_nothing", claims, WHOLE)
    names = [Member("n" * 60_000 + f"{idx}.npy", BEFORE[:5]) for idx in range(20)]
    yield saved("long_names_of_damaged_arrays", *names)
    many = [Member(f"{idx}.npy", described("(2, 2)") + bytes(16)) for idx in range(60_000)]
    yield of("npz_of_60000_arrays", FILE, lambda: zips.archive(many), NOT_READ, "50000")
    yield of("npz_cut", FILE, zips.archive([WHOLE])[:-30], BAD, "not whole")
    same = [Member("kernel.npy", BEFORE + RAW)] * 2
    yield saved("two_of_one_name", *same, words="two members")
