//! Names in a logdir -> event files and their bytes.
//!
//! A source lists the event files below a root and reads any part of one. It keeps no bytes. Two forms exist:
//! directories of this machine (`local`) and files in memory for tests (`memory`).

pub mod local;
pub mod memory;
pub mod stoppable;
pub mod stream;
pub mod window;

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::types::RunName;

/// An event file as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStat {
    /// Where it lies; the key for [`Source::read_at`].
    pub path: PathBuf,
    /// The run it belongs to: its directory relative to the root.
    pub run: RunName,
    /// Changes when another file takes this name (device and inode).
    pub identity: (u64, u64),
    /// Length in bytes.
    pub len: u64,
    /// Last modification in nanoseconds since 1970.
    pub mtime_ns: i128,
}

/// What a walk through the logdir found.
#[derive(Debug, Default)]
pub struct Listing {
    /// Event files in order of their paths, without those in `exported`.
    pub files: Vec<FileStat>,
    /// Event files that `convscope export` wrote, which are no sources: their pictures are of tensors that were read already.
    pub exported: Vec<FileStat>,
    /// Directories, the root among them: what a watcher must watch.
    pub dirs: Vec<PathBuf>,
    /// Places that could not be read, and why.
    pub troubles: Vec<(PathBuf, String)>,
}

/// Where event files come from. Calls may block; they never wait for data to be written.
pub trait Source: Send + Sync {
    /// The directory that all runs are relative to.
    fn root(&self) -> &Path;

    /// All event files and directories below the root.
    ///
    /// # Errors
    /// When the root itself cannot be read; what lies below it ends up in [`Listing::troubles`].
    fn list(&self) -> io::Result<Listing>;

    /// The state of one event file.
    ///
    /// # Errors
    /// `NotFound` when it is gone, `IsADirectory` when it is one, `InvalidInput` when it is no regular event file.
    fn stat(&self, path: &Path) -> io::Result<FileStat>;

    /// Reads from `offset` until `buf` is full or the file ends, and gives the count of bytes read.
    ///
    /// # Errors
    /// Whatever the system says; trying again later is in order.
    fn read_at(&self, path: &Path, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Reads a whole regular file, which need be no event file and may lie elsewhere.
    ///
    /// # Errors
    /// Whatever the system says; `FileTooLarge` when it has more than `most` bytes.
    fn read_whole(&self, path: &Path, most: usize) -> io::Result<Vec<u8>>;
}

/// Whether a base name is that of an event file, as TensorBoard decides it.
#[must_use]
pub fn is_event_file_name(name: &[u8]) -> bool {
    name.windows(8).any(|part| part == b"tfevents") && !name.ends_with(b".profile-empty")
}

/// How the names of event files end that `convscope export` wrote.
pub const EXPORT_ENDING: &str = ".convscope";

/// Whether a base name is that of an event file which `convscope export` wrote.
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
    fn event_files_are_known_by_their_base_name() {
        assert!(is_event_file_name(b"events.out.tfevents.1700000000.host.1.0.v2"));
        assert!(is_event_file_name(b"tfevents"));
        assert!(!is_event_file_name(b"events.out.TFEVENTS.1"));
        assert!(!is_event_file_name(b"events.out.tfevents.1.profile-empty"));
        assert!(!is_event_file_name(b"model.ckpt-1.index"));
    }
}
