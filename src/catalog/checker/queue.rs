//! Files with records to be checked -> the next file: the newest of those that can be read.

use std::{
    collections::{BTreeSet, HashMap},
    time::Instant,
};

use super::work::Work;
use crate::catalog::logged_value::FileId;

/// The work of all files.
#[derive(Default)]
pub(super) struct Queue {
    works: HashMap<FileId, Work>,
    /// Files by their last modification.
    ready: BTreeSet<(i128, FileId)>,
    /// Files that failed, by the time of the next try.
    failed: BTreeSet<(Instant, FileId)>,
}

impl Queue {
    /// Adds work. Earlier work on the same file is kept.
    pub(super) fn add(&mut self, new: Work) {
        let work = match self.remove(new.file) {
            Some(mut work) => {
                work.places.extend(new.places);
                work.overwritten.extend(new.overwritten);
                work.mtime_ns = new.mtime_ns;
                work
            }
            None => new,
        };
        if work.is_done() {
            return;
        }
        match work.failures {
            Some(failures) => self.failed.insert((failures.not_before, work.file)),
            None => self.ready.insert((work.mtime_ns, work.file)),
        };
        self.works.insert(work.file, work);
    }

    pub(super) fn remove(&mut self, file: FileId) -> Option<Work> {
        let work = self.works.remove(&file)?;
        self.ready.remove(&(work.mtime_ns, file));
        if let Some(failures) = work.failures {
            self.failed.remove(&(failures.not_before, file));
        }
        Some(work)
    }

    /// Takes the newest file out, or a failed one that is due.
    pub(super) fn take_next(&mut self, now: Instant) -> Option<Work> {
        let due = self.failed.first().filter(|(at, _)| *at <= now).map(|(_, file)| *file);
        let newest = self.ready.last().map(|(_, file)| *file);
        self.remove(due.or(newest)?)
    }

    /// When the next failed file is due; `None` if there is none.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.failed.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::failures::{FIRST_PAUSE, Failures, LONGEST_PAUSE},
        *,
    };

    use crate::{record::place::Place, source::FileStat, types::RunName};

    fn work(file: u32, mtime_ns: i128) -> Work {
        let places = [Place { offset: 0, len: 9_000 }].into();
        let (path, run) = ("a".into(), RunName::from("a"));
        Work::new(FileId(file), &FileStat { path, run, identity: (0, 0), len: 0, mtime_ns }, places)
    }

    #[test]
    fn the_newest_comes_first_and_one_that_failed_when_it_is_due() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let failures = Failures::after(None, now);
        queue.add(Work { failures: Some(failures), ..work(9, 90) });
        for (file, mtime_ns) in [(0, 10), (1, 30), (2, 20), (0, 40)] {
            queue.add(work(file, mtime_ns));
        }
        let mut order = || queue.take_next(now).map(|work| (work.file.0, work.places.len()));
        assert_eq!([order(), order(), order(), order()], [Some((0, 2)), Some((1, 1)), Some((2, 1)), None]);
        assert_eq!(queue.next_due(), Some(now + FIRST_PAUSE));
        queue.add(work(1, 100));
        let mut order = || queue.take_next(now + FIRST_PAUSE).map(|work| work.file.0);
        assert_eq!([order(), order(), order()], [Some(9), Some(1), None]);
    }

    #[test]
    fn a_file_that_is_removed_is_nowhere_any_more() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.add(work(0, 10));
        queue.add(Work { failures: Some(Failures::after(None, now)), ..work(1, 10) });
        assert!(queue.remove(FileId(0)).is_some() && queue.remove(FileId(1)).is_some());
        assert!(queue.take_next(now + LONGEST_PAUSE).is_none() && queue.next_due().is_none());
    }
}
