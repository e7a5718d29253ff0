//! A source -> the same source, but reading ends when the program stops.
//!
//! A scan reads in pieces of at most some hundred kilobytes, so the scanning thread stops at its next piece, even if it is
//! checking a very long record or searching a long damaged part.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{FileStat, Identity, Listing, NamedPlace, Source};

/// A source that can be stopped.
pub struct Stoppable {
    source: Arc<dyn Source>,
    stop: Arc<AtomicBool>,
}

impl Stoppable {
    /// Passes all calls on to `source` until `stop` is true.
    #[must_use]
    pub fn new(source: Arc<dyn Source>, stop: Arc<AtomicBool>) -> Self {
        Self { source, stop }
    }

    fn go_on(&self) -> io::Result<&dyn Source> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("the program stops"));
        }
        Ok(&*self.source)
    }
}

impl Source for Stoppable {
    fn root(&self) -> &Path {
        self.source.root()
    }

    fn list(&self, stop: &AtomicBool) -> io::Result<Listing> {
        self.go_on()?.list(stop)
    }

    fn list_below(&self, dir: &Path, stop: &AtomicBool) -> io::Result<Listing> {
        self.go_on()?.list_below(dir, stop)
    }

    fn directory(&self, dir: &Path) -> io::Result<Identity> {
        self.go_on()?.directory(dir)
    }

    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        self.go_on()?.stat(path)
    }

    fn state(&self, path: &Path) -> io::Result<FileStat> {
        self.go_on()?.state(path)
    }

    fn shows(&self, path: &Path) -> bool {
        self.source.shows(path)
    }

    fn named_place(&self, path: &Path) -> Option<NamedPlace> {
        self.source.named_place(path)
    }

    fn checkpoints_beside(&self, dir: &Path) -> Vec<String> {
        self.source.checkpoints_beside(dir)
    }

    fn read_at(&self, path: &Path, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.go_on()?.read_at(path, offset, buf)
    }

    fn read_whole(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        self.go_on()?.read_whole(path, most)
    }

    fn close(&self, path: &Path) {
        self.source.close(path);
    }

    fn close_unused(&self, unused_for: Duration) {
        self.source.close_unused(unused_for);
    }
}
