//! Directories that are walked together, and when a walk through them is given up.

use std::{collections::VecDeque, path::PathBuf};

use crate::source::Identity;

/// More than any logdir was seen to have; a name and a watch for each take some 100 MB together.
const MOST_DIRECTORIES: usize = 250_000;
/// After a link out of the logdir, this many directories without an event file are walked.
const BARREN: usize = 10_000;
/// This many more for each event file that was found there: runs have directories of checkpoints beside them.
const BARREN_FOR_A_FILE: usize = 100;
/// This many at most: a whole machine may hold many event files, in places that were not meant.
const MOST_BARREN: usize = 50_000;
/// This many names in a directory count as another directory: those of pictures have a million.
pub(super) const NAMES_A_DIRECTORY: usize = 100;

/// How far a walk goes.
#[derive(Clone, Copy)]
pub(in crate::source::local) struct Bounds {
    pub(super) directories: usize,
    pub(super) barren: usize,
    pub(super) most_barren: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { directories: MOST_DIRECTORIES, barren: BARREN, most_barren: MOST_BARREN }
    }
}

/// A directory that is to be walked.
pub(super) struct PendingDir {
    pub(super) path: PathBuf,
    pub(super) depth: usize,
    /// The device of the directory that it lies in, where that was walked.
    pub(super) device: Option<u64>,
}

/// Directories that are walked together: those of the logdir, or those that a link leads to.
pub(super) struct Tree {
    pub(super) waiting: VecDeque<PendingDir>,
    pub(super) dirs: Vec<(PathBuf, Identity)>,
    /// Whether a link out of the logdir leads to them.
    pub(super) is_linked: bool,
    n_files: usize,
    /// Directories without an event file.
    n_barren: usize,
    /// Names in these.
    n_names: usize,
}

impl Tree {
    /// The directories of the logdir.
    pub(super) fn of_logdir(top: PendingDir) -> Self {
        Self::of(top, false)
    }

    /// Directories that a link leads to from the logdir.
    pub(super) fn outside(top: PendingDir) -> Self {
        Self::of(top, true)
    }

    fn of(top: PendingDir, is_linked: bool) -> Self {
        let waiting = VecDeque::from([top]);
        Self { waiting, dirs: Vec::new(), is_linked, n_files: 0, n_barren: 0, n_names: 0 }
    }

    /// Counts a directory that holds this many event files, and this many names in all.
    pub(super) fn count(&mut self, n_files: usize, n_names: usize) {
        self.n_files += n_files;
        if n_files == 0 {
            self.n_barren += 1;
            self.n_names += n_names;
        }
    }

    /// Why it is walked no further, where a link leads to many directories with hardly any event file.
    pub(super) fn reason_to_give_up(&self, bounds: Bounds) -> Option<String> {
        let n_barren = self.n_barren + self.n_names / NAMES_A_DIRECTORY;
        let allowed = bounds.most_barren.min(bounds.barren + BARREN_FOR_A_FILE * self.n_files);
        (self.is_linked && n_barren > allowed).then(|| {
            format!(
                "this link leads out of the logdir to {} directories and more, {} of which hold an event file, and the rest is left out: link to the directory that holds the runs",
                self.dirs.len(),
                self.dirs.len() - self.n_barren,
            )
        })
    }
}

/// Why nothing is walked any further, where too many directories were walked.
pub(super) fn reason_to_end(n_walked: usize, bounds: Bounds) -> Option<String> {
    let most = bounds.directories;
    (n_walked >= most).then(|| {
        format!(
            "there are more than {most} directories, and those further down are left out: name a logdir that holds fewer"
        )
    })
}

/// Adds a directory to those that are to be walked. One more than may be walked suffices to know that there are too many.
pub(super) fn enqueue(place: PendingDir, waiting: &mut VecDeque<PendingDir>, bounds: Bounds) {
    if waiting.len() <= bounds.directories {
        waiting.push_back(place);
    }
}
