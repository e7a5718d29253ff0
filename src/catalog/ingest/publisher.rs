//! Changes to the index -> the snapshots that readers get.
//!
//! A run and a series contain the revision in which they last changed, from which the entity tags of answers are made.
//! Therefore a change gets the revision of the first snapshot that will contain it, never a later one. The index is changed only
//! through this type, and only `Publisher::next_revision` makes a revision.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch as channel;

use crate::{
    catalog::{
        facts::{Basis, Concluding, Haste, add_network},
        health::Problem,
        logged_value::FileId,
        offers::Offer,
        shelf::ShelfState,
        snapshot::{Run, Scanned, Snapshot},
    },
    model::{network::Network, rules::Rules},
    reader::file::ReadableFile,
    source::checkpoint::MOST_CHECKPOINTS,
    types::RunName,
    watch::Mode,
};

/// The current index, and the readers to which it is published.
pub(super) struct Publisher {
    index: Snapshot,
    /// `None` in a command that reads once, where only the last state counts.
    readers: Option<channel::Sender<Arc<Snapshot>>>,
    published: Instant,
}

impl Publisher {
    /// An empty index.
    pub(super) fn new(readers: Option<channel::Sender<Arc<Snapshot>>>) -> Self {
        Self { index: Snapshot::empty(), readers, published: Instant::now() }
    }

    /// The index as it is now.
    pub(super) fn index(&self) -> &Snapshot {
        &self.index
    }

    /// The index after everything was read.
    pub(super) fn into_index(self, problems: Vec<Problem>) -> Snapshot {
        Snapshot { loading: false, problems: Arc::new(problems), ..self.index }
    }

    /// Whether there are readers to whom snapshots are published while files are read.
    pub(super) fn has_readers(&self) -> bool {
        self.readers.is_some()
    }

    /// How long ago a snapshot was published.
    pub(super) fn since_published(&self) -> Duration {
        self.published.elapsed()
    }

    /// The revision of the snapshot that comes next: one more than that of the newest published.
    fn next_revision(&self) -> u64 {
        self.readers.as_ref().map_or(0, |readers| readers.borrow().revision) + 1
    }

    /// Notes that the index changes, and returns the revision of the change.
    pub(super) fn begin_change(&mut self) -> u64 {
        self.index.revision = self.next_revision();
        self.index.revision
    }

    /// Changes a run, if it exists. `change` takes the revision of the change, and returns whether anything changed.
    pub(super) fn change_run(&mut self, name: &RunName, change: impl FnOnce(&mut Run, u64) -> bool) -> bool {
        let revision = self.next_revision();
        let Some(run) = self.index.runs.get_mut(name) else { return false };
        let is_changed = change(Arc::make_mut(run), revision);
        if is_changed {
            self.index.revision = revision;
        }
        is_changed
    }

    /// Adds to a run, which is created if it does not exist. `add` takes the revision of the change.
    pub(super) fn add_to_run<T>(&mut self, name: &RunName, add: impl FnOnce(&mut Run, u64) -> T) -> T {
        let revision = self.begin_change();
        add(Arc::make_mut(self.index.runs.entry(name.clone()).or_default()), revision)
    }

    /// Adds what a graph or a model says to its run. Returns whether it is new. It changes no revision, because readers see only the
    /// facts that are concluded from it.
    pub(super) fn add_network(&mut self, name: &RunName, network: Network) -> bool {
        self.index.runs.get_mut(name).is_some_and(|run| add_network(Arc::make_mut(run), network))
    }

