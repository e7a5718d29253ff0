//! A tensor + a geometry -> the numbers of all tiles, one tile after another.

use std::borrow::Cow;

use super::{
    components::{Basis, factors},
    plan::{Geometry, Pixel},
};
use crate::tensor::values::Values;

/// Tiles one after the other, each row by row; with three numbers per pixel if `components` is 3.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// `tiles * height * width * components` numbers.
    pub values: Values,
    /// 1, or 3 for colours.
    pub components: usize,
}

/// This many tiles are gathered at once: as many neighbours as a cache line has, in a tensor whose last axis is the channels.
const TILES_AT_ONCE: usize = 16;
/// This many columns are transposed together, from pixel by pixel to tile by tile, before they are written.
const COLS_AT_ONCE: usize = 16;

/// Gathers the tiles from the tensor's elements.
#[must_use]
pub fn gather(values: &Values, geometry: &Geometry) -> Stack {
    let bases: Vec<usize> = geometry.tiles.iter().map(|tile| tile.base).collect();
    let (rows, cols) = (&geometry.rows, &geometry.cols_of_tile);
    match (&geometry.pixel, values) {
        (Pixel::Element, Values::F32(x)) => {
            Stack { values: Values::F32(elements(x, &bases, rows, cols)), components: 1 }
        }
        (Pixel::Element, Values::F64(x)) => {
            Stack { values: Values::F64(elements(x, &bases, rows, cols)), components: 1 }
        }
        (Pixel::Rgb(distances), Values::F32(x)) => Stack {
            values: Values::F32(elements(x, &bases, rows, &threefold(cols, *distances))),
            components: 3,
        },
        (Pixel::Rgb(distances), Values::F64(x)) => Stack {
            values: Values::F64(elements(x, &bases, rows, &threefold(cols, *distances))),
            components: 3,
        },
        (Pixel::Norm { inputs, .. }, values) => {
            Stack { values: Values::F64(norms_of(values, &bases, geometry, inputs)), components: 1 }
        }
        (Pixel::Components { inputs, bases: all }, values) => {
            let basis = basis_of(values, all, geometry, inputs);
            Stack {
                values: Values::F64(loadings_of(values, &bases, (geometry, inputs), &basis)),
                components: 3,
            }
        }
    }
}

impl Stack {
    /// How many numbers it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.values {
            Values::F32(x) => x.len(),
            Values::F64(x) => x.len(),
        }
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number at a position.
    #[must_use]
    pub fn number(&self, at: usize) -> f64 {
        match &self.values {
            Values::F32(x) => f64::from(x[at]),
            Values::F64(x) => x[at],
        }
    }

    /// The same tiles, of `tile_len` numbers each, in this order.
    #[must_use]
    pub fn in_order(&self, order: &[usize], tile_len: usize) -> Self {
        fn moved<T: Copy>(x: &[T], order: &[usize], tile_len: usize) -> Vec<T> {
            order.iter().flat_map(|idx| &x[idx * tile_len..][..tile_len]).copied().collect()
        }
        let values = match &self.values {
            Values::F32(x) => Values::F32(moved(x, order, tile_len)),
            Values::F64(x) => Values::F64(moved(x, order, tile_len)),
        };
        Self { values, components: self.components }
    }
}

/// The numbers from which the range of a whole layer is computed: all elements of the tensor, or the norms or loadings of all
/// filters.
#[must_use]
pub fn layer<'a>(values: &'a Values, geometry: &Geometry) -> Cow<'a, Values> {
    match &geometry.pixel {
        Pixel::Element | Pixel::Rgb(_) => Cow::Borrowed(values),
        Pixel::Norm { inputs, bases } => Cow::Owned(Values::F64(norms_of(values, bases, geometry, inputs))),
        Pixel::Components { inputs, bases } => {
            let basis = basis_of(values, bases, geometry, inputs);
            Cow::Owned(Values::F64(loadings_of(values, bases, (geometry, inputs), &basis)))
        }
    }
}

/// Like [`layer`], but reuses the drawn numbers if they are all the numbers of the layer.
#[must_use]
pub fn whole_layer<'a>(values: &'a Values, geometry: &Geometry, drawn: &'a Stack) -> Cow<'a, Values> {
    match &geometry.pixel {
        Pixel::Norm { bases, .. } | Pixel::Components { bases, .. }
            if bases.len() == geometry.tiles.len() =>
        {
            Cow::Borrowed(&drawn.values)
        }
        _ => layer(values, geometry),
    }
}

