//! Which directories are watched, and how: the logdir and all directories below it.

use std::{
    collections::BTreeMap,
    io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::directory_links::DirectoryLinks;
use crate::{
    source::{Identity, Listing, Source, at_and_below, is_source_name, stored::is_part_of_checkpoint},
    watch::{self, Change, Mode, Watch, poll::Poll},
};

/// How often new directories are listed again. If more keep appearing, the rest is left to the next sweep.
const MOST_WALKS: usize = 3;

/// What is watched. A directory is watched before it is listed for the last time, so that no change is missed in between.
pub(super) struct Watched {
    /// Is called with hints. Without it nothing is watched, and everything is read once.
    pub(super) hints: Option<Arc<dyn Fn(Change) + Send + Sync>>,
    poll_every: Option<Duration>,
    stop: Arc<AtomicBool>,
    /// `None` while the logdir does not exist.
    watch: Option<Box<dyn Watch>>,
    root: Option<Identity>,
    /// The watched directories. If another directory gets the name of one of them, it is watched instead.
    dirs: BTreeMap<PathBuf, Identity>,
    has_other_names: bool,
    /// Links to directories that are watched under another name.
    directory_links: DirectoryLinks,
    mode: Mode,
}

impl Watched {
    /// Before anything is watched.
    pub(super) fn new(poll_every: Option<Duration>, stop: Arc<AtomicBool>) -> Self {
        Self {
            hints: None,
            poll_every,
            stop,
            watch: None,
            root: None,
            dirs: BTreeMap::new(),
            has_other_names: false,
            directory_links: DirectoryLinks::default(),
            mode: Mode::Waiting,
        }
    }

    /// How changes are noticed.
    pub(super) fn mode(&self) -> &Mode {
        &self.mode
    }

    /// How often everything should be listed; `None` while the logdir does not exist.
    pub(super) fn sweep_every(&self) -> Option<Duration> {
        self.watch.as_ref().map(|watch| watch.sweep_every())
    }

    /// Which directory the logdir is; `None` while it does not exist.
    pub(super) fn root(&self) -> Option<Identity> {
        self.root
    }

    /// Whether this directory is the one that is watched under this name.
    pub(super) fn knows(&self, dir: &Path, identity: Identity) -> bool {
        self.dirs.get(dir) == Some(&identity)
    }

    /// The links that give watched directories other names.
    pub(super) fn directory_links(&self) -> &DirectoryLinks {
        &self.directory_links
    }

    /// Adds links that were found when a part of the logdir was listed.
    pub(super) fn add_directory_links(&mut self, links: &BTreeMap<PathBuf, PathBuf>) {
        self.directory_links.add(links);
    }

    /// Whether links give a directory more than one name.
    pub(super) fn has_other_names(&self) -> bool {
        self.has_other_names
    }

    /// Lists the logdir, after all its directories are watched.
    pub(super) fn list(&mut self, source: &dyn Source) -> io::Result<Listing> {
        let mut n_walks = 0;
        loop {
            let mut listing = source.list(&self.stop)?;
            n_walks += 1;
            if self.root.is_some_and(|root| root != listing.root) {
                self.root_removed();
            }
            self.begin(source.root(), listing.root);
            self.has_other_names = listing.has_other_names;
            self.directory_links = DirectoryLinks::of(&listing.second_names);
            self.forget(|dir| !listing.dirs.contains_key(dir));
            self.settle(source, &mut listing)?;
            if !listing.leads_out || n_walks == MOST_WALKS {
                return Ok(listing);
            }
        }
    }

    /// Lists a directory, after it and all directories below it are watched, without following links out of the logdir.
    pub(super) fn list_below(&mut self, source: &dyn Source, dir: &Path) -> io::Result<Listing> {
        let mut listing = source.list_below(dir, &self.stop)?;
        self.settle(source, &mut listing)?;
        Ok(listing)
    }

    /// Begins to watch a logdir, without any of its directories yet.
    pub(super) fn begin(&mut self, root: &Path, identity: Identity) {
        self.root = Some(identity);
        if self.watch.is_none() {
            self.choose(root);
        }
    }

    /// Stops watching a directory and those below it, because a directory that is created later under this name is another one.
    /// Returns whether any was watched.
    pub(super) fn forget_below(&mut self, path: &Path) -> bool {
        let gone: Vec<PathBuf> = at_and_below(&self.dirs, path).map(|(dir, _)| dir.clone()).collect();
        self.forget_all(&gone);
        !gone.is_empty()
    }

    /// Notes that the logdir was removed. Returns whether it existed before.
    pub(super) fn root_removed(&mut self) -> bool {
        self.dirs.clear();
        self.root = None;
        self.has_other_names = false;
        self.directory_links = DirectoryLinks::default();
        self.mode = Mode::Waiting;
        self.watch.take().is_some()
    }

    /// Watches the new directories of a listing and lists them again, because something may have been created in them before they
    /// were watched.
    fn settle(&mut self, source: &dyn Source, listing: &mut Listing) -> io::Result<()> {
        loop {
            let new = self.watch_new(&listing.dirs)?;
            if new.is_empty() || self.hints.is_none() {
                return Ok(());
            }
            for dir in new {
                match source.list_below(&dir, &self.stop) {
                    Ok(later) => listing.add(later),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                    // It was removed meanwhile; a hint for this follows.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => listing.troubles.push((dir, error.to_string())),
                }
            }
        }
    }

    /// Watches what is not watched yet, and returns the new directories that are not inside another new one.
    pub(super) fn watch_new(&mut self, dirs: &BTreeMap<PathBuf, Identity>) -> io::Result<Vec<PathBuf>> {
        let new: Vec<(&PathBuf, &Identity)> =
            dirs.iter().filter(|(dir, identity)| !self.knows(dir, **identity)).collect();
        // All are removed before the first is added: two links may have been exchanged, and the kernel has one watch per directory.
        let replaced = new.iter().map(|(dir, _)| (*dir).clone()).filter(|dir| self.dirs.contains_key(dir));
        self.forget_all(&replaced.collect::<Vec<PathBuf>>());
        let mut tops: Vec<PathBuf> = Vec::new();
        for (dir, identity) in new {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            self.add(dir);
            self.dirs.insert(dir.clone(), *identity);
            if !tops.last().is_some_and(|top| dir.starts_with(top)) {
                tops.push(dir.clone());
            }
        }
        Ok(tops)
    }

    fn forget(&mut self, is_gone: impl Fn(&Path) -> bool) {
        let gone: Vec<PathBuf> = self.dirs.keys().filter(|dir| is_gone(dir)).cloned().collect();
        self.forget_all(&gone);
    }

    fn forget_all(&mut self, gone: &[PathBuf]) {
        for dir in gone {
            self.dirs.remove(dir);
            self.watch.iter_mut().for_each(|watch| watch.forget(dir));
        }
    }

    fn choose(&mut self, root: &Path) {
        let Some(hints) = self.hints.clone() else {
            self.poll("read once".to_owned());
            return;
        };
        let notice = Box::new(move |change| {
            if concerns(&change) {
                hints(change);
            }
        });
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

/// Whether a hint is passed on. Hints about writing to other files are frequent and ignored.
fn concerns(change: &Change) -> bool {
    match change {
        Change::Written(path) => {
            let name = path.file_name().unwrap_or_default().as_bytes();
            is_source_name(name) || is_part_of_checkpoint(name)
        }
        Change::Touched(_) | Change::Removed(_) | Change::Rescan => true,
    }
}
