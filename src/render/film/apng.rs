//! Frames -> an animated PNG, frame by frame.
//!
//! Source: Portable Network Graphics, third edition, 11.3.6: an `acTL` before the first `IDAT`, an `fcTL` before each frame,
//! and an `fdAT` for each frame after the first. An `fdAT` is an `IDAT` that begins with a number; `fcTL` and `fdAT` share one
//! sequence of numbers. Each frame is encoded as a separate PNG, and its chunks are copied.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};

use crate::render::{
    encode::Effort,
    film::{changed::Region, options::Fps, palette::Coloring, screen::Frame},
    sheet::Pixels,
};

const SIGNATURE_BYTES: usize = 8;
/// Length and kind, before a chunk's content.
const CHUNK_HEAD_BYTES: usize = 8;
const CRC_BYTES: usize = 4;
const DISPOSE_NONE: u8 = 0;
const BLEND_SOURCE: u8 = 0;
const FOR_EVER: u32 = 0;

/// An animated PNG that is being written.
#[derive(Debug)]
pub struct Apng {
    coloring: Coloring,
    n_frames: u32,
    /// Numerator and denominator of the seconds for which each frame is shown.
    delay: (u16, u16),
    effort: Effort,
    sequence: u32,
}

impl Apng {
    /// Begins a film of exactly `n_frames` frames, with a palette of all colours that it shows, or in full colour.
    #[must_use]
    pub fn new(coloring: Coloring, n_frames: u32, fps: Fps, effort: Effort) -> Self {
        let per_hundred = fps.in_hundred_seconds() as u16;
        let shared = greatest_common_divisor(100, per_hundred);
        Self { coloring, n_frames, delay: (100 / shared, per_hundred / shared), effort, sequence: 0 }
    }

    /// The bytes of the next frame; `cut` is the part of it at `region`. The first frame must be whole.
    ///
    /// # Errors
    /// Sides that a PNG cannot have.
    pub fn frame(&mut self, cut: &Frame, region: Region) -> Result<Vec<u8>, EncodingError> {
        let png = self.still(cut)?;
        let mut out = Vec::with_capacity(png.len() + 64);
        let is_first = self.sequence == 0;
        let control = self.control(region);
        if is_first {
            out.extend_from_slice(&png[..SIGNATURE_BYTES]);
        }
        let mut is_announced = false;
        for (kind, content) in chunks(&png) {
            match (kind, is_first) {
                (b"IEND", _) => {}
                (b"IDAT", _) => {
                    if !std::mem::replace(&mut is_announced, true) {
                        if is_first {
                            chunk(
                                &mut out,
                                *b"acTL",
                                &[&self.n_frames.to_be_bytes(), &FOR_EVER.to_be_bytes()],
                            );
                        }
                        chunk(&mut out, *b"fcTL", &[&control]);
                    }
                    if is_first {
                        chunk(&mut out, *b"IDAT", &[content]);
                    } else {
                        chunk(&mut out, *b"fdAT", &[&self.number(), content]);
                    }
                }
                (kind, true) => chunk(&mut out, *kind, &[content]),
                (_, false) => {}
            }
        }
        Ok(out)
    }

    /// The last bytes.
    #[must_use]
    pub fn end() -> Vec<u8> {
        let mut out = Vec::new();
        chunk(&mut out, *b"IEND", &[]);
        out
    }

    fn number(&mut self) -> [u8; 4] {
        self.sequence += 1;
        (self.sequence - 1).to_be_bytes()
    }

    fn control(&mut self, region: Region) -> Vec<u8> {
        let sides = [region.width, region.height, region.x, region.y].map(|side| (side as u32).to_be_bytes());
        let (numerator, denominator) = self.delay;
        let mut control = self.number().to_vec();
        control.extend_from_slice(sides.as_flattened());
        control.extend_from_slice([numerator.to_be_bytes(), denominator.to_be_bytes()].as_flattened());
        control.extend_from_slice(&[DISPOSE_NONE, BLEND_SOURCE]);
        control
    }

    fn still(&self, cut: &Frame) -> Result<Vec<u8>, EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, cut.width as u32, cut.height as u32);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(match self.effort {
            Effort::Live => Compression::Fast,
            Effort::Keep => Compression::Balanced,
        });
        match (&self.coloring.palette, &cut.pixels) {
            (Some(palette), Pixels::Codes(codes)) => {
                encoder.set_color(ColorType::Indexed);
                encoder.set_palette(palette.bytes());
                encoder.set_filter(Filter::NoFilter);
                encoder.write_header()?.write_image_data(&palette.indices(codes))?;
            }
            (None, Pixels::Codes(codes)) => {
                let colors = &self.coloring.colors;
                let pixels: Vec<_> = codes.iter().map(|code| colors[usize::from(*code)]).collect();
                encoder.set_color(ColorType::Rgb);
                encoder.write_header()?.write_image_data(pixels.as_flattened())?;
            }
            (_, Pixels::Rgb(colors)) => {
                encoder.set_color(ColorType::Rgb);
                encoder.write_header()?.write_image_data(colors.as_flattened())?;
            }
        }
        Ok(bytes)
    }
}

