//! What listing the logdir found -> names for the index, and problems.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use crate::{
    catalog::health::{Fault, Problem},
    source::{Listing, is_event_file_name},
};

/// A file's name without its directory.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// A path relative to the logdir.
fn name_in(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// The paths of checkpoints, relative to the logdir.
pub(super) fn checkpoint_names(root: &Path, paths: &BTreeSet<PathBuf>) -> BTreeSet<String> {
    paths.iter().map(|path| name_in(root, path)).collect()
}

/// Links and the first names of their targets, both relative to the logdir.
pub(super) fn link_names(root: &Path, links: &BTreeMap<PathBuf, PathBuf>) -> BTreeMap<String, String> {
    links.iter().map(|(link, first)| (name_in(root, link), name_in(root, first))).collect()
}

/// The problems of a listing: what could not be read, or was left out.
pub(super) fn problems(listing: &Listing) -> impl Iterator<Item = Problem> {
    let troubles = listing.troubles.iter().map(|(path, reason)| unreadable(path, reason));
    let left_out = listing.left_out.iter();
    troubles.chain(left_out.map(|(path, reason)| Problem::of_place(path, Fault::LeftOut, reason.clone())))
}

/// A path that cannot be read, for this reason.
pub(super) fn unreadable(path: &Path, reason: &str) -> Problem {
    Problem::of_place(path, Fault::Unreadable, format!("cannot be read: {reason}"))
}

/// Decides which problems with unreadable files and directories still exist after everything was listed.
pub(super) struct UnreadablePlaces {
    places: BTreeSet<String>,
    files: BTreeSet<String>,
}

impl UnreadablePlaces {
    /// After this listing, if these files cannot be read.
    pub(super) fn after<'a>(listing: &Listing, unreadable: impl Iterator<Item = &'a Path>) -> Self {
        let places = listing.troubles.iter().chain(&listing.left_out);
        Self {
            places: places.map(|(path, _)| path.display().to_string()).collect(),
            files: unreadable.map(file_name).collect(),
        }
    }

    /// Whether a problem still exists. Problems of other kinds always do.
    pub(super) fn holds(&self, problem: &Problem) -> bool {
        match problem.fault {
            Fault::LeftOut | Fault::Unreadable if problem.is_of_logdir() => {
                self.places.contains(&problem.file)
            }
            Fault::Unreadable => self.files.contains(&problem.file),
            _ => true,
        }
    }
}

/// Whether it is the problem that something at `path` or below could not be read or was left out.
pub(super) fn is_below(problem: &Problem, path: &Path) -> bool {
    matches!(problem.fault, Fault::Unreadable | Fault::LeftOut) && Path::new(&problem.file).starts_with(path)
}

/// The logdir does not exist or cannot be read.
pub(super) fn logdir_missing(root: &Path, error: &io::Error) -> Problem {
    let root = root.display();
    let message = if error.kind() == io::ErrorKind::NotFound {
        format!("{root} does not exist yet: waiting for it")
    } else {
        format!("{root} cannot be read: {error}")
    };
    Problem::of_logdir(Fault::LogdirMissing, message)
}

/// The logdir contains neither a checkpoint that is read nor an event file, except perhaps some that `convscope export` wrote.
pub(super) fn no_event_files(root: &Path, has_exported: bool) -> Problem {
    let mut message = format!(
        "neither an event file nor a checkpoint lies below {}: looked for names that contain \"tfevents\", and for checkpoints of safetensors, PyTorch, Keras, TensorFlow and JAX (Orbax, Flax)",
        root.display()
    );
    if has_exported {
        message += "; those that convscope export wrote are never read back: name the logdir that they were made from";
    }
    Problem::of_logdir(Fault::NoEventFiles, message)
}

/// Whether a path has the name of an event file.
pub(super) fn is_event_file(path: &Path) -> bool {
    is_event_file_name(path.file_name().unwrap_or_default().as_bytes())
}
