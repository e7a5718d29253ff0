//! A file that is there whole or not at all.
//!
//! It is written under another name beside its place and takes its place when it is whole. Where something goes wrong, or
//! SIGINT or SIGTERM comes, the other name is removed. What is no regular file, as `/dev/stdout`, is written as it is.

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

/// What a new file is allowed, before the user's mask takes its part away.
const USUAL_MODE: u32 = 0o666;

/// A file under way.
pub(super) struct Output {
    place: PathBuf,
    file: Writing,
    is_stopped: Arc<AtomicBool>,
}

enum Writing {
    /// Beside its place.
    Aside(NamedTempFile),
    /// In its place.
    There(File),
}

/// Somebody asked the program to stop.
#[derive(Debug, thiserror::Error)]
#[error("stopped: {0} was not written")]
pub(super) struct Stopped(String);

impl Output {
    /// Begins a file. From now on a signal does not end the program: see [`Self::stopped`].
    pub(super) fn new(place: &Path) -> io::Result<Self> {
        let is_stopped = watch_signals()?;
        // A link stays one: what it leads to is written.
        let place = canonicalize(place).unwrap_or_else(|_| place.to_owned());
        let file = match place.metadata() {
            Ok(there) if !there.is_file() && !there.is_dir() => {
                Writing::There(OpenOptions::new().write(true).open(&place)?)
            }
            _ => Writing::Aside(aside(&place)?),
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
            Writing::Aside(file) => file.write_all(bytes),
            Writing::There(file) => file.write_all(bytes),
        }
    }

    /// Puts the whole file in its place.
    pub(super) fn finish(self) -> io::Result<()> {
        match self.file {
            Writing::Aside(file) => file.persist(&self.place).map(drop).map_err(|error| error.error),
            Writing::There(mut file) => file.flush(),
        }
    }
}

fn aside(place: &Path) -> io::Result<NamedTempFile> {
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
    let told = Arc::clone(&is_stopped);
    thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        told.store(true, Ordering::Relaxed);
    })?;
    Ok(is_stopped)
}
