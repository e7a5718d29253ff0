//! The API's JSON: what is inside -> what goes out. No NaN or infinity ever stands here.

pub(super) mod chart;
mod csv;
pub(crate) mod difference;
pub(super) mod film;
pub(super) mod health;
pub(super) mod list;
mod operation;
pub(super) mod query;
pub(super) mod sheet;
pub(super) mod stats;

use std::collections::HashSet;

use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use self::{
    health::{Problem, Scanned, Status},
    operation::Operation,
    query::Part,
};

use crate::{
    catalog::{
        checked::Progress,
        snapshot::{self, Encoding},
    },
    lookup::{error::AnswerError, subject::subject},
    model::{Reason, layout::Layout},
    recipes,
    render::{
        choices::Choices,
        plan::{Plan, plan, views_of},
    },
    tensor::dtype::name_of_number,
    types::WallTime,
};

pub(super) use self::csv::MEDIA_TYPE as CSV;

/// An answer as JSON, for those that clients keep.
pub(super) fn json(answer: &impl Serialize) -> Result<Bytes, AnswerError> {
    serde_json::to_vec(answer).map(Bytes::from).map_err(|error| AnswerError::Internal(error.to_string()))
}

/// The error body that every endpoint returns.
#[derive(Serialize, ToSchema)]
pub(super) struct Refusal {
    /// For programs.
    pub(super) code: String,
    /// What is wrong and what to do about it.
    pub(super) message: String,
}

/// The runs, by name.
#[derive(Serialize, ToSchema)]
pub(super) struct Runs {
    pub(super) revision: u64,
    pub(super) runs: Vec<Run>,
    /// How many there are in all, where a part was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<usize>,
}

/// A directory with event files.
#[derive(Serialize, ToSchema)]
pub(super) struct Run {
    run: String,
    /// How many tensors by tag.
    series: usize,
    /// How many layers they belong to.
    layers: usize,
    /// Seconds since 1970.
    first_wall_time: Option<f64>,
    last_wall_time: Option<f64>,
    last_step: Option<i64>,
}

impl Run {
    pub(super) fn of(name: &str, run: &snapshot::Run) -> Self {
        let layers: HashSet<&str> = run.shown().map(|series| series.facts.layer.as_str()).collect();
        // Steps and times of large records are not believed before they are checked, but their tensors are listed.
        let last_values = run.series.values().filter_map(|series| series.steps.get_max());
        let (mut last_step, mut last_wall_time) = (run.last_step, run.last_wall_time.map(WallTime::seconds));
        for (step, attempts) in last_values {
            let wall_time = attempts.newest().wall_time.map(WallTime::seconds);
            last_step = last_step.max(Some(*step));
            last_wall_time = last_wall_time.into_iter().chain(wall_time).reduce(f64::max);
        }
        Self {
            run: name.to_owned(),
            series: run.shown().count(),
            layers: layers.len(),
            first_wall_time: run.first_wall_time.map(WallTime::seconds),
            last_wall_time,
            last_step,
        }
    }
}

/// The tensors of one or all runs, in the order in which they were first logged.
#[derive(Serialize, ToSchema)]
pub(super) struct SeriesList {
    pub(super) revision: u64,
    pub(super) series: Vec<Series>,
    /// How many there are in all, where a part was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<usize>,
}

/// All tensors of one tag in one run.
#[derive(Serialize, ToSchema)]
pub(crate) struct Series {
    run: String,
    tag: String,
    layer: String,
    /// `kernel`, `bias`, `activation`, `input`, `image` or `other`.
    role: &'static str,
    role_from: Evidence,
    /// Which axis is which, where that can be told.
    layout: Option<&'static str>,
    layout_from: Option<Evidence>,
    dtype: String,
    /// The lengths of the axes, slowest first.
    shape: Vec<i64>,
    /// How many frames each picture of the newest step has, which all stand on the first axis; null where none is animated.
    frames: Option<usize>,
    /// How many steps.
    steps: usize,
    first_step: Option<i64>,
    last_step: Option<i64>,
    /// Where the numbers come from: `tensor`, or `image` where they are the bytes of pictures that the writer encoded.
    source: &'static str,
    /// What to know about the numbers that are shown.
    note: Option<&'static str>,
    /// What speaks against role and layout.
    contradictions: Vec<String>,
    /// What the logged graph or model says of the layer.
    operation: Option<Operation>,
    /// The views that fit; empty where nothing can be drawn.
    views: Vec<&'static str>,
    /// The view, range and colour map that are taken when none is asked for.
    view: Option<&'static str>,
    range: Option<String>,
    cmap: Option<&'static str>,
    /// Why nothing can be drawn, and what would mend it.
    problem: Option<String>,
    /// Another one when a step that was there has changed. Clients that keep pictures send it along as `v`.
    version: String,
}

/// The ground of a conclusion.
#[derive(Serialize, ToSchema)]
struct Evidence {
    /// `sure`, `likely` or `guess`.
    confidence: &'static str,
    evidence: String,
}

