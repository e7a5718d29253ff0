//! Tiles' numbers -> the pixels of a sheet and what they stand for.

use super::{
    choices::{ChoiceError, Cmap, Labels, Order, Scope},
    colormap::{BAD, Code, GUTTER, NAN, NEG_INF, POS_INF, Rgb, special_color},
    direct::{self, Direct},
    label,
    order::arrange,
    plan::{Pixel, Plan, Tile},
    range::{Interval, Outside, interval, interval_of},
    real::{Real, extent},
    stack::{Stack, gather, whole_layer},
    tensorflow::{Arithmetic, Bad, Operation},
};

use crate::tensor::{
    Tensor,
    values::{Values, values},
};

/// A drawn sheet.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// What its pixels show.
    pub legend: SheetLegend,
    /// The pixels before zooming.
    pub raster: Raster,
}

/// What the pixels of a sheet show.
#[derive(Clone, Debug)]
pub struct SheetLegend {
    /// What was drawn, with the tiles in the order in which they stand.
    pub plan: Plan,
    /// The layer's or the run's interval, or where tiles have their own the one that covers all of them.
    pub interval: Interval,
    /// Each tile's interval, with scope `tile` and where ranges are blended.
    pub tile_intervals: Option<Vec<Interval>>,
    /// For each tile, whether all its finite numbers are equal.
    pub constant: Vec<bool>,
    /// Of the numbers that are drawn, those that no colour of the map shows truly.
    pub outside: Outside,
}

impl SheetLegend {
    /// Memory that it takes, about, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let of_tile = size_of::<Tile>() + size_of::<Interval>() + size_of::<bool>();
        let Plan { tiles, rows, cols_of_tile, .. } = &self.plan;
        let lines = (rows.len() + cols_of_tile.len()) * size_of::<usize>();
        (size_of::<Self>() + tiles.len() * of_tile + lines) as u64
    }
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
    /// What is written into the gutter once the pixels are zoomed, as letters do not grow.
    pub labels: Vec<Label>,
}

/// A number above a tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The column of its left edge, before zooming.
    pub x: usize,
    /// The row of its upper edge, before zooming.
    pub y: usize,
    /// What it says.
    pub text: String,
}

/// What the picture of a tensor takes from other steps of its series.
#[derive(Clone, Copy, Debug, Default)]
pub struct Others<'a> {
    /// The interval of all steps, for scope `run`: see [`super::run`].
    pub run: Option<Interval>,
    /// The tensor of the step before, for the order `change`.
    pub before: Option<&'a Tensor>,
}

/// Pixels as codes of a colour map, or as colours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pixels {
    /// Codes, whose colours the colour map says.
    Codes(Vec<Code>, Cmap),
    /// Colours.
    Rgb(Vec<Rgb>),
}

/// Draws a tensor by itself. What needs other steps is left out, and the sheet's plan says so: scope `run` becomes `layer`, the
/// order `change` becomes `index`. See [`draw_among`].
#[must_use]
pub fn draw(tensor: &Tensor, mut plan: Plan) -> Sheet {
    if plan.needs_run() {
        plan.scope = Scope::Layer;
    }
    if plan.needs_before() {
        plan.order = Order::Index;
    }
    draw_among(tensor, plan, &Others::default()).expect("a plan that needs no other step does not fail")
}

/// Draws a tensor as planned.
///
/// # Errors
/// Where the plan needs something of other steps that is not given, and where the step before has another shape.
pub fn draw_among(tensor: &Tensor, plan: Plan, others: &Others<'_>) -> Result<Sheet, ChoiceError> {
    if plan.needs_run() && others.run.is_none() {
        let message = "run needs the range of all steps, which is not known here: use tile or layer";
        return Err(ChoiceError::new("scope", message));
    }
    if direct::fits(tensor.dtype, &plan) {
        return Ok(painted_directly(tensor, plan, others.run));
    }
    through_stack(tensor, plan, others)
}

