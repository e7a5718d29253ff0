//! Statistics over the steps of a series, as JSON and as CSV.

use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use super::csv::{Csv, cell};

use crate::{
    answers::{
        chart::{Chart, Point},
        row::Row,
    },
    catalog::snapshot,
    model::layout::Layout,
    stats::{groups::GroupKind, likeness::Likeness, numbers},
    types::WallTime,
};

/// Statistics over steps: each list has one number per entry of `steps`; null where a number is undefined.
#[derive(Serialize, ToSchema)]
pub(crate) struct Charts {
    run: String,
    tag: String,
    role: &'static str,
    layout: Option<&'static str>,
    /// What the entries of `each` are about: `filter` or `channel`; null if `each` is empty.
    per: Option<&'static str>,
    steps: Vec<i64>,
    /// Seconds since 1970.
    wall_times: Vec<Option<f64>>,
    /// For each step the logged step before it, on which `change` is based; it need not be in `steps`.
    change_from: Vec<Option<i64>>,
    /// How many steps were logged in the requested span.
    logged: usize,
    /// Every Nth of the logged steps is used, and the last; with 1 all are used.
    every: usize,
    /// A sentence that says which steps are left out and how to get them; null if none are.
    thinned: Option<String>,
    /// Steps whose tensor is damaged; they are not in `steps`.
    damaged: Vec<i64>,
    tensor: Columns,
    each: EachColumns,
}

/// Statistics of all elements, step by step. The names mean the same as for one step.
#[derive(Default, Serialize, ToSchema)]
struct Columns {
    nan: Vec<u64>,
    inf: Vec<u64>,
    min: Vec<Option<f64>>,
    max: Vec<Option<f64>>,
    mean: Vec<Option<f64>>,
    sd: Vec<Option<f64>>,
    l1: Vec<Option<f64>>,
    l2: Vec<Option<f64>>,
    zero_share: Vec<Option<f64>>,
    change: Vec<Option<f64>>,
    change_per_step: Vec<Option<f64>>,
    change_per_root_step: Vec<Option<f64>>,
    rotation: Vec<Option<f64>>,
}

/// One list for each filter or channel, step by step.
#[derive(Default, Serialize, ToSchema)]
struct EachColumns {
    /// L2 norms.
    l2: Vec<Vec<Option<f64>>>,
    /// Relative changes from the step before; empty for activations.
    change: Vec<Vec<Option<f64>>>,
    /// Shares of zeros; empty for kernels.
    sparsity: Vec<Vec<Option<f64>>>,
}

fn if_finite(number: f64) -> Option<f64> {
    Some(number).filter(|number| number.is_finite())
}

fn change(point: &Point) -> Option<f64> {
    point.row.change.as_ref().and_then(Likeness::relative).and_then(if_finite)
}

fn change_by(point: &Point, divisor: fn(f64) -> f64) -> Option<f64> {
    let n_steps = i128::from(point.step) - i128::from(point.before?);
    Some(change(point)? / divisor(n_steps as f64))
}

fn rotation(point: &Point) -> Option<f64> {
    point.row.change_since_first.as_ref().and_then(Likeness::rotation)
}

fn finite(point: &Point, number: fn(&numbers::Finite) -> f64) -> Option<f64> {
    point.row.whole.finite.as_ref().map(number).and_then(if_finite)
}

impl Columns {
    fn of(points: &[Point]) -> Self {
        let column = |number: fn(&numbers::Finite) -> f64| -> Vec<Option<f64>> {
            points.iter().map(|point| finite(point, number)).collect()
        };
        Self {
            nan: points.iter().map(|point| point.row.whole.nan).collect(),
            inf: points.iter().map(|point| point.row.whole.inf).collect(),
            min: column(|finite| finite.min),
            max: column(|finite| finite.max),
            mean: column(|finite| finite.mean),
            sd: column(|finite| finite.sd),
            l1: column(|finite| finite.l1),
            l2: column(|finite| finite.l2),
            zero_share: column(|finite| finite.zero_share),
            change: points.iter().map(change).collect(),
            change_per_step: points.iter().map(|point| change_by(point, |n| n)).collect(),
            change_per_root_step: points.iter().map(|point| change_by(point, f64::sqrt)).collect(),
            rotation: points.iter().map(rotation).collect(),
        }
    }
}

