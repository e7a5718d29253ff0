//! The statistics of one step, as JSON and as CSV.

pub(crate) mod query;

use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    chart::Charts,
    csv::{Csv, cell},
};

use crate::{
    answers::numbers::{PairSearch, StepNumbers},
    lookup::steps::Found,
    model::layout::Layout,
    stats::{groups::GroupKind, likeness::Likeness, numbers, pairs::ALIKE_ABOVE},
    types::WallTime,
};

/// The statistics of a tensor.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum StatsOrCharts {
    /// The statistics of one step.
    Step(Box<Stats>),
    /// The statistics over the steps of its series.
    Steps(Box<Charts>),
}

/// The statistics of one step: of the whole tensor, and of each filter of a kernel or channel of an activation. They are computed in
/// float64 over the finite elements. They are hints, not judgements.
#[derive(Serialize, ToSchema)]
pub(crate) struct Stats {
    run: String,
    tag: String,
    step: i64,
    wall_time: Option<f64>,
    attempts: usize,
    role: &'static str,
    layout: Option<&'static str>,
    /// What the entries of `each` are about: `filter` or `channel`; null if `each` is empty.
    per: Option<&'static str>,
    /// Why `each` is empty although the layout is known.
    each_left_out: Option<String>,
    /// Over all elements.
    tensor: Entry,
    /// For each filter (one output channel with all its inputs; in a depthwise kernel one window; in a dense layer one column) or each
    /// channel (over all samples and positions).
    each: Vec<Entry>,
    /// The median of the filters' L2 norms.
    median_l2: Option<f64>,
    /// The step before, on which `change` is based; null for the first step, for activations, and if the step before is damaged or has
    /// another shape.
    change_from: Option<i64>,
    /// The first step, on which `rotation` is based.
    rotation_from: Option<i64>,
    /// The logged steps on which `dead` of channels is based.
    dead_over: Option<Vec<i64>>,
    /// Pairs of filters whose cosine is above 0.95 or below -0.95; null for activations.
    duplicates: Option<Alike>,
    /// Pairs of channels whose correlation is above 0.95; null for kernels.
    twins: Option<Alike>,
    /// How many elements of the network's input one element of the layer's output depends on, one number per axis:
    /// 1 + the sum of (window - 1) * the product of earlier strides. Null if the graph does not say.
    receptive_field: Option<Vec<usize>>,
}

/// Statistics of some elements; null where a number is undefined.
#[derive(Clone, Default, Serialize, ToSchema)]
pub(super) struct Entry {
    /// The filter or channel; absent for the whole tensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    index: Option<usize>,
    elements: u64,
    /// How many are not a number.
    nan: u64,
    /// How many are infinite.
    inf: u64,
    min: Option<f64>,
    max: Option<f64>,
    mean: Option<f64>,
    /// The standard deviation of the population.
    sd: Option<f64>,
    /// The sum of absolute values.
    l1: Option<f64>,
    /// The square root of the sum of squares.
    l2: Option<f64>,
    /// The share of zeros among the finite elements, from 0 to 1.
    zero_share: Option<f64>,
    /// For a channel: the same, over samples and positions; it is also called `APoZ`.
    sparsity: Option<f64>,
    /// For a filter: L2 norm / median L2 norm.
    rel: Option<f64>,
    /// For a filter: whether its greatest absolute value is below 0.01 of that of the kernel. For a channel: whether it is nowhere above 0
    /// in the steps `dead_over`.
    dead: Option<bool>,
    /// For a filter: the mean of squared differences between neighbours along the window's axes / twice its variance. White noise of
    /// N elements gives N / (N - 1) on average, smooth filters much less.
    roughness: Option<f64>,
    /// norm(W - P) / norm(P), where P is the step before.
    change: Option<f64>,
    /// `change` / the number of steps in between.
    change_per_step: Option<f64>,
    /// `change` / the square root of the number of steps in between.
    change_per_root_step: Option<f64>,
    /// 1 - cos(W, the first step).
    rotation: Option<f64>,
}

/// Pairs of filters or channels that are alike.
#[derive(Serialize, ToSchema)]
struct Alike {
    above: f64,
    /// How many pairs there are; null if they were not searched for.
    count: Option<u64>,
    /// The most alike of them, at most 1000.
    pairs: Vec<AlikePair>,
    /// Why they were not searched for.
    not_compared: Option<String>,
}

/// Two filters or channels that are alike.
#[derive(Serialize, ToSchema)]
struct AlikePair {
    first: usize,
    second: usize,
    /// For filters their cosine, for channels their correlation.
    likeness: f64,
}

impl Alike {
    fn of(compared: &PairSearch) -> Self {
        let none = Self { above: ALIKE_ABOVE, count: None, pairs: Vec::new(), not_compared: None };
        match compared {
            Err(why) => Self { not_compared: Some(why.to_string()), ..none },
            Ok(pairs) => {
                let listed = pairs.listed.iter().map(|pair| AlikePair {
                    first: pair.first,
                    second: pair.second,
                    likeness: pair.likeness,
                });
                Self { count: Some(pairs.count), pairs: listed.collect(), ..none }
            }
        }
    }
}

/// The number, if JSON can represent it.
fn if_finite(number: f64) -> Option<f64> {
    Some(number).filter(|number| number.is_finite())
}

