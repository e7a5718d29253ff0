//! Records of a file that are to be checked.

use std::{
    collections::{BTreeSet, VecDeque},
    path::PathBuf,
};

use super::{failures::Failures, finding::Finding};

use crate::{
    catalog::{
        checked::{Checked, Progress, Stretch},
        damage::DamagedRecord,
        defect::catch_panic,
        logged_value::FileId,
    },
    record::{
        check::{Payload, check_payload},
        place::Place,
    },
    source::{FileStat, Source, window::Window},
    types::RunName,
};

/// Records of a file that are to be checked.
pub(in crate::catalog) struct Work {
    pub(super) run: RunName,
    pub(super) file: FileId,
    pub(super) path: PathBuf,
    pub(super) mtime_ns: i128,
    /// In the order of the file; those that could not be read come first.
    pub(super) places: VecDeque<Place>,
    /// Where intact records were before bytes of the file were overwritten.
    pub(super) overwritten: BTreeSet<Stretch>,
    /// The failures since the last successful read.
    pub(super) failures: Option<Failures>,
    /// Whether it was reported that the file cannot be read.
    pub(super) is_reported: bool,
}

impl Work {
    /// Work on these records of a file.
    pub(super) fn new(file: FileId, stat: &FileStat, places: VecDeque<Place>) -> Self {
        Self {
            run: stat.run.clone(),
            file,
            path: stat.path.clone(),
            mtime_ns: stat.mtime_ns,
            places,
            overwritten: BTreeSet::new(),
            failures: None,
            is_reported: false,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.places.is_empty() && self.overwritten.is_empty()
    }

    pub(super) fn record(&self, place: Place) -> DamagedRecord {
        DamagedRecord { run: self.run.clone(), file: self.file, place }
    }
}

impl Work {
    /// Checks all of it at once and returns what is wrong. Records that cannot be read are left out, because the scan reports them.
    pub(in crate::catalog) fn check(
        self,
        source: &dyn Source,
        checked: &Checked,
        progress: impl Fn(Progress),
    ) -> Vec<Finding> {
        let mut window = Window::new(source, &self.path);
        let mut findings = Vec::new();
        for &place in &self.places {
            if checked.has(self.file, place) {
                continue;
            }
            match catch_panic(|| check_payload(&mut window, place, |_, _| ())) {
                Ok(Ok(Payload::Cut) | Err(_)) => break,
                Ok(Ok(payload)) => findings.extend(self.note(checked, place, &Ok(payload))),
                Err(panic) => {
                    window = Window::new(source, &self.path);
                    findings.extend(self.note(checked, place, &Err(panic)));
                }
            }
            progress(checked.progress());
        }
        findings
    }

    /// Notes the result of checking a record, and returns what must be reported.
    pub(super) fn note(
        &self,
        checked: &Checked,
        place: Place,
        outcome: &Result<Payload, String>,
    ) -> Option<Finding> {
        let is_right = matches!(outcome, Ok(Payload::Right | Payload::Unchecked));
        let note = if is_right { Checked::note_right } else { Checked::note_wrong };
        if !note(checked, self.file, place) || is_right {
            return None;
        }
        let record = self.record(place);
        Some(match outcome {
            Ok(_) => Finding::Damaged(record),
            Err(panic) => Finding::Defect(record, defect(place, panic)),
        })
    }
}

fn defect(place: Place, panic: &str) -> String {
    format!(
        "ConvScope failed at the record at byte {}, which is a defect of ours ({panic}): its payload was not compared with its CRC",
        place.offset
    )
}
