//! A source -> files that a reader of a format opens, with a note of the state in which each was opened.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::input::{Files, Input};
use crate::source::{FileStat, Identity, Source};

/// The state of a file: if two states are equal, the file was not written between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its path.
    pub path: PathBuf,
    /// Which file it is.
    pub identity: Identity,
    /// Bytes.
    pub len: u64,
    /// Last modification in nanoseconds since 1970.
    pub mtime_ns: i128,
}

impl Stamp {
    /// The state that was found.
    #[must_use]
    pub fn of(stat: &FileStat) -> Self {
        Self { path: stat.path.clone(), identity: stat.identity, len: stat.len, mtime_ns: stat.mtime_ns }
    }

    /// Whether the file is in this state now.
    #[must_use]
    pub fn holds(&self, source: &dyn Source) -> bool {
        source.state(&self.path).is_ok_and(|stat| Self::of(&stat) == *self)
    }
}

/// States in the order in which they were seen, and for each path the number of its last.
#[derive(Default)]
struct OpenedFiles {
    stamps: Vec<Stamp>,
    last: HashMap<PathBuf, usize>,
}

/// The files of a source.
pub struct SourceFiles<'a> {
    source: &'a dyn Source,
    opened: Mutex<OpenedFiles>,
}

impl<'a> SourceFiles<'a> {
    /// None is opened yet.
    #[must_use]
    pub fn new(source: &'a dyn Source) -> Self {
        Self { source, opened: Mutex::default() }
    }

    /// The files that were opened, in the state in which they were opened.
    #[must_use]
    pub fn opened(&self) -> Vec<Stamp> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).stamps.clone()
    }
}

impl Files for SourceFiles<'_> {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Input + '_>> {
        let stat = self.source.state(path)?;
        let stamp = Stamp::of(&stat);
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = &mut *opened;
        if opened.last.get(path).is_none_or(|number| opened.stamps[*number] != stamp) {
            opened.last.insert(path.to_owned(), opened.stamps.len());
            opened.stamps.push(stamp);
        }
        Ok(Box::new(SourceFile { source: self.source, path: path.to_owned(), len: stat.len }))
    }
}

/// A file of a source.
struct SourceFile<'a> {
    source: &'a dyn Source,
    path: PathBuf,
    len: u64,
}

impl Input for SourceFile<'_> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.source.read_at(&self.path, offset, buf)
    }
}
