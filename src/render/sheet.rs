//! Tiles' numbers -> the pixels of a sheet and what they stand for.

use super::{
    choices::{Cmap, Scope},
    colormap::{Code, GUTTER, NAN, NEG_INF, POS_INF, Rgb, SPECIAL},
    plan::{Pixel, Plan},
    range::{Interval, Outside, Real, extent, interval},
    stack::{Stack, gather, whole_layer},
};
use crate::tensor::{
    Tensor,
    values::{Values, values},
};

/// A drawn sheet.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// What was drawn.
    pub plan: Plan,
    /// The pixels before zooming.
    pub raster: Raster,
    /// The layer's interval, or with scope `tile` the one that covers those of all tiles.
    pub interval: Interval,
    /// Each tile's interval, with scope `tile`.
    pub tile_intervals: Option<Vec<Interval>>,
    /// For each tile, whether all its finite numbers are equal.
    pub constant: Vec<bool>,
    /// Of the numbers that are drawn, those that no colour of the map shows truly.
    pub outside: Outside,
}

/// Pixels row by row, before zooming.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raster {
    /// Pixels a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The pixels.
    pub pixels: Pixels,
}

/// Pixels as codes of a colour map, or as colours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pixels {
    /// Codes, whose colours the colour map says.
    Codes(Vec<Code>, Cmap),
    /// Colours.
    Rgb(Vec<Rgb>),
}

/// Draws a tensor as planned.
#[must_use]
pub fn draw(tensor: &Tensor, plan: Plan) -> Sheet {
    let values = values(tensor);
    let stack = gather(&values, &plan);
    let layer = whole_layer(&values, &plan, &stack);
    match (&stack.values, &*layer) {
        (Values::F32(drawn), Values::F32(layer)) => draw_numbers(drawn, layer, plan, &stack),
        (Values::F64(drawn), Values::F64(layer)) => draw_numbers(drawn, layer, plan, &stack),
        (Values::F32(drawn), Values::F64(layer)) => draw_numbers::<f32, f64>(drawn, layer, plan, &stack),
        (Values::F64(drawn), Values::F32(layer)) => draw_numbers::<f64, f32>(drawn, layer, plan, &stack),
    }
}

/// The numbers behind the pixels as float32, tile by tile, with the lengths of their axes: tile, row, column and for colours
/// the component.
#[must_use]
pub fn numbers(tensor: &Tensor, plan: &Plan) -> (Vec<usize>, Vec<f32>) {
    let stack = gather(&values(tensor), plan);
    let mut axes = vec![plan.tiles.len(), plan.rows.len(), plan.cols_of_tile.len()];
    if stack.components == 3 {
        axes.push(3);
    }
    (axes, stack.values.into_f32())
}

fn draw_numbers<T: Real, L: Real>(drawn: &[T], layer: &[L], plan: Plan, stack: &Stack) -> Sheet {
    let tile_len = plan.rows.len() * plan.cols_of_tile.len() * stack.components;
    let tiles = || drawn.chunks_exact(tile_len);
    let mut codes = vec![0; drawn.len()];
    let (whole, tile_intervals) = match plan.scope {
        Scope::Layer => {
            let whole = interval(plan.range, layer);
            whole.codes(drawn, &mut codes);
            (whole, None)
        }
        Scope::Tile => {
            let intervals: Vec<Interval> = tiles().map(|tile| interval(plan.range, tile)).collect();
            for ((tile, codes), interval) in tiles().zip(codes.chunks_exact_mut(tile_len)).zip(&intervals) {
                interval.codes(tile, codes);
            }
            (cover(&intervals), Some(intervals))
        }
    };
    let mut outside = Outside::default();
    let mut constant = Vec::with_capacity(plan.tiles.len());
    for (tile_idx, tile) in tiles().enumerate() {
        let extent = extent(tile);
        outside +=
            tile_intervals.as_ref().map_or(whole, |intervals| intervals[tile_idx]).outside(tile, extent);
        constant.push(extent.is_none_or(|(lo, hi)| lo == hi));
    }
    let raster = match plan.pixel {
        Pixel::Rgb(_) => rgb_raster(&codes, &plan),
        Pixel::Element | Pixel::Norm { .. } => code_raster(&codes, &plan),
    };
    Sheet { plan, raster, interval: whole, tile_intervals, constant, outside }
}

fn cover(intervals: &[Interval]) -> Interval {
    let lo = intervals.iter().map(|interval| interval.lo).fold(f64::INFINITY, f64::min);
    let hi = intervals.iter().map(|interval| interval.hi).fold(f64::NEG_INFINITY, f64::max);
    Interval { lo, hi, constant_level: intervals.first().map_or(0, |interval| interval.constant_level) }
}

fn code_raster(codes: &[Code], plan: &Plan) -> Raster {
    let (width, height, pixels) = lay_out(codes, GUTTER, plan);
    Raster { width, height, pixels: Pixels::Codes(pixels, plan.cmap) }
}

fn rgb_raster(codes: &[Code], plan: &Plan) -> Raster {
    let (pixels, _) = codes.as_chunks::<3>();
    let colors: Vec<Rgb> = pixels.iter().copied().map(rgb_of_codes).collect();
    let (width, height, pixels) = lay_out(&colors, SPECIAL[usize::from(GUTTER - NAN)], plan);
    Raster { width, height, pixels: Pixels::Rgb(pixels) }
}

/// The colour of three components; what is not finite in one of them colours the whole pixel.
fn rgb_of_codes(codes: [Code; 3]) -> Rgb {
    let special = [NAN, POS_INF, NEG_INF].into_iter().find(|code| codes.contains(code));
    special.map_or_else(|| codes.map(|code| code as u8), |code| SPECIAL[usize::from(code - NAN)])
}

fn lay_out<P: Copy>(tiles: &[P], gutter: P, plan: &Plan) -> (usize, usize, Vec<P>) {
    let (width, height) = plan.size();
    let (width, height) = (width / plan.zoom, height / plan.zoom);
    let (tile_w, tile_h) = (plan.cols_of_tile.len(), plan.rows.len());
    let mut pixels = vec![gutter; width * height];
    for (tile_idx, tile) in tiles.chunks_exact(tile_w * tile_h).enumerate() {
        let (x0, y0) = plan.origin(tile_idx);
        for (y, row) in tile.chunks_exact(tile_w).enumerate() {
            let start = (y0 + y) * width + x0;
            pixels[start..start + tile_w].copy_from_slice(row);
        }
    }
    (width, height, pixels)
}