impl Evidence {
    fn of(reason: &Reason) -> Self {
        Self { confidence: reason.confidence.name(), evidence: reason.evidence.clone() }
    }
}

impl Series {
    pub(crate) fn of(series: &snapshot::Series, instance: u64) -> Self {
        let facts = &series.facts;
        let layout = facts.layout.as_ref().map(|(layout, _)| *layout);
        let dtype = match &series.form {
            Ok(form) => form.dtype.name().to_owned(),
            Err(error) => name_of_number(error.dtype_number),
        };
        let (plan, problem) = match drawing(series) {
            Ok(plan) => (Some(plan), None),
            Err(problem) => (None, Some(problem)),
        };
        let fitting = match (layout.filter(|_| plan.is_some()), &series.form) {
            (Some(layout), Ok(form)) => views_of(layout, facts.role, &form.shape),
            _ => Vec::new(),
        };
        let range = series.step_range();
        Self {
            run: series.run.to_string(),
            tag: series.tag.to_string(),
            layer: facts.layer.clone(),
            role: facts.role.name(),
            role_from: Evidence::of(&facts.role_from),
            layout: layout.map(Layout::name),
            layout_from: facts.layout.as_ref().map(|(_, reason)| Evidence::of(reason)),
            dtype,
            shape: lengths(series),
            frames: series.form.as_ref().ok().and_then(|form| form.frames.counts().first().copied()),
            steps: series.steps.len(),
            first_step: range.map(|(first, _)| first),
            last_step: range.map(|(_, last)| last),
            source: if series.encoding == Encoding::Pictures { "image" } else { "tensor" },
            note: note(series),
            contradictions: facts.contradictions.clone(),
            operation: facts.operation.as_deref().map(Operation::of),
            views: fitting.iter().map(|view| view.name()).collect(),
            view: plan.as_ref().map(|plan| plan.view.name()),
            range: plan.as_ref().map(|plan| plan.range.text()),
            cmap: plan.as_ref().map(|plan| plan.cmap.name()),
            problem,
            version: version(series, instance),
        }
    }
}

/// How a series is drawn when nothing is asked for, or why it cannot be and what would mend it.
fn drawing(series: &snapshot::Series) -> Result<Plan, String> {
    match &series.form {
        Ok(form) => plan(&Choices::default(), &subject(series, form)).map_err(|error| error.message),
        Err(error) => Err(error.reason.clone()),
    }
}

/// The lengths of the axes, as they were logged where they make no shape.
fn lengths(series: &snapshot::Series) -> Vec<i64> {
    match &series.form {
        Ok(form) => form.shape.axes().iter().map(|axis| *axis as i64).collect(),
        Err(error) => error.dims.clone(),
    }
}

/// What a person must know about the numbers that are shown of a series.
pub(crate) fn note(series: &snapshot::Series) -> Option<&'static str> {
    match (series.encoding, &series.form) {
        (Encoding::Pictures, _) => Some("8 bit, scale unknown"),
        (Encoding::Numbers, Ok(form)) => form.dtype.caveat(),
        (Encoding::Numbers, Err(_)) => None,
    }
}

fn version(series: &snapshot::Series, instance: u64) -> String {
    format!("{:x}.{}.{}", instance & 0xffff_ffff, series.order.0.0, series.rewrites)
}

/// What was logged and is not drawn.
#[derive(Serialize, ToSchema)]
pub(super) struct SkippedList {
    pub(super) skipped: Vec<SkippedTag>,
    /// How many there are in all, where a part was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct SkippedTag {
    run: String,
    tag: String,
    kind: &'static str,
    count: u64,
    shape: Option<Vec<i64>>,
    reason: String,
}

impl SkippedTag {
    /// All that is not drawn of a run: what cannot be, what rules leave out, and what holds no tensor.
    pub(super) fn all_of(name: &str, run: &snapshot::Run) -> Vec<Self> {
        let shown = run.shown_in_order().into_iter().filter_map(|series| Self::undrawable(series));
        let ignored = run.series.values().filter_map(|series| Self::ignored(series));
        let others = run.skipped.iter().map(|(tag, skipped)| Self::of(name, tag.as_str(), skipped));
        shown.chain(ignored).chain(others).collect()
    }

    fn undrawable(series: &snapshot::Series) -> Option<Self> {
        Some(Self {
            run: series.run.to_string(),
            tag: series.tag.to_string(),
            kind: "tensor",
            count: series.steps.len() as u64,
            shape: Some(lengths(series)),
            reason: drawing(series).err()?,
        })
    }

    fn ignored(series: &snapshot::Series) -> Option<Self> {
        let place = series.facts.ignored_by.as_ref()?;
        Some(Self {
            run: series.run.to_string(),
            tag: series.tag.to_string(),
            kind: "ignored",
            count: series.steps.len() as u64,
            shape: series
                .form
                .as_ref()
                .ok()
                .map(|form| form.shape.axes().iter().map(|axis| *axis as i64).collect()),
            reason: format!("left out by {place}"),
        })
    }

