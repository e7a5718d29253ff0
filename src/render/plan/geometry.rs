//! Which elements of a tensor make which tile, and where the tiles are on the sheet.

use crate::{
    model::layout::Layout,
    render::choices::{Labels, Order, View},
    tensor::frames::Frame,
};

/// The most pixels a sheet may have, zoom included.
pub const MOST_PIXELS: usize = 64 << 20;
/// The most tiles a sheet may have.
pub const MOST_TILES: usize = 1 << 18;

/// The elements of each tile and the positions of the tiles. Labels and zoom are part of it because labels, which do not grow
/// with the zoom, need space between the tiles.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// What a tile is.
    pub view: View,
    /// Which axis is which.
    pub layout: Layout,
    /// The order in which the tiles are drawn; `tiles` are in the order of their index until then.
    pub order: Order,
    /// What is written above each tile.
    pub labels: Labels,
    /// Columns of the sheet.
    pub cols: usize,
    /// Pixels between and around the tiles, before zooming.
    pub gutter: usize,
    /// Pixels per element.
    pub zoom: usize,
    /// How many frames the animated pictures have in total; the tiles may be only a part of them. 0 for still pictures.
    pub n_frames: usize,
    /// Where each tile's elements are.
    pub tiles: Vec<Tile>,
    /// For each row of a tile, the offset of its first element from the tile's first element.
    pub rows: Vec<usize>,
    /// For each column of a tile, the offset of its elements from the first element of their row.
    pub cols_of_tile: Vec<usize>,
    /// How a pixel is computed from elements.
    pub pixel: Pixel,
    /// Rows above each tile for its label, before zooming.
    pub label_rows: usize,
    /// Columns from the first column of a tile to the gutter after it, before zooming: more than the tile has if its label
    /// is wider.
    pub cell_cols: usize,
}

/// One tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The number of the filter, of the map's channel or of the sample.
    pub channel: usize,
    /// The input channel, in the view `matrix`.
    pub input: Option<usize>,
    /// Which frame of an animated picture it shows.
    pub frame: Option<Frame>,
    /// The position of its first element.
    pub base: usize,
}

/// How a pixel is computed from elements. Distances are relative to the pixel's own position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pixel {
    /// It is one element.
    Element,
    /// The L2 norm of elements at these distances, over all filters that begin at `bases`.
    Norm {
        /// One distance per input channel.
        inputs: Vec<usize>,
        /// The first element of every filter, drawn or not.
        bases: Vec<usize>,
    },
    /// Red, green and blue at these distances.
    Rgb([usize; 3]),
    /// Red, green and blue are the strengths of three factors over the input channels.
    Components {
        /// One distance per input channel.
        inputs: Vec<usize>,
        /// The first element of every filter, drawn or not.
        bases: Vec<usize>,
    },
}

impl Pixel {
    /// How many numbers make a pixel: 3 if they are red, green and blue, otherwise 1.
    #[must_use]
    pub fn components(&self) -> usize {
        match self {
            Self::Element | Self::Norm { .. } => 1,
            Self::Rgb(_) | Self::Components { .. } => 3,
        }
    }
}

impl Geometry {
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

    /// Width and height of the sheet in pixels, before zooming.
    #[must_use]
    pub fn raster_size(&self) -> (usize, usize) {
        let (width, height) = self.size();
        (width / self.zoom, height / self.zoom)
    }

    /// The column and row of a tile's first pixel, before zooming. Its label begins `label_rows` above.
    #[must_use]
    pub fn origin(&self, tile_idx: usize) -> (usize, usize) {
        let (col, row) = (tile_idx % self.cols, tile_idx / self.cols);
        let (gutter, cell_rows) = (self.gutter, self.label_rows + self.rows.len());
        (gutter + col * (self.cell_cols + gutter), gutter + row * (cell_rows + gutter) + self.label_rows)
    }

    /// How many numbers make a tile.
    #[must_use]
    pub fn tile_len(&self) -> usize {
        self.rows.len() * self.cols_of_tile.len() * self.pixel.components()
    }

    /// Whether the tensor of the step before is needed.
    #[must_use]
    pub fn needs_before(&self) -> bool {
        self.order == Order::Change
    }
}