fn through_stack(tensor: &Tensor, plan: Plan, others: &Others<'_>) -> Result<Sheet, ChoiceError> {
    let values = values(tensor);
    let (plan, stack) = arranged(tensor, &values, plan, others.before)?;
    let whole = match (plan.scope, others.run) {
        (Scope::Run, Some(run)) => run,
        (Scope::Tile, _) => Interval::of_ends(plan.range, None),
        (Scope::Layer | Scope::Run, _) => interval_of(plan.range, &whole_layer(&values, &plan, &stack)),
    };
    let arithmetic = match plan.pixel {
        Pixel::Element | Pixel::Rgb(_) => Arithmetic::of(tensor.dtype),
        Pixel::Norm { .. } | Pixel::Components { .. } => Arithmetic::Single,
    };
    Ok(match &stack.values {
        Values::F32(drawn) => paint(drawn, plan, whole, arithmetic),
        Values::F64(drawn) => paint(drawn, plan, whole, arithmetic),
    })
}

/// The tiles' numbers, in the order of the plan, and the plan in this order.
fn arranged(
    tensor: &Tensor,
    values: &Values,
    mut plan: Plan,
    before: Option<&Tensor>,
) -> Result<(Plan, Stack), ChoiceError> {
    let stack = gather(values, &plan);
    if plan.order == Order::Index {
        return Ok((plan, stack));
    }
    let before = before.filter(|_| plan.needs_before());
    if let Some(before) = before.filter(|before| before.shape != tensor.shape) {
        let message = format!(
            "change cannot compare {} with {} at the step before: use another order",
            tensor.shape, before.shape
        );
        return Err(ChoiceError::new("order", message));
    }
    let before = before.map(|before| gather(&crate::tensor::values::values(before), &plan));
    let order = arrange(plan.order, &stack, plan.tile_len(), before.as_ref())?;
    let stack = stack.in_order(&order, plan.tile_len());
    plan.tiles = order.iter().map(|idx| plan.tiles[*idx].clone()).collect();
    Ok((plan, stack))
}

/// The numbers behind the pixels as float32, tile by tile as they stand, with the lengths of their axes: tile, row, column and
/// for colours the component.
///
/// # Errors
/// As for [`draw_among`].
pub fn numbers(
    tensor: &Tensor,
    plan: &Plan,
    before: Option<&Tensor>,
) -> Result<(Vec<usize>, Vec<f32>), ChoiceError> {
    let (plan, stack) = arranged(tensor, &values(tensor), plan.clone(), before)?;
    let mut axes = vec![plan.tiles.len(), plan.rows.len(), plan.cols_of_tile.len()];
    if stack.components == 3 {
        axes.push(3);
    }
    Ok((axes, stack.values.into_f32()))
}

/// Codes and intervals of the tiles: one of the whole for all of them, or one each.
struct Levels {
    codes: Vec<Code>,
    tile_intervals: Option<Vec<Interval>>,
}

fn paint<T: Real>(drawn: &[T], plan: Plan, whole: Interval, arithmetic: Arithmetic) -> Sheet {
    let Levels { codes, tile_intervals } = if plan.range.is_tensorflow() {
        images(drawn, &plan, arithmetic)
    } else {
        levels(drawn, &plan, whole)
    };
    let mut outside = Outside::default();
    let mut constant = Vec::with_capacity(plan.tiles.len());
    for (tile_idx, tile) in drawn.chunks_exact(plan.tile_len()).enumerate() {
        let extent = extent(tile);
        outside +=
            tile_intervals.as_ref().map_or(whole, |intervals| intervals[tile_idx]).outside(tile, extent);
        constant.push(extent.is_none_or(|(lo, hi)| lo == hi));
    }
    let interval = covering(tile_intervals.as_deref(), whole);
    let raster = match plan.pixel {
        Pixel::Rgb(_) | Pixel::Components { .. } => rgb_raster(&codes, &plan),
        Pixel::Element | Pixel::Norm { .. } => code_raster(&codes, &plan),
    };
    Sheet { legend: SheetLegend { plan, interval, tile_intervals, constant, outside }, raster }
}

