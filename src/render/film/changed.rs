//! Two frames -> the smallest rectangle that contains all pixels in which they differ.

use crate::render::{film::screen::Frame, sheet::Pixels};

/// A rectangle of pixels within a frame, at least one pixel wide and high.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its first column.
    pub x: usize,
    /// Its first row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Region {
    /// The rectangle of a whole frame.
    #[must_use]
    pub fn whole(frame: &Frame) -> Self {
        Self { x: 0, y: 0, width: frame.width, height: frame.height }
    }

    /// Where two frames of the same size differ. If they are equal, the first pixel, because a film has no empty frames.
    #[must_use]
    pub fn changed(before: &Frame, after: &Frame) -> Self {
        let differing = match (&before.pixels, &after.pixels) {
            (Pixels::Codes(a), Pixels::Codes(b)) => differing(a, b, after.width),
            (Pixels::Rgb(a), Pixels::Rgb(b)) => differing(a, b, after.width),
            _ => return Self::whole(after),
        };
        differing.unwrap_or(Self { x: 0, y: 0, width: 1, height: 1 })
    }

    /// The smallest rectangle around it that begins at an even column and row.
    #[must_use]
    pub fn from_even(self) -> Self {
        let (x, y) = (self.x & !1, self.y & !1);
        Self { x, y, width: self.width + self.x - x, height: self.height + self.y - y }
    }

    /// The pixels of the rectangle, row by row.
    #[must_use]
    pub fn cut(self, frame: &Frame) -> Frame {
        if self == Self::whole(frame) {
            return frame.clone();
        }
        let pixels = match &frame.pixels {
            Pixels::Codes(codes) => Pixels::Codes(self.rows(codes, frame.width)),
            Pixels::Rgb(colors) => Pixels::Rgb(self.rows(colors, frame.width)),
        };
        Frame { width: self.width, height: self.height, pixels }
    }

    fn rows<P: Copy>(self, pixels: &[P], frame_width: usize) -> Vec<P> {
        let rows = pixels.chunks_exact(frame_width).skip(self.y).take(self.height);
        rows.flat_map(|row| &row[self.x..self.x + self.width]).copied().collect()
    }
}

fn differing<P: PartialEq>(before: &[P], after: &[P], width: usize) -> Option<Region> {
    let rows = || before.chunks_exact(width).zip(after.chunks_exact(width)).enumerate();
    let first_row = rows().find(|(_, (a, b))| a != b)?.0;
    let (mut last_row, mut left, mut right) = (first_row, width, 0);
    for (y, (a, b)) in rows().skip(first_row).filter(|(_, (a, b))| a != b) {
        let differs = || a.iter().zip(b).enumerate().filter(|(_, (a, b))| a != b).map(|(x, _)| x);
        last_row = y;
        left = left.min(differs().next().unwrap_or(width));
        right = right.max(differs().next_back().unwrap_or(0));
    }
    Some(Region { x: left, y: first_row, width: right + 1 - left, height: last_row + 1 - first_row })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn raster(codes: Vec<u16>, width: usize) -> Frame {
        Frame { width, height: codes.len() / width, pixels: Pixels::Codes(codes) }
    }

    #[test]
    fn equal_frames_differ_in_one_pixel_that_is_the_same() {
        let frame = raster(vec![7; 6], 3);
        assert_eq!(Region::changed(&frame, &frame), Region { x: 0, y: 0, width: 1, height: 1 });
    }

    #[test]
    fn a_box_from_an_even_place_holds_the_box() {
        let odd = Region { x: 3, y: 2, width: 1, height: 5 };
        assert_eq!(odd.from_even(), Region { x: 2, y: 2, width: 2, height: 5 });
    }

    proptest! {
        #[test]
        fn the_box_laid_over_the_frame_before_gives_the_frame(
            before in prop::collection::vec(0..3_u16, 20), changes in prop::collection::vec((0..20_usize, 0..3_u16), 0..4)
        ) {
            let mut after = before.clone();
            for (at, code) in changes {
                after[at] = code;
            }
            let (before, after) = (raster(before, 5), raster(after, 5));
            let region = Region::changed(&before, &after);
            let Pixels::Codes(cut) = region.cut(&after).pixels else { panic!("codes went in") };
            let Pixels::Codes(mut laid) = before.pixels else { panic!("codes went in") };
            for (at, code) in cut.iter().enumerate() {
                laid[(region.y + at / region.width) * 5 + region.x + at % region.width] = *code;
            }
            prop_assert_eq!(Pixels::Codes(laid), after.pixels);
        }
    }
}
