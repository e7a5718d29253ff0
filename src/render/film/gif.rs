//! Frames -> a GIF, frame by frame, with one palette for the whole film, which we choose.
//!
//! Source: Graphics Interchange Format, version 89a. A frame is shown for a whole number of hundredths of a second; the
//! rounding errors do not add up (`Fps::delay`).

use gif::{DisposalMethod, Encoder, EncodingError, Repeat};

use crate::render::{
    film::{
        changed::Region,
        options::Fps,
        palette::{Palette, rounded_colors, rounded_index},
        screen::Frame,
    },
    sheet::Pixels,
};

/// The most frames per hundred seconds: viewers show a frame of one hundredth of a second for ten hundredths.
pub const FASTEST: u32 = 5_000;
/// The longest side.
pub const LONGEST_SIDE: usize = u16::MAX as usize;
const HUNDREDTHS: u64 = 100;

/// A GIF that is being written.
pub struct Gif {
    encoder: Encoder<Vec<u8>>,
    palette: Option<Palette>,
    fps: Fps,
    frame_idx: usize,
}

impl Gif {
    /// Begins a film with frames of this size, no side above [`LONGEST_SIDE`]; with a palette for codes, without one for colours.
    ///
    /// # Errors
    /// None in practice, because all bytes are written to memory.
    pub fn new(size: (usize, usize), palette: Option<Palette>, fps: Fps) -> Result<Self, EncodingError> {
        let colors = rounded_colors();
        let bytes = palette.as_ref().map_or(colors.as_flattened(), Palette::bytes);
        let mut encoder = Encoder::new(Vec::new(), size.0 as u16, size.1 as u16, bytes)?;
        encoder.set_repeat(Repeat::Infinite)?;
        Ok(Self { encoder, palette, fps, frame_idx: 0 })
    }

    /// The bytes of the next frame; `cut` is the part of it at `region`. The first frame must be whole.
    ///
    /// # Errors
    /// None in practice, because all bytes are written to memory.
    pub fn frame(&mut self, cut: &Frame, region: Region) -> Result<Vec<u8>, EncodingError> {
        let indices = match (&self.palette, &cut.pixels) {
            (Some(palette), Pixels::Codes(codes)) => palette.indices(codes),
            (None, Pixels::Codes(codes)) => vec![0; codes.len()],
            (_, Pixels::Rgb(colors)) => colors.iter().copied().map(rounded_index).collect(),
        };
        let delay = self.fps.delay(self.frame_idx, HUNDREDTHS);
        self.frame_idx += 1;
        self.encoder.write_frame(&gif::Frame {
            delay: u16::try_from(delay).unwrap_or(u16::MAX),
            dispose: DisposalMethod::Keep,
            left: region.x as u16,
            top: region.y as u16,
            width: region.width as u16,
            height: region.height as u16,
            buffer: indices.into(),
            ..gif::Frame::default()
        })?;
        Ok(std::mem::take(self.encoder.get_mut()))
    }

    /// The last bytes.
    ///
    /// # Errors
    /// None in practice, because all bytes are written to memory.
    pub fn end(self) -> Result<Vec<u8>, EncodingError> {
        self.encoder.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{
        choices::{Cmap, Range},
        film::palette::PossibleCodes,
        plan::Paint,
    };

    #[test]
    fn the_film_has_one_palette_and_frames_have_their_boxes() {
        let raster = |codes: Vec<u16>| Frame { width: 3, height: 2, pixels: Pixels::Codes(codes) };
        let (first, second) = (raster(vec![0; 6]), raster(vec![0, 0, 0, 0, 0, 200]));
        let palette = Palette::merged(
            &Paint::new(Cmap::Gray, Range::MinMax).colors(),
            &PossibleCodes { levels: 0..=200, others: vec![] },
        );
        let mut gif = Gif::new((3, 2), Some(palette), Fps::parse("30").unwrap()).unwrap();
        let mut bytes = gif.frame(&first, Region::whole(&first)).unwrap();
        let region = Region::changed(&first, &second);
        bytes.extend(gif.frame(&region.cut(&second), region).unwrap());
        bytes.extend(gif.end().unwrap());
        // Width, height, and a palette of 2^8 colours for all frames.
        assert_eq!((&bytes[..6], &bytes[6..10], bytes[10] & 0x87), (&b"GIF89a"[..], &[3, 0, 2, 0][..], 0x87));
        let mut decoder = gif::DecodeOptions::new().read_info(&bytes[..]).unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            assert!(frame.palette.is_none());
            frames.push((frame.left, frame.top, frame.width, frame.height, frame.delay, frame.dispose));
        }
        assert_eq!(frames, [(0, 0, 3, 2, 3, DisposalMethod::Keep), (2, 1, 1, 1, 4, DisposalMethod::Keep)]);
        assert_eq!(bytes.last(), Some(&0x3b));
    }
}
