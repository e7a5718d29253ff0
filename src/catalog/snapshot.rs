//! The index as it was at one moment.

use std::{path::PathBuf, sync::Arc};

use imbl::OrdMap;

use super::health::Problem;
use crate::{
    event::summary::Kind,
    model::{Facts, network::Network, recorded::Recorded},
    record::scan::Place,
    tensor::{dtype::DType, shape::Shape},
    types::{RunName, Step, Tag, WallTime},
    watch::Mode,
};

/// The number of a file, in the order in which files were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// Everything known at one moment. Cloning costs a few reference counts.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Grows with each snapshot.
    pub revision: u64,
    /// Whether the first scan is still under way.
    pub loading: bool,
    /// How changes are noticed.
    pub watch: Mode,
    /// How much has been read.
    pub scanned: Scanned,
    /// The runs by name.
    pub runs: OrdMap<RunName, Arc<Run>>,
    /// Where the files lie.
    pub files: OrdMap<FileId, Arc<PathBuf>>,
    /// What is wrong, in order of run and file.
    pub problems: Arc<Vec<Problem>>,
}

/// How much of the logdir has been understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Event files.
    pub files: u64,
    /// Bytes of records, payloads that were hopped over among them.
    pub bytes: u64,
    /// Whole records.
    pub records: u64,
}

/// A directory with event files.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The revision in which it last changed.
    pub revision: u64,
    /// The tensors by tag.
    pub series: OrdMap<Tag, Arc<Series>>,
    /// What was not taken, by tag.
    pub skipped: OrdMap<Tag, Skipped>,
    /// The plugin that a tag's first metadata named; empty for none.
    pub plugins: OrdMap<Tag, Arc<[u8]>>,
    /// What writers that know the network say of their tags.
    pub recorded: OrdMap<Tag, Arc<Recorded>>,
    /// What logged graphs and models say, the newest last.
    pub networks: Vec<Arc<Network>>,
    /// The earliest wall time of its events.
    pub first_wall_time: Option<WallTime>,
    /// The latest wall time of its events.
    pub last_wall_time: Option<WallTime>,
    /// The largest step of its events.
    pub last_step: Option<Step>,
}

/// Values of a tag that are no tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What they are.
    pub kind: Kind,
    /// How many.
    pub count: u64,
}

/// All tensors of one tag in one run.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its run.
    pub run: RunName,
    /// Its tag.
    pub tag: Tag,
    /// Where its first value stands: series in this order are in the order in which the network logged them.
    pub order: (FileId, u64, u32),
    /// The revision in which it last changed.
    pub revision: u64,
    /// Type and shape of its newest tensor, or why that tensor cannot be read.
    pub form: Result<Form, FormError>,
    /// What it is to the network.
    pub facts: Facts,
    /// Where its tensors lie.
    pub steps: OrdMap<Step, Attempts>,
    /// How often the tensor of a step that was known already changed.
    pub rewrites: u64,
}

/// Element type and shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The element type.
    pub dtype: DType,
    /// The lengths of the axes.
    pub shape: Shape,
}

/// Why a logged tensor cannot be read, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormError {
    /// The type's number in the log.
    pub dtype_number: i32,
    /// The lengths as logged.
    pub dims: Vec<i64>,
    /// The reason and what would mend it.
    pub reason: String,
}

/// Where one tensor lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Logged {
    /// When it was logged.
    pub wall_time: Option<WallTime>,
    /// The file.
    pub file: FileId,
    /// The record.
    pub place: Place,
    /// The position of the value in the record's summary.
    pub value_idx: u32,
}

/// The tensors that were logged for one step: more than one where a training was started again.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempts {
    newest: Logged,
    older: Option<Arc<[Logged]>>,
}

impl Attempts {
    /// The first tensor of a step.
    #[must_use]
    pub fn new(logged: Logged) -> Self {
        Self { newest: logged, older: None }
    }

    /// Adds another. The newest is the one with the latest wall time; among equals, the one that lies later.
    #[must_use]
    pub fn with(&self, logged: Logged) -> Self {
        let age = |logged: &Logged| {
            let seconds = logged.wall_time.map_or(f64::NEG_INFINITY, WallTime::seconds);
            (seconds, logged.file, logged.place.offset, logged.value_idx)
        };
        let mut all: Vec<Logged> = self.newest_first().copied().collect();
        if !all.contains(&logged) {
            all.push(logged);
        }
        all.sort_by(|a, b| age(b).partial_cmp(&age(a)).expect("wall times are numbers"));
        Self { newest: all[0], older: Some(all[1..].into()) }
    }

    /// What is left without `logged`; `None` when nothing is.
    #[must_use]
    pub fn without(&self, logged: &Logged) -> Option<Self> {
        let mut rest = self.newest_first().filter(|other| *other != logged);
        let newest = *rest.next()?;
        Some(Self { newest, older: Some(rest.copied().collect()) })
    }

    /// All of them, the newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Logged> {
        std::iter::once(&self.newest).chain(self.older.iter().flat_map(|older| older.iter()))
    }

    /// How many there are; at least 1.
    #[must_use]
    pub fn count(&self) -> usize {
        1 + self.older.as_ref().map_or(0, |older| older.len())
    }
}

impl Snapshot {
    /// The snapshot of a logdir of which nothing is known yet.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            revision: 0,
            loading: true,
            watch: Mode::Waiting,
            scanned: Scanned::default(),
            runs: OrdMap::new(),
            files: OrdMap::new(),
            problems: Arc::default(),
        }
    }

    /// The series of a tag in a run.
    #[must_use]
    pub fn series(&self, run: &str, tag: &str) -> Option<&Arc<Series>> {
        self.runs.get(run)?.series.get(tag)
    }
}

impl Run {
    /// Its series in the order in which they were first logged.
    #[must_use]
    pub fn series_in_order(&self) -> Vec<&Arc<Series>> {
        let mut series: Vec<_> = self.series.values().collect();
        series.sort_by_key(|series| series.order);
        series
    }
}

impl Series {
    /// The first and the last step; a series has at least one.
    #[must_use]
    pub fn step_range(&self) -> Option<(Step, Step)> {
        Some((self.steps.get_min()?.0, self.steps.get_max()?.0))
    }

    /// The steps at or before and after `step`, where there are any.
    #[must_use]
    pub fn nearest_steps(&self, step: Step) -> Vec<Step> {
        let before = self.steps.get_prev(&step).map(|(step, _)| *step);
        let after = self.steps.get_next(&step).map(|(step, _)| *step);
        let mut nearest: Vec<Step> = before.into_iter().chain(after).collect();
        nearest.dedup();
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(seconds: f64, offset: u64) -> Logged {
        let place = Place { offset, len: 1 };
        Logged { wall_time: WallTime::new(seconds), file: FileId(0), place, value_idx: 0 }
    }

    #[test]
    fn the_newest_attempt_comes_first_whatever_the_order_of_arrival() {
        let (old, new, timeless) = (logged(1.0, 50), logged(2.0, 10), logged(f64::NAN, 99));
        let attempts = Attempts::new(new).with(timeless).with(old).with(old);
        assert_eq!(attempts.newest_first().copied().collect::<Vec<_>>(), [new, old, timeless]);
        assert_eq!(attempts.count(), 3);
        let left = attempts.without(&new).unwrap();
        assert_eq!(left.newest_first().next(), Some(&old));
        assert_eq!(Attempts::new(old).without(&old), None);
    }
}
