//! An encoded picture -> how many frames it has.
//!
//! Sources: GIF (89a), whose blocks are walked over; APNG's `acTL` (PNG, third edition); the `ANMF` chunks of WebP (RFC 9649). A
//! GIF says nowhere how many frames it has, and its blocks have at most 255 bytes: to count them reads all of it, within bounds.
//! A frame that is cut off counts: that it is, shows when it is decoded.

use super::{
    outline::TEXTS_BEFORE_PICTURES,
    picture::{MOST_HOPS, PNG, color_table, u16_le, u32_be, u32_le, within},
    wire::{Span, WireError, next_field},
};
use crate::source::window::Peek;

/// Counting ends after so many frames: pictures with more of them are not read.
const MOST_FRAMES: u32 = 1 << 16;
/// So many blocks of a GIF are walked over. A picture of the largest size that is read has about a third of them.
const MOST_BLOCKS: usize = 1 << 20;
/// So many pixels a GIF's frames may have together: each costs its decoder, also where it lies outside of the picture.
const MOST_DRAWN_PIXELS: u64 = 1 << 29;

/// Counts the frames of the picture in `span`: 1 for stills and for what is of no known kind, one more than are ever read for
/// those with too many; `None` where they cannot be counted within the bounds.
///
/// # Errors
/// As the source's.
pub fn frame_count<P: Peek>(source: &mut P, span: Span) -> Result<Option<u32>, WireError> {
    let frames = match within(source, span, 0, 32)? {
        start if start.starts_with(PNG) => apng(source, span)?,
        [b'G', b'I', b'F', b'8', _, b'a', w0, w1, h0, h1, packed, ..] => {
            let screen = area([*w0, *w1, *h0, *h1]);
            let blocks = 13 + color_table(*packed);
            return GifWalk { source, span, blocks_left: MOST_BLOCKS }.frames(blocks, screen);
        }
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', b'V', b'P', b'8', b'X', rest @ ..] => {
            let is_animated = rest.get(4).is_some_and(|flags| flags & 0x02 != 0);
            if is_animated { webp(source, span)? } else { 1 }
        }
        _ => 1,
    };
    Ok(Some(frames.clamp(1, MOST_FRAMES + 1)))
}

/// Counts the frames of each picture in a value of a summary: of the one in its image (TensorFlow 1), or of those after width and
/// height in a tensor of texts (TensorFlow 2). `None` where one of them cannot be counted within the bounds, or there are too many.
///
/// # Errors
/// As the source's, and malformed values.
pub fn frame_counts<P: Peek>(source: &mut P, mut value: Span) -> Result<Option<Vec<u32>>, WireError> {
    /// `Summary.Value { image 4, tensor 8 }`, `Image { encoded_image_string 4 }`, `TensorProto { string_val 8 }`
    const IMAGE: u32 = 4;
    const TENSOR: u32 = 8;
    let (mut counts, mut texts_before) = (Vec::new(), TEXTS_BEFORE_PICTURES);
    while let Some((number, field)) = next_field(source, &mut value)? {
        let mut content = if let IMAGE | TENSOR = number { field.span()? } else { continue };
        while let Some((inner, field)) = next_field(source, &mut content)? {
            if inner != number {
                continue;
            }
            if number == TENSOR && texts_before > 0 {
                texts_before -= 1;
                continue;
            }
            if number == IMAGE {
                // Of a field that comes twice the last one counts.
                counts.clear();
            }
            let Some(count) = frame_count(source, field.span()?)? else { return Ok(None) };
            counts.push(count);
            if counts.len() > MOST_FRAMES as usize {
                return Ok(None);
            }
        }
    }
    Ok(Some(counts))
}

/// What the chunk `acTL`, which comes before the pixels, says.
fn apng<P: Peek>(source: &mut P, span: Span) -> Result<u32, WireError> {
    let mut at = PNG.len() as u64;
    for _ in 0..MOST_HOPS {
        let chunk = within(source, span, at, 12)?;
        match (u32_be(chunk, 0), chunk.get(4..8)) {
            (Some(_), Some(b"acTL")) => return Ok(u32_be(chunk, 8).unwrap_or(1)),
            (Some(_), Some(b"IDAT")) | (None, _) | (_, None) => return Ok(1),
            // Length, name and CRC stand around a chunk's content.
            (Some(len), Some(_)) => at += u64::from(len) + 12,
        }
    }
    Ok(1)
}

/// Counts the chunks of frames.
fn webp<P: Peek>(source: &mut P, span: Span) -> Result<u32, WireError> {
    let (mut frames, mut at) = (0, 12);
    // Other chunks come before the frames, between them hardly any.
    for _ in 0..MOST_FRAMES as usize + MOST_HOPS {
        let chunk = within(source, span, at, 8)?;
        let Some(len) = u32_le(chunk, 4) else { break };
        frames += u32::from(chunk.starts_with(b"ANMF"));
        // An odd length is filled up.
        at += 8 + u64::from(len) + u64::from(len % 2);
    }
    Ok(frames)
}

/// A walk over the blocks of a GIF.
struct GifWalk<'a, P> {
    source: &'a mut P,
    span: Span,
    blocks_left: usize,
}

