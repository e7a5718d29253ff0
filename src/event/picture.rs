//! An encoded picture -> its size and channels, from its header; and the tags under which pictures are logged.
//!
//! Only headers are read: PNG (W3C, third edition), JPEG (ITU T.81, annex B), GIF (89a), BMP, WebP (RFC 9649). Damage in the
//! rest is found when the picture is decoded. Frames are counted in `super::frames`.

use super::wire::{Span, WireError};
use crate::source::window::Peek;

/// What a picture's header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PictureHead {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The channels of the decoded picture: 1 grey, 2 grey and alpha, 3 colours, 4 colours and alpha.
    pub channels: u8,
    /// Bytes of the encoded picture.
    pub encoded_bytes: u64,
}

/// The most chunks or segments of a header that are skipped before reading it is given up.
pub(super) const MOST_HOPS: usize = 256;
pub(super) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Reads the header of the picture in `span`; `None` if its kind is not known, or if it ends too early.
///
/// # Errors
/// Errors of the source.
pub fn picture_head<P: Peek>(source: &mut P, span: Span) -> Result<Option<PictureHead>, WireError> {
    let start = within(source, span, 0, 32)?;
    let head = match start {
        start if start.starts_with(PNG) => {
            let head = png(start);
            let is_transparent = head.is_some() && has_transparency(source, span)?;
            head.map(|head| with_transparency(head, is_transparent))
        }
        [0xff, 0xd8, ..] => jpeg(source, span)?,
        [b'G', b'I', b'F', b'8', _, b'a', w0, w1, h0, h1, packed, ..] => {
            let (screen, blocks) = ([*w0, *w1, *h0, *h1], 13 + color_table(*packed));
            Some(gif(source, span, (screen, blocks))?)
        }
        [b'B', b'M', ..] => bmp(start),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', rest @ ..] => webp(rest),
        _ => None,
    };
    Ok(head.map(|head| PictureHead { encoded_bytes: span.len(), ..head }))
}

/// `want` bytes of the picture, from its byte `at` on; fewer at its end.
pub(super) fn within<P: Peek>(source: &mut P, span: Span, at: u64, want: usize) -> Result<&[u8], WireError> {
    let left = usize::try_from(span.len().saturating_sub(at)).unwrap_or(usize::MAX);
    if left == 0 {
        return Ok(&[]);
    }
    Ok(source.peek(span.at + at, want.min(left))?)
}

pub(super) fn u32_be(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).map(|four| u32::from_be_bytes(four.try_into().expect("four bytes")))
}

fn u16_be(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 2).map(|two| u16::from_be_bytes(two.try_into().expect("two bytes")).into())
}

pub(crate) fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).map(|four| u32::from_le_bytes(four.try_into().expect("four bytes")))
}

pub(super) fn u16_le(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 2).map(|two| u16::from_le_bytes(two.try_into().expect("two bytes")).into())
}

fn png(start: &[u8]) -> Option<PictureHead> {
    let channels = match start.get(25)? {
        0 => 1,
        4 => 2,
        2 | 3 => 3,
        6 => 4,
        _ => return None,
    };
    Some(head(u32_be(start, 16)?, u32_be(start, 20)?, channels))
}

/// Whether a chunk before the pixels says which colour or entry of the palette is transparent.
fn has_transparency<P: Peek>(source: &mut P, span: Span) -> Result<bool, WireError> {
    let mut at = PNG.len() as u64;
    for _ in 0..MOST_HOPS {
        let chunk = within(source, span, at, 8)?;
        match (u32_be(chunk, 0), chunk.get(4..)) {
            (Some(_), Some(b"tRNS")) => return Ok(true),
            (Some(_), Some(b"IDAT")) | (None, _) => return Ok(false),
            // Length, name and CRC stand around a chunk's content.
            (Some(len), _) => at += u64::from(len) + 12,
        }
    }
    Ok(false)
}

fn with_transparency(head: PictureHead, is_transparent: bool) -> PictureHead {
    let adds_alpha = is_transparent && head.channels % 2 == 1;
    PictureHead { channels: head.channels + u8::from(adds_alpha), ..head }
}

fn jpeg<P: Peek>(source: &mut P, span: Span) -> Result<Option<PictureHead>, WireError> {
    let mut at = 2;
    for _ in 0..MOST_HOPS {
        let segment = within(source, span, at, 10)?;
        let (Some(&[0xff, marker]), Some(len)) = (segment.first_chunk::<2>(), u16_be(segment, 2)) else {
            return Ok(None);
        };
        match marker {
            // A frame's header: precision, height, width, components. C4, C8 and CC have other meanings.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let size = u16_be(segment, 5).zip(u16_be(segment, 7)).zip(segment.get(9));
                return Ok(size.map(|((height, width), components)| {
                    head(width, height, if *components == 1 { 1 } else { 3 })
                }));
            }
            // Padding bytes may come before markers.
            0xff => at += 1,
            _ => at += u64::from(len) + 2,
        }
    }
    Ok(None)
}