/// Kinds and contents of the chunks of a PNG that was just written.
fn chunks(png: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = &png[SIGNATURE_BYTES..];
    std::iter::from_fn(move || {
        let (len, behind) = rest.split_first_chunk::<4>()?;
        let (kind, behind) = behind.split_first_chunk::<4>()?;
        let len = u32::from_be_bytes(*len) as usize;
        let content = behind.get(..len)?;
        rest = rest.get(CHUNK_HEAD_BYTES + len + CRC_BYTES..)?;
        Some((kind, content))
    })
}

fn chunk(out: &mut Vec<u8>, kind: [u8; 4], parts: &[&[u8]]) {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    out.extend_from_slice(&(len as u32).to_be_bytes());
    let checked = out.len();
    out.extend_from_slice(&kind);
    for part in parts {
        out.extend_from_slice(part);
    }
    let crc = crc32fast::hash(&out[checked..]);
    out.extend_from_slice(&crc.to_be_bytes());
}

fn greatest_common_divisor(a: u16, b: u16) -> u16 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{
        choices::{Cmap, Range},
        colormap::{Code, CodeColors, GUTTER},
        film::palette::{Palette, PossibleCodes},
        plan::Paint,
    };

    fn gray() -> CodeColors {
        Paint::new(Cmap::Gray, Range::MinMax).colors()
    }

    fn full() -> Coloring {
        Coloring { palette: None, colors: gray().into() }
    }

    fn raster(codes: Vec<Code>, width: usize) -> Frame {
        Frame { width, height: codes.len() / width, pixels: Pixels::Codes(codes) }
    }

    /// A film of a first frame, a frame in which a box changed, and a frame that stayed the same.
    fn film(coloring: Coloring) -> Vec<u8> {
        let first = raster(vec![GUTTER; 12], 4);
        let mut changed = vec![GUTTER; 12];
        changed[6] = 7;
        changed[11] = 9;
        let second = raster(changed, 4);
        let mut apng = Apng::new(coloring, 3, Fps::parse("12.5").unwrap(), Effort::Live);
        let mut bytes = apng.frame(&first, Region::whole(&first)).unwrap();
        for (before, after) in [(&first, &second), (&second, &second)] {
            let region = Region::changed(before, after);
            bytes.extend(apng.frame(&region.cut(after), region).unwrap());
        }
        bytes.extend(Apng::end());
        bytes
    }

    fn kinds(film: &[u8]) -> Vec<&str> {
        chunks(film).map(|(kind, _)| std::str::from_utf8(kind).unwrap()).collect()
    }

    #[test]
    fn chunks_stand_in_the_order_of_the_standard() {
        let palette =
            Palette::lossless(&gray(), &PossibleCodes { levels: 7..=9, others: vec![GUTTER] }).unwrap();
        let with_palette = ["IHDR", "PLTE", "acTL", "fcTL", "IDAT", "fcTL", "fdAT", "fcTL", "fdAT", "IEND"];
        assert_eq!(kinds(&film(Coloring { palette: Some(palette), ..full() })), with_palette);
        assert_eq!(kinds(&film(full())), [&with_palette[..1], &with_palette[2..]].concat());
    }

    #[test]
    fn frames_are_counted_numbered_and_placed() {
        let film = film(full());
        let all: Vec<_> = chunks(&film).collect();
        let of = |kind: &[u8; 4]| all.iter().filter(|(k, _)| *k == kind).map(|(_, c)| *c).collect::<Vec<_>>();
        assert_eq!(of(b"acTL"), [[0, 0, 0, 3, 0, 0, 0, 0]]);
        let numbered = all.iter().filter(|(kind, _)| [b"fcTL", b"fdAT"].contains(kind));
        let numbers: Vec<u32> =
            numbered.map(|(_, content)| u32::from_be_bytes(*content.first_chunk().unwrap())).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
        let placed = |control: &[u8]| {
            let (sides, _) = control[4..20].as_chunks::<4>();
            (sides.iter().map(|side| u32::from_be_bytes(*side)).collect::<Vec<_>>(), control[20..].to_vec())
        };
        // 12.5 frames per second are 2/25 seconds per frame; nothing is disposed of, nothing is blended.
        let pace = vec![0, 100 / 50, 0, 25, 0, 0];
        let controls: Vec<_> = of(b"fcTL").into_iter().map(placed).collect();
        let boxes = [vec![4, 3, 0, 0], vec![2, 2, 2, 1], vec![1, 1, 0, 0]];
        assert_eq!(controls, boxes.map(|sides| (sides, pace.clone())));
    }

    #[test]
    fn every_chunk_has_its_sum() {
        let film = film(full());
        let mut at = SIGNATURE_BYTES;
        for (kind, content) in chunks(&film) {
            let end = at + CHUNK_HEAD_BYTES + content.len();
            let sum = crc32fast::hash(&[kind, content].concat());
            assert_eq!(film[end..end + CRC_BYTES], sum.to_be_bytes(), "{kind:?}");
            at = end + CRC_BYTES;
        }
        assert_eq!(at, film.len());
    }
}
