//! Directories that are walked together, and when a walk through them is stopped.

use std::{collections::VecDeque, path::PathBuf};

use crate::source::Identity;

/// More directories than in any known logdir; their names and watches take some 100 MB together.
const MOST_DIRECTORIES: usize = 250_000;
/// The most directories without an event file that are walked after a link out of the logdir.
const BARREN: usize = 10_000;
/// This many more for each event file that was found there, because there are directories of checkpoints next to runs.
const BARREN_FOR_A_FILE: usize = 100;
/// But this many at most: a whole machine may have many event files in places that the user does not want.
const MOST_BARREN: usize = 50_000;
/// This many names in a directory count as one more directory: directories of pictures may have a million names.
pub(super) const NAMES_A_DIRECTORY: usize = 100;

/// The limits of a walk.
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

/// A directory to be walked.
pub(super) struct PendingDir {
    pub(super) path: PathBuf,
    pub(super) depth: usize,
    /// The device of its parent directory, if the parent was walked.
    pub(super) device: Option<u64>,
}

/// Directories that are walked together: those of the logdir, or those to which a link leads.
pub(super) struct Tree {
    pub(super) waiting: VecDeque<PendingDir>,
    pub(super) dirs: Vec<(PathBuf, Identity)>,
    /// Whether a link out of the logdir leads to them.
    pub(super) is_linked: bool,
    n_files: usize,
    /// Directories without an event file.
    n_barren: usize,
    /// How many names there are in these directories.
    n_names: usize,
}

impl Tree {
    /// The directories of the logdir.
    pub(super) fn of_logdir(top: PendingDir) -> Self {
        Self::of(top, false)
    }

    /// Directories to which a link in the logdir leads.
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

    /// Why it is not walked further: the link leads to many directories with hardly any event file.
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

/// Why nothing is walked further: too many directories were walked.
pub(super) fn reason_to_end(n_walked: usize, bounds: Bounds) -> Option<String> {
    let most = bounds.directories;
    (n_walked >= most).then(|| {
        format!(
            "there are more than {most} directories, and those further down are left out: name a logdir that holds fewer"
        )
    })
}

/// Adds a directory to those to be walked. One more than the limit is enough to know that there are too many.
pub(super) fn enqueue(place: PendingDir, waiting: &mut VecDeque<PendingDir>, bounds: Bounds) {
    if waiting.len() <= bounds.directories {
        waiting.push_back(place);
    }
}