impl<P: Peek> GifWalk<'_, P> {
    /// Counts the frames from the block at `at` on.
    fn frames(mut self, mut at: u64, screen: u64) -> Result<Option<u32>, WireError> {
        let (mut frames, mut drawn) = (0, 0);
        while frames <= MOST_FRAMES {
            let next = match within(self.source, self.span, at, 10)? {
                [b',', _, _, _, _, w0, w1, h0, h1, packed] => {
                    frames += 1;
                    drawn += screen.max(area([*w0, *w1, *h0, *h1]));
                    // The table of the frame's own colours, then the size of its codes.
                    let data = at + 10 + color_table(*packed) + 1;
                    self.behind_blocks(data)?
                }
                [b'!', _, ..] => self.behind_blocks(at + 2)?,
                // The end, or what no viewer goes beyond.
                _ => break,
            };
            let Some(next) = next.filter(|_| drawn <= MOST_DRAWN_PIXELS) else { return Ok(None) };
            at = next;
        }
        Ok(Some(frames.max(1)))
    }

    /// Where the blocks of data that begin at `at` end; `None` where there are too many.
    fn behind_blocks(&mut self, mut at: u64) -> Result<Option<u64>, WireError> {
        while self.blocks_left > 0 {
            self.blocks_left -= 1;
            let Some(len) = within(self.source, self.span, at, 1)?.first().copied() else {
                return Ok(Some(at));
            };
            at += 1 + u64::from(len);
            if len == 0 {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}

/// Pixels of a width and a height.
fn area(size: [u8; 4]) -> u64 {
    let side = |at| u16_le(&size, at).unwrap_or(0);
    u64::from(side(0)) * u64::from(side(2))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn counted(bytes: &[u8]) -> Option<u32> {
        frame_count(&mut &*bytes, Span { at: 0, end: bytes.len() as u64 }).unwrap()
    }

    fn gif(screen: u16, frames: usize, size: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = gif::Encoder::new(&mut bytes, screen, screen, &[0; 6]).unwrap();
        let buffer = Cow::from(vec![0; usize::from(size) * usize::from(size)]);
        for _ in 0..frames {
            let frame =
                gif::Frame { width: size, height: size, buffer: buffer.clone(), ..gif::Frame::default() };
            encoder.write_frame(&frame).unwrap();
        }
        drop(encoder);
        bytes
    }

    #[test]
    fn every_frame_of_a_gif_counts() {
        for frames in [1, 2, 97] {
            assert_eq!(counted(&gif(40, frames, 40)), Some(frames as u32));
        }
        let whole = gif(40, 5, 40);
        assert_eq!(counted(&whole[..whole.len() - 1]), Some(5), "the end may be missing");
        assert_eq!(counted(&whole[..whole.len() - 4]), Some(5), "a frame that is cut counts");
    }

    #[test]
    fn stills_and_what_is_no_picture_have_one() {
        for bytes in [&b""[..], b"text", b"GIF89a", b"GIF89a\x01\0\x01\0\x80\0\0", PNG, b"RIFF....WEBPVP8X"] {
            assert_eq!(counted(bytes), Some(1));
        }
    }

    #[test]
    fn counting_is_bounded() {
        // A frame of one pixel takes 15 bytes.
        let tiny = gif(1, 1, 1);
        let (head, frame) = tiny[..tiny.len() - 1].split_at(13 + 6);
        let million = [head, &frame.repeat(1_000_000)].concat();
        assert_eq!(counted(&million), Some(MOST_FRAMES + 1));
        let endless = [head, b"!\xfe", &b"\x01x".repeat(MOST_BLOCKS + 1)].concat();
        assert_eq!(counted(&endless), None, "blocks of one byte");
        let mut large = frame.to_vec();
        let at = large.iter().position(|byte| *byte == b',').unwrap();
        large[at + 5..at + 9].fill(0xff);
        assert_eq!(counted(&[head, &large].concat()), None, "frames of 65,535 by 65,535 pixels");
    }

    #[test]
    fn animated_png_says_its_count_and_webp_has_a_chunk_a_frame() {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
        encoder.set_animated(3, 0).unwrap();
        let mut writer = encoder.write_header().unwrap();
        for _ in 0..3 {
            writer.write_image_data(&[0, 0]).unwrap();
        }
        writer.finish().unwrap();
        assert_eq!(counted(&bytes), Some(3));
        let chunk = |name: &[u8; 4], content: &[u8]| {
            let len = (content.len() as u32).to_le_bytes();
            [&name[..], &len, content, &[0][..content.len() % 2]].concat()
        };
        let head = |flags| [&b"RIFF....WEBP"[..], &chunk(b"VP8X", &[flags; 10])].concat();
        let frames = [chunk(b"ANIM", &[0; 6]), chunk(b"ANMF", &[0; 17]), chunk(b"ANMF", &[0; 20])].concat();
        assert_eq!(counted(&[head(0x02), frames.clone()].concat()), Some(2));
        assert_eq!(counted(&[head(0x10), frames].concat()), Some(1));
    }
}
