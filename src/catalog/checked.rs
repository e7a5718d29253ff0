//! Records -> which of them are known to be intact, because their CRC was compared once.
//!
//! Small records are checked when they are scanned. The results for large ones are kept here as ranges of bytes; those of large
//! records that follow one another are joined. For a file of large records only, some hundred bytes are kept when all of it is
//! checked. Small records between large ones cost some tens of bytes per large one.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::logged_value::FileId;

use crate::record::place::Place;

/// Payloads of up to this many bytes are checked when they are scanned.
pub(crate) const SMALL_PAYLOAD: u64 = 4 << 10;

/// What is known of the records of all files.
#[derive(Debug, Default)]
pub struct Checked(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    files: HashMap<FileId, File>,
    progress: Progress,
    /// Whether a scan notes the records. If so, nothing is kept of files that it did not find, or that were forgotten.
    is_scanned: bool,
}

#[derive(Debug, Default)]
struct File {
    /// Ranges of intact records: from the first byte to the byte after the last.
    right: BTreeMap<u64, u64>,
    /// Records that were checked and are damaged: from their first byte to the length of their payload.
    wrong: BTreeMap<u64, u64>,
    progress: Progress,
    /// How often it was invalidated.
    generation: u64,
}

/// A range of bytes of a file that contained intact records until the file was invalidated: the first byte, and the one after the
/// last.
pub(super) type Stretch = (u64, u64);

/// How far the check of large records has come. Damaged records count as checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records with payloads of more than 4 KiB.
    pub records: u64,
    /// Their payloads' bytes.
    pub bytes: u64,
    /// Those of them that were checked.
    pub records_checked: u64,
    /// The payload bytes of these.
    pub bytes_checked: u64,
}

impl Progress {
    /// Whether all known records were checked.
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
    /// Notes large records that were found.
    pub fn note_found(&self, file: FileId, places: &[Place]) {
        let bytes = places.iter().map(|place| place.len).sum();
        let new = Progress { records: places.len() as u64, bytes, ..Progress::default() };
        let mut state = self.lock();
        state.is_scanned = true;
        state.files.entry(file).or_default();
        state.add(file, new);
    }

    /// Notes that a record is intact. Returns whether this is new.
    pub fn note_right(&self, file: FileId, place: Place) -> bool {
        let mut state = self.lock();
        let Some(known) = state.file(file).filter(|known| !known.has(place)) else { return false };
        let right = &mut known.right;
        let before = right.range(..=place.offset).next_back().filter(|(_, end)| **end >= place.offset);
        let start = before.map_or(place.offset, |(start, _)| *start);
        let end = right.remove(&place.end()).unwrap_or(place.end());
        right.insert(start, end);
        state.add(file, one(place));
        true
    }

    /// Notes that a record is damaged. Returns whether this is new.
    pub fn note_wrong(&self, file: FileId, place: Place) -> bool {
        let mut state = self.lock();
        let Some(known) = state.file(file).filter(|known| !known.has(place)) else { return false };
        known.wrong.insert(place.offset, place.len);
        state.add(file, one(place));
        true
    }

    /// Whether a record is known to be intact.
    #[must_use]
    pub fn knows(&self, file: FileId, place: Place) -> bool {
        self.lock().files.get(&file).is_some_and(|file| holds(&file.right, place))
    }

    /// Whether a record was checked, with either result.
    pub(super) fn has(&self, file: FileId, place: Place) -> bool {
        self.lock().files.get(&file).is_some_and(|file| file.has(place))
    }

    /// Bytes of a file were overwritten: its intact records have to be checked again. Returns where they are.
    pub fn invalidate(&self, file: FileId) -> Vec<Stretch> {
        let mut state = self.lock();
        let Some(known) = state.files.get_mut(&file) else { return Vec::new() };
        known.generation += 1;
        let stretches = std::mem::take(&mut known.right).into_iter().collect();
        let Progress { records_checked, bytes_checked, .. } = known.progress;
        let wrong: u64 = known.wrong.values().sum();
        let gone = Progress {
            records_checked: records_checked - known.wrong.len() as u64,
            bytes_checked: bytes_checked - wrong,
            ..Progress::default()
        };
        known.progress.change(u64::saturating_sub, gone);
        state.progress.change(u64::saturating_sub, gone);
        stretches
    }

    /// How often a file was invalidated; `None` for one that was forgotten.
    pub(super) fn generation(&self, file: FileId) -> Option<u64> {
        self.lock().files.get(&file).map(|file| file.generation)
    }

    /// Forgets a file. What is noted about it afterwards is ignored.
    pub fn forget(&self, file: FileId) {
        let mut state = self.lock();
        state.is_scanned = true;
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
        // No panic can happen while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A known file. If nothing is scanned, as in a command that reads once, every file is known.
    fn file(&mut self, file: FileId) -> Option<&mut File> {
        if self.is_scanned { self.files.get_mut(&file) } else { Some(self.files.entry(file).or_default()) }
    }

    fn add(&mut self, file: FileId, new: Progress) {
        if let Some(known) = self.files.get_mut(&file) {
            known.progress.change(u64::saturating_add, new);
            self.progress.change(u64::saturating_add, new);
        }
    }
}

impl File {
    fn has(&self, place: Place) -> bool {
        self.wrong.contains_key(&place.offset) || holds(&self.right, place)
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

    #[test]
    fn what_is_noted_of_a_forgotten_file_counts_for_nothing() {
        let (checked, file, place) = (Checked::default(), FileId(0), Place { offset: 0, len: 9_000 });
        let late = Place { offset: 9_016, len: 9_000 };
        checked.note_found(file, &[place, late]);
        checked.note_right(file, place);
        checked.forget(file);
        assert!(!checked.note_right(file, late) && !checked.note_wrong(file, late));
        assert_eq!((checked.progress(), checked.generation(file)), (Progress::default(), None));
        assert!(!checked.knows(file, late));
    }

    #[test]
    fn where_nothing_is_scanned_right_records_are_known_all_the_same() {
        let (checked, place) = (Checked::default(), Place { offset: 0, len: 9_000 });
        assert!(checked.note_right(FileId(0), place) && checked.knows(FileId(0), place));
    }

    #[test]
    fn a_record_counts_as_checked_once() {
        let (checked, file, place) = (Checked::default(), FileId(0), Place { offset: 0, len: 9_000 });
        checked.note_found(file, &[place]);
        assert!(checked.note_wrong(file, place) && checked.has(file, place));
        assert!(!checked.note_wrong(file, place) && !checked.note_right(file, place));
        assert_eq!(checked.progress().records_checked, 1);
        assert!(!checked.knows(file, place));
    }

    #[test]
    fn a_doubted_file_has_its_right_records_to_be_checked_again() {
        let (checked, file) = (Checked::default(), FileId(0));
        let places: Vec<Place> = (0..4).map(|idx| Place { offset: idx * 10_000, len: 9_984 }).collect();
        checked.note_found(file, &places);
        checked.note_right(file, places[0]);
        checked.note_wrong(file, places[1]);
        checked.note_right(file, places[2]);
        assert_eq!(checked.generation(file), Some(0));
        assert_eq!(checked.invalidate(file), [(0, 10_000), (20_000, 30_000)]);
        assert_eq!(checked.generation(file), Some(1));
        assert!(!checked.knows(file, places[0]) && checked.has(file, places[1]));
        let expected = Progress { records: 4, bytes: 39_936, records_checked: 1, bytes_checked: 9_984 };
        assert_eq!(checked.progress(), expected);
        assert_eq!((checked.invalidate(file), checked.invalidate(FileId(7))), (vec![], vec![]));
    }
}