    /// Drops runs with all that was read of them.
    pub(super) fn drop_runs<'a>(&mut self, names: impl IntoIterator<Item = &'a RunName>) {
        for name in names {
            self.index.runs.remove(name);
        }
        self.begin_change();
    }

    /// Drops everything that was read.
    pub(super) fn drop_everything(&mut self) {
        if !self.index.files.is_empty() || !self.index.runs.is_empty() {
            self.begin_change();
        }
        self.index.runs = imbl::OrdMap::new();
        self.index.files = imbl::OrdMap::new();
        self.index.scanned = Scanned::default();
    }

    /// Adds a file of which nothing was read.
    pub(super) fn add_file(&mut self, id: FileId, path: &Path) {
        self.index.files.insert(id, Arc::new(ReadableFile::of_events(path.to_owned())));
        self.index.scanned.files += 1;
    }

    /// Adds a checkpoint.
    pub(super) fn add_checkpoint(&mut self, id: FileId, file: ReadableFile) {
        self.index.files.insert(id, Arc::new(file));
    }

    /// Sets how many checkpoints of kinds that are read there are.
    pub(super) fn set_checkpoint_count(&mut self, count: u64) {
        if self.index.scanned.checkpoints != count {
            self.begin_change();
            self.index.scanned.checkpoints = count;
        }
    }

    /// Removes a checkpoint.
    pub(super) fn remove_checkpoint(&mut self, id: FileId) {
        self.index.files.remove(&id);
    }

    /// Drops a run without event files if nothing is left of it.
    pub(super) fn drop_if_empty(&mut self, name: &RunName) {
        let is_empty = |run: &Run| run.series.is_empty() && run.skipped.is_empty();
        if self.index.runs.get(name).is_some_and(|run| is_empty(run)) {
            self.drop_runs([name]);
        }
    }

    /// Counts what was read of a file.
    pub(super) fn add_scanned(&mut self, bytes: u64, records: u64) {
        self.index.scanned.bytes += bytes;
        self.index.scanned.records += records;
    }

    /// Removes a file, and what was read of it from the counts.
    pub(super) fn remove_file(&mut self, id: FileId, read: Scanned) {
        self.index.files.remove(&id);
        self.index.scanned.files -= read.files;
        self.index.scanned.bytes -= read.bytes;
        self.index.scanned.records -= read.records;
    }

    /// Sets how changes are noticed.
    pub(super) fn set_watch(&mut self, watch: &Mode) {
        self.index.watch.clone_from(watch);
    }

    /// Sets whether the first scan is still running.
    pub(super) fn set_loading(&mut self, loading: bool) {
        self.index.loading = loading;
    }

    /// Sets which event files `convscope export` wrote.
    pub(super) fn set_exported(&mut self, exported: Vec<PathBuf>) {
        if *self.index.exported != *exported {
            self.begin_change();
            self.index.exported = exported.into();
        }
    }

    /// Sets which paths look like checkpoints.
    pub(super) fn set_checkpoints(&mut self, checkpoints: BTreeSet<String>) {
        if !self.index.checkpoints.iter().eq(&checkpoints) {
            self.begin_change();
            self.index.checkpoints = checkpoints.into_iter().take(MOST_CHECKPOINTS).collect();
        }
    }

    /// Sets which checkpoints are offered.
    pub(super) fn set_offers(&mut self, offers: Vec<Offer>) {
        if *self.index.offers != *offers {
            self.begin_change();
            self.index.offers = offers.into();
        }
    }

    /// Sets how the shelf is.
    pub(super) fn set_shelf(&mut self, state: ShelfState) {
        if *self.index.shelf != state {
            self.begin_change();
            self.index.shelf = Arc::new(state);
        }
    }

    /// Sets which writes of checkpoints were missed.
    pub(super) fn set_missed(&mut self, count: u64, named: &[String]) {
        if self.index.missed.0 != count {
            self.begin_change();
            self.index.missed = Arc::new((count, named.to_vec()));
        }
    }

    /// Sets which runs consist of the files of another run.
    pub(super) fn set_same_runs(&mut self, runs: BTreeMap<RunName, RunName>) {
        if *self.index.same_runs != runs {
            self.begin_change();
            self.index.same_runs = runs.into();
        }
    }

    /// Sets which links give a directory or a file another name.
    pub(super) fn set_second_names(&mut self, links: BTreeMap<String, String>) {
        if *self.index.second_names != links {
            self.begin_change();
            self.index.second_names = links.into();
        }
    }

    /// Draws conclusions from what is new. The first scan ends when all conclusions are drawn.
    pub(super) fn conclude(&mut self, concluding: &mut Concluding, rules: &Rules) {
        let ends_first_scan =
            self.readers.as_ref().is_none_or(|readers| readers.borrow().loading && !self.index.loading);
        let haste = if ends_first_scan { Haste::All } else { Haste::Slice };
        if concluding.is_due(haste) {
            let basis = Basis { rules, revision: self.begin_change() };
            concluding.work(&mut self.index.runs, &basis, haste);
        }
        self.index.concluding = !concluding.is_done();
    }

    /// Publishes the index, if it changed since it was last published.
    pub(super) fn publish_if_changed(&mut self, problems: Vec<Problem>) {
        let Some(readers) = &self.readers else { return };
        let is_same = {
            let published = readers.borrow();
            published.revision == self.index.revision
                && published.watch == self.index.watch
                && published.loading == self.index.loading
                && published.concluding == self.index.concluding
                && *published.problems == problems
        };
        if !is_same {
            self.publish(problems);
        }
    }

    /// Publishes the index.
    pub(super) fn publish(&mut self, problems: Vec<Problem>) {
        self.begin_change();
        self.index.problems = Arc::new(problems);
        self.published = Instant::now();
        if let Some(readers) = &self.readers {
            readers.send_replace(Arc::new(self.index.clone()));
        }
    }
}
