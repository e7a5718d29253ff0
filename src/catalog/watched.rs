//! Directories that are watched, and how: the logdir and everything below it.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use super::ingest::Wake;
use crate::{
    source::{Listing, Source},
    watch::{self, Mode, Watch, poll::Poll},
};

/// What is watched. A directory is watched before it is listed, so that nothing falls between.
pub(super) struct Watched {
    /// Where hints go; without a receiver nothing is watched and everything is read once.
    pub(super) hints: Option<mpsc::Sender<Wake>>,
    poll_every: Option<Duration>,
    /// `None` while the logdir is not there.
    watch: Option<Box<dyn Watch>>,
    dirs: BTreeSet<PathBuf>,
    mode: Mode,
}

impl Watched {
    /// Nothing yet.
    pub(super) fn new(poll_every: Option<Duration>) -> Self {
        Self { hints: None, poll_every, watch: None, dirs: BTreeSet::new(), mode: Mode::Waiting }
    }

    /// How changes are noticed.
    pub(super) fn mode(&self) -> &Mode {
        &self.mode
    }

    /// How often everything ought to be looked at; `None` while the logdir is not there.
    pub(super) fn sweep_every(&self) -> Option<Duration> {
        self.watch.as_ref().map(|watch| watch.sweep_every())
    }

    /// Whether a directory is watched.
    pub(super) fn knows(&self, dir: &Path) -> bool {
        self.dirs.contains(dir)
    }

    /// Lists what lies in the logdir, after all its directories are watched.
    pub(super) fn list(&mut self, source: &dyn Source) -> io::Result<Listing> {
        loop {
            let listing = source.list()?;
            if self.watch.is_none() {
                self.begin(source.root());
            }
            let listed: BTreeSet<PathBuf> = listing.dirs.iter().cloned().collect();
            self.forget(|dir| !listed.contains(dir));
            let new: Vec<PathBuf> = listed.difference(&self.dirs).cloned().collect();
            if new.is_empty() || self.hints.is_none() {
                return Ok(listing);
            }
            for dir in new {
                self.add(&dir);
                self.dirs.insert(dir);
            }
        }
    }

    /// Stops watching a directory and those in it: one of the same name that is made later is another one.
    pub(super) fn forget_below(&mut self, path: &Path) {
        self.forget(|dir| dir.starts_with(path));
    }

    /// The logdir is gone. Gives whether it was there before.
    pub(super) fn lose(&mut self) -> bool {
        self.dirs.clear();
        self.mode = Mode::Waiting;
        self.watch.take().is_some()
    }

    fn forget(&mut self, is_gone: impl Fn(&Path) -> bool) {
        let gone: Vec<PathBuf> = self.dirs.iter().filter(|dir| is_gone(dir)).cloned().collect();
        for dir in gone {
            self.dirs.remove(&dir);
            self.watch.iter_mut().for_each(|watch| watch.forget(&dir));
        }
    }

    fn begin(&mut self, root: &Path) {
        let Some(hints) = self.hints.clone() else {
            self.poll("read once".to_owned());
            return;
        };
        // The receiver is gone only when the thread has ended.
        let notice = Box::new(move |change| drop(hints.send(Wake::Change(change))));
        let (watch, mode) = watch::choose(root, self.poll_every, notice);
        tracing::info!(?mode, "watching");
        self.watch = Some(watch);
        self.mode = mode;
    }

    fn add(&mut self, dir: &Path) {
        let Some(Err(reason)) = self.watch.as_mut().map(|watch| watch.add(dir)) else { return };
        tracing::warn!(dir = %dir.display(), reason, "polling from now on");
        self.poll(reason);
    }

    fn poll(&mut self, reason: String) {
        self.watch = Some(Box::new(Poll::new(self.poll_every)));
        self.mode = Mode::Poll { reason };
    }
}
