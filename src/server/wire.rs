//! The API's JSON: what is inside -> what goes out. No NaN or infinity ever stands here.

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
#[schema(as = Runs)]
pub(super) struct RunList {
    pub(super) revision: u64,
    pub(super) runs: Vec<RunJson>,
    /// How many there are in all, where a part was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) total: Option<usize>,
}

/// The tensors of one or all runs, in the order in which they were first logged.
#[derive(Serialize, ToSchema)]
pub(super) struct SeriesList {
    pub(super) revision: u64,
    pub(super) series: Vec<SeriesJson>,
    /// How many there are in all, where a part was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) total: Option<usize>,
}

/// What was logged and is not drawn.
#[derive(Serialize, ToSchema)]
pub(super) struct SkippedList {
    pub(super) skipped: Vec<SkippedTag>,
    /// How many there are in all, where a part was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) total: Option<usize>,
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

/// The lines of Python that log what can be drawn.
#[derive(Serialize, ToSchema)]
pub(super) struct Recipes {
    /// Keras drew pictures of kernels (`TensorBoard(write_images=True)`), and no kernel is there as a tensor.
    kernels_are_drawn: bool,
    recipes: Vec<RecipeJson>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Recipe)]
struct RecipeJson {
    /// `Keras`, `PyTorch`, `TensorFlow 2` or `TensorFlow 1`.
    framework: &'static str,
    /// Whether they use the convscope package; else what TensorBoard's own writers can do.
    with_package: bool,
    /// The lines, with the logdir filled in.
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
