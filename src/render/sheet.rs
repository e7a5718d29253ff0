//! Tiles' numbers -> the pixels of a sheet, without colours, and what they mean.

use std::sync::Arc;

use super::{
    choices::{ChoiceError, Labels, Order, Range, Scope},
    colormap::{BAD, Code, GUTTER, NAN, NEG_INF, POS_INF, Rgb, special_color},
    direct::{self, DirectSheet},
    label,
    order::arrange,
    other_steps::OtherSteps,
    plan::{Geometry, Pixel, Scale, Tile},
    range::{Interval, Outside, interval, interval_of},
    real::{Real, extent},
    stack::{Stack, gather, whole_layer},
    tensorflow::{Arithmetic, Operation},
};

use crate::tensor::{
    Tensor,
    values::{Values, values},
};

/// A drawn sheet, without colours: [`super::plan::Paint`] says which colour each code has.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// What its pixels show.
    pub legend: Arc<SheetLegend>,
    /// The pixels before zooming.
    pub raster: Raster,
}

/// What the pixels of a sheet show.
#[derive(Clone, Debug)]
pub struct SheetLegend {
    /// Which elements are where, with the tiles in their order on the sheet.
    pub geometry: Geometry,
    /// How numbers became levels.
    pub scale: Scale,
    /// The interval of the layer or the run; if tiles have their own intervals, the one that covers all of them.
    pub interval: Interval,
    /// Each tile's interval, with scope `tile` or if ranges are blended.
    pub tile_intervals: Option<Vec<Interval>>,
    /// For each tile, whether all its finite numbers are equal.
    pub constant: Vec<bool>,
    /// How many of the drawn numbers are not shown correctly by any level.
    pub outside: Outside,
}

impl SheetLegend {
    /// About how much memory it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let of_tile = size_of::<Tile>() + size_of::<Interval>() + size_of::<bool>();
        let Geometry { tiles, rows, cols_of_tile, .. } = &self.geometry;
        let lines = (rows.len() + cols_of_tile.len()) * size_of::<usize>();
        (size_of::<Self>() + tiles.len() * of_tile + lines) as u64
    }
}

/// Pixels, row by row, before zooming.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raster {
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The pixels.
    pub pixels: Pixels,
    /// What is written into the gutter after the pixels are zoomed, because letters are not zoomed.
    pub labels: Vec<Label>,
}

/// A number above a tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The column of its left edge, before zooming.
    pub x: usize,
    /// The row of its upper edge, before zooming.
    pub y: usize,
    /// Its text.
    pub text: String,
}

/// Pixels as codes, or as colours that three levels make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pixels {
    /// Codes, to which a colour map gives colours.
    Codes(Vec<Code>),
    /// Colours.
    Rgb(Vec<Rgb>),
}

impl Raster {
    /// About how much memory it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let of_pixels = match &self.pixels {
            Pixels::Codes(codes) => size_of_val(&**codes),
            Pixels::Rgb(colors) => size_of_val(&**colors),
        };
        let of_labels: usize = self.labels.iter().map(|label| size_of::<Label>() + label.text.len()).sum();
        (of_pixels + of_labels) as u64
    }
}

/// Draws a tensor without the other steps. Options that need them are replaced, and the sheet's legend says so: scope `run`
/// becomes `layer`, the order `change` becomes `index`. See [`draw_among`].
#[must_use]
pub fn draw(tensor: &Tensor, mut geometry: Geometry, mut scale: Scale) -> Sheet {
    if scale.needs_run() {
        scale.scope = Scope::Layer;
    }
    if geometry.needs_before() {
        geometry.order = Order::Index;
    }
    draw_among(tensor, geometry, &scale, &OtherSteps::default())
        .expect("a picture that needs no other step does not fail")
}

/// Draws a tensor with this geometry and scale.
///
/// # Errors
/// If something from other steps is needed but not given, or if the previous step has another shape.
pub fn draw_among(
    tensor: &Tensor,
    geometry: Geometry,
    scale: &Scale,
    other_steps: &OtherSteps<&Tensor>,
) -> Result<Sheet, ChoiceError> {
    if scale.needs_run() && other_steps.run.is_none() {
        let message = "run needs the range of all steps, which is not known here: use tile or layer";
        return Err(ChoiceError::new("scope", message));
    }
    if direct::fits(tensor.dtype, &geometry, scale) {
        return Ok(drawn_directly(tensor, geometry, scale, other_steps.run));
    }
    through_stack(tensor, geometry, scale, other_steps)
}

