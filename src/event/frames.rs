//! An encoded picture -> how many frames it has.
//!
//! Sources: the blocks of a GIF (89a); APNG's `acTL` (PNG, third edition); the `ANMF` chunks of WebP (RFC 9649). A GIF does not
//! say how many frames it has, and its blocks have at most 255 bytes: counting frames reads the whole file, within bounds.
//! A truncated frame is counted; the error appears when it is decoded.

use super::{
    outline::TEXTS_BEFORE_PICTURES,
    picture::{MOST_HOPS, PNG, color_table, u16_le, u32_be, u32_le, within},
    wire::{Span, WireError, next_field},
};
use crate::source::window::Peek;

/// Counting ends after this many frames: pictures with more frames are not read.
const MOST_FRAMES: u32 = 1 << 16;
/// The most blocks of a GIF that are read. A picture of the largest size that is read has about a third of them.
const MOST_BLOCKS: usize = 1 << 20;
/// The most pixels that a GIF's frames may have together: each takes time to decode, even if it is outside of the picture.
const MOST_DRAWN_PIXELS: u64 = 1 << 29;

/// Counts the frames of the picture in `span`: 1 for stills and for unknown kinds; for pictures with too many frames, one more
/// than the limit. `None` if they cannot be counted within the bounds.
///
/// # Errors
/// Errors of the source.
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
/// height in a tensor of strings (TensorFlow 2). `None` if one of them cannot be counted within the bounds, or if there are too
/// many.
///
/// # Errors
/// Errors of the source, and malformed values.
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
                // If a field occurs twice, the last one counts.
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

/// The number in the chunk `acTL`, which comes before the pixels.
fn apng<P: Peek>(source: &mut P, span: Span) -> Result<u32, WireError> {
    let mut at = PNG.len() as u64;
    for _ in 0..MOST_HOPS {
        let chunk = within(source, span, at, 12)?;
        match (u32_be(chunk, 0), chunk.get(4..8)) {
            (Some(_), Some(b"acTL")) => return Ok(u32_be(chunk, 8).unwrap_or(1)),
            (Some(_), Some(b"IDAT")) | (None, _) | (_, None) => return Ok(1),
            // Length and name come before a chunk's content, the CRC after it.
            (Some(len), Some(_)) => at += u64::from(len) + 12,
        }
    }
    Ok(1)
}

/// Counts the chunks that hold frames.
fn webp<P: Peek>(source: &mut P, span: Span) -> Result<u32, WireError> {
    let (mut frames, mut at) = (0, 12);
    // Other chunks come before the frames, and hardly any between them.
    for _ in 0..MOST_FRAMES as usize + MOST_HOPS {
        let chunk = within(source, span, at, 8)?;
        let Some(len) = u32_le(chunk, 4) else { break };
        frames += u32::from(chunk.starts_with(b"ANMF"));
        // An odd length is padded.
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
                    // The frame's local colour table, then the size of its codes.
                    let data = at + 10 + color_table(*packed) + 1;
                    self.behind_blocks(data)?
                }
                [b'!', _, ..] => self.behind_blocks(at + 2)?,
                // The end, or something after which viewers stop.
                _ => break,
            };
            let Some(next) = next.filter(|_| drawn <= MOST_DRAWN_PIXELS) else { return Ok(None) };
            at = next;
        }
        Ok(Some(frames.max(1)))
    }

    /// The position after the data blocks that begin at `at`; `None` if there are too many.
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

/// How many pixels a width and a height make.
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
