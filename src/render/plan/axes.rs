//! A layout and a shape -> the length and stride of each axis, by its letter.

use crate::model::layout::Layout;

/// Length and stride of a tensor's axes by letter; an axis that the layout does not have counts as one of length 1.
pub(super) struct Axes<'a> {
    pub(super) layout: Layout,
    pub(super) lengths: &'a [usize],
}

impl Axes<'_> {
    pub(super) fn len(&self, letter: char) -> usize {
        self.layout.axis(letter).map_or(1, |axis| self.lengths[axis])
    }

    /// Whether the channels are red, green and blue; the fourth channel of a picture is its alpha.
    pub(super) fn have_colours(&self, is_picture: bool) -> bool {
        self.len('C') == 3 || (self.len('C') == 4 && is_picture)
    }

    /// The distance of neighbours along this axis, in elements.
    pub(super) fn stride(&self, letter: char) -> usize {
        self.layout.axis(letter).map_or(0, |axis| self.lengths[axis + 1..].iter().product())
    }

    pub(super) fn outputs(&self) -> usize {
        if self.layout.is_depthwise() { self.len('I') * self.len('M') } else { self.len('O') }
    }

    /// The offsets of a tile's rows and columns. Depth slices are side by side; one-dimensional kernels are rows.
    pub(super) fn tile_grid(&self) -> (Vec<usize>, Vec<usize>) {
        let rows = (0..self.len('H')).map(|y| y * self.stride('H')).collect();
        let cols = (0..self.len('D')).flat_map(|z| (0..self.len('W')).map(move |x| (z, x)));
        (rows, cols.map(|(z, x)| z * self.stride('D') + x * self.stride('W')).collect())
    }
}
