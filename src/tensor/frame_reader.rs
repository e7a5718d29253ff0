//! The animated pictures of a step -> one frame after another, decoded on request.

use bytes::Bytes;

use super::{
    Tensor,
    animation::Animation,
    dtype::DType,
    frames::Frames,
    picture::{Headed, PictureError, headed, shape_of},
    shape::Shape,
};
use crate::event::picture::PictureHead;

/// Reads the frames of a step. Between two of them it holds the encoded pictures and at most two frames of each.
pub struct FrameReader {
    pictures: Vec<Bytes>,
    head: PictureHead,
    /// How many frames each picture has.
    frames: Frames,
    /// The shape of the tensor of one frame.
    shape: Shape,
    under_way: Vec<Animation>,
    n_decoded: u64,
}

impl FrameReader {
    /// For pictures that together make a tensor of at most `limit` bytes, by their headers. Nothing is decoded yet.
    ///
    /// # Errors
    /// Those of [`super::picture::decode_pictures`] that the headers show.
    pub fn new(pictures: Vec<Bytes>, limit: usize) -> Result<Self, PictureError> {
        let Headed { counts, head, .. } = headed(&pictures, limit)?;
        let shape = shape_of(head, counts.len(), limit)?;
        let frames = Frames::of(counts);
        Ok(Self { pictures, head, frames, shape, under_way: Vec::new(), n_decoded: 0 })
    }

    /// How many frames each picture has.
    #[must_use]
    pub fn frames(&self) -> &Frames {
        &self.frames
    }

    /// How many frames were decoded so far, in total for all pictures.
    #[must_use]
    pub fn n_decoded(&self) -> u64 {
        self.n_decoded
    }

    /// The shape of one frame of each picture: `[picture, row, column, channel]`.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The frame with this number, from 1, of each picture: `[picture, row, column, channel]`. All frames up to it are decoded;
    /// if it is before the one that was read last, decoding starts again from the first. `None` if there is no such frame, or if
    /// one picture has more frames than another.
    ///
    /// # Errors
    /// A frame that cannot be decoded.
    pub fn read(&mut self, number: usize) -> Result<Option<Tensor>, PictureError> {
        if number == 0 || self.frames.of_all().is_none_or(|of| number > of) {
            return Ok(None);
        }
        if self.under_way.first().is_none_or(|animation| animation.n_decoded() > number) {
            self.under_way = self.begin()?;
        }
        let mut bytes = Vec::with_capacity(self.shape.elements());
        for (idx, animation) in self.under_way.iter_mut().enumerate() {
            while animation.n_decoded() < number {
                self.n_decoded += 1;
                animation.advance().map_err(|reason| PictureError::Damaged { idx, reason })?;
            }
            animation.append_to(&mut bytes, self.head.channels);
        }
        let shape = self.shape.clone();
        Ok(Some(Tensor { dtype: DType::UInt8, shape, bytes: bytes.into(), frames: Frames::default() }))
    }

    fn begin(&self) -> Result<Vec<Animation>, PictureError> {
        let of = self.frames.of_all().unwrap_or(1);
        let begin = |(idx, picture)| {
            Animation::new(picture, self.head, of).map_err(|reason| PictureError::Damaged { idx, reason })
        };
        self.pictures.iter().enumerate().map(begin).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A GIF of one pixel whose frames have different colours.
    fn gif(n_frames: u8) -> Bytes {
        let mut bytes = Vec::new();
        let mut encoder = gif::Encoder::new(&mut bytes, 1, 1, &[]).unwrap();
        for level in 0..n_frames {
            let frame = gif::Frame::from_rgb(1, 1, &[level; 3]);
            encoder.write_frame(&frame).unwrap();
        }
        drop(encoder);
        bytes.into()
    }

    #[test]
    fn each_frame_is_decoded_once_as_long_as_they_are_read_in_order() {
        let pictures = vec![gif(5), gif(5)];
        let mut reader = FrameReader::new(pictures, 1 << 20).unwrap();
        let mut check = |number: usize, n_decoded: u64| {
            let frame =
                reader.read(number).unwrap().map(|frame| (frame.shape.axes().to_vec(), frame.bytes.to_vec()));
            let is_there = (1..=5).contains(&number);
            let expected = is_there.then(|| (vec![2, 1, 1, 3], vec![number as u8 - 1; 6]));
            assert_eq!(frame, expected, "frame {number}");
            assert_eq!(reader.n_decoded(), n_decoded, "frame {number}");
        };
        check(1, 2);
        check(2, 4);
        check(2, 4);
        check(5, 10);
        check(1, 12);
        check(0, 12);
        check(6, 12);
    }

    #[test]
    fn pictures_of_different_counts_have_no_frame_together() {
        let mut reader = FrameReader::new(vec![gif(2), gif(3)], 1 << 20).unwrap();
        assert_eq!(reader.read(1).unwrap(), None);
        assert_eq!(reader.frames().counts(), [2, 3]);
    }

    #[test]
    fn a_damaged_frame_is_an_error_and_those_before_it_are_not() {
        let whole = gif(3);
        let mut reader = FrameReader::new(vec![whole.slice(..whole.len() - 6)], 1 << 20).unwrap();
        assert!(reader.read(2).unwrap().is_some());
        let error = reader.read(3).unwrap_err();
        assert!(
            matches!(&error, PictureError::Damaged { idx: 0, reason } if reason.contains("frame 3 of 3"))
        );
    }
}
