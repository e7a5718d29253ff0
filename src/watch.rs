//! A file system -> hints that something changed.
//!
//! Hints only: whoever gets one looks at the files again, and looks from time to time without one. Two forms exist:
//! notifications of the kernel (`native`), and looking again every so often (`poll`) for network file systems, for
//! `--poll`, and for when notifications run out.

pub mod native;
pub mod poll;

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

/// A watch on directories, which are told one by one; those below them are not included.
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

/// Chooses how to watch below `root`, which exists: polling when asked for or when the file system tells nothing.
#[must_use]
pub fn choose(root: &Path, poll_every: Option<Duration>, notice: Notice) -> (Box<dyn Watch>, Mode) {
    let reason = match poll_every {
        Some(every) => format!("asked for: every {} s", every.as_secs_f64()),
        None => match native::network_file_system(root) {
            Some(name) => format!("{name} sends no notifications of what other machines write"),
            None => match native::Native::new(notice) {
                Ok(native) => return (Box::new(native), Mode::Native),
                Err(reason) => reason,
            },
        },
    };
    (Box::new(poll::Poll::new(poll_every)), Mode::Poll { reason })
}
