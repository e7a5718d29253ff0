//! How many frames each picture of a step has -> which frame of which picture is at each position of the tensor's first axis.

use std::sync::Arc;

/// The frames of a step's pictures, which are stored one picture after another along the first axis of its tensor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames(Option<Arc<[usize]>>);

/// One frame of an animated picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Which of the step's pictures, from 0; `None` if there is only one.
    pub picture: Option<usize>,
    /// Its number in the picture, from 1.
    pub number: usize,
    /// How many frames the picture has.
    pub of: usize,
}

impl Frames {
    /// From the number of frames of each picture. If none has more than one, they are stills and have no frames.
    #[must_use]
    pub fn of(counts: Vec<usize>) -> Self {
        Self(counts.iter().any(|count| *count > 1).then(|| counts.into()))
    }

    /// Whether all pictures are stills, or there are none.
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
    /// How many frames each of the pictures has; `None` for stills, and if one has more than another.
    #[must_use]
    pub fn of_all(&self) -> Option<usize> {
        let (first, others) = self.counts().split_first()?;
        others.iter().all(|other| other == first).then_some(*first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
