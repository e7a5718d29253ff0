//! How many frames each picture of a step has -> which frame of which picture stands at a place of the tensor's first axis.

use std::sync::Arc;

use bytes::Bytes;

use super::{Tensor, shape::Shape};

/// The frames of a step's pictures, which lie one picture after another along the first axis of its tensor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames(Option<Arc<[usize]>>);

/// One frame of an animated picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Which of the step's pictures, from 0; `None` where there is one alone.
    pub picture: Option<usize>,
    /// Its number in the picture, from 1.
    pub number: usize,
    /// How many the picture has.
    pub of: usize,
}

impl Frames {
    /// Of pictures with so many frames each. Where none has more than one, they are stills and have no frames.
    #[must_use]
    pub fn of(counts: Vec<usize>) -> Self {
        Self(counts.iter().any(|count| *count > 1).then(|| counts.into()))
    }

    /// Whether all pictures are stills, or none are there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// How many frames each picture has; empty for stills.
    #[must_use]
    pub fn counts(&self) -> &[usize] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Each frame, in the order of the tensor's first axis; nothing for stills.
    pub fn each(&self) -> impl Iterator<Item = Frame> {
        let counts = self.counts();
        let frames = |(picture, of): (usize, usize)| {
            let picture = (counts.len() > 1).then_some(picture);
            (1..=of).map(move |number| Frame { picture, number, of })
        };
        counts.iter().copied().enumerate().flat_map(frames)
    }
}

impl Frames {
    /// How many frames all pictures have; `None` for stills, and where one has more than another.
    #[must_use]
    pub fn of_all(&self) -> Option<usize> {
        let (first, others) = self.counts().split_first()?;
        others.iter().all(|other| other == first).then_some(*first)
    }
}

impl Tensor {
    /// The frame of this number, from 1, of each of its pictures: `[picture, row, column, channel]`. `None` where there is none, or
    /// one picture has more frames than another.
    #[must_use]
    pub fn frame(&self, number: usize) -> Option<Self> {
        let (of, pictures) = (self.frames.of_all()?, self.frames.counts().len());
        let at = number.checked_sub(1).filter(|at| *at < of)?;
        let mut dims: Vec<i64> = self.shape.axes().iter().map(|axis| *axis as i64).collect();
        *dims.first_mut()? = pictures as i64;
        let len = self.bytes.len() / (of * pictures);
        let part = |picture: usize| {
            let start = (picture * of + at) * len;
            self.bytes.slice(start..start + len)
        };
        let bytes = if pictures == 1 {
            part(0)
        } else {
            Bytes::from((0..pictures).map(part).collect::<Vec<_>>().concat())
        };
        Some(Self { dtype: self.dtype, shape: Shape::new(&dims).ok()?, bytes, frames: Frames::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::dtype::DType;

    #[test]
    fn a_frame_is_taken_out_of_each_picture() {
        let tensor = |counts: &[usize]| {
            let n = counts.iter().sum::<usize>();
            let bytes = (0..n as u8).flat_map(|frame| [frame, frame]).collect::<Vec<u8>>().into();
            let shape = Shape::new(&[n as i64, 1, 2, 1]).unwrap();
            Tensor { dtype: DType::UInt8, shape, bytes, frames: Frames::of(counts.to_vec()) }
        };
        let frame = |counts: &[usize], number| {
            let frame = tensor(counts).frame(number)?;
            Some((frame.shape.axes().to_vec(), frame.bytes.to_vec()))
        };
        assert_eq!(frame(&[3], 3), Some((vec![1, 1, 2, 1], vec![2, 2])));
        assert_eq!(frame(&[3, 3], 2), Some((vec![2, 1, 2, 1], vec![1, 1, 4, 4])));
        for (counts, number) in [(&[3][..], 0), (&[3], 4), (&[3, 2], 1), (&[1], 1)] {
            assert_eq!(frame(counts, number), None);
        }
    }

    fn named(counts: &[usize]) -> Vec<(Option<usize>, usize, usize)> {
        let frames = Frames::of(counts.to_vec());
        frames.each().map(|frame| (frame.picture, frame.number, frame.of)).collect()
    }

    #[test]
    fn frames_are_numbered_within_their_picture() {
        assert_eq!(named(&[3]), [(None, 1, 3), (None, 2, 3), (None, 3, 3)]);
        assert_eq!(named(&[2, 1]), [(Some(0), 1, 2), (Some(0), 2, 2), (Some(1), 1, 1)]);
        assert_eq!(named(&[1, 1]), []);
        assert!(Frames::of(vec![]).is_empty() && Frames::of(vec![1]).is_empty());
    }
}
