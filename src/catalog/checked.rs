//! Records -> which of them are known to have the payload that was written: those whose CRC was computed once.
//!
//! Small records are checked when they are scanned. Of the others it is kept here, as stretches of bytes that grow together:
//! a file that is checked whole takes some tens of bytes.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::snapshot::FileId;
use crate::record::scan::Place;

/// Payloads of up to so many bytes are checked when they are scanned.
pub(crate) const SMALL_PAYLOAD: u64 = 4 << 10;

/// What is known of the records of all files.
#[derive(Debug, Default)]
pub struct Checked(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    files: HashMap<FileId, File>,
    progress: Progress,
}

#[derive(Debug, Default)]
struct File {
    /// Stretches of records with right payloads, by their first byte: the byte after the last.
    right: BTreeMap<u64, u64>,
    progress: Progress,
}

/// How far the check of large records has come. Those with wrong payloads count as checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records with payloads of more than [`SMALL_PAYLOAD`] bytes.
    pub records: u64,
    /// Their payloads' bytes.
    pub bytes: u64,
    /// Those of them that were checked.
    pub records_checked: u64,
    /// The payload bytes of these.
    pub bytes_checked: u64,
}

impl Progress {
    /// Whether all that is known was checked.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.records == self.records_checked
    }

    fn change(&mut self, change: impl Fn(u64, u64) -> u64, by: Self) {
        self.records = change(self.records, by.records);
        self.bytes = change(self.bytes, by.bytes);
        self.records_checked = change(self.records_checked, by.records_checked);
        self.bytes_checked = change(self.bytes_checked, by.bytes_checked);
    }
}

impl Checked {
    /// Takes note of large records that were found.
    pub fn note_found(&self, file: FileId, places: &[Place]) {
        let bytes = places.iter().map(|place| place.len).sum();
        let new = Progress { records: places.len() as u64, bytes, ..Progress::default() };
        self.lock().add(file, new);
    }

    /// Takes note of a record whose payload is right. Gives whether that is news.
    pub fn note_right(&self, file: FileId, place: Place) -> bool {
        let mut state = self.lock();
        let right = &mut state.files.entry(file).or_default().right;
        if holds(right, place) {
            return false;
        }
        let before = right.range(..=place.offset).next_back().filter(|(_, end)| **end >= place.offset);
        let start = before.map_or(place.offset, |(start, _)| *start);
        let end = right.remove(&place.end()).unwrap_or(place.end());
        right.insert(start, end);
        state.add(file, one(place));
        true
    }

    /// Takes note of a record that was checked and whose payload is wrong.
    pub fn note_wrong(&self, file: FileId, place: Place) {
        self.lock().add(file, one(place));
    }

    /// Whether a record's payload is known to be right.
    #[must_use]
    pub fn knows(&self, file: FileId, place: Place) -> bool {
        self.lock().files.get(&file).is_some_and(|file| holds(&file.right, place))
    }

    /// Forgets a file.
    pub fn forget(&self, file: FileId) {
        let mut state = self.lock();
        if let Some(file) = state.files.remove(&file) {
            state.progress.change(u64::saturating_sub, file.progress);
        }
    }

    /// How far the check has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.lock().progress
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nobody panics while he holds it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, file: FileId, new: Progress) {
        self.files.entry(file).or_default().progress.change(u64::saturating_add, new);
        self.progress.change(u64::saturating_add, new);
    }
}

fn one(place: Place) -> Progress {
    Progress { records_checked: 1, bytes_checked: place.len, ..Progress::default() }
}

fn holds(right: &BTreeMap<u64, u64>, place: Place) -> bool {
    right.range(..=place.offset).next_back().is_some_and(|(_, end)| *end >= place.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_grow_together_in_any_order() {
        let (checked, file) = (Checked::default(), FileId(3));
        // 84 + 12 + 4 bytes each.
        let places: Vec<Place> = (0..5).map(|idx| Place { offset: idx * 100, len: 84 }).collect();
        checked.note_found(file, &places);
        for idx in [4, 0, 2, 3, 1] {
            assert!(!checked.knows(file, places[idx]) && checked.note_right(file, places[idx]));
            assert!(checked.knows(file, places[idx]) && !checked.note_right(file, places[idx]));
        }
        assert_eq!(checked.lock().files[&file].right, [(0, 500)].into());
        assert!(!checked.knows(FileId(4), places[0]) && !checked.knows(file, Place { offset: 400, len: 85 }));
    }

    #[test]
    fn progress_counts_what_was_found_and_goes_with_its_file() {
        let (checked, place) = (Checked::default(), Place { offset: 0, len: 9_000 });
        checked.note_found(FileId(0), &[place]);
        checked.note_found(FileId(1), &[place, Place { offset: 9_016, len: 5_000 }]);
        checked.note_right(FileId(1), place);
        checked.note_wrong(FileId(0), place);
        let expected = Progress { records: 3, bytes: 23_000, records_checked: 2, bytes_checked: 18_000 };
        assert_eq!(checked.progress(), expected);
        assert!(!expected.is_done());
        checked.forget(FileId(1));
        let expected = Progress { records: 1, bytes: 9_000, records_checked: 1, bytes_checked: 9_000 };
        assert_eq!(checked.progress(), expected);
        assert!(expected.is_done());
    }
}
