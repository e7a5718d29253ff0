//! Hints that something changed, and the trait of the types that give them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// A hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something was created here, or its attributes changed. It may be a directory or a link to one.
    Touched(PathBuf),
    /// A file was written to.
    Written(PathBuf),
    /// Something was removed from here.
    Removed(PathBuf),
    /// Hints were lost: check everything again.
    Rescan,
}

/// Receives hints, from any thread.
pub type Notice = Box<dyn Fn(Change) + Send + Sync>;

/// How changes are noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The logdir does not exist yet.
    Waiting,
    /// The kernel notifies.
    Native,
    /// Everything is checked again at fixed intervals, for this reason.
    Poll {
        /// Why notifications are not used.
        reason: String,
    },
}

/// A watch on directories, which are added one by one; directories below them are not included.
pub trait Watch: Send {
    /// Watches this directory.
    ///
    /// # Errors
    /// A reason to poll instead: this directory's changes will not be noticed.
    fn add(&mut self, dir: &Path) -> Result<(), String>;

    /// Stops watching a directory that is gone.
    fn forget(&mut self, dir: &Path);

    /// The longest time to wait before everything is checked again.
    fn sweep_every(&self) -> Duration;
}
