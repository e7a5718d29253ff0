//! Records that were found damaged -> a run without their values, and one problem per record.
//!
//! Readers find damaged values; the background check finds damaged records with all their values. Damaged bytes cannot say to
//! which series these belong. Therefore all values of the run are searched, for many records at once, at most once per second.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    health::Fault,
    logged_value::{FileId, LoggedValue},
    snapshot::Run,
};

use crate::{
    record::place::Place,
    types::{RunName, Step, Tag},
};

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A value that was found damaged when it was read.
#[derive(Clone, Debug)]
pub struct BadValue {
    /// Its run.
    pub run: RunName,
    /// Its tag.
    pub tag: Tag,
    /// Its step.
    pub step: Step,
    /// Where it is logged.
    pub logged: LoggedValue,
    /// The kind of damage.
    pub fault: Fault,
    /// What was found.
    pub message: String,
}

/// A record whose payload is damaged.
#[derive(Clone, Debug)]
pub struct DamagedRecord {
    /// The run of its file.
    pub run: RunName,
    /// Its file.
    pub file: FileId,
    /// Where it is in the file.
    pub place: Place,
}

/// Files and the first bytes of records.
type Records = HashSet<(FileId, u64)>;

/// The records that are known to be damaged.
pub(super) struct Damage {
    known: Records,
    /// Those whose values may still be listed.
    listed: BTreeMap<RunName, Records>,
    not_before: Instant,
}

impl Damage {
    pub(super) fn new() -> Self {
        Self { known: Records::new(), listed: BTreeMap::new(), not_before: Instant::now() }
    }

    /// Notes a record. Returns whether it is new.
    pub(super) fn note(&mut self, record: &DamagedRecord) -> bool {
        let key = (record.file, record.place.offset);
        let is_new = self.known.insert(key);
        if is_new {
            self.listed.entry(record.run.clone()).or_default().insert(key);
        }
        is_new
    }

    /// When values have to be taken out of the lists; `None` if there are none.
    pub(super) fn due(&self) -> Option<Instant> {
        (!self.listed.is_empty()).then_some(self.not_before)
    }

    /// The records whose values must be taken out now, by run.
    pub(super) fn take_due(&mut self) -> BTreeMap<RunName, Records> {
        let now = Instant::now();
        if self.due().is_none_or(|due| due > now) {
            return BTreeMap::new();
        }
        self.not_before = now + LOOK_EVERY;
        std::mem::take(&mut self.listed)
    }

    pub(super) fn forget(&mut self, file: FileId) {
        if self.known.is_empty() {
            return;
        }
        self.known.retain(|(of, _)| *of != file);
    }
}

/// Takes all values of these records out of a run, and returns whether there were any.
pub(super) fn without_records(run: &mut Run, records: &Records, revision: u64) -> bool {
    let is_damaged = |logged: &&LoggedValue| records.contains(&(logged.file, logged.spot.record().offset));
    let mut hits: Vec<(Tag, Step, Vec<LoggedValue>)> = Vec::new();
    for (tag, series) in &run.series {
        for (step, attempts) in &series.steps {
            let damaged: Vec<LoggedValue> = attempts.newest_first().filter(is_damaged).copied().collect();
            if !damaged.is_empty() {
                hits.push((tag.clone(), *step, damaged));
            }
        }
    }
    for (tag, step, damaged) in &hits {
        for logged in damaged {
            without_value(run, Value { tag, step: *step, logged }, revision);
        }
    }
    !hits.is_empty()
}

/// A value in the lists of a run.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) tag: &'a Tag,
    pub(super) step: Step,
    pub(super) logged: &'a LoggedValue,
}

/// Takes one value out of a run, and returns whether it was there. A series without values is removed.
pub(super) fn without_value(run: &mut Run, value: Value<'_>, revision: u64) -> bool {
    let Value { tag, step, logged } = value;
    let Some(series) = run.series.get(tag) else { return false };
    // Two readers may have found the same damage.
    let Some(attempts) = series.steps.get(&step).filter(|attempts| attempts.holds(logged)) else {
        return false;
    };
    let rest = attempts.without(logged);
    let series = Arc::make_mut(run.series.get_mut(tag).expect("it was there just now"));
    match rest {
        Some(rest) => series.steps.insert(step, rest),
        None => series.steps.remove(&step),
    };
    series.revision = revision;
    series.rewrites += 1;
    if series.steps.is_empty() {
        run.series.remove(tag);
    }
    run.revision = revision;
    true
}