fn painted_directly(tensor: &Tensor, plan: Plan, run: Option<Interval>) -> Sheet {
    let Direct { codes, whole, tile_intervals, constant, outside } = direct::draw(tensor, &plan, run);
    let interval = covering(tile_intervals.as_deref(), whole);
    let (width, height) = plan.size();
    let (width, height) = (width / plan.zoom, height / plan.zoom);
    let raster = Raster { width, height, pixels: Pixels::Codes(codes, plan.cmap), labels: labels(&plan) };
    Sheet { legend: SheetLegend { plan, interval, tile_intervals, constant, outside }, raster }
}

/// The interval that covers those of all tiles, where each has its own.
fn covering(tiles: Option<&[Interval]>, whole: Interval) -> Interval {
    tiles.and_then(|tiles| tiles.iter().copied().reduce(Interval::cover)).unwrap_or(whole)
}

/// As [`draw`], never directly.
#[cfg(test)]
pub(super) fn draw_stack(tensor: &Tensor, plan: Plan) -> Sheet {
    through_stack(tensor, plan, &Others::default()).expect("the plan needs no other step")
}

fn levels<T: Real>(drawn: &[T], plan: &Plan, whole: Interval) -> Levels {
    let mut codes = vec![0; drawn.len()];
    if plan.scope != Scope::Tile && plan.blend == 0.0 {
        whole.codes(drawn, &mut codes);
        return Levels { codes, tile_intervals: None };
    }
    let tile_len = plan.tile_len();
    let of_tile = |tile| {
        let interval = interval(plan.range, tile);
        if plan.scope == Scope::Tile { interval } else { whole.blend(interval, plan.blend) }
    };
    let intervals: Vec<Interval> = drawn.chunks_exact(tile_len).map(of_tile).collect();
    let tiles = drawn.chunks_exact(tile_len).zip(codes.chunks_exact_mut(tile_len));
    for ((tile, codes), interval) in tiles.zip(&intervals) {
        interval.codes(tile, codes);
    }
    Levels { codes, tile_intervals: Some(intervals) }
}

/// Each tile as an image that TensorFlow scales.
fn images<T: Real>(drawn: &[T], plan: &Plan, arithmetic: Arithmetic) -> Levels {
    let is_color = matches!(plan.pixel, Pixel::Rgb(_) | Pixel::Components { .. });
    let bad = match plan.cmap {
        Cmap::Gray => Bad::Level,
        Cmap::Rgb => Bad::Color,
        _ => Bad::OfMap,
    };
    let operation =
        Operation { range: plan.range, arithmetic, components: if is_color { 3 } else { 1 }, bad };
    let mut codes = vec![0; drawn.len()];
    let tile_len = plan.tile_len();
    let tiles = drawn.chunks_exact(tile_len).zip(codes.chunks_exact_mut(tile_len));
    let intervals = tiles.map(|(tile, codes)| operation.codes(tile, codes)).collect();
    Levels { codes, tile_intervals: Some(intervals) }
}

fn labels(plan: &Plan) -> Vec<Label> {
    if plan.labels == Labels::None {
        return Vec::new();
    }
    let label = |(idx, tile)| {
        let (x, y) = plan.origin(idx);
        Label { x, y: y - plan.label_rows, text: label::text(tile) }
    };
    plan.tiles.iter().enumerate().map(label).collect()
}

fn code_raster(codes: &[Code], plan: &Plan) -> Raster {
    let (width, height, pixels) = lay_out(codes, GUTTER, plan);
    Raster { width, height, pixels: Pixels::Codes(pixels, plan.cmap), labels: labels(plan) }
}

fn rgb_raster(codes: &[Code], plan: &Plan) -> Raster {
    let (pixels, _) = codes.as_chunks::<3>();
    let colors: Vec<Rgb> = pixels.iter().copied().map(rgb_of_codes).collect();
    let (width, height, pixels) = lay_out(&colors, special_color(GUTTER), plan);
    Raster { width, height, pixels: Pixels::Rgb(pixels), labels: labels(plan) }
}

/// The colour of three components; what is not finite in one of them colours the whole pixel.
fn rgb_of_codes(codes: [Code; 3]) -> Rgb {
    let special = [NAN, POS_INF, NEG_INF, BAD].into_iter().find(|code| codes.contains(code));
    special.map_or_else(|| codes.map(|code| code as u8), special_color)
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
