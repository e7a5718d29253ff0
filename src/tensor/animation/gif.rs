//! An animated GIF (89a) -> its parts.

use std::io::Cursor;

use bytes::Bytes;
use gif::{ColorOutput, DecodeOptions, Decoder, DisposalMethod};

use super::canvas::{Blend, Canvas, Disposal, FramePart, Rect};

pub(super) struct GifParts(Decoder<Cursor<Bytes>>);

impl GifParts {
    pub(super) fn new(picture: &Bytes) -> Result<Self, String> {
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::RGBA);
        options.read_info(Cursor::new(picture.clone())).map(Self).map_err(|error| error.to_string())
    }

    /// The next part of the picture, which has this canvas; `None` after the last.
    pub(super) fn next(&mut self, canvas: &Canvas) -> Result<Option<FramePart>, String> {
        let Some(frame) = self.0.next_frame_info().map_err(|error| error.to_string())? else {
            return Ok(None);
        };
        let [left, top, width, height] = [frame.left, frame.top, frame.width, frame.height].map(u32::from);
        let disposal = match frame.dispose {
            DisposalMethod::Any | DisposalMethod::Keep => Disposal::Keep,
            DisposalMethod::Background => Disposal::Clear,
            DisposalMethod::Previous => Disposal::Restore,
        };
        let at = canvas.within(Rect { left, top, width, height })?;
        let mut pixels = vec![[0; 4]; width as usize * height as usize];
        self.0.read_into_buffer(pixels.as_flattened_mut()).map_err(|error| error.to_string())?;
        Ok(Some(FramePart { at, pixels, blend: Blend::Holes, disposal }))
    }
}
