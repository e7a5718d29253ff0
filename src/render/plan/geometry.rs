//! Which elements of a tensor make which tile, and where the tiles stand on the sheet.

use crate::{
    model::layout::Layout,
    render::choices::{Labels, Order, View},
    tensor::frames::Frame,
};

/// The most pixels a sheet may have, zoom included.
pub const MOST_PIXELS: usize = 64 << 20;
/// The most tiles a sheet may have.
pub const MOST_TILES: usize = 1 << 18;

/// The elements of each tile and the places of the tiles. Labels and zoom are part of it because labels, which do not grow
/// with the zoom, take room between the tiles.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// What a tile is.
    pub view: View,
    /// Which axis is which.
    pub layout: Layout,
    /// In which order the tiles are to stand; `tiles` stand by their index until they are drawn.
    pub order: Order,
    /// What stands above each tile.
    pub labels: Labels,
    /// Columns of the sheet.
    pub cols: usize,
    /// Pixels between and around the tiles, before zooming.
    pub gutter: usize,
    /// Pixels per element.
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

impl Pixel {
    /// How many numbers make a pixel: 3 where they are red, green and blue.
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
        self.rows.len() * self.cols_of_tile.len() * self.pixel.components()
    }

    /// Whether the tensor of the step before is needed.
    #[must_use]
    pub fn needs_before(&self) -> bool {
        self.order == Order::Change
    }
}