    fn of(run: &str, tag: &str, skipped: &snapshot::Skipped) -> Self {
        let reason = skipped.kind.reason_not_drawn().to_owned();
        Self {
            run: run.to_owned(),
            tag: tag.to_owned(),
            kind: skipped.kind.name(),
            count: skipped.count,
            shape: None,
            reason,
        }
    }
}

/// The steps of a series, ascending; the three lists belong together.
#[derive(Serialize, ToSchema)]
pub(super) struct Steps {
    steps: Vec<i64>,
    /// Seconds since 1970, of the newest attempt.
    wall_times: Vec<Option<f64>>,
    /// How often each step was logged.
    attempts: Vec<usize>,
    /// How many steps there are in all, where a part was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
}

impl Steps {
    pub(super) fn of(series: &snapshot::Series, part: Option<Part>) -> Self {
        let Part { offset, limit } = part.unwrap_or_default();
        let chosen = || series.steps.iter().skip(offset).take(limit);
        Self {
            steps: chosen().map(|(step, _)| *step).collect(),
            wall_times: chosen()
                .map(|(_, attempts)| attempts.newest().wall_time.map(WallTime::seconds))
                .collect(),
            attempts: chosen().map(|(_, attempts)| attempts.count()).collect(),
            total: part.map(|_| series.steps.len()),
        }
    }
}

/// Everything at once, as `convscope ls --json` prints it.
#[derive(Serialize)]
pub(crate) struct Listing {
    logdir: String,
    scanned: Scanned,
    series: Vec<Series>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<Vec<SkippedTag>>,
    /// Event files that `convscope export` wrote, which are not read back.
    #[serde(skip_serializing_if = "Option::is_none")]
    exported: Option<Vec<String>>,
    checkpoints: health::Checkpoints,
    /// How many large payloads were checked, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    checked: Option<health::Checked>,
    problems: Vec<Problem>,
}

impl Listing {
    /// What is not drawn is listed `all` alone.
    pub(crate) fn of(
        snapshot: &snapshot::Snapshot,
        checked: Option<Progress>,
        logdir: &str,
        all: bool,
    ) -> Self {
        let runs = || snapshot.runs.iter();
        Self {
            logdir: logdir.to_owned(),
            scanned: Scanned::of(snapshot),
            series: runs()
                .flat_map(|(_, run)| run.shown_in_order())
                .map(|series| Series::of(series, 0))
                .collect(),
            skipped: all
                .then(|| runs().flat_map(|(name, run)| SkippedTag::all_of(name.as_str(), run)).collect()),
            exported: all.then(|| snapshot.exported.iter().map(|path| path.display().to_string()).collect()),
            checkpoints: health::Checkpoints::of(snapshot),
            checked: checked.map(health::Checked::of),
            problems: snapshot.problems.iter().map(Problem::of).collect(),
        }
    }
}

/// The lines of Python that log what can be drawn.
#[derive(Serialize, ToSchema)]
pub(super) struct Recipes {
    /// Keras drew pictures of kernels (`TensorBoard(write_images=True)`), and no kernel is there as a tensor.
    kernels_are_drawn: bool,
    recipes: Vec<Recipe>,
}

#[derive(Serialize, ToSchema)]
struct Recipe {
    /// `Keras`, `PyTorch`, `TensorFlow 2` or `TensorFlow 1`.
    framework: &'static str,
    /// Whether they use the convscope package; else what TensorBoard's own writers can do.
    with_package: bool,
    /// The lines, with the logdir filled in.
    code: String,
}

impl Recipes {
    pub(super) fn of(snapshot: &snapshot::Snapshot, logdir: &str) -> Self {
        let recipe = |recipe: &recipes::Recipe| Recipe {
            framework: recipe.framework,
            with_package: recipe.with_package,
            code: recipe.lines_for(logdir),
        };
        let kernels_are_drawn = snapshot.has_drawn_kernels_alone();
        Self { kernels_are_drawn, recipes: recipes::RECIPES.iter().map(recipe).collect() }
    }
}

/// One event of the live stream.
#[derive(Serialize, ToSchema)]
pub(super) struct Revision {
    pub(super) revision: u64,
    pub(super) status: Status,
    /// Everything may be different: runs or tags are gone, or too much changed to be listed.
    pub(super) reset: bool,
    /// A run or a tag is new, also one that is not drawn: the lists have more entries.
    pub(super) new_names: bool,
    pub(super) changed: Vec<Changed>,
}

impl Revision {
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("text, numbers and lists become JSON")
    }
}

/// A series that grew or changed.
#[derive(Serialize, ToSchema)]
pub(super) struct Changed {
    run: String,
    tag: String,
    steps: usize,
    last_step: Option<i64>,
    version: String,
}

impl Changed {
    pub(super) fn of(series: &snapshot::Series, instance: u64) -> Self {
        Self {
            run: series.run.to_string(),
            tag: series.tag.to_string(),
            steps: series.steps.len(),
            last_step: series.step_range().map(|(_, last)| last),
            version: version(series, instance),
        }
    }
}
