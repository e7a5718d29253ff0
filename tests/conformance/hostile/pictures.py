"""Encoded pictures that are invalid, or that decode to gigabytes."""

from __future__ import annotations

import struct
import zlib

import wire
from case import AROUND, Case, Cases, between, kind

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAY = ("undecodable",)


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG with its CRC."""
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def head(width: int, height: int, bits: int = 8, colours: int = 0, interlaced: int = 0) -> bytes:
    """Signature and header of a PNG."""
    return SIGNATURE + chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, interlaced)
    )


def png(width: int, height: int, pixels: bytes, **more: int) -> bytes:
    """A PNG whose pixels are given with the filter byte of each row."""
    return (
        head(width, height, **more) + chunk(b"IDAT", zlib.compress(pixels, 9)) + chunk(b"IEND", b"")
    )


def image_value(tag: str, picture: bytes) -> bytes:
    """A picture as TensorFlow 1 logs it."""
    return wire.record(
        wire.event(
            9, wire.block(1, wire.block(1, tag.encode()) + wire.block(4, wire.block(4, picture)))
        )
    )


def image_tensor(tag: str, pictures: list[bytes]) -> bytes:
    """Pictures as TensorFlow 2 logs them: a tensor of texts after width and height."""
    texts = b"".join(wire.block(8, text) for text in (b"8", b"8", *pictures))
    return wire.logged(
        tag,
        9,
        wire.number(1, 7) + wire.shape((2 + len(pictures),)) + texts,
        wire.metadata("images"),
    )


def bombs() -> dict[str, bytes]:
    """Pictures by name, each small in the file."""
    zeros = zlib.compress(bytes(64 << 20), 9)
    row = bytes(20_001)
    return {
        "png_of_2_gigapixels_a_side": head(2**31 - 1, 2**31 - 1) + chunk(b"IDAT", b""),
        "png_of_0_pixels": png(0, 0, b""),
        "png_of_a_pixel_a_row": png(1, 200_000, bytes(400_000)),
        "png_of_400_megapixels": png(20_000, 20_000, row * 20_000),
        "png_interlaced": head(60_000, 60_000, interlaced=1) + chunk(b"IDAT", zeros),
        "png_of_16_bit_colours": head(9_000, 9_000, bits=16, colours=6) + chunk(b"IDAT", zeros),
        "png_with_a_text_bomb": head(8, 8)
        + chunk(b"zTXt", b"a\0\0" + zeros)
        + chunk(b"IDAT", zlib.compress(bytes(72)))
        + chunk(b"IEND", b""),
        "png_with_a_profile_bomb": head(8, 8)
        + chunk(b"iCCP", b"a\0\0" + zeros)
        + chunk(b"IDAT", zlib.compress(bytes(72)))
        + chunk(b"IEND", b""),
        "png_with_more_pixels_than_rows": head(8, 8) + chunk(b"IDAT", zeros) + chunk(b"IEND", b""),
        "png_of_many_chunks": head(8, 8)
        + chunk(b"teXt", b"") * 100_000
        + chunk(b"IDAT", zlib.compress(bytes(72)))
        + chunk(b"IEND", b""),
        "png_of_a_huge_chunk": head(8, 8) + struct.pack(">I", 2**31 - 1) + b"IDAT" + b"x" * 99,
        "png_cut": png(64, 64, bytes(65 * 64))[:60],
        "png_with_a_wrong_crc": wire.flipped(png(64, 64, bytes(65 * 64)), 40),
        "png_of_an_unknown_kind": head(8, 8, bits=3, colours=5) + chunk(b"IDAT", b""),
        "png_animated": head(8, 8)
        + chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
        + chunk(b"IDAT", zlib.compress(bytes(72)))
        + chunk(b"IEND", b""),
        "gif_of_4_gigapixels": b"GIF89a"
        + struct.pack("<HHBBB", 65_535, 65_535, 0xF7, 0, 0)
        + bytes(768)
        + b","
        + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0)
        + b"\x08\x04\x00\x01\x04\x05\x00;",
        "gif_frame_outside": b"GIF89a"
        + struct.pack("<HHBBB", 8, 8, 0x80, 0, 0)
        + bytes(6)
        + b","
        + struct.pack("<HHHHB", 65_000, 65_000, 65_535, 65_535, 0)
        + b"\x02\x02\x4c\x01\x00;",
        "gif_of_many_frames": b"GIF89a"
        + struct.pack("<HHBBB", 8, 8, 0x80, 0, 0)
        + bytes(6)
        + (b"," + struct.pack("<HHHHB", 0, 0, 8, 8, 0) + b"\x02\x02\x4c\x01\x00") * 50_000
        + b";",
        "jpeg_of_4_gigapixels": b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03"
        b"\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xd9",
        "jpeg_of_fillers": b"\xff\xd8" + b"\xff" * 1_000_000,
        "bmp_of_4_gigapixels": b"BM"
        + struct.pack(
            "<IIIIiiHHIIiiII", 60, 0, 54, 40, 2**31 - 1, 2**31 - 1, 1, 24, 0, 0, 0, 0, 0, 0
        ),
        "bmp_upside_down": b"BM"
        + struct.pack("<IIIIiiHHIIiiII", 60, 0, 54, 40, 60_000, -60_000, 1, 32, 3, 0, 0, 0, 0, 0),
        "webp_of_16_kilopixels_a_side": b"RIFF"
        + struct.pack("<I", 30)
        + b"WEBPVP8X"
        + struct.pack("<IBBH", 10, 0, 0, 0)
        + b"\xff\x3f\x00\xff\x3f\x00",
        "webp_lossless_of_nothing": b"RIFF"
        + struct.pack("<I", 20)
        + b"WEBPVP8L"
        + struct.pack("<I", 8)
        + b"\x2f\xff\xff\xff\xff"
        + bytes(3),
        "picture_of_noise": b"\x00\x01\x02\x03" * 40,
        "picture_of_nothing": b"",
        "picture_of_svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    }


@kind("pictures")
def single_pictures() -> Cases:
    """One hostile picture, as TensorFlow 1 logs it."""
    for name, picture in bombs().items():
        yield Case(name, between(image_value("odd/image/0", picture)), may=MAY, good=AROUND)


@kind("pictures")
def pictures_of_a_step() -> Cases:
    """Many pictures at one step, as TensorFlow 2 logs them."""
    usual = png(8, 8, bytes(72))
    sets = {
        "of_one_kind": [usual] * 3_000,
        "of_nothing": [b""] * 200_000,
        "of_several_sizes": [usual, png(9, 7, bytes(70)), usual],
        "of_bombs": [png(3_000, 3_000, bytes(3_001 * 3_000))] * 60,
    }
    for name, pictures in sets.items():
        yield Case(f"pictures_{name}", between(image_tensor("odd", pictures)), may=MAY, good=AROUND)
    none = wire.logged("odd", 9, wire.number(1, 7) + wire.shape((2,)), wire.metadata("images"))
    yield Case("pictures_none", between(none), may=MAY, good=AROUND)
    numbers = wire.logged("odd", 9, wire.whole(AROUND["conv1/kernel", 0]), wire.metadata("images"))
    yield Case("pictures_of_floats", between(numbers), may=MAY, good=AROUND)
