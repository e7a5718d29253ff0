//! Names in a logdir -> event files and their bytes.
//!
//! A source lists the event files below a root and reads any part of one. It stores no bytes. There are two sources:
//! directories of this machine (`local`) and files in memory for tests (`memory`).

pub mod checkpoint;
pub mod local;
pub mod memory;
pub mod stoppable;
pub mod stored;
pub mod stream;
pub mod window;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::Bound,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::types::RunName;

/// Device and inode: which file or directory it is, independent of its name.
pub type Identity = (u64, u64);

/// An event file, in the state in which it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStat {
    /// Its path; the key for [`Source::read_at`].
    pub path: PathBuf,
    /// The run it belongs to: its directory relative to the root.
    pub run: RunName,
    /// Changes when another file takes this name.
    pub identity: Identity,
    /// Length in bytes.
    pub len: u64,
    /// Last modification in nanoseconds since 1970.
    pub mtime_ns: i128,
}

impl FileStat {
    /// Whether it was not written to for so long.
    #[must_use]
    pub fn is_older_than(&self, age: Duration) -> bool {
        now_ns() - self.mtime_ns > i128::try_from(age.as_nanos()).unwrap_or(i128::MAX)
    }
}

/// The time in nanoseconds since 1970.
#[must_use]
pub fn now_ns() -> i128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i128::try_from(now.as_nanos()).unwrap_or(i128::MAX)
}

/// What a walk through the logdir, or through a part of it, found.
#[derive(Debug, Default)]
pub struct Listing {
    /// Which directory the logdir is.
    pub root: Identity,
    /// Event files in order of their paths, without those in `exported`.
    pub files: Vec<FileStat>,
    /// Event files that `convscope export` wrote. They are not read: their pictures show tensors that were read already.
    pub exported: Vec<FileStat>,
    /// Files with which checkpoints are opened that are read, in order of their paths; see [`stored::is_stored_name`].
    pub stored: Vec<FileStat>,
    /// What looks like checkpoints that are not read, never more than [`checkpoint::MOST_CHECKPOINTS`]; see [`checkpoint::checkpoint_of`].
    pub checkpoints: BTreeSet<PathBuf>,
    /// Directories, including the root: what a watcher must watch.
    pub dirs: BTreeMap<PathBuf, Identity>,
    /// Places that could not be read, and why; never more than [`MOST_NAMED_PLACES`].
    pub troubles: Vec<(PathBuf, String)>,
    /// Places that were not walked, and why; never more than [`MOST_NAMED_PLACES`].
    pub left_out: Vec<(PathBuf, String)>,
    /// Whether links give a directory more than one name: if the first name is removed, the next one replaces it.
    pub has_other_names: bool,
    /// Links to directories that have another name already, with that name: what is in the directory is listed under both names,
    /// and watched under the first.
    pub second_names: BTreeMap<PathBuf, PathBuf>,
    /// Whether there are links out of the logdir that were not followed. If several of them lead to the same directory, only a
    /// walk from the root can find which of them is its name.
    pub leads_out: bool,
}

/// The most places of each kind that one walk names.
pub const MOST_NAMED_PLACES: usize = 200;

impl Listing {
    /// Adds what a later walk through a part found; if both found the same thing, its later state is kept.
    pub fn add(&mut self, later: Self) {
        merge_by_path(&mut self.files, later.files);
        merge_by_path(&mut self.exported, later.exported);
        merge_by_path(&mut self.stored, later.stored);
        self.checkpoints.extend(later.checkpoints);
        self.dirs.extend(later.dirs);
        self.troubles.extend(later.troubles);
        self.left_out.extend(later.left_out);
        self.has_other_names |= later.has_other_names;
        self.second_names.extend(later.second_names);
        self.leads_out |= later.leads_out;
    }
}

fn merge_by_path(files: &mut Vec<FileStat>, later: Vec<FileStat>) {
    if later.is_empty() {
        return;
    }
    let mut by_path: BTreeMap<PathBuf, FileStat> = BTreeMap::new();
    for file in std::mem::take(files).into_iter().chain(later) {
        by_path.insert(file.path.clone(), file);
    }
    files.extend(by_path.into_values());
}

/// A file or a directory that the user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedPlace {
    /// The file itself, which is a run.
    File(RunName),
    /// A directory, which is a run unless runs lie in it; relative to the root.
    Directory(PathBuf),
    /// Checkpoints of a run, in this directory or below, or this file; an absolute path.
    OfRun(RunName, PathBuf),
}

/// Where event files come from. Calls may block; they never wait for data to be written.
pub trait Source: Send + Sync {
    /// The directory that all runs are relative to.
    fn root(&self) -> &Path;

    /// All event files and directories below the root.
    ///
    /// # Errors
    /// If the root itself cannot be read; errors below it are in [`Listing::troubles`]. `Interrupted` if `stop`
    /// was set before the end.
    fn list(&self, stop: &AtomicBool) -> io::Result<Listing>;

    /// What is in a directory of the logdir, without following links out of it.
    ///
    /// # Errors
    /// If the directory itself cannot be read. `Interrupted` if `stop` was set before the end.
    fn list_below(&self, dir: &Path, stop: &AtomicBool) -> io::Result<Listing> {
        let _ = (dir, stop);
        Ok(Listing { leads_out: true, ..Listing::default() })
    }

