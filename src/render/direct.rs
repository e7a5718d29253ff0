//! A float32 tensor as it is stored in the log -> the codes of a sheet, without copying its numbers in between.
//!
//! With large maps, nearly all time is spent on moving numbers. Here they are read twice, for the range and for the levels,
//! and the levels are written directly to their pixels. Levels are computed in float32. If a result is so close to the border
//! between two levels that float64 might give the other one, float64 is used. So the codes are those of [`Interval::codes`].

use super::{
    choices::{Order, Range, Scope},
    colormap::{Code, GUTTER},
    plan::{Geometry, Pixel, Scale},
    range::{Interval, Outside, interval_of},
    real::extent,
};

use crate::tensor::{Tensor, dtype::DType, values::values};

/// A drawn sheet: its codes, and the facts of its legend.
pub(super) struct DirectSheet {
    /// Row by row, before zooming.
    pub(super) codes: Vec<Code>,
    /// The interval of the layer or of the run.
    pub(super) whole: Interval,
    /// The intervals of the tiles, if each has its own.
    pub(super) tile_intervals: Option<Vec<Interval>>,
    /// For each tile, whether all its finite numbers are equal.
    pub(super) constant: Vec<bool>,
    /// How many numbers are not shown correctly by any colour.
    pub(super) outside: Outside,
}

/// Tiles whose elements are neighbours in memory are read together: this many floats are a cache line.
const TILES_AT_ONCE: usize = 16;
/// Columns that are transposed together, from pixel by pixel to tile by tile.
const COLS_AT_ONCE: usize = 16;
/// Adding it to a float32 below 2^22 rounds that float to an integer, halves to even; the integer is then in the lowest bits.
const ROUND_TO_EVEN: f32 = 12_582_912.0;
/// Half of the distance between a float32 and the next one, relative to the float32.
const ROUNDING: f64 = 1.0 / (1 << 24) as f64;

/// Whether a plan for this tensor can be drawn in this way.
pub(super) fn fits(dtype: DType, geometry: &Geometry, scale: &Scale) -> bool {
    let is_of_extent = is_of_extent(scale);
    let is_whole = scale.scope != Scope::Tile && scale.blend == 0.0;
    dtype == DType::Float32
        && geometry.pixel == Pixel::Element
        && geometry.order == Order::Index
        && !scale.range.is_tensorflow()
        && (is_of_extent || is_whole)
}

/// Whether the range needs at most the least and the greatest number, so that no sorted copy is made.
pub(super) fn is_of_extent(scale: &Scale) -> bool {
    matches!(scale.range, Range::MinMax | Range::Symmetric | Range::Fixed(..))
}

/// Draws a sheet; `run` is the interval of all steps, which scope `run` uses.
pub(super) fn draw(
    tensor: &Tensor,
    geometry: &Geometry,
    scale: &Scale,
    run: Option<Interval>,
) -> DirectSheet {
    let (floats, _) = tensor.bytes.as_chunks::<4>();
    let floats = Floats(floats);
    let facts = facts(floats, geometry);
    let own = |fact: &Fact| Interval::of_ends(scale.range, fixed(scale.range).or(fact.extent));
    let whole = match (scale.scope, run) {
        (Scope::Run, Some(run)) => run,
        (Scope::Tile, _) => Interval::of_ends(scale.range, None),
        (Scope::Layer | Scope::Run, _) => layer_interval(tensor, geometry, scale.range, &facts),
    };
    let tile_intervals: Option<Vec<Interval>> = match scale.scope {
        Scope::Tile => Some(facts.iter().map(own).collect()),
        _ if scale.blend > 0.0 => {
            Some(facts.iter().map(|fact| whole.blend(own(fact), scale.blend)).collect())
        }
        _ => None,
    };
    let interval_of_tile = |idx: usize| tile_intervals.as_ref().map_or(whole, |intervals| intervals[idx]);
    let scales: Vec<LinearScale> =
        (0..facts.len()).map(|idx| LinearScale::new(interval_of_tile(idx), &facts[idx])).collect();
    let codes = codes(floats, geometry, &scales);
    let mut outside = Outside::default();
    for (idx, fact) in facts.iter().enumerate() {
        let interval = interval_of_tile(idx);
        let is_within = fact.extent.is_some_and(|(lo, hi)| lo >= interval.lo && hi <= interval.hi);
        if !(fact.is_finite && is_within) {
            let mut row = vec![0.0; geometry.cols_of_tile.len()];
            for offset in &geometry.rows {
                floats.gather(geometry.tiles[idx].base + offset, &geometry.cols_of_tile, &mut row);
                outside += interval.outside(&row, None);
            }
        }
    }
    let constant = facts.iter().map(|fact| fact.extent.is_none_or(|(lo, hi)| lo == hi)).collect();
    DirectSheet { codes, whole, tile_intervals, constant, outside }
}