fn through_stack(
    tensor: &Tensor,
    geometry: Geometry,
    scale: &Scale,
    other_steps: &OtherSteps<&Tensor>,
) -> Result<Sheet, ChoiceError> {
    let values = values(tensor);
    let (geometry, stack) = arranged(tensor, &values, geometry, other_steps.before)?;
    let whole = match (scale.scope, other_steps.run) {
        (Scope::Run, Some(run)) => run,
        (Scope::Tile, _) => Interval::of_ends(scale.range, None),
        (Scope::Layer | Scope::Run, _) => interval_of(scale.range, &whole_layer(&values, &geometry, &stack)),
    };
    let arithmetic = match geometry.pixel {
        Pixel::Element | Pixel::Rgb(_) => Arithmetic::of(tensor.dtype),
        Pixel::Norm { .. } | Pixel::Components { .. } => Arithmetic::Single,
    };
    let builder = SheetBuilder { geometry, scale: *scale, whole, arithmetic };
    Ok(match &stack.values {
        Values::F32(drawn) => builder.sheet(drawn),
        Values::F64(drawn) => builder.sheet(drawn),
    })
}

/// The tiles' numbers in the order of the tiles on the sheet, and the geometry in this order.
fn arranged(
    tensor: &Tensor,
    values: &Values,
    mut geometry: Geometry,
    before: Option<&Tensor>,
) -> Result<(Geometry, Stack), ChoiceError> {
    let stack = gather(values, &geometry);
    if geometry.order == Order::Index {
        return Ok((geometry, stack));
    }
    let before = before.filter(|_| geometry.needs_before());
    if let Some(before) = before.filter(|before| before.shape != tensor.shape) {
        let message = format!(
            "change cannot compare {} with {} at the step before: use another order",
            tensor.shape, before.shape
        );
        return Err(ChoiceError::new("order", message));
    }
    let before = before.map(|before| gather(&crate::tensor::values::values(before), &geometry));
    let order = arrange(geometry.order, &stack, geometry.tile_len(), before.as_ref())?;
    let stack = stack.in_order(&order, geometry.tile_len());
    geometry.tiles = order.iter().map(|idx| geometry.tiles[*idx].clone()).collect();
    Ok((geometry, stack))
}

/// The numbers that the pixels show, as float32, tile by tile in their order on the sheet, with the lengths of their axes: tile,
/// row, column, and for colours the component.
///
/// # Errors
/// Those of [`draw_among`].
pub fn numbers(
    tensor: &Tensor,
    geometry: &Geometry,
    before: Option<&Tensor>,
) -> Result<(Vec<usize>, Vec<f32>), ChoiceError> {
    let (geometry, stack) = arranged(tensor, &values(tensor), geometry.clone(), before)?;
    let mut axes = vec![geometry.tiles.len(), geometry.rows.len(), geometry.cols_of_tile.len()];
    if stack.components == 3 {
        axes.push(3);
    }
    Ok((axes, stack.values.into_f32()))
}

/// The codes of all tiles, and the interval of each tile if they do not share one.
struct CodedTiles {
    codes: Vec<Code>,
    tile_intervals: Option<Vec<Interval>>,
}

/// Turns the numbers of all tiles into a sheet.
struct SheetBuilder {
    geometry: Geometry,
    scale: Scale,
    /// The interval of the layer or the run.
    whole: Interval,
    arithmetic: Arithmetic,
}

impl SheetBuilder {
    fn sheet<T: Real>(self, drawn: &[T]) -> Sheet {
        let CodedTiles { codes, tile_intervals } = if self.scale.range.is_tensorflow() {
            self.images(drawn)
        } else {
            coded_tiles(drawn, self.geometry.tile_len(), &self.scale, self.whole)
        };
        let Self { geometry, scale, whole, .. } = self;
        let mut outside = Outside::default();
        let mut constant = Vec::with_capacity(geometry.tiles.len());
        for (tile_idx, tile) in drawn.chunks_exact(geometry.tile_len()).enumerate() {
            let extent = extent(tile);
            outside +=
                tile_intervals.as_ref().map_or(whole, |intervals| intervals[tile_idx]).outside(tile, extent);
            constant.push(extent.is_none_or(|(lo, hi)| lo == hi));
        }
        let interval = covering(tile_intervals.as_deref(), whole);
        let raster = match geometry.pixel.components() {
            3 => rgb_raster(&codes, &geometry, scale.range),
            _ => code_raster(&codes, &geometry),
        };
        let legend = SheetLegend { geometry, scale, interval, tile_intervals, constant, outside };
        Sheet { legend: legend.into(), raster }
    }

    /// Each tile as an image, scaled as TensorFlow does it.
    fn images<T: Real>(&self, drawn: &[T]) -> CodedTiles {
        let components = self.geometry.pixel.components();
        let operation = Operation { range: self.scale.range, arithmetic: self.arithmetic, components };
        let mut codes = vec![0; drawn.len()];
        let tile_len = self.geometry.tile_len();
        let tiles = drawn.chunks_exact(tile_len).zip(codes.chunks_exact_mut(tile_len));
        let intervals = tiles.map(|(tile, codes)| operation.codes(tile, codes)).collect();
        CodedTiles { codes, tile_intervals: Some(intervals) }
    }
}

