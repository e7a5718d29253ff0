//! An animated PNG (third edition) -> its parts.

use std::io::Cursor;

use bytes::Bytes;
use png::{BitDepth, BlendOp, ColorType, Decoder, DisposeOp, Limits, Reader, Transformations};

use super::canvas::{Blend, Canvas, Disposal, FramePart, Rect};

use crate::{event::picture::PictureHead, tensor::still::limit_of_animation};

pub(super) struct ApngParts {
    reader: Reader<Cursor<Bytes>>,
    /// Whether the default image, which comes first, is not one of the frames.
    is_default_first: bool,
    n_left: u32,
}

impl ApngParts {
    pub(super) fn new(picture: &Bytes, head: PictureHead) -> Result<Self, String> {
        let bytes = usize::try_from(limit_of_animation(head)).unwrap_or(usize::MAX);
        let mut decoder = Decoder::new_with_limits(Cursor::new(picture.clone()), Limits { bytes });
        decoder.set_transformations(Transformations::EXPAND);
        let reader = decoder.read_info().map_err(|error| error.to_string())?;
        if reader.output_color_type().1 != BitDepth::Eight {
            return Err("animated PNGs of 16 bit are not read".to_owned());
        }
        let is_default_first = reader.info().frame_control.is_none();
        let n_left = reader.info().animation_control().map_or(0, |control| control.num_frames);
        Ok(Self { reader, is_default_first, n_left })
    }

    /// The next part of the picture, which has this canvas; `None` after the last.
    pub(super) fn next(&mut self, canvas: &Canvas) -> Result<Option<FramePart>, String> {
        if std::mem::take(&mut self.is_default_first) {
            self.read()?;
        }
        let Some(n_left) = self.n_left.checked_sub(1) else { return Ok(None) };
        self.n_left = n_left;
        let bytes = self.read()?;
        let info = self.reader.info();
        let control = info.frame_control().ok_or("it has no fcTL")?;
        let (width, height) = (control.width, control.height);
        let at = canvas.within(Rect { left: control.x_offset, top: control.y_offset, width, height })?;
        let blend = match control.blend_op {
            BlendOp::Source => Blend::Replace,
            BlendOp::Over => Blend::Over,
        };
        let disposal = match control.dispose_op {
            DisposeOp::None => Disposal::Keep,
            DisposeOp::Background => Disposal::Clear,
            DisposeOp::Previous => Disposal::RestoreShown,
        };
        // Interlaced rows are as far from each other as those of the whole picture.
        let row_px = if info.interlaced { info.width } else { width };
        let row_bytes = self.reader.output_line_size(row_px).ok_or("its rows are too long")?;
        let rows = bytes.chunks_exact(row_bytes).take(height as usize);
        let color = self.reader.output_color_type().0;
        let pixels: Vec<[u8; 4]> = rows.flat_map(|row| rgba(row, color).take(width as usize)).collect();
        if pixels.len() != width as usize * height as usize {
            return Err("it has too few pixels".to_owned());
        }
        Ok(Some(FramePart { at, pixels, blend, disposal }))
    }

    fn read(&mut self) -> Result<Vec<u8>, String> {
        let mut bytes = vec![0; self.reader.output_buffer_size().ok_or("it has too many pixels")?];
        self.reader.next_frame(&mut bytes).map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

/// The pixels of a row.
fn rgba(row: &[u8], color: ColorType) -> impl Iterator<Item = [u8; 4]> {
    row.chunks_exact(color.samples()).map(|samples| match *samples {
        [gray] => [gray, gray, gray, 255],
        [gray, alpha] => [gray, gray, gray, alpha],
        [red, green, blue] => [red, green, blue, 255],
        [red, green, blue, alpha] => [red, green, blue, alpha],
        _ => [0; 4],
    })
}