    /// Which directory has this name now.
    ///
    /// # Errors
    /// If no directory has it.
    fn directory(&self, dir: &Path) -> io::Result<Identity>;

    /// The state of one event file.
    ///
    /// # Errors
    /// `NotFound` if it is gone, `IsADirectory` if it is a directory, `InvalidInput` if it is no regular event file.
    fn stat(&self, path: &Path) -> io::Result<FileStat>;

    /// The state of any regular file.
    ///
    /// # Errors
    /// `NotFound` if it is gone, `IsADirectory` if it is a directory, `InvalidInput` if it is something else.
    fn state(&self, path: &Path) -> io::Result<FileStat> {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Whether a file with this path is shown, if it is there.
    fn shows(&self, path: &Path) -> bool {
        let _ = path;
        true
    }

    /// The place that the user named and in which a file lies; none in a logdir that is shown as a whole.
    fn named_place(&self, path: &Path) -> Option<NamedPlace> {
        let _ = path;
        None
    }

    /// The names of the checkpoints in a directory outside of the root, by their names alone; none if the source shows nothing
    /// outside of what was named. Only some of them if there are very many files.
    fn checkpoints_beside(&self, dir: &Path) -> Vec<String> {
        let _ = dir;
        Vec::new()
    }

    /// Reads from `offset` until `buf` is full or the file ends, and returns the number of bytes read.
    ///
    /// # Errors
    /// Any error of the system; the caller may try again later.
    fn read_at(&self, path: &Path, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Reads a whole regular file, which need not be an event file and may be outside of the logdir.
    ///
    /// # Errors
    /// Any error of the system; `FileTooLarge` if it has more than `most` bytes.
    fn read_whole(&self, path: &Path, most: usize) -> io::Result<Vec<u8>>;

    /// Closes the open files at `path` and below, which were deleted: only then is their space on the disk free again.
    fn close(&self, path: &Path) {
        let _ = path;
    }

    /// Closes files that were not read for this time, so that a disk that nobody reads can be unmounted.
    fn close_unused(&self, unused_for: Duration) {
        let _ = unused_for;
    }
}

/// The entry at `path` and those below it. Paths are in the order of their parts, so these entries are next to each other.
pub fn at_and_below<'a, T>(
    by_path: &'a BTreeMap<PathBuf, T>,
    path: &'a Path,
) -> impl Iterator<Item = (&'a PathBuf, &'a T)> {
    let from = (Bound::Included(path), Bound::Unbounded);
    by_path.range::<Path, _>(from).take_while(move |(found, _)| found.starts_with(path))
}

/// Whether a base name is that of an event file, as TensorBoard decides it.
#[must_use]
pub fn is_event_file_name(name: &[u8]) -> bool {
    name.windows(8).any(|part| part == b"tfevents") && !name.ends_with(b".profile-empty")
}

/// Whether a base name is that of an event file that is read.
#[must_use]
pub fn is_source_name(name: &[u8]) -> bool {
    is_event_file_name(name) && !is_export_name(name)
}

/// The ending of the names of event files that `convscope export` wrote.
pub const EXPORT_ENDING: &str = ".convscope";

/// Whether a base name is that of an event file that `convscope export` wrote.
#[must_use]
pub fn is_export_name(name: &[u8]) -> bool {
    is_event_file_name(name) && name.ends_with(EXPORT_ENDING.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_exports_are_known_by_their_base_name() {
        assert!(is_export_name(b"events.out.tfevents.1700000000.convscope"));
        assert!(!is_export_name(b"events.out.tfevents.1700000000.convscope.1"));
        assert!(!is_export_name(b"notes.convscope"));
    }

    #[test]
    fn what_lies_below_a_path_is_what_has_its_parts() {
        let paths = ["a", "a-b/x", "a.b", "a/b", "a/b/c", "ab/c", "b"].map(PathBuf::from);
        let by_path: BTreeMap<PathBuf, usize> = paths.into_iter().zip(0..).collect();
        let below = |path: &str| -> Vec<String> {
            let found = at_and_below(&by_path, Path::new(path));
            found.map(|(path, _)| path.display().to_string()).collect()
        };
        assert_eq!(below("a"), ["a", "a/b", "a/b/c"]);
        assert_eq!(below("ab"), ["ab/c"]);
        assert_eq!(below("c"), [""; 0]);
    }

    #[test]
    fn a_later_walk_through_a_part_holds_for_what_both_found() {
        let file = |path: &str, len| FileStat {
            path: path.into(),
            run: RunName::from("."),
            identity: (0, 0),
            len,
            mtime_ns: 0,
        };
        let mut listing = Listing { files: vec![file("a", 1), file("c", 1)], ..Listing::default() };
        listing.add(Listing { files: vec![file("b", 2), file("c", 2)], ..Listing::default() });
        assert_eq!(listing.files, [file("a", 1), file("b", 2), file("c", 2)]);
    }

    #[test]
    fn event_files_are_known_by_their_base_name() {
        assert!(is_event_file_name(b"events.out.tfevents.1700000000.host.1.0.v2"));
        assert!(is_event_file_name(b"tfevents"));
        assert!(!is_event_file_name(b"events.out.TFEVENTS.1"));
        assert!(!is_event_file_name(b"events.out.tfevents.1.profile-empty"));
        assert!(!is_event_file_name(b"model.ckpt-1.index"));
    }
}