/// The weights of each input channel at the pixels of these tiles, one pixel after another.
fn weights<'a>(
    values: &'a Values,
    bases: &'a [usize],
    geometry: &'a Geometry,
    inputs: &'a [usize],
) -> (usize, impl Fn(usize, &mut Vec<f64>) + 'a) {
    let (rows, cols) = (&geometry.rows, &geometry.cols_of_tile);
    let tile_len = rows.len() * cols.len();
    let pixel = move |idx: usize, row: &mut Vec<f64>| {
        let within = idx % tile_len;
        let first = bases[idx / tile_len] + rows[within / cols.len()] + cols[within % cols.len()];
        match values {
            Values::F32(x) => row.extend(inputs.iter().map(|input| f64::from(x[first + input]))),
            Values::F64(x) => row.extend(inputs.iter().map(|input| x[first + input])),
        }
    };
    (bases.len() * tile_len, pixel)
}

fn basis_of(values: &Values, bases: &[usize], geometry: &Geometry, inputs: &[usize]) -> Basis {
    let (n, pixel) = weights(values, bases, geometry, inputs);
    Basis::new(factors(n, inputs.len(), pixel))
}

fn loadings_of(
    values: &Values,
    bases: &[usize],
    (geometry, inputs): (&Geometry, &[usize]),
    basis: &Basis,
) -> Vec<f64> {
    let (n, pixel) = weights(values, bases, geometry, inputs);
    let mut row = Vec::with_capacity(inputs.len());
    let mut out = Vec::with_capacity(3 * n);
    for idx in 0..n {
        row.clear();
        pixel(idx, &mut row);
        out.extend(basis.loadings(&row));
    }
    out
}

fn threefold(cols: &[usize], distances: [usize; 3]) -> Vec<usize> {
    cols.iter().flat_map(|col| distances.map(|distance| col + distance)).collect()
}

fn elements<T: Copy + Default>(x: &[T], bases: &[usize], rows: &[usize], cols: &[usize]) -> Vec<T> {
    let tile_len = rows.len() * cols.len();
    let mut out = vec![T::default(); bases.len() * tile_len];
    for (bases, out) in bases.chunks(TILES_AT_ONCE).zip(out.chunks_mut(TILES_AT_ONCE * tile_len)) {
        let are_neighbours =
            bases.len() == TILES_AT_ONCE && bases.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        for (y, row) in rows.iter().enumerate() {
            for (block_idx, cols_of_block) in cols.chunks(COLS_AT_ONCE).enumerate() {
                let at = y * cols.len() + block_idx * COLS_AT_ONCE;
                if are_neighbours {
                    turn(x, bases[0] + row, cols_of_block, |tile_idx, block| {
                        out[tile_idx * tile_len + at..][..block.len()].copy_from_slice(block);
                    });
                    continue;
                }
                for (tile_idx, base) in bases.iter().enumerate() {
                    let out = &mut out[tile_idx * tile_len + at..][..cols_of_block.len()];
                    for (element, col) in out.iter_mut().zip(cols_of_block) {
                        *element = x[base + row + col];
                    }
                }
            }
        }
    }
    out
}

/// Gathers a block of columns of tiles whose elements are neighbours in memory, and passes each tile's columns to `give`.
fn turn<T: Copy + Default>(x: &[T], first: usize, cols: &[usize], mut give: impl FnMut(usize, &[T])) {
    let mut block = [[T::default(); COLS_AT_ONCE]; TILES_AT_ONCE];
    for (x_idx, col) in cols.iter().enumerate() {
        let neighbours: &[T; TILES_AT_ONCE] =
            x[first + col..].first_chunk().expect("each tile has an element there");
        for (tile, element) in block.iter_mut().zip(neighbours) {
            tile[x_idx] = *element;
        }
    }
    for (tile_idx, tile) in block.iter().enumerate() {
        give(tile_idx, &tile[..cols.len()]);
    }
}

fn norms_of(values: &Values, bases: &[usize], geometry: &Geometry, inputs: &[usize]) -> Vec<f64> {
    let (rows, cols) = (&geometry.rows, &geometry.cols_of_tile);
    match values {
        Values::F32(x) => norms(x, bases, rows, cols, inputs),
        Values::F64(x) => norms(x, bases, rows, cols, inputs),
    }
}

/// L2 norms over the input channels. A NaN among them gives NaN, an infinity gives infinity.
fn norms<T: Copy + Into<f64>>(
    x: &[T],
    bases: &[usize],
    rows: &[usize],
    cols: &[usize],
    inputs: &[usize],
) -> Vec<f64> {
    let mut out = Vec::with_capacity(bases.len() * rows.len() * cols.len());
    for base in bases {
        for row in rows {
            for col in cols {
                let pixel = base + row + col;
                let sum: f64 = inputs.iter().map(|input| square(x[pixel + input].into())).sum();
                out.push(sum.sqrt());
            }
        }
    }
    out
}

fn square(x: f64) -> f64 {
    x * x
}
