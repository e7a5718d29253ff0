//! A tensor + a plan -> the numbers of all tiles, one tile after another.

use super::plan::{Pixel, Plan};
use crate::tensor::values::Values;

/// Tiles one behind the other, each row by row; with three numbers a pixel where `components` is 3.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// `tiles * height * width * components` numbers.
    pub values: Values,
    /// 1, or 3 for colours.
    pub components: usize,
}

/// This many tiles are gathered at once: as many neighbours as a cache line of a tensor whose channels lie fastest has.
const TILES_AT_ONCE: usize = 16;
/// This many columns are turned from lying tile by tile to lying in their rows before they are written.
const COLS_AT_ONCE: usize = 16;

/// Gathers the plan's tiles out of the tensor's elements.
#[must_use]
pub fn gather(values: &Values, plan: &Plan) -> Stack {
    let bases: Vec<usize> = plan.tiles.iter().map(|tile| tile.base).collect();
    let (rows, cols) = (&plan.rows, &plan.cols_of_tile);
    match (&plan.pixel, values) {
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
            Stack { values: Values::F64(norms_of(values, &bases, rows, cols, inputs)), components: 1 }
        }
    }
}

/// The numbers that the range of a whole layer is taken over: all elements of the tensor, or the norms of all filters.
#[must_use]
pub fn whole_layer<'a>(values: &'a Values, plan: &Plan, drawn: &'a Stack) -> std::borrow::Cow<'a, Values> {
    use std::borrow::Cow;
    match &plan.pixel {
        Pixel::Element | Pixel::Rgb(_) => Cow::Borrowed(values),
        Pixel::Norm { bases, .. } if bases.len() == plan.tiles.len() => Cow::Borrowed(&drawn.values),
        Pixel::Norm { inputs, bases } => {
            Cow::Owned(Values::F64(norms_of(values, bases, &plan.rows, &plan.cols_of_tile, inputs)))
        }
    }
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

/// Gathers a block of columns of tiles whose elements lie side by side, and gives each tile's columns.
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

fn norms_of(values: &Values, bases: &[usize], rows: &[usize], cols: &[usize], inputs: &[usize]) -> Vec<f64> {
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
