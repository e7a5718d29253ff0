//! Internal values -> the API's JSON. It never contains NaN or infinity.

pub(super) mod chart;
mod csv;
pub(crate) mod difference;
pub(super) mod film;
pub(super) mod list;
pub(super) mod options;
pub(super) mod query;
pub(super) mod read;
pub(super) mod sheet;
pub(super) mod stats;

use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use self::query::Part;
use crate::{
    catalog::snapshot::{self},
    listing::{
        health::Status,
        run::RunJson,
        series::{SeriesJson, version},
        skipped::SkippedTag,
    },
    lookup::error::AnswerError,
    recipes,
    types::WallTime,
};

pub(super) use self::csv::MEDIA_TYPE as CSV;

/// An answer as JSON text.
pub(super) fn json(answer: &impl Serialize) -> Result<Bytes, AnswerError> {
    serde_json::to_vec(answer).map(Bytes::from).map_err(|error| AnswerError::Internal(error.to_string()))
}

/// The error body that every endpoint returns.
#[derive(Serialize, ToSchema)]
pub(super) struct Refusal {
    /// An identifier of the kind of error, for programs.
    pub(super) code: String,
    /// What is wrong and what to do about it.
    pub(super) message: String,
}

/// The runs, sorted by name.
#[derive(Serialize, ToSchema)]
#[schema(as = Runs)]
pub(super) struct RunList {
    pub(super) revision: u64,
    pub(super) runs: Vec<RunJson>,
    /// The number of all entries; only if a part was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) total: Option<usize>,
}

/// The tensors of one or all runs, in the order in which they were first logged.
#[derive(Serialize, ToSchema)]
pub(super) struct SeriesList {
    pub(super) revision: u64,
    pub(super) series: Vec<SeriesJson>,
    /// The number of all entries; only if a part was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) total: Option<usize>,
}

/// The tags that were logged but cannot be drawn.
#[derive(Serialize, ToSchema)]
pub(super) struct SkippedList {
    pub(super) skipped: Vec<SkippedTag>,
    /// The number of all entries; only if a part was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) total: Option<usize>,
}

/// The steps of a series, in ascending order; the three lists have one entry per step.
#[derive(Serialize, ToSchema)]
pub(super) struct Steps {
    steps: Vec<i64>,
    /// The time of the newest attempt, in seconds since 1970.
    wall_times: Vec<Option<f64>>,
    /// How often each step was logged.
    attempts: Vec<usize>,
    /// The number of all steps; only if a part was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
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

/// Python code that logs tensors in a form that can be drawn.
#[derive(Serialize, ToSchema)]
pub(super) struct Recipes {
    /// Whether the log has pictures of kernels by Keras (`TensorBoard(write_images=True)`) and no kernel as a tensor.
    kernels_are_drawn: bool,
    recipes: Vec<RecipeJson>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Recipe)]
struct RecipeJson {
    /// `Keras`, `PyTorch`, `TensorFlow 2` or `TensorFlow 1`.
    framework: &'static str,
    /// Whether the code uses the convscope package; otherwise it uses TensorBoard's own writers.
    with_package: bool,
    /// The code, with the logdir filled in.
    code: String,
}

impl Recipes {
    pub(super) fn of(snapshot: &snapshot::Snapshot, logdir: &str) -> Self {
        let recipe = |recipe: &recipes::Recipe| RecipeJson {
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
    /// Everything may have changed: runs or tags are gone, or there are too many changes to list.
    pub(super) reset: bool,
    /// Whether a run or a tag is new, even one that cannot be drawn: the lists have more entries.
    pub(super) new_names: bool,
    pub(super) changed: Vec<Changed>,
}

impl Revision {
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("text, numbers and lists become JSON")
    }
}

/// A series that has new steps or has changed.
#[derive(Serialize, ToSchema)]
pub(super) struct Changed {
    run: String,
    tag: String,
    steps: usize,
    last_step: Option<i64>,
    /// What its steps count: `step`, `epoch` or `time`.
    axis: &'static str,
    version: String,
}

impl Changed {
    pub(super) fn of(series: &snapshot::Series, instance: u64) -> Self {
        Self {
            run: series.run.to_string(),
            tag: series.tag.to_string(),
            steps: series.steps.len(),
            last_step: series.step_range().map(|(_, last)| last),
            axis: series.axis.name(),
            version: version(series, instance),
        }
    }
}
