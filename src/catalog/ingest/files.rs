//! The event files that are followed: which of them grew, were replaced, could not be read, or have more to read.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    time::Instant,
};

use crate::{
    catalog::{
        backoff::Backoff,
        follow::{FollowedFile, is_settled},
        logged_value::FileId,
        snapshot::Scanned,
    },
    source::{FileStat, at_and_below},
    types::RunName,
};

/// All followed files, by path. A file that is read from the start gets a new number, so cached data of a replaced file is never
/// mistaken for data of the new one.
pub(super) struct FollowedFiles {
    files: BTreeMap<PathBuf, FollowedFile>,
    /// Files of which more can be read immediately.
    unfinished: BTreeSet<PathBuf>,
    /// Files in which reading waits at zeros where a record should begin.
    at_holes: BTreeSet<PathBuf>,
    backoff: Backoff,
    next_id: u32,
    /// Whether files were added or forgotten since this was asked last.
    names_changed: bool,
    max_payload: u64,
}

/// What the state of a file requires.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// Reading it from the start: it was not followed.
    New(FileId),
    /// Nothing.
    Same,
    /// Reading on.
    Grown,
    /// Reading on, and checking its records again, because bytes of it were overwritten.
    WrittenOver(FileId),
    /// Reading its run from the start, because another file has its name, or it was shortened.
    Replaced,
}

/// A file that is no longer followed.
pub(super) struct RemovedFile {
    pub(super) id: FileId,
    pub(super) run: RunName,
    /// What was read of it.
    pub(super) scanned: Scanned,
}

/// A file that is read from the start under a new number.
pub(super) struct Restarted {
    pub(super) path: PathBuf,
    pub(super) old: FileId,
    pub(super) new: FileId,
    /// What was read of it under the old number.
    pub(super) scanned: Scanned,
}

/// Whether a file could be read.
pub(super) enum Access {
    /// As before.
    Same,
    /// It could not be read, for this reason.
    Failed(String),
    /// It could be read, but not before.
    Recovered,
}

