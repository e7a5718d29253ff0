//! Bytes -> a file that is either complete or not there.
//!
//! It is written under a temporary name in the same directory and renamed when it is complete. After an error, SIGINT or SIGTERM
//! the temporary file is removed. What is not a regular file, such as `/dev/stdout`, is written directly.

use std::{
    fs::{File, OpenOptions, Permissions, canonicalize},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use tempfile::NamedTempFile;
use tokio::signal::unix::{SignalKind, signal};

/// The permissions of a new file, before the user's mask is applied.
const USUAL_MODE: u32 = 0o666;

/// A file that is being written.
pub(super) struct Output {
    place: PathBuf,
    file: Target,
    is_stopped: Arc<AtomicBool>,
}

enum Target {
    /// A temporary file in the same directory.
    Temporary(NamedTempFile),
    /// The file itself.
    InPlace(File),
}

/// Somebody asked the program to stop.
#[derive(Debug, thiserror::Error)]
#[error("stopped: {0} was not written")]
pub(super) struct Stopped(String);

impl Output {
    /// Begins a file. From now on a signal does not end the program: see [`Self::stopped`].
    pub(super) fn new(place: &Path) -> io::Result<Self> {
        let is_stopped = watch_signals()?;
        // A link is kept, and its target is written.
        let place = canonicalize(place).unwrap_or_else(|_| place.to_owned());
        let file = match place.metadata() {
            Ok(there) if !there.is_file() && !there.is_dir() => {
                Target::InPlace(OpenOptions::new().write(true).open(&place)?)
            }
            _ => Target::Temporary(temporary_file(&place)?),
        };
        Ok(Self { place, file, is_stopped })
    }

    /// An error once somebody has asked the program to stop.
    pub(super) fn stopped(&self) -> Result<(), Stopped> {
        if self.is_stopped.load(Ordering::Relaxed) {
            return Err(Stopped(self.place.display().to_string()));
        }
        Ok(())
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Target::Temporary(file) => file.write_all(bytes),
            Target::InPlace(file) => file.write_all(bytes),
        }
    }

    /// Renames the complete file to its name.
    pub(super) fn finish(self) -> io::Result<()> {
        match self.file {
            Target::Temporary(file) => file.persist(&self.place).map(drop).map_err(|error| error.error),
            Target::InPlace(mut file) => file.flush(),
        }
    }
}

fn temporary_file(place: &Path) -> io::Result<NamedTempFile> {
    let dir = place.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".convscope-").permissions(Permissions::from_mode(USUAL_MODE)).tempfile_in(dir)
}

/// Turns true when SIGINT or SIGTERM comes.
fn watch_signals() -> io::Result<Arc<AtomicBool>> {
    let is_stopped = Arc::new(AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let flag = Arc::clone(&is_stopped);
    thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        flag.store(true, Ordering::Relaxed);
    })?;
    Ok(is_stopped)
}
