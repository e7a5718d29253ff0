//! A series -> what it is, why, and how it can be drawn, as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use super::operation::OperationJson;
use crate::{
    catalog::snapshot::{self, Encoding},
    lookup::subject::subject,
    model::{Reason, layout::Layout},
    render::{
        choices::Choices,
        plan::{Kind, Plan, plan, views_of},
    },
    tensor::dtype::name_of_number,
};

/// All tensors of one tag in one run.
#[derive(Serialize, ToSchema)]
#[schema(as = Series)]
pub(crate) struct SeriesJson {
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
    /// Whether it is a kernel whose name says that it is the network's first convolution, such as `patch_embed`.
    is_first: bool,
    /// The lengths of the axes, slowest first.
    shape: Vec<i64>,
    /// How many frames each picture of the newest step has, which all stand on the first axis; null where none is animated.
    frames: Option<usize>,
    /// How many steps.
    steps: usize,
    /// How many tensors are on the shelf, because training overwrote or deleted their checkpoints.
    kept_steps: u64,
    /// How many saves on the shelf are without it, because it was too large: these steps are gone.
    not_kept: u64,
    first_step: Option<i64>,
    last_step: Option<i64>,
    /// Where the numbers come from: `tensor`, or `image` where they are the bytes of pictures that the writer encoded.
    source: &'static str,
    /// Where its newest step lies: `events`, or `checkpoint`.
    origin: &'static str,
    /// The format of the file of its newest step: `events`, `safetensors`, `pytorch`, `dcp`, `keras`, `hdf5`, `orbax`, `flax`,
    /// `tensorflow`, `tensorflow-v1`, `npz`, `onnx`, or `shelf` if its checkpoint is gone.
    format: &'static str,
    /// From where the number of its newest step is known: `record` of an event, `content` of a checkpoint, `name` or `time` of a file.
    step_from: &'static str,
    /// What its steps count: `step`, `epoch`, or `time` in milliseconds since 1970 where nothing else is known.
    axis: &'static str,
    /// Why a checkpoint is likely of this run, where it does not lie in it.
    run_from: Option<String>,
    /// The writer's own name for it in a checkpoint, where the tag is another: `state_dict/module.conv1.weight` for `conv1.weight`.
    saved_as: Option<String>,
    /// What to know about the numbers that are shown.
    note: Option<&'static str>,
    /// What speaks against role and layout.
    contradictions: Vec<String>,
    /// What the logged graph or model says of the layer.
    operation: Option<OperationJson>,
    /// The views that fit; empty where nothing can be drawn.
    views: Vec<&'static str>,
    /// The kind of tensor, which `/api/v1/options` says what fits of; null where nothing can be drawn.
    fits: Option<String>,
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
pub(super) struct Evidence {
    /// `sure`, `likely` or `guess`.
    confidence: &'static str,
    evidence: String,
}

impl Evidence {
    pub(super) fn of(reason: &Reason) -> Self {
        Self { confidence: reason.confidence.name(), evidence: reason.evidence.clone() }
    }
}

impl SeriesJson {
    pub(crate) fn of(series: &snapshot::Series, instance: u64) -> Self {
        let facts = &series.facts;
        let layout = series.layout();
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
        let kind = match (&plan, &series.form) {
            (Some(_), Ok(form)) => Kind::of(&subject(series, form)),
            _ => None,
        };
        let range = series.step_range();
        let saved_in = series.saved_in.as_ref();
        Self {
            run: series.run.to_string(),
            tag: series.tag.to_string(),
            layer: facts.layer.clone(),
            role: facts.role.name(),
            role_from: Evidence::of(&facts.role_from),
            layout: layout.map(Layout::name),
            layout_from: facts.layout.as_ref().map(|(_, reason)| Evidence::of(reason)),
            dtype,
            is_first: facts.is_first,
            shape: lengths(series),
            frames: series.form.as_ref().ok().and_then(|form| form.frames.counts().first().copied()),
            steps: series.steps.len(),
            kept_steps: series.kept_steps,
            not_kept: series.not_kept,
            first_step: range.map(|(first, _)| first),
            last_step: range.map(|(_, last)| last),
            source: if series.encoding == Encoding::Pictures { "image" } else { "tensor" },
            origin: saved_in.map_or("events", |_| "checkpoint"),
            format: saved_in.map_or("events", |saved_in| saved_in.format.name()),
            step_from: saved_in.map_or("record", |saved_in| saved_in.step_from.name()),
            axis: series.axis.name(),
            run_from: saved_in.and_then(|saved_in| saved_in.run_from.as_deref()).map(str::to_owned),
            saved_as: saved_in.and_then(|saved_in| saved_in.saved_as.as_deref()).map(str::to_owned),
            note: note(series),
            contradictions: facts.contradictions.clone(),
            operation: facts.operation.as_deref().map(OperationJson::of),
            views: fitting.iter().map(|view| view.name()).collect(),
            fits: kind.map(Kind::name),
            view: plan.as_ref().map(|plan| plan.geometry.view.name()),
            range: plan.as_ref().map(|plan| plan.scale.range.text()),
            cmap: plan.as_ref().map(|plan| plan.paint.cmap.name()),
            problem,
            version: version(series, instance),
        }
    }
}

/// How a series is drawn by default, or why it cannot be drawn and what would help.
pub(super) fn drawing(series: &snapshot::Series) -> Result<Plan, String> {
    match &series.form {
        Ok(form) => plan(&Choices::default(), &subject(series, form)).map_err(|error| error.message),
        Err(error) => Err(error.reason.clone()),
    }
}

/// The lengths of the axes; if they make no shape, as they were logged.
pub(super) fn lengths(series: &snapshot::Series) -> Vec<i64> {
    match &series.form {
        Ok(form) => form.shape.axes().iter().map(|axis| *axis as i64).collect(),
        Err(error) => error.dims.clone(),
    }
}

/// What users must know about the numbers that are shown of a series.
pub(crate) fn note(series: &snapshot::Series) -> Option<&'static str> {
    match (series.encoding, &series.form) {
        (Encoding::Pictures, _) => Some("8 bit, scale unknown"),
        (Encoding::Numbers, Ok(form)) => form.dtype.caveat(),
        (Encoding::Numbers, Err(_)) => None,
    }
}

/// A text that changes if a known step may show something else now.
///
/// Answers for a numbered step are `immutable`, so going through steps again needs no request. But a step can change: a restart
/// logs it again, its run is replaced, its facts change, or another logdir is served at the same port. So the version has a
/// random number of this process, the number of the series' first file, and its count of rewrites. Clients that keep pictures
/// send it as `v`, which only makes their addresses differ: the server ignores it.
pub(crate) fn version(series: &snapshot::Series, instance: u64) -> String {
    format!("{:x}.{}.{}", instance & 0xffff_ffff, series.order.file.0, series.rewrites)
}