impl FollowedFiles {
    /// No files yet. Payloads of more than `max_payload` bytes are treated as damage.
    pub(super) fn new(max_payload: u64) -> Self {
        Self {
            files: BTreeMap::new(),
            unfinished: BTreeSet::new(),
            at_holes: BTreeSet::new(),
            backoff: Backoff::default(),
            next_id: 0,
            names_changed: true,
            max_payload,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The followed files at `path` and below.
    pub(super) fn at_and_below(&self, path: &Path) -> Vec<PathBuf> {
        at_and_below(&self.files, path).map(|(file, _)| file.clone()).collect()
    }

    /// Whether a file at `path` or below is followed.
    pub(super) fn has_any_below(&self, path: &Path) -> bool {
        at_and_below(&self.files, path).next().is_some()
    }

    /// If a file is followed in the same run under another name, that name.
    pub(super) fn other_name<'a>(&'a self, stat: &'a FileStat) -> Option<&'a Path> {
        if self.files.contains_key(&stat.path) {
            return None;
        }
        let mut near = at_and_below(&self.files, stat.path.parent()?);
        let is_same = |file: &FileStat| file.run == stat.run && file.identity == stat.identity;
        near.find(|(_, file)| is_same(&file.stat)).map(|(path, _)| path.as_path())
    }

    /// Runs of which all files are also files of one other run, with that run. `names` are second names of files; others are ignored.
    pub(super) fn same_runs(&self, names: &BTreeMap<PathBuf, PathBuf>) -> BTreeMap<RunName, RunName> {
        let mut linked: BTreeMap<&Path, (usize, BTreeSet<&RunName>)> = BTreeMap::new();
        for (name, first) in names {
            if let (Some(_), Some(first), Some(dir)) =
                (self.files.get(name), self.files.get(first), name.parent())
            {
                let (n_files, runs) = linked.entry(dir).or_default();
                *n_files += 1;
                runs.insert(&first.stat.run);
            }
        }
        let same = linked.into_iter().filter_map(|(dir, (n_linked, runs))| {
            let of_run = || at_and_below(&self.files, dir).filter(|(path, _)| path.parent() == Some(dir));
            let run = &of_run().next()?.1.stat.run;
            (runs.len() == 1 && of_run().count() == n_linked).then_some((run, runs.into_iter().next()?))
        });
        same.map(|(run, first)| (run.clone(), first.clone())).collect()
    }

    /// The followed files that are not among `there`.
    pub(super) fn others_than(&self, there: &BTreeSet<&Path>) -> Vec<PathBuf> {
        self.files.keys().filter(|path| !there.contains(path.as_path())).cloned().collect()
    }

    /// A number for a file that is not an event file.
    pub(super) fn next_number(&mut self) -> FileId {
        new_id(&mut self.next_id)
    }

    /// Whether files were added or forgotten since the last call.
    pub(super) fn take_change_of_names(&mut self) -> bool {
        std::mem::take(&mut self.names_changed)
    }

    /// The directories of the followed files.
    pub(super) fn directories(&self) -> BTreeSet<&Path> {
        self.files.keys().filter_map(|path| path.parent()).collect()
    }

    /// The directories of the event files, with the run that each is.
    pub(super) fn runs(&self) -> BTreeMap<&Path, &RunName> {
        self.files.iter().filter_map(|(path, file)| Some((path.parent()?, &file.stat.run))).collect()
    }

    /// Compares a file's state with the known one, and replaces the known one by it.
    pub(super) fn compare_with(&mut self, stat: &FileStat) -> Comparison {
        let Some(known) = self.files.get_mut(&stat.path) else {
            let id = new_id(&mut self.next_id);
            self.names_changed = true;
            self.files.insert(stat.path.clone(), FollowedFile::new(id, stat.clone(), self.max_payload));
            return Comparison::New(id);
        };
        let before = std::mem::replace(&mut known.stat, stat.clone());
        if before.identity != stat.identity || stat.len < before.len {
            Comparison::Replaced
        } else if stat.len == before.len && stat.mtime_ns != before.mtime_ns {
            Comparison::WrittenOver(known.id)
        } else if before != *stat
            || (known.waits_at_hole && is_settled(stat))
            || self.backoff.is_due(&stat.path, Instant::now())
        {
            Comparison::Grown
        } else {
            Comparison::Same
        }
    }

    /// Stops following a file.
    pub(super) fn forget(&mut self, path: &Path) -> Option<RemovedFile> {
        let file = self.files.remove(path)?;
        self.names_changed = true;
        self.at_holes.remove(path);
        self.backoff.forget(path);
        Some(RemovedFile { id: file.id, scanned: scanned(&file), run: file.stat.run })
    }

    /// Stops following all files, and returns their numbers.
    pub(super) fn forget_all(&mut self) -> Vec<FileId> {
        self.names_changed = true;
        self.at_holes.clear();
        self.unfinished.clear();
        self.backoff.clear();
        std::mem::take(&mut self.files).into_values().map(|file| file.id).collect()
    }

    /// Begins all files of these runs at their start again.
    pub(super) fn restart(&mut self, runs: &BTreeSet<RunName>) -> Vec<Restarted> {
        let mut restarted = Vec::new();
        for (path, file) in self.files.iter_mut().filter(|(_, file)| runs.contains(&file.stat.run)) {
            let (old, new) = (file.id, new_id(&mut self.next_id));
            restarted.push(Restarted { path: path.clone(), old, new, scanned: scanned(file) });
            *file = FollowedFile::new(new, file.stat.clone(), self.max_payload);
        }
        restarted
    }

    /// Takes files out to continue reading them; [`Self::put_back`] puts them back.
    pub(super) fn take(&mut self, paths: &[PathBuf]) -> Vec<FollowedFile> {
        paths.iter().filter_map(|path| self.files.remove(path)).collect()
    }

    /// Puts back files that were taken out.
    pub(super) fn put_back(&mut self, files: Vec<FollowedFile>) {
        for file in files {
            let path = file.stat.path.clone();
            if file.is_unfinished {
                self.unfinished.insert(path.clone());
            }
            if file.waits_at_hole {
                self.at_holes.insert(path.clone());
            } else {
                self.at_holes.remove(&path);
            }
            self.files.insert(path, file);
        }
    }

    /// Whether a file was not read to its end.
    pub(super) fn has_unfinished(&self) -> bool {
        !self.unfinished.is_empty()
    }

    /// Takes the files that were not read to their ends, to continue reading them now.
    pub(super) fn take_unfinished(&mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.unfinished).into_iter().collect()
    }

    /// Whether reading a file waits at zeros that may still be overwritten.
    pub(super) fn has_holes(&self) -> bool {
        !self.at_holes.is_empty()
    }

    /// Notes whether a file could be read just now.
    pub(super) fn note_access(&mut self, path: &Path, error: Option<io::Error>) -> Access {
        match error {
            Some(error) => {
                let pause = self.backoff.failed(path, Instant::now());
                let pause = pause.as_secs();
                Access::Failed(format!("cannot be read: {error}; it is tried again in {pause} s"))
            }
            None if self.backoff.forget(path) => Access::Recovered,
            None => Access::Same,
        }
    }

    /// The files that could not be read the last time.
    pub(super) fn unreadable(&self) -> impl Iterator<Item = &Path> {
        self.backoff.paths()
    }

    /// When one of these is tried again.
    pub(super) fn next_retry(&self) -> Option<Instant> {
        self.backoff.next()
    }

    /// The followed files.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &FollowedFile> {
        self.files.values()
    }
}