fn drawn_directly(tensor: &Tensor, geometry: Geometry, scale: &Scale, run: Option<Interval>) -> Sheet {
    let DirectSheet { codes, whole, tile_intervals, constant, outside } =
        direct::draw(tensor, &geometry, scale, run);
    let interval = covering(tile_intervals.as_deref(), whole);
    let (width, height) = geometry.raster_size();
    let raster = Raster { width, height, pixels: Pixels::Codes(codes), labels: labels(&geometry) };
    let legend = SheetLegend { geometry, scale: *scale, interval, tile_intervals, constant, outside };
    Sheet { legend: legend.into(), raster }
}

/// The interval that covers those of all tiles, if each has its own.
fn covering(tiles: Option<&[Interval]>, whole: Interval) -> Interval {
    tiles.and_then(|tiles| tiles.iter().copied().reduce(Interval::cover)).unwrap_or(whole)
}

/// Like [`draw`], but never with `direct`.
#[cfg(test)]
pub(super) fn draw_stack(tensor: &Tensor, geometry: Geometry, scale: &Scale) -> Sheet {
    through_stack(tensor, geometry, scale, &OtherSteps::default()).expect("no other step is needed")
}

fn coded_tiles<T: Real>(drawn: &[T], tile_len: usize, scale: &Scale, whole: Interval) -> CodedTiles {
    let mut codes = vec![0; drawn.len()];
    if scale.scope != Scope::Tile && scale.blend == 0.0 {
        whole.codes(drawn, &mut codes);
        return CodedTiles { codes, tile_intervals: None };
    }
    let of_tile = |tile| {
        let interval = interval(scale.range, tile);
        if scale.scope == Scope::Tile { interval } else { whole.blend(interval, scale.blend) }
    };
    let intervals: Vec<Interval> = drawn.chunks_exact(tile_len).map(of_tile).collect();
    let tiles = drawn.chunks_exact(tile_len).zip(codes.chunks_exact_mut(tile_len));
    for ((tile, codes), interval) in tiles.zip(&intervals) {
        interval.codes(tile, codes);
    }
    CodedTiles { codes, tile_intervals: Some(intervals) }
}

fn labels(geometry: &Geometry) -> Vec<Label> {
    if geometry.labels == Labels::None {
        return Vec::new();
    }
    let label = |(idx, tile)| {
        let (x, y) = geometry.origin(idx);
        Label { x, y: y - geometry.label_rows, text: label::text(tile) }
    };
    geometry.tiles.iter().enumerate().map(label).collect()
}

fn code_raster(codes: &[Code], geometry: &Geometry) -> Raster {
    let (width, height, pixels) = lay_out(codes, GUTTER, geometry);
    Raster { width, height, pixels: Pixels::Codes(pixels), labels: labels(geometry) }
}

fn rgb_raster(codes: &[Code], geometry: &Geometry, range: Range) -> Raster {
    let (pixels, _) = codes.as_chunks::<3>();
    let of_pixel = if range == Range::Tf2 { rgb_of_tf2 } else { rgb_of_codes };
    let colors: Vec<Rgb> = pixels.iter().copied().map(of_pixel).collect();
    let (width, height, pixels) = lay_out(&colors, special_color(GUTTER), geometry);
    Raster { width, height, pixels: Pixels::Rgb(pixels), labels: labels(geometry) }
}

/// The colour of three components; if one of them is not finite, it decides the colour of the whole pixel.
fn rgb_of_codes(codes: [Code; 3]) -> Rgb {
    let special = [NAN, POS_INF, NEG_INF, BAD].into_iter().find(|code| codes.contains(code));
    special.map_or_else(|| codes.map(|code| code as u8), special_color)
}

/// The colour that TensorFlow 2's conversion writes; it converts each component separately.
fn rgb_of_tf2(codes: [Code; 3]) -> Rgb {
    codes.map(|code| match code {
        NAN | NEG_INF => 0,
        POS_INF => 255,
        level => level as u8,
    })
}

fn lay_out<P: Copy>(tiles: &[P], gutter: P, geometry: &Geometry) -> (usize, usize, Vec<P>) {
    let (width, height) = geometry.raster_size();
    let (tile_w, tile_h) = (geometry.cols_of_tile.len(), geometry.rows.len());
    let mut pixels = vec![gutter; width * height];
    for (tile_idx, tile) in tiles.chunks_exact(tile_w * tile_h).enumerate() {
        let (x0, y0) = geometry.origin(tile_idx);
        for (y, row) in tile.chunks_exact(tile_w).enumerate() {
            let start = (y0 + y) * width + x0;
            pixels[start..start + tile_w].copy_from_slice(row);
        }
    }
    (width, height, pixels)
}