fn fixed(range: Range) -> Option<(f64, f64)> {
    if let Range::Fixed(lo, hi) = range { Some((lo, hi)) } else { None }
}

fn layer_interval(tensor: &Tensor, geometry: &Geometry, range: Range, facts: &[Fact]) -> Interval {
    let draws_all = geometry.tiles.len() * geometry.tile_len() == tensor.shape.elements();
    match range {
        Range::Fixed(..) => Interval::of_ends(range, fixed(range)),
        Range::MinMax | Range::Symmetric if draws_all => {
            Interval::of_ends(range, facts.iter().filter_map(|fact| fact.extent).reduce(joined))
        }
        Range::MinMax | Range::Symmetric => {
            let (floats, _) = tensor.bytes.as_chunks::<4>();
            let mut buffer = [0.0_f32; 1024];
            let extents = floats.chunks(buffer.len()).filter_map(|chunk| {
                let numbers = &mut buffer[..chunk.len()];
                numbers.iter_mut().zip(chunk).for_each(|(x, bytes)| *x = f32::from_le_bytes(*bytes));
                extent(numbers)
            });
            Interval::of_ends(range, extents.reduce(joined))
        }
        _ => interval_of(range, &values(tensor)),
    }
}

fn joined(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.min(b.0), a.1.max(b.1))
}

/// Elements of a tensor, little-endian and not aligned.
#[derive(Clone, Copy)]
struct Floats<'a>(&'a [[u8; 4]]);

impl Floats<'_> {
    fn at(self, position: usize) -> f32 {
        f32::from_le_bytes(self.0[position])
    }

    /// [`TILES_AT_ONCE`] consecutive elements, from this position on.
    fn neighbours(self, first: usize) -> [f32; TILES_AT_ONCE] {
        let bytes: &[[u8; 4]; TILES_AT_ONCE] =
            self.0[first..].first_chunk().expect("each tile has an element there");
        bytes.map(f32::from_le_bytes)
    }

    /// A row of a tile.
    fn gather(self, first: usize, cols: &[usize], row: &mut [f32]) {
        for (x, col) in row.iter_mut().zip(cols) {
            *x = self.at(first + col);
        }
    }
}

/// What is known about a tile's numbers.
#[derive(Clone, Copy)]
struct Fact {
    /// The least and the greatest finite number.
    extent: Option<(f64, f64)>,
    /// Whether all are finite.
    is_finite: bool,
}

/// Whether the elements of a group of tiles are neighbours in memory.
fn are_neighbours(bases: &[usize]) -> bool {
    bases.len() == TILES_AT_ONCE && bases.windows(2).all(|pair| pair[0] + 1 == pair[1])
}

fn groups(geometry: &Geometry) -> Vec<Vec<usize>> {
    geometry.tiles.chunks(TILES_AT_ONCE).map(|tiles| tiles.iter().map(|tile| tile.base).collect()).collect()
}

fn facts(floats: Floats<'_>, geometry: &Geometry) -> Vec<Fact> {
    let of_group = |bases: &Vec<usize>| {
        let together =
            are_neighbours(bases).then(|| facts_of_neighbours(floats, geometry, bases[0])).flatten();
        together.unwrap_or_else(|| bases.iter().map(|base| fact(floats, geometry, *base)).collect())
    };
    groups(geometry).iter().flat_map(of_group).collect()
}

fn fact(floats: Floats<'_>, geometry: &Geometry, base: usize) -> Fact {
    let mut row = vec![0.0; geometry.cols_of_tile.len()];
    let (mut whole, mut is_finite) = (None, true);
    for offset in &geometry.rows {
        floats.gather(base + offset, &geometry.cols_of_tile, &mut row);
        whole = match (whole, extent(&row)) {
            (Some(a), Some(b)) => Some(joined(a, b)),
            (a, b) => a.or(b),
        };
        is_finite &= row.iter().fold(true, |finite, x| finite & x.is_finite());
    }
    Fact { extent: whole, is_finite }
}

/// The facts of tiles whose elements are neighbours in memory, computed together; `None` if a number is not finite.
fn facts_of_neighbours(floats: Floats<'_>, geometry: &Geometry, first: usize) -> Option<Vec<Fact>> {
    let (mut least, mut greatest) = ([f32::INFINITY; TILES_AT_ONCE], [f32::NEG_INFINITY; TILES_AT_ONCE]);
    // Stays zero as long as all numbers are finite; afterwards it is NaN.
    let mut zeros = [0.0_f32; TILES_AT_ONCE];
    for row in &geometry.rows {
        for col in &geometry.cols_of_tile {
            let numbers = floats.neighbours(first + row + col);
            for (lane, x) in numbers.into_iter().enumerate() {
                least[lane] = if x < least[lane] { x } else { least[lane] };
                greatest[lane] = if x > greatest[lane] { x } else { greatest[lane] };
                zeros[lane] += x * 0.0;
            }
        }
    }
    let extents = least.into_iter().zip(greatest).map(|(lo, hi)| Some((f64::from(lo), f64::from(hi))));
    let facts = extents.map(|extent| Fact { extent, is_finite: true }).collect();
    zeros.iter().all(|zero| *zero == 0.0).then_some(facts)
}

