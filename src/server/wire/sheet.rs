//! A sheet as JSON: its legend, tiles and colours.

use serde::Serialize;
use utoipa::ToSchema;

use super::difference::Subtracted;
use crate::{
    answers::run_ranges::Progress,
    render::{
        choices::{Cmap, Labels},
        colormap::{Rgb, SPECIAL, colors},
        label,
        plan::{Geometry, Paint},
        range::Interval,
        sheet::SheetLegend,
    },
    tensor::frames,
};

/// A description of a sheet.
#[derive(Serialize, ToSchema)]
pub(crate) struct SheetInfo<'a> {
    pub(crate) run: &'a str,
    pub(crate) tag: &'a str,
    pub(crate) step: i64,
    pub(crate) wall_time: Option<f64>,
    pub(crate) attempt: usize,
    pub(crate) attempts: usize,
    /// The tensor that is subtracted; only if the sheet shows a difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) minus: Option<Subtracted>,
    #[serde(flatten)]
    pub(crate) drawing: Drawing,
}

/// The legend and the positions of the tiles. Lengths are in pixels of the picture.
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
    /// How ranges are blended: 0 is the range of the layer, 1 those of the tiles.
    blend: f64,
    /// How many frames the animated pictures have in all; the tiles may show only some of them. 0 for still pictures.
    n_frames: usize,
    /// The order of the tiles.
    order: &'static str,
    labels: &'static str,
    /// The height of the label above each tile, in pixels.
    label_height: usize,
    /// Whether all finite values in the sheet are equal.
    constant: bool,
    range: Legend,
    /// The ranges of the tiles, in the order of the tiles; only if each tile has its own: with scope `tile`, with `tf1` and `tf2`, and
    /// with blended ranges.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tile_ranges: Option<Vec<Ends>>,
    tiles: Vec<Tile>,
}

/// The values at the ends of the colour map, and how many values are clipped or not finite.
#[derive(Serialize, ToSchema)]
struct Legend {
    option: String,
    lo: f64,
    hi: f64,
    /// The position of zero between the ends, from 0 to 1; null if zero is outside.
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
    #[schema(nullable = false)]
    input: Option<usize>,
    /// The frame that the tile shows; only for animated pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    frame: Option<TileFrame>,
    x: usize,
    y: usize,
    w: usize,
    h: usize,
    /// Whether all its finite values are equal.
    constant: bool,
    /// The label above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    label: Option<Label>,
}

/// The frame that a tile shows.
#[derive(Serialize, ToSchema)]
#[schema(as = Frame)]
struct TileFrame {
    /// The index of the picture among those of the step, from 0; only if there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    picture: Option<usize>,
    /// The number of the frame, from 1.
    number: usize,
    /// How many frames the picture has.
    of: usize,
}

impl TileFrame {
    fn of(frame: frames::Frame) -> Self {
        let frames::Frame { picture, number, of } = frame;
        Self { picture, number, of }
    }
}

/// A number in the gutter above a tile.
#[derive(Serialize, ToSchema)]
struct Label {
    text: String,
    x: usize,
    y: usize,
    w: usize,
    h: usize,
}

impl Drawing {
    pub(crate) fn of(legend: &SheetLegend, paint: Paint) -> Self {
        let SheetLegend { geometry, scale, .. } = legend;
        let (width, height) = geometry.size();
        let constant = match &legend.tile_intervals {
            Some(_) => legend.constant.iter().all(|constant| *constant),
            None => legend.interval.is_constant(),
        };
        Self {
            width,
            height,
            cols: geometry.cols,
            rows: geometry.grid_rows(),
            gutter: geometry.gutter * geometry.zoom,
            zoom: geometry.zoom,
            view: geometry.view.name(),
            layout: geometry.layout.name(),
            cmap: paint.cmap.name(),
            scope: scale.scope.name(),
            blend: scale.blend,
            n_frames: geometry.n_frames,
            order: geometry.order.name(),
            labels: geometry.labels.name(),
            label_height: geometry.label_rows * geometry.zoom,
            constant,
            range: Legend::of(legend),
            tile_ranges: legend
                .tile_intervals
                .as_ref()
                .map(|intervals| intervals.iter().map(Ends::of).collect()),
            tiles: (0..geometry.tiles.len())
                .map(|index| Tile::of(geometry, index, legend.constant[index]))
                .collect(),
        }
    }
}

impl Legend {
    fn of(legend: &SheetLegend) -> Self {
        let Interval { lo, hi, .. } = legend.interval;
        let zero = (lo <= 0.0 && hi >= 0.0 && lo < hi).then(|| legend.interval.position(0.0));
        let outside = legend.outside;
        Self {
            option: legend.scale.range.text(),
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
    fn of(geometry: &Geometry, index: usize, constant: bool) -> Self {
        let tile = &geometry.tiles[index];
        let (x, y) = geometry.origin(index);
        let (w, h) = (geometry.cols_of_tile.len(), geometry.rows.len());
        let zoom = geometry.zoom;
        let label = (geometry.labels == Labels::Index).then(|| {
            let text = label::text(tile);
            let (w, h) = (label::width_px(&text), label::HEIGHT_PX);
            Label { text, x: x * zoom, y: (y - geometry.label_rows) * zoom, w, h }
        });
        Self {
            index,
            channel: tile.channel,
            input: tile.input,
            frame: tile.frame.map(TileFrame::of),
            x: x * zoom,
            y: y * zoom,
            w: w * zoom,
            h: h * zoom,
            constant,
            label,
        }
    }
}

/// The range over all steps of a series, as far as it is known.
#[derive(Serialize, ToSchema)]
pub(in crate::server) struct RunRange {
    /// The lower end; null while nothing is known. Until `steps_done` equals `steps`, it is that of the steps read so far.
    lo: Option<f64>,
    hi: Option<f64>,
    /// How many steps have been processed; equal to `steps` only when the range is complete.
    steps_done: usize,
    /// How many steps were logged.
    steps: usize,
    /// How many steps cannot be read or cannot be drawn with these options.
    steps_skipped: usize,
    /// Whether the range is wider than that of all steps: while a run is being logged, its range only widens.
    widened: bool,
}

impl RunRange {
    pub(in crate::server) fn of(progress: &Progress) -> Self {
        Self {
            lo: progress.interval.map(|interval| interval.lo),
            hi: progress.interval.map(|interval| interval.hi),
            steps_done: progress.steps_done,
            steps: progress.steps,
            steps_skipped: progress.steps_skipped,
            widened: progress.is_widened(),
        }
    }
}

/// A colour map: 256 colours, and the colours for special purposes, as `#rrggbb`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Colormap {
    cmap: &'static str,
    colors: Vec<String>,
    nan: String,
    posinf: String,
    neginf: String,
    gutter: String,
    /// For values that are not finite, with the range `tf1`; with the colour map `gray` it is white.
    bad: String,
    /// For the labels above tiles.
    label: String,
}

impl Colormap {
    /// `rgb` shows the colours of the data itself; its list has the greys.
    pub(crate) fn of(cmap: Cmap) -> Self {
        let hex = |[r, g, b]: Rgb| format!("#{r:02x}{g:02x}{b:02x}");
        let colors = colors(cmap).or_else(|| colors(Cmap::Gray)).into_iter().flatten();
        let [nan, posinf, neginf, gutter, bad, label] = SPECIAL.map(hex);
        Self { cmap: cmap.name(), colors: colors.map(hex).collect(), nan, posinf, neginf, gutter, bad, label }
    }
}
