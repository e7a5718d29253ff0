//! A run -> its name, size, times and last step, as JSON.

use std::collections::HashSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{catalog::snapshot, reader::moment::Axis, types::WallTime};

/// A directory with event files.
#[derive(Serialize, ToSchema)]
#[schema(as = Run)]
pub(crate) struct RunJson {
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

impl RunJson {
    pub(crate) fn of(name: &str, run: &snapshot::Run) -> Self {
        let layers: HashSet<&str> = run.shown().map(|series| series.facts.layer.as_str()).collect();
        // Steps and times of large records are not used before the records are checked, but their tensors are listed.
        let by_steps = run.series.values().filter(|series| series.axis == Axis::Step);
        let last_values = by_steps.filter_map(|series| series.steps.get_max());
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