/// The linear function from the numbers of a tile to its levels, in float32.
#[derive(Clone, Copy)]
struct LinearScale {
    interval: Interval,
    lo: f32,
    /// Levels per unit.
    steps: f32,
    /// How far from the nearest level a result may be so that rounding in float32 is correct; `None` if float32 cannot be used.
    sure: Option<f32>,
}

impl LinearScale {
    fn new(interval: Interval, fact: &Fact) -> Self {
        let span = interval.hi - interval.lo;
        let steps = 255.0 / span;
        // The rounding errors of the ends, of the difference, of the factor and of the product, all doubled.
        let ends = (interval.lo.abs() + interval.hi.abs()) / span;
        let error = 2.0 * 255.0 * ROUNDING * (ends + 4.0);
        let is_usual = span > 1e-30 && span < 1e37 && interval.lo.abs() < 1e37 && error < 0.1;
        let sure = (fact.is_finite && is_usual).then_some((0.5 - error) as f32);
        Self { interval, lo: interval.lo as f32, steps: steps as f32, sure }
    }
}

fn codes(floats: Floats<'_>, geometry: &Geometry, scales: &[LinearScale]) -> Vec<Code> {
    let (width, height) = geometry.size();
    let (width, height) = (width / geometry.zoom, height / geometry.zoom);
    let mut codes = vec![GUTTER; width * height];
    let mut row = vec![0.0; geometry.cols_of_tile.len()];
    for (group, bases) in groups(geometry).iter().enumerate() {
        let first_tile = group * TILES_AT_ONCE;
        let neighbours = are_neighbours(bases)
            .then(|| NeighbourScales::of(&scales[first_tile..][..TILES_AT_ONCE]))
            .flatten();
        let starts: Vec<usize> = (first_tile..first_tile + bases.len())
            .map(|idx| {
                let (x, y) = geometry.origin(idx);
                y * width + x
            })
            .collect();
        for (y, offset) in geometry.rows.iter().enumerate() {
            if let Some(neighbours) = &neighbours {
                neighbours.row(floats, (bases[0] + offset, &geometry.cols_of_tile), |tile, col, levels| {
                    codes[starts[tile] + y * width + col..][..levels.len()].copy_from_slice(levels);
                });
                continue;
            }
            for (tile, base) in bases.iter().enumerate() {
                floats.gather(base + offset, &geometry.cols_of_tile, &mut row);
                let out = &mut codes[starts[tile] + y * width..][..row.len()];
                scales[first_tile + tile].codes(&row, out);
            }
        }
    }
    codes
}

impl LinearScale {
    fn codes(&self, numbers: &[f32], codes: &mut [Code]) {
        let Some(sure) = self.sure else { return self.interval.codes(numbers, codes) };
        let mut is_near = false;
        for (code, x) in codes.iter_mut().zip(numbers) {
            let (level, distance) = level(*x, self.lo, self.steps);
            *code = level;
            is_near |= distance > sure;
        }
        if is_near {
            self.interval.codes(numbers, codes);
        }
    }
}

/// The level, and how far the result was from it before rounding.
fn level(x: f32, lo: f32, steps: f32) -> (Code, f32) {
    let unrounded = ((x - lo) * steps).clamp(0.0, 255.0);
    let rounded = unrounded + ROUND_TO_EVEN;
    ((rounded.to_bits() & 0xff) as Code, (unrounded - (rounded - ROUND_TO_EVEN)).abs())
}

/// The scales of [`TILES_AT_ONCE`] tiles whose elements are neighbours in memory.
struct NeighbourScales {
    intervals: [Interval; TILES_AT_ONCE],
    lo: [f32; TILES_AT_ONCE],
    steps: [f32; TILES_AT_ONCE],
    sure: f32,
}

impl NeighbourScales {
    /// `None` if float32 cannot be used for one of them.
    fn of(scales: &[LinearScale]) -> Option<Self> {
        let mut sure = 0.5_f32;
        for scale in scales {
            sure = sure.min(scale.sure?);
        }
        Some(Self {
            intervals: std::array::from_fn(|lane| scales[lane].interval),
            lo: std::array::from_fn(|lane| scales[lane].lo),
            steps: std::array::from_fn(|lane| scales[lane].steps),
            sure,
        })
    }

