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

/// Gathers the plan's tiles out of the tensor's elements.
#[must_use]
pub fn gather(values: &Values, plan: &Plan) -> Stack {
    let bases: Vec<usize> = plan.tiles.iter().map(|tile| tile.base).collect();
    let (rows, cols) = (&plan.rows, &plan.cols_of_tile);
    match (&plan.pixel, values) {
        (Pixel::Element, Values::F32(x)) => Stack { values: Values::F32(elements(x, &bases, rows, cols)), components: 1 },
        (Pixel::Element, Values::F64(x)) => Stack { values: Values::F64(elements(x, &bases, rows, cols)), components: 1 },
        (Pixel::Rgb(distances), Values::F32(x)) => {
            Stack { values: Values::F32(elements(x, &bases, rows, &threefold(cols, *distances))), components: 3 }
        }
        (Pixel::Rgb(distances), Values::F64(x)) => {
            Stack { values: Values::F64(elements(x, &bases, rows, &threefold(cols, *distances))), components: 3 }
        }
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
        let mut at = 0;
        for row in rows {
            for col in cols {
                for (tile_idx, base) in bases.iter().enumerate() {
                    out[tile_idx * tile_len + at] = x[base + row + col];
                }
                at += 1;
            }
        }
    }
    out
}

fn norms_of(values: &Values, bases: &[usize], rows: &[usize], cols: &[usize], inputs: &[usize]) -> Vec<f64> {
    match values {
        Values::F32(x) => norms(x, bases, rows, cols, inputs),
        Values::F64(x) => norms(x, bases, rows, cols, inputs),
    }
}

/// L2 norms over the input channels. A NaN among them gives NaN, an infinity gives infinity.
fn norms<T: Copy + Into<f64>>(x: &[T], bases: &[usize], rows: &[usize], cols: &[usize], inputs: &[usize]) -> Vec<f64> {
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