/// Turns rows of numbers into columns; a row may be shorter if the tensor of that step has another shape.
fn turned(points: &[Point], numbers: fn(&Row) -> &[Option<f64>]) -> Vec<Vec<Option<f64>>> {
    let n = points.iter().map(|point| numbers(&point.row).len()).max().unwrap_or(0);
    let at = |point: &Point, idx: usize| numbers(&point.row).get(idx).copied().flatten().and_then(if_finite);
    (0..n).map(|idx| points.iter().map(|point| at(point, idx)).collect()).collect()
}

impl Charts {
    pub(crate) fn of(series: &snapshot::Series, chart: &Chart) -> Self {
        let points = &chart.points;
        let each = EachColumns {
            l2: turned(points, |row| &row.l2),
            change: turned(points, |row| &row.each_change),
            sparsity: turned(points, |row| &row.sparsity),
        };
        let unit =
            |layout: Layout| if layout.is_activation() { GroupKind::Channel } else { GroupKind::Filter };
        Self {
            run: series.run.to_string(),
            tag: series.tag.to_string(),
            role: series.facts.role.name(),
            layout: chart.layout.map(Layout::name),
            per: chart.layout.filter(|_| !each.l2.is_empty()).map(|layout| unit(layout).name()),
            steps: points.iter().map(|point| point.step).collect(),
            wall_times: points.iter().map(|point| point.wall_time.map(WallTime::seconds)).collect(),
            change_from: points.iter().map(|point| point.before).collect(),
            logged: chart.n_logged,
            every: chart.every,
            thinned: (chart.every > 1).then(|| thinned(chart)),
            damaged: chart.damaged.clone(),
            tensor: Columns::of(points),
            each,
        }
    }
}

fn thinned(chart: &Chart) -> String {
    format!(
        "every {}th of {} steps and the last: choose a part with from and to, or more steps with points",
        chart.every, chart.n_logged
    )
}

const COLUMNS: [&str; 16] = [
    "step",
    "wall_time",
    "", // The unit.
    "nan",
    "inf",
    "min",
    "max",
    "mean",
    "sd",
    "l1",
    "l2",
    "zero_share",
    "change",
    "change_per_step",
    "change_per_root_step",
    "rotation",
];

/// For each step one line for the whole tensor, whose third cell is `all`, and one line for each filter or channel, with fewer numbers.
pub(crate) fn csv(chart: &Chart) -> Bytes {
    let is_channels = chart.layout.is_some_and(Layout::is_activation);
    let mut names = COLUMNS;
    names[2] = if is_channels { GroupKind::Channel.name() } else { GroupKind::Filter.name() };
    let mut csv = Csv::with_header(&names);
    for point in &chart.points {
        let wall_time = cell(point.wall_time.map(WallTime::seconds));
        let start = |name: String| [point.step.to_string(), wall_time.clone(), name];
        let usual: [fn(&numbers::Finite) -> f64; 7] =
            [|f| f.min, |f| f.max, |f| f.mean, |f| f.sd, |f| f.l1, |f| f.l2, |f| f.zero_share];
        let usual = usual.map(|number| cell(finite(point, number)));
        let way = [change(point), change_by(point, |n| n), change_by(point, f64::sqrt), rotation(point)];
        let counts = [point.row.whole.nan, point.row.whole.inf].map(|count| count.to_string());
        csv.line(start("all".to_owned()).into_iter().chain(counts).chain(usual).chain(way.map(cell)));
        for (idx, l2) in point.row.l2.iter().enumerate() {
            let of = |numbers: &[Option<f64>]| cell(numbers.get(idx).copied().flatten());
            let before = std::iter::repeat_n(String::new(), 7);
            let numbers = [cell(*l2), of(&point.row.sparsity), of(&point.row.each_change)];
            let after = std::iter::repeat_n(String::new(), 3);
            csv.line(start(idx.to_string()).into_iter().chain(before).chain(numbers).chain(after));
        }
    }
    csv.bytes()
}
