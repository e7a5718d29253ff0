//! What goes out about a sheet: its legend, its tiles, its colours, and what can be chosen.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    model::layout::Layout,
    render::{
        choices::{Cmap, Range, Scope, View},
        colormap::{Rgb, SPECIAL, colors},
        encode::Format,
        plan::Plan,
        range::Interval,
        sheet::Sheet,
    },
};

/// What a sheet shows.
#[derive(Serialize, ToSchema)]
pub(crate) struct SheetInfo<'a> {
    pub(crate) run: &'a str,
    pub(crate) tag: &'a str,
    pub(crate) step: i64,
    pub(crate) wall_time: Option<f64>,
    pub(crate) attempt: usize,
    pub(crate) attempts: usize,
    #[serde(flatten)]
    pub(crate) drawing: &'a Drawing,
}

/// The legend and the places of the tiles. Lengths are pixels of the picture.
#[derive(Serialize, ToSchema)]
pub(crate) struct Drawing {
    width: usize,
    height: usize,
    cols: usize,
    rows: usize,
    gutter: usize,
    zoom: usize,
    view: &'static str,
    layout: &'static str,
    cmap: &'static str,
    scope: &'static str,
    /// Whether all finite numbers that are drawn are one.
    constant: bool,
    range: Legend,
    #[serde(skip_serializing_if = "Option::is_none")]
    tile_ranges: Option<Vec<Ends>>,
    tiles: Vec<Tile>,
}

/// The numbers at the ends of the colour map, and how many numbers are not shown truly.
#[derive(Serialize, ToSchema)]
struct Legend {
    option: String,
    lo: f64,
    hi: f64,
    /// Where zero lies between the ends, from 0 to 1; null where it lies outside.
    zero: Option<f64>,
    clipped: u64,
    nan: u64,
    inf: u64,
}

#[derive(Serialize, ToSchema)]
struct Ends {
    lo: f64,
    hi: f64,
}

#[derive(Serialize, ToSchema)]
struct Tile {
    index: usize,
    channel: usize,
    /// The input channel, in the view `matrix` of a kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<usize>,
    x: usize,
    y: usize,
    w: usize,
    h: usize,
    /// Whether all its finite numbers are one.
    constant: bool,
}

impl Drawing {
    pub(crate) fn of(sheet: &Sheet) -> Self {
        let plan = &sheet.plan;
        let (width, height) = plan.size();
        let constant = match &sheet.tile_intervals {
            Some(_) => sheet.constant.iter().all(|constant| *constant),
            None => sheet.interval.is_constant(),
        };
        Self {
            width,
            height,
            cols: plan.cols,
            rows: plan.tiles.len().div_ceil(plan.cols),
            gutter: plan.gutter * plan.zoom,
            zoom: plan.zoom,
            view: plan.view.name(),
            layout: plan.layout.name(),
            cmap: plan.cmap.name(),
            scope: plan.scope.name(),
            constant,
            range: Legend::of(sheet),
            tile_ranges: sheet
                .tile_intervals
                .as_ref()
                .map(|intervals| intervals.iter().map(Ends::of).collect()),
            tiles: (0..plan.tiles.len()).map(|index| Tile::of(plan, index, sheet.constant[index])).collect(),
        }
    }

    /// Memory that it takes, about.
    pub(crate) fn bytes(&self) -> u64 {
        (size_of::<Self>() + self.tiles.len() * (size_of::<Tile>() + size_of::<Ends>())) as u64
    }
}

impl Legend {
    fn of(sheet: &Sheet) -> Self {
        let Interval { lo, hi, .. } = sheet.interval;
        let zero = (lo <= 0.0 && hi >= 0.0 && lo < hi).then(|| sheet.interval.position(0.0));
        let outside = sheet.outside;
        Self {
            option: sheet.plan.range.text(),
            lo,
            hi,
            zero,
            clipped: outside.clipped,
            nan: outside.nan,
            inf: outside.inf,
        }
    }
}

impl Ends {
    fn of(interval: &Interval) -> Self {
        Self { lo: interval.lo, hi: interval.hi }
    }
}

impl Tile {
    fn of(plan: &Plan, index: usize, constant: bool) -> Self {
        let tile = &plan.tiles[index];
        let (x, y) = plan.origin(index);
        let (w, h) = (plan.cols_of_tile.len(), plan.rows.len());
        let zoom = plan.zoom;
        Self {
            index,
            channel: tile.channel,
            input: tile.input,
            x: x * zoom,
            y: y * zoom,
            w: w * zoom,
            h: h * zoom,
            constant,
        }
    }
}

/// A colour map: 256 colours and those outside of it, as `#rrggbb`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Colormap {
    cmap: &'static str,
    colors: Vec<String>,
    nan: String,
    posinf: String,
    neginf: String,
    gutter: String,
}

impl Colormap {
    /// `rgb`, whose colours are the data's own, is given as its grey diagonal.
    pub(crate) fn of(cmap: Cmap) -> Self {
        let hex = |[r, g, b]: Rgb| format!("#{r:02x}{g:02x}{b:02x}");
        let colors = colors(cmap).or_else(|| colors(Cmap::Gray)).into_iter().flatten();
        let [nan, posinf, neginf, gutter] = SPECIAL.map(hex);
        Self { cmap: cmap.name(), colors: colors.map(hex).collect(), nan, posinf, neginf, gutter }
    }
}

/// What can be chosen.
#[derive(Serialize, ToSchema)]
pub(crate) struct Options {
    view: Vec<&'static str>,
    range: Vec<&'static str>,
    scope: Vec<&'static str>,
    cmap: Vec<&'static str>,
    layout: Vec<&'static str>,
    format: Vec<&'static str>,
}

impl Options {
    pub(crate) fn all() -> Self {
        Self {
            view: View::ALL.iter().map(|view| view.name()).collect(),
            range: Range::FORMS.to_vec(),
            scope: Scope::ALL.iter().map(|scope| scope.name()).collect(),
            cmap: Cmap::ALL.iter().map(|cmap| cmap.name()).collect(),
            layout: Layout::ALL.iter().map(|layout| layout.name()).collect(),
            format: Format::ALL.iter().map(|format| format.name()).collect(),
        }
    }
}
