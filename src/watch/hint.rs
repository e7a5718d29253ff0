//! Hints that something changed, and the trait of whatever gives them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// A hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something was made here or has other attributes. It may be a directory or a link to one.
    Touched(PathBuf),
    /// A file was written to.
    Written(PathBuf),
    /// Something is gone from here.
    Removed(PathBuf),
    /// Hints were lost: look at everything again.
    Rescan,
}

/// Takes hints, from any thread.
pub type Notice = Box<dyn Fn(Change) + Send + Sync>;

/// How changes are noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The logdir does not exist yet.
    Waiting,
    /// The kernel notifies.
    Native,
    /// Everything is looked at again every so often, for this reason.
    Poll {
        /// Why not notifications.
        reason: String,
    },
}

/// A watch on directories, which are added one by one; those below them are not included.
pub trait Watch: Send {
    /// Watches this directory.
    ///
    /// # Errors
    /// A reason to poll instead: this directory's changes will not be noticed.
    fn add(&mut self, dir: &Path) -> Result<(), String>;

    /// Stops watching a directory that is gone.
    fn forget(&mut self, dir: &Path);

    /// How long to wait at most before everything is looked at again.
    fn sweep_every(&self) -> Duration;
}