/// As large as the screen, or larger if the first frame needs it, as in Pillow; blocks begin at `at`.
fn gif<P: Peek>(
    source: &mut P,
    span: Span,
    (screen, mut at): ([u8; 4], u64),
) -> Result<PictureHead, WireError> {
    let number = |bytes: &[u8], at| u16_le(bytes, at).unwrap_or(0);
    let mut size = head(number(&screen, 0), number(&screen, 2), 3);
    let mut is_extension = false;
    for _ in 0..MOST_HOPS {
        match within(source, span, at, 9)? {
            // The length of a block of an extension; 0 ends it.
            [len, ..] if is_extension => {
                is_extension = *len != 0;
                at += 1 + u64::from(*len);
            }
            [b'!', _, ..] => {
                is_extension = true;
                at += 2;
            }
            [b',', rest @ ..] => {
                size.width = size.width.max(number(rest, 0) + number(rest, 4));
                size.height = size.height.max(number(rest, 2) + number(rest, 6));
                break;
            }
            _ => break,
        }
    }
    Ok(size)
}

/// Bytes of the colour table that follows these flags of a GIF.
pub(super) fn color_table(packed: u8) -> u64 {
    if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) }
}

/// The size in the header of a GIF; the picture is larger if a frame is larger.
pub(crate) fn gif_screen(start: &[u8]) -> Option<(u32, u32)> {
    let size = start.strip_prefix(b"GIF8")?.get(2..6)?;
    Some((u16_le(size, 0)?, u16_le(size, 2)?))
}

fn bmp(start: &[u8]) -> Option<PictureHead> {
    let number = |at: usize| {
        start.get(at..at + 4).map(|four| i32::from_le_bytes(four.try_into().expect("four bytes")))
    };
    // A negative height means that the rows run from top to bottom.
    let (width, height) = (u32::try_from(number(18)?).ok()?, number(22)?.unsigned_abs());
    Some(head(width, height, 3))
}

/// From the first chunk: lossy, lossless, or the features of a picture of several chunks.
fn webp(chunk: &[u8]) -> Option<PictureHead> {
    let content = chunk.get(8..)?;
    let bits = |at: usize| u32_le(content, at);
    match chunk.get(..4)? {
        b"VP8 " => Some(head(bits(6)? & 0x3fff, (bits(6)? >> 16) & 0x3fff, 3)),
        b"VP8L" => {
            let size = bits(1)?;
            Some(head(
                (size & 0x3fff) + 1,
                ((size >> 14) & 0x3fff) + 1,
                if size >> 28 & 1 == 1 { 4 } else { 3 },
            ))
        }
        b"VP8X" => {
            let height = u32::from_le_bytes([*content.get(7)?, *content.get(8)?, *content.get(9)?, 0]);
            let has_alpha = content[0] & 0x10 != 0;
            Some(head((bits(4)? & 0xff_ffff) + 1, height + 1, if has_alpha { 4 } else { 3 }))
        }
        _ => None,
    }
}

fn head(width: u32, height: u32, channels: u8) -> PictureHead {
    PictureHead { width, height, channels, encoded_bytes: 0 }
}

/// The tag under which TensorFlow 1 logs one of several pictures -> the tag of all of them, and its number:
/// `filters/image/3` is number 3 of `filters/image`.
#[must_use]
pub fn numbered(tag: &str) -> Option<(&str, u32)> {
    let (all, number) = tag.rsplit_once('/')?;
    let is_plain = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    let is_pictures = all.ends_with("/image") || all == "image";
    if is_plain && is_pictures { Some((all, number.parse().ok()?)) } else { None }
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, ImageFormat};

    use super::*;

    fn found(bytes: &[u8]) -> Option<(u32, u32, u8)> {
        let head = picture_head(&mut &*bytes, Span { at: 0, end: bytes.len() as u64 }).unwrap()?;
        assert_eq!(head.encoded_bytes, bytes.len() as u64);
        Some((head.width, head.height, head.channels))
    }

    fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn headers_say_what_the_library_wrote() {
        let (width, height) = (7, 300);
        for (picture, channels) in [
            (DynamicImage::new_luma8(width, height), 1),
            (DynamicImage::new_luma_a16(width, height), 2),
            (DynamicImage::new_rgb8(width, height), 3),
            (DynamicImage::new_rgba8(width, height), 4),
        ] {
            let png = encoded(&picture, ImageFormat::Png);
            assert_eq!(found(&png), Some((width, height, channels)));
            assert_eq!(found(&png[..20]), None);
        }
        let colours = DynamicImage::new_rgb8(width, height);
        for format in [ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::WebP] {
            assert_eq!(found(&encoded(&colours, format)), Some((width, height, 3)), "{format:?}");
        }
        let grey = encoded(&DynamicImage::new_luma8(width, height), ImageFormat::Jpeg);
        assert_eq!(found(&grey), Some((width, height, 1)));
        let alpha = encoded(&DynamicImage::new_rgba8(width, height), ImageFormat::WebP);
        assert_eq!(found(&alpha), Some((width, height, 4)));
    }

    #[test]
    fn other_bytes_have_no_header() {
        for bytes in [&b""[..], b"GIF89a", b"BM", b"RIFF....WEBPVP8X", b"\xff\xd8\xff", b"<svg>", PNG] {
            assert_eq!(found(bytes), None);
        }
    }

    #[test]
    fn numbers_are_those_of_pictures_alone() {
        assert_eq!(numbered("a/filters/image/12"), Some(("a/filters/image", 12)));
        assert_eq!(numbered("image/0"), Some(("image", 0)));
        for tag in ["a/image", "a/image/", "a/image/x", "layer/0", "a/image/99999999999", "images/0"] {
            assert_eq!(numbered(tag), None, "{tag}");
        }
    }
}
