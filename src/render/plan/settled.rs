//! A plan: exactly what is to be drawn of a tensor, with no default left open.

use crate::{
    model::layout::Layout,
    render::choices::{Cmap, Labels, Order, Range, Scope, View},
    tensor::frames::Frame,
};

/// The most pixels a sheet may have, zoom included.
pub const MOST_PIXELS: usize = 64 << 20;
/// The most tiles a sheet may have.
pub const MOST_TILES: usize = 1 << 18;

/// Everything settled.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What a tile is.
    pub view: View,
    /// Which axis is which.
    pub layout: Layout,
    /// Which numbers the colours' ends are.
    pub range: Range,
    /// Over what the range is taken.
    pub scope: Scope,
    /// How far the layer's range goes to that of each tile, from 0 to 1; above 0 with scope `layer` alone.
    pub blend: f64,
    /// The colours.
    pub cmap: Cmap,
    /// In which order the tiles stand; here they do not yet.
    pub order: Order,
    /// What stands above each tile.
    pub labels: Labels,
    /// Columns of the sheet.
    pub cols: usize,
    /// Pixels between and around tiles, before zooming; around them too, so that the outer tiles end somewhere.
    pub gutter: usize,
    /// Pixels an element.
    pub zoom: usize,
    /// How many frames the animated pictures have in all, of which the tiles may be some; 0 for stills.
    pub n_frames: usize,
    /// Where each tile's elements lie.
    pub tiles: Vec<Tile>,
    /// For each row of a tile, how far after the tile's first element its own lies.
    pub rows: Vec<usize>,
    /// For each column of a tile, how far after the row's first element its elements lie.
    pub cols_of_tile: Vec<usize>,
    /// How a pixel comes from elements.
    pub pixel: Pixel,
    /// Rows above each tile for its label, before zooming.
    pub label_rows: usize,
    /// Columns from the first of a tile to the gutter after it, before zooming: more than those of the tile where its label
    /// is wider.
    pub cell_cols: usize,
}

/// One tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The filter, the map's channel or the sample.
    pub channel: usize,
    /// The input channel, in the view `matrix`.
    pub input: Option<usize>,
    /// The frame that it is of an animated picture.
    pub frame: Option<Frame>,
    /// The position of its first element.
    pub base: usize,
}

/// How a pixel comes from elements: positions are relative to the pixel's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pixel {
    /// It is the element.
    Element,
    /// The L2 norm of elements at these distances, over all filters that begin at `bases`.
    Norm {
        /// One distance an input channel.
        inputs: Vec<usize>,
        /// The first element of every filter, drawn or not.
        bases: Vec<usize>,
    },
    /// Red, green and blue at these distances.
    Rgb([usize; 3]),
    /// Red, green and blue are the strengths of three factors over the input channels.
    Components {
        /// One distance an input channel.
        inputs: Vec<usize>,
        /// The first element of every filter, drawn or not.
        bases: Vec<usize>,
    },
}

impl Plan {
    /// Rows of the sheet.
    #[must_use]
    pub fn grid_rows(&self) -> usize {
        self.tiles.len().div_ceil(self.cols)
    }

    /// Width and height of the sheet in pixels, zoom included.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let side = |cells: usize, cell: usize| {
            cells.saturating_mul(cell + self.gutter).saturating_add(self.gutter).saturating_mul(self.zoom)
        };
        (side(self.cols, self.cell_cols), side(self.grid_rows(), self.label_rows + self.rows.len()))
    }

    /// The column and row of a tile's first pixel, zoom not included. Its label begins `label_rows` above.
    #[must_use]
    pub fn origin(&self, tile_idx: usize) -> (usize, usize) {
        let (col, row) = (tile_idx % self.cols, tile_idx / self.cols);
        let (gutter, cell_rows) = (self.gutter, self.label_rows + self.rows.len());
        (gutter + col * (self.cell_cols + gutter), gutter + row * (cell_rows + gutter) + self.label_rows)
    }

    /// How many numbers make a tile.
    #[must_use]
    pub fn tile_len(&self) -> usize {
        let components = match self.pixel {
            Pixel::Element | Pixel::Norm { .. } => 1,
            Pixel::Rgb(_) | Pixel::Components { .. } => 3,
        };
        self.rows.len() * self.cols_of_tile.len() * components
    }

    /// Whether the range is that of all steps, which has to be found first.
    #[must_use]
    pub fn needs_run(&self) -> bool {
        self.scope == Scope::Run && !matches!(self.range, Range::Fixed(..))
    }

    /// Whether the tensor of the step before is needed.
    #[must_use]
    pub fn needs_before(&self) -> bool {
        self.order == Order::Change
    }
}
