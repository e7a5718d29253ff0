//! One tensor that is to be exported, and the series that it is of.

use std::sync::{Arc, OnceLock};

use crate::{
    catalog::snapshot::{LoggedValue, Series},
    reader::file::ReadableFile,
    render::range::Interval,
    types::{Step, WallTime},
};

/// A series and the name under which it is exported.
#[derive(Clone, Debug)]
pub struct NamedSeries {
    /// The series.
    pub series: Arc<Series>,
    /// The name: a tag, or the beginning of several.
    pub name: String,
    /// The tag by which a writer finds again what it wrote.
    pub key: String,
    /// The range over all of its steps, computed when the first picture needs it; or why it cannot be computed.
    pub run: OnceLock<Result<Interval, String>>,
}

/// One tensor that is to be exported.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its series.
    pub named: Arc<NamedSeries>,
    /// Its step.
    pub step: Step,
    /// What was logged; at least one value.
    pub parts: Vec<LoggedValue>,
    /// The file of the first of these.
    pub file: Arc<ReadableFile>,
}

impl Job {
    /// When it was logged, in seconds since 1970; 0 where its writer did not know.
    #[must_use]
    pub fn wall_time(&self) -> f64 {
        wall_time(&self.parts)
    }
}

/// When the newest of these was logged, in seconds since 1970; 0 where no writer knew.
#[must_use]
pub fn wall_time(parts: &[LoggedValue]) -> f64 {
    let seconds = parts.iter().filter_map(|logged| logged.wall_time.map(WallTime::seconds));
    seconds.reduce(f64::max).unwrap_or(0.0)
}