fn new_id(next: &mut u32) -> FileId {
    *next += 1;
    FileId(*next - 1)
}

fn scanned(file: &FollowedFile) -> Scanned {
    Scanned { files: 1, bytes: file.bytes, records: file.records, checkpoints: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(inode: u64, len: u64, mtime_ns: i128) -> FileStat {
        let run = RunName::from("a");
        FileStat { path: "/a/events.out.tfevents.1".into(), run, identity: (0, inode), len, mtime_ns }
    }

    #[test]
    fn the_state_of_a_file_says_what_is_read() {
        let mut files = FollowedFiles::new(1 << 30);
        let mut compare = |inode, len, mtime_ns| files.compare_with(&stat(inode, len, mtime_ns));
        assert_eq!(compare(1, 10, 1), Comparison::New(FileId(0)));
        assert_eq!(compare(1, 10, 1), Comparison::Same);
        assert_eq!(compare(1, 20, 2), Comparison::Grown);
        assert_eq!(compare(1, 20, 3), Comparison::WrittenOver(FileId(0)));
        assert_eq!(compare(1, 19, 4), Comparison::Replaced, "it was cut");
        assert_eq!(compare(2, 30, 5), Comparison::Replaced, "another file has its name");
    }

    #[test]
    fn a_run_is_another_one_where_all_its_files_are() {
        let mut files = FollowedFiles::new(1 << 30);
        let mut follow = |run: &str, name: &str, inode| {
            let stat = FileStat {
                path: format!("/{run}/{name}").into(),
                run: RunName::from(run),
                ..stat(inode, 10, 1)
            };
            files.compare_with(&stat);
            stat
        };
        follow("real", "1.tfevents", 1);
        follow("real", "2.tfevents", 2);
        follow("other", "3.tfevents", 3);
        follow("part", "1.tfevents", 1);
        follow("more", "1.tfevents", 1);
        follow("more", "own.tfevents", 4);
        follow("mixed", "1.tfevents", 1);
        follow("mixed", "3.tfevents", 3);
        let beside = FileStat { path: "/real/latest.tfevents".into(), ..follow("real", "1.tfevents", 1) };
        let names = ["part/1", "more/1", "mixed/1"].map(|name| (name, "real/1"));
        let names = names.into_iter().chain([("mixed/3", "other/3"), ("gone/1", "real/1")]);
        let path = |name: &str| PathBuf::from(format!("/{name}.tfevents"));
        let names = names.map(|(name, first)| (path(name), path(first))).collect();
        let same = files.same_runs(&names);
        assert_eq!(same, BTreeMap::from([("part".into(), "real".into())]));
        assert_eq!(files.other_name(&beside), Some(&*path("real/1")));
    }

    #[test]
    fn a_restarted_file_has_a_number_of_its_own_and_its_old_counts_go() {
        let mut files = FollowedFiles::new(1 << 30);
        files.compare_with(&stat(1, 10, 1));
        let restarted = files.restart(&BTreeSet::from([RunName::from("a")]));
        assert_eq!((restarted[0].old, restarted[0].new), (FileId(0), FileId(1)));
        assert!(files.restart(&BTreeSet::from([RunName::from("b")])).is_empty());
        let forgotten = files.forget(&stat(1, 10, 1).path).unwrap();
        assert_eq!((forgotten.id, files.is_empty()), (FileId(1), true));
    }

    #[test]
    fn a_file_that_failed_is_tried_again_until_it_can_be_read() {
        let mut files = FollowedFiles::new(1 << 30);
        let path = Path::new("/a/events.out.tfevents.1");
        assert!(matches!(files.note_access(path, None), Access::Same));
        let denied = files.note_access(path, Some(io::ErrorKind::PermissionDenied.into()));
        assert!(matches!(denied, Access::Failed(message) if message.ends_with("it is tried again in 1 s")));
        assert!(files.next_retry().is_some() && files.unreadable().eq([path]));
        assert!(matches!(files.note_access(path, None), Access::Recovered));
        assert!(files.next_retry().is_none());
    }
}
