//! Paths -> open descriptors: only a few, none of a deleted file, and none that is not read for a long time.
//!
//! As long as a removed file is open, it keeps its space on the disk, and the disk cannot be unmounted. All reads use this
//! module, so a file that is closed here is not open anywhere else.
//!
//! Opening a file again costs some microseconds.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs::File,
    io,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::source::Identity;

/// The most open files: thousands of runs must work with the usual limit of 1024 descriptors.
pub(super) const OPEN_FILES: usize = 64;

/// The open files.
#[derive(Default)]
pub(super) struct OpenFiles {
    /// By the path's bytes: a `Path` is hashed part by part, which takes as long as a short read.
    by_path: Mutex<HashMap<OsString, OpenFile>>,
}

struct OpenFile {
    file: Arc<File>,
    identity: Identity,
    used: Instant,
}

impl OpenFiles {
    /// The file with this name; if it is not open, `open` opens it. The lock is held meanwhile: otherwise a name that is closed
    /// while it is being opened would stay open.
    pub(super) fn file(
        &self,
        path: &Path,
        open: impl FnOnce(&Path) -> io::Result<File>,
    ) -> io::Result<Arc<File>> {
        let mut by_path = self.lock();
        let used = Instant::now();
        if let Some(open) = by_path.get_mut(path.as_os_str()) {
            open.used = used;
            return Ok(Arc::clone(&open.file));
        }
        let file = Arc::new(open(path)?);
        let meta = file.metadata()?;
        if by_path.len() >= OPEN_FILES {
            let oldest = by_path.iter().min_by_key(|(_, open)| open.used).map(|(path, _)| path.clone());
            if let Some(oldest) = oldest {
                by_path.remove(&oldest);
            }
        }
        let open = OpenFile { file: Arc::clone(&file), identity: (meta.dev(), meta.ino()), used };
        by_path.insert(path.as_os_str().to_owned(), open);
        Ok(file)
    }

    /// Closes the open file of this name, unless it is the one that has the name now.
    pub(super) fn close_unless(&self, path: &Path, current: Option<Identity>) {
        let mut by_path = self.lock();
        if by_path.get(path.as_os_str()).is_some_and(|open| Some(open.identity) != current) {
            by_path.remove(path.as_os_str());
        }
    }

    /// Closes the files at `path` and below.
    pub(super) fn close_below(&self, path: &Path) {
        self.lock().retain(|open, _| !Path::new(open).starts_with(path));
    }

    /// Closes the files that were not read for this time.
    pub(super) fn close_unused(&self, unused_for: Duration) {
        self.lock().retain(|_, open| open.used.elapsed() < unused_for);
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OsString, OpenFile>> {
        self.by_path.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens without waiting for a writer, in case the name has become a FIFO since it was checked.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(invalid("it is no regular file")) }
}

/// The error for a path that is not the kind of file that is read.
pub(super) fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}