    /// The codes of one row of all tiles, passed to `give` tile by tile in blocks of columns.
    fn row(
        &self,
        floats: Floats<'_>,
        (first, cols): (usize, &[usize]),
        mut give: impl FnMut(usize, usize, &[Code]),
    ) {
        for (block, cols) in cols.chunks(COLS_AT_ONCE).enumerate() {
            let mut codes = [[0; TILES_AT_ONCE]; COLS_AT_ONCE];
            let mut farthest = [0.0_f32; TILES_AT_ONCE];
            for (codes, col) in codes.iter_mut().zip(cols) {
                let numbers = floats.neighbours(first + col);
                for lane in 0..TILES_AT_ONCE {
                    let (level, distance) = level(numbers[lane], self.lo[lane], self.steps[lane]);
                    codes[lane] = level;
                    farthest[lane] = if distance > farthest[lane] { distance } else { farthest[lane] };
                }
            }
            if farthest.iter().any(|distance| *distance > self.sure) {
                self.in_float64(floats, (first, cols), &mut codes);
            }
            let turned: [[Code; COLS_AT_ONCE]; TILES_AT_ONCE] =
                std::array::from_fn(|tile| std::array::from_fn(|col| codes[col][tile]));
            for (tile, levels) in turned.iter().enumerate() {
                give(tile, block * COLS_AT_ONCE, &levels[..cols.len()]);
            }
        }
    }

    fn in_float64(
        &self,
        floats: Floats<'_>,
        (first, cols): (usize, &[usize]),
        codes: &mut [[Code; TILES_AT_ONCE]; COLS_AT_ONCE],
    ) {
        for (codes, col) in codes.iter_mut().zip(cols) {
            let numbers = floats.neighbours(first + col);
            for lane in 0..TILES_AT_ONCE {
                self.intervals[lane].codes(&numbers[lane..=lane], &mut codes[lane..=lane]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        model::{layout::Layout, role::Role},
        render::{
            choices::Choices,
            plan::{Plan, Subject, plan},
            sheet::draw_stack,
        },
        tensor::{frames::Frames, shape::Shape},
    };

    proptest! {
        #[test]
        fn what_is_drawn_directly_is_what_is_drawn_step_by_step(
            (n, h, w, c) in (1_usize..3, 1_usize..5, 1_usize..40, 1_usize..40),
            seed in any::<u64>(),
            offset in prop::sample::select(vec![0.0_f32, 1.0, 1e3, 1e6]),
            size in prop::sample::select(vec![1.0_f32, 1e-9, 1e-40, 3e37]),
            is_last in any::<bool>(),
            options in prop::sample::select(vec![
                "range=minmax", "range=symmetric&scope=tile", "range=fixed:-0.5:0.7", "range=std:1",
                "range=minmax&blend=0.5", "range=minmax&scope=tile", "range=symmetric", "range=percentile:0.9",
            ]),
            odd in prop::option::of(prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY])),
        ) {
            let mut state = seed;
            let mut numbers: Vec<f32> = (0..n * h * w * c).map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Few different values, so that many are exactly between two levels.
                (((state >> 40) % 511) as f32 / 255.0 - 1.0 + offset) * size
            }).collect();
            if let Some(odd) = odd {
                let place = seed as usize % numbers.len();
                numbers[place] = odd;
            }
            let dims = if is_last { [n, h, w, c] } else { [n, c, h, w] };
            let shape = Shape::new(&dims.map(|axis| axis as i64)).unwrap();
            let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
            let tensor = Tensor { dtype: DType::Float32, shape, bytes: bytes.into(), frames: Frames::default() };
            let pairs = options.split('&').map(|pair| pair.split_once('=').unwrap());
            let choices = Choices::parse(pairs).unwrap();
            let layout = Some(if is_last { Layout::Nhwc } else { Layout::Nchw });
            let subject = Subject { role: Role::Activation, layout, shape: &tensor.shape, is_picture: false, frames: None };
            let Plan { geometry, scale, .. } = plan(&choices, &subject).unwrap();
            prop_assert!(fits(tensor.dtype, &geometry, &scale));
            let (direct, step_by_step) = (draw(&tensor, &geometry, &scale, None), draw_stack(&tensor, geometry, &scale));
            let crate::render::sheet::Pixels::Codes(codes) = &step_by_step.raster.pixels else { panic!() };
            prop_assert_eq!(&direct.codes, codes);
            prop_assert_eq!(&direct.tile_intervals, &step_by_step.legend.tile_intervals);
            prop_assert_eq!(&direct.constant, &step_by_step.legend.constant);
            prop_assert_eq!(direct.outside, step_by_step.legend.outside);
        }
    }
}