impl Entry {
    pub(super) const COLUMNS: [&str; 18] = [
        "elements",
        "nan",
        "inf",
        "min",
        "max",
        "mean",
        "sd",
        "l1",
        "l2",
        "zero_share",
        "sparsity",
        "rel",
        "dead",
        "roughness",
        "change",
        "change_per_step",
        "change_per_root_step",
        "rotation",
    ];

    pub(super) fn of(numbers: &numbers::Statistics) -> Self {
        let finite =
            |number: fn(&numbers::Finite) -> f64| numbers.finite.as_ref().map(number).and_then(if_finite);
        Self {
            elements: numbers.elements,
            nan: numbers.nan,
            inf: numbers.inf,
            min: finite(|finite| finite.min),
            max: finite(|finite| finite.max),
            mean: finite(|finite| finite.mean),
            sd: finite(|finite| finite.sd),
            l1: finite(|finite| finite.l1),
            l2: finite(|finite| finite.l2),
            zero_share: finite(|finite| finite.zero_share),
            ..Self::default()
        }
    }

    fn add_changes(&mut self, change: Option<(&Likeness, i128)>, change_since_first: Option<&Likeness>) {
        self.rotation = change_since_first.and_then(Likeness::rotation);
        let Some((likeness, n_steps)) = change else { return };
        self.change = likeness.relative().and_then(if_finite);
        self.change_per_step = self.change.map(|change| change / n_steps as f64);
        self.change_per_root_step = self.change.map(|change| change / (n_steps as f64).sqrt());
    }

    pub(super) fn cells(&self) -> [String; 18] {
        let dead = self.dead.map_or_else(String::new, |dead| dead.to_string());
        [
            self.elements.to_string(),
            self.nan.to_string(),
            self.inf.to_string(),
            cell(self.min),
            cell(self.max),
            cell(self.mean),
            cell(self.sd),
            cell(self.l1),
            cell(self.l2),
            cell(self.zero_share),
            cell(self.sparsity),
            cell(self.rel),
            dead,
            cell(self.roughness),
            cell(self.change),
            cell(self.change_per_step),
            cell(self.change_per_root_step),
            cell(self.rotation),
        ]
    }
}

impl Stats {
    pub(crate) fn of(found: &Found, numbers: &StepNumbers) -> Self {
        let StepNumbers { layout, no_groups, summary, pairs, change, change_since_first, dead } = numbers;
        let facts = &found.series.facts;
        let changes_of = |at: Option<usize>| {
            let pick = |whole: &'_ _, each: &'_ [_]| at.map_or(Some(*whole), |at| each.get(at).copied());
            let change: Option<(Likeness, i128)> = change.as_ref().and_then(|(step, change)| {
                Some((pick(&change.whole, &change.each)?, i128::from(found.step) - i128::from(*step)))
            });
            let change_since_first: Option<Likeness> =
                change_since_first.as_ref().and_then(|(_, first)| pick(&first.whole, &first.each));
            (change, change_since_first)
        };
        let entry = |at: Option<usize>, usual: &numbers::Statistics| {
            let mut entry = Entry { index: at, ..Entry::of(usual) };
            let (change, change_since_first) = changes_of(at);
            entry.add_changes(
                change.as_ref().map(|(likeness, n)| (likeness, *n)),
                change_since_first.as_ref(),
            );
            if let (Some(at), Some(filters)) = (at, &summary.filters) {
                (entry.rel, entry.dead, entry.roughness) = (
                    filters.rel[at].and_then(if_finite),
                    filters.dead[at],
                    filters.roughness[at].and_then(if_finite),
                );
            }
            if let (Some(at), Some((_, dead))) = (at, dead) {
                (entry.dead, entry.sparsity) = (dead[at], entry.zero_share);
            }
            entry
        };
        let is_filters = summary.filters.is_some();
        let alike = |wanted: bool| pairs.as_ref().filter(|_| wanted).map(|pairs| Alike::of(pairs));
        Self {
            run: found.series.run.to_string(),
            tag: found.series.tag.to_string(),
            step: found.step,
            wall_time: found.parts[0].wall_time.map(WallTime::seconds),
            attempts: found.attempts,
            role: facts.role.name(),
            layout: layout.map(Layout::name),
            per: summary.unit.map(GroupKind::name),
            each_left_out: no_groups.map(|why| why.to_string()),
            tensor: entry(None, &summary.whole),
            each: summary.each.iter().enumerate().map(|(at, usual)| entry(Some(at), usual)).collect(),
            median_l2: summary.filters.as_ref().and_then(|filters| filters.median_l2).and_then(if_finite),
            change_from: change.as_ref().map(|(step, _)| *step),
            rotation_from: change_since_first.as_ref().map(|(step, _)| *step),
            dead_over: dead.as_ref().map(|(steps, _)| steps.clone()),
            duplicates: alike(is_filters),
            twins: alike(!is_filters),
            receptive_field: facts.operation.as_ref().and_then(|operation| operation.receptive_field.clone()),
        }
    }

    /// One line for the whole tensor, whose first cell is `all`, and one line for each filter or channel.
    pub(crate) fn csv(&self) -> Bytes {
        let names = [&[self.per.unwrap_or("filter")][..], &Entry::COLUMNS].concat();
        let mut csv = Csv::with_header(&names);
        for entry in std::iter::once(&self.tensor).chain(&self.each) {
            let name = entry.index.map_or_else(|| "all".to_owned(), |index| index.to_string());
            csv.line(std::iter::once(name).chain(entry.cells()));
        }
        csv.bytes()
    }
}
