//! Frames -> an animated, lossless WebP.
//!
//! Source: RFC 9649, 2.7: a RIFF of `VP8X`, `ANIM` and one `ANMF` per frame. Each frame is encoded as a separate picture, and its
//! `VP8L` chunk is copied. The first bytes of a RIFF are its length, and decoders rely on it. Therefore nothing can be sent
//! before the last frame is encoded: encoded frames are kept in memory, up to a limit.

use std::io::Cursor;

use image::{ExtendedColorType, ImageError, codecs::webp::WebPEncoder};

use crate::render::{
    colormap::CodeColors,
    film::{changed::Region, options::Fps, screen::Frame},
    sheet::Pixels,
};

/// The longest side of a frame.
pub const LONGEST_SIDE: usize = 16_383;
/// The most bytes that the encoded frames of a film may take together.
pub const MOST_BYTES: usize = 64 << 20;
const THOUSANDTHS: u64 = 1_000;
/// `RIFF`, the length and `WEBP`, before the only chunk of a still picture.
const STILL_HEAD_BYTES: usize = 12;
const IS_ANIMATED: u8 = 0b10;
/// The frame replaces the pixels below it and stays for the next frame.
const NO_BLENDING_NO_DISPOSAL: u8 = 0b10;
const FOR_EVER: u16 = 0;

/// Why a film cannot be a WebP.
#[derive(Debug, thiserror::Error)]
pub enum WebPError {
    /// The encoder does not accept pictures of this size.
    #[error(transparent)]
    Still(#[from] ImageError),
    /// The frames do not fit into memory.
    #[error("the frames take more than {} MiB, and a WebP is only sent whole", MOST_BYTES >> 20)]
    TooLarge,
}

/// An animated WebP that is being written.
#[derive(Debug)]
pub struct WebP {
    size: (usize, usize),
    colors: Box<CodeColors>,
    fps: Fps,
    frame_idx: usize,
    frames: Vec<u8>,
}

impl WebP {
    /// Begins a film with frames of this size, no side above [`LONGEST_SIDE`], whose codes have these colours.
    #[must_use]
    pub fn new(size: (usize, usize), colors: Box<CodeColors>, fps: Fps) -> Self {
        Self { size, colors, fps, frame_idx: 0, frames: Vec::new() }
    }

    /// Takes the next frame; `cut` is the part of it at `region`, which begins at an even column and row. The first frame must be
    /// whole.
    ///
    /// # Errors
    /// If the frames so far take more than [`MOST_BYTES`].
    pub fn frame(&mut self, cut: &Frame, region: Region) -> Result<(), WebPError> {
        let still = still(cut, &self.colors)?;
        let delay = self.fps.delay(self.frame_idx, THOUSANDTHS);
        self.frame_idx += 1;
        let mut head = Vec::with_capacity(16);
        for number in [region.x / 2, region.y / 2, region.width - 1, region.height - 1, delay as usize] {
            head.extend_from_slice(&three_bytes(number));
        }
        head.push(NO_BLENDING_NO_DISPOSAL);
        chunk(&mut self.frames, *b"ANMF", &[&head, &still[STILL_HEAD_BYTES..]]);
        if self.frames.len() > MOST_BYTES { Err(WebPError::TooLarge) } else { Ok(()) }
    }

    /// The whole file.
    #[must_use]
    pub fn end(self) -> Vec<u8> {
        let mut chunks = b"WEBP".to_vec();
        let (width, height) = (three_bytes(self.size.0 - 1), three_bytes(self.size.1 - 1));
        chunk(&mut chunks, *b"VP8X", &[&[IS_ANIMATED, 0, 0, 0], &width, &height]);
        let background = [0_u8; 4];
        chunk(&mut chunks, *b"ANIM", &[&background, &FOR_EVER.to_le_bytes()]);
        let mut out = Vec::with_capacity(chunks.len() + self.frames.len() + 8);
        chunk(&mut out, *b"RIFF", &[&chunks, &self.frames]);
        out
    }
}

fn still(cut: &Frame, of_codes: &CodeColors) -> Result<Vec<u8>, ImageError> {
    let colors;
    let pixels = match &cut.pixels {
        Pixels::Rgb(colors) => colors.as_flattened(),
        Pixels::Codes(codes) => {
            colors = codes.iter().map(|code| of_codes[usize::from(*code)]).collect::<Vec<_>>();
            colors.as_flattened()
        }
    };
    let mut bytes = Cursor::new(Vec::new());
    let (width, height) = (cut.width as u32, cut.height as u32);
    WebPEncoder::new_lossless(&mut bytes).encode(pixels, width, height, ExtendedColorType::Rgb8)?;
    Ok(bytes.into_inner())
}

/// Writes a chunk of a RIFF: kind, length, content, and one more byte if the content's length is odd.
fn chunk(out: &mut Vec<u8>, kind: [u8; 4], parts: &[&[u8]]) {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    out.extend_from_slice(&kind);
    out.extend_from_slice(&(len as u32).to_le_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
    out.resize(out.len() + len % 2, 0);
}

fn three_bytes(number: usize) -> [u8; 3] {
    let [a, b, c, _] = (number as u32).to_le_bytes();
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raster(colors: Vec<[u8; 3]>, width: usize) -> Frame {
        Frame { width, height: colors.len() / width, pixels: Pixels::Rgb(colors) }
    }

    /// Kinds and contents of the chunks of a RIFF.
    fn chunks(mut rest: &[u8]) -> Vec<(&[u8], &[u8])> {
        let mut chunks = Vec::new();
        while let Some((len, _)) = rest.get(4..).and_then(|rest| rest.split_first_chunk::<4>()) {
            let len = u32::from_le_bytes(*len) as usize;
            chunks.push((&rest[..4], &rest[8..8 + len]));
            rest = &rest[8 + len + len % 2..];
        }
        assert!(rest.is_empty());
        chunks
    }

    #[test]
    fn lengths_are_right_and_frames_begin_at_even_places() {
        let first = raster(vec![[1; 3]; 20], 5);
        let mut changed = vec![[1; 3]; 20];
        changed[18] = [9, 8, 7];
        let second = raster(changed, 5);
        let mut webp =
            WebP::new((5, 4), Box::new([[0; 3]; crate::render::colormap::CODES]), Fps::parse("30").unwrap());
        webp.frame(&first, Region::whole(&first)).unwrap();
        let region = Region::changed(&first, &second).from_even();
        webp.frame(&region.cut(&second), region).unwrap();
        let bytes = webp.end();
        let riff = chunks(&bytes);
        assert_eq!((riff.len(), riff[0].0), (1, &b"RIFF"[..]));
        let inside = chunks(&riff[0].1[4..]);
        let kinds: Vec<&[u8]> = inside.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [b"VP8X", b"ANIM", b"ANMF", b"ANMF"]);
        assert_eq!(inside[0].1, [2, 0, 0, 0, 4, 0, 0, 3, 0, 0]);
        // Column 3 and row 3 become 2 and 2, written halved; the size, 2 by 2 pixels, is written minus one; 34 ms; no blending.
        assert_eq!(inside[2].1[..16], [0, 0, 0, 0, 0, 0, 4, 0, 0, 3, 0, 0, 33, 0, 0, 2]);
        assert_eq!(inside[3].1[..16], [1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 34, 0, 0, 2]);
        assert_eq!(&inside[3].1[16..20], b"VP8L");
    }
}
