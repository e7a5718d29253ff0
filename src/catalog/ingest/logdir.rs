//! Hints and listings -> which files are followed, and their content in the index.
//!
//! A hint is only a reason to look at the files. Our own reads and files of other programs cause hints too. Therefore a path that is
//! neither followed nor watched, such as a removed checkpoint, costs a look-up but no listing. A new directory is watched first and
//! then listed, without listing others. Only a new link, or the removal of a directory with two names, requires listing everything,
//! and only if links lead out of the logdir. Everything is also listed from time to time, because some notifications are lost.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{
    checkpoints::Checkpoints,
    files::{Comparison, FollowedFiles},
    index::Index,
    kept::KeptSaves,
    listing::{
        UnreadablePlaces, checkpoint_names, is_event_file, link_names, logdir_missing, no_event_files,
        problems, unreadable,
    },
    offering::Offering,
    reading::{ReadBatch, read_for, read_in_parallel},
};
use crate::{
    catalog::{health::Fault, watched::Watched},
    source::{FileStat, Listing, Source},
    types::RunName,
    watch::Mode,
};

/// After this time it is the turn of other files and of messages.
const TURN: Duration = Duration::from_millis(100);
/// A run that is read from the start is published when it is complete, or after this time.
const TURN_OF_RESTARTED_RUNS: Duration = Duration::from_secs(2);
/// How often a snapshot is published while many files are read for the first time.
const PUBLISH_EVERY: Duration = Duration::from_millis(50);

/// The logdir as it is followed.
pub(super) struct Logdir {
    pub(super) source: Arc<dyn Source>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) watched: Watched,
    pub(super) files: FollowedFiles,
    pub(super) checkpoints: Checkpoints,
    pub(super) kept: KeptSaves,
    pub(super) offering: Offering,
    pub(super) index: Index,
}

/// How the logdir differs from what is known.
#[derive(Default)]
pub(super) struct Differences {
    /// Files that have more to read.
    grown: Vec<PathBuf>,
    /// Runs of which a file was removed or replaced.
    broken_runs: BTreeSet<RunName>,
    /// Whether a path belonged to a file or directory that is followed.
    is_any: bool,
    /// Whether everything has to be listed.
    pub(super) needs_sweep: bool,
}

impl Logdir {
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Lists the whole logdir, follows new files, forgets removed ones, and reads those that grew.
    ///
    /// # Errors
    /// `Interrupted` if the program stops.
    pub(super) fn look_at_everything(&mut self) -> io::Result<()> {
        let root = self.source.root().to_owned();
        if self.watched.root().is_none() && self.index.publisher.has_readers() {
            self.show_own_first(&root);
        }
        match self.list_and_watch() {
            Ok((stats, stored)) => {
                self.compare_checkpoints(stored);
                self.compare_with_all(stats);
                self.offering.note_change();
            }
            Err(_) if self.is_stopped() => return Err(io::ErrorKind::Interrupted.into()),
            Err(error) => self.root_is_missing(&root, &error),
        }
        Ok(())
    }

    /// Reads and publishes what is in a new logdir itself, before many directories are watched and links are followed, which may
    /// take long.
    pub(super) fn show_own_first(&mut self, root: &Path) {
        // The complete listing that follows reports what is wrong.
        let Ok(listing) = self.source.list_below(root, &self.stop) else { return };
        if listing.files.is_empty() {
            return;
        }
        self.watched.begin(root, listing.root);
        self.root_is_there();
        self.compare_with_all(listing.files);
        self.index.publish();
        let _ = self.watched.watch_new(&listing.dirs);
    }

    fn list_and_watch(&mut self) -> io::Result<(Vec<FileStat>, Vec<FileStat>)> {
        let before = self.watched.root();
        let listing = self.watched.list(&*self.source)?;
        if before.is_some_and(|before| before != listing.root) {
            self.forget_everything();
        }
        self.root_is_there();
        let unreadable = self.files.unreadable().chain(self.index.unreadable());
        let unreadable_places = UnreadablePlaces::after(&listing, unreadable);
        self.index.health.retain(|problem| unreadable_places.holds(problem));
        self.note_problems(&listing);
        self.index.publisher.set_exported(listing.exported.into_iter().map(|file| file.path).collect());
        self.index.publisher.set_checkpoints(checkpoint_names(self.source.root(), &listing.checkpoints));
        self.note_second_names();
        Ok((listing.files, listing.stored))
    }

    fn root_is_there(&mut self) {
        self.index.publisher.set_watch(self.watched.mode());
        self.index.health.retain(|problem| problem.fault != Fault::LogdirMissing);
    }

    fn note_second_names(&mut self) {
        let links = link_names(self.source.root(), self.watched.directory_links().links());
        self.index.publisher.set_second_names(links);
    }

    pub(super) fn note_problems(&mut self, listing: &Listing) {
        problems(listing).for_each(|problem| self.index.health.set(problem));
    }

    fn root_is_missing(&mut self, root: &Path, error: &io::Error) {
        self.root_removed();
        self.index.publisher.set_watch(&Mode::Waiting);
        self.index.health.set(logdir_missing(root, error));
    }

    /// A directory that is created under the logdir's name is another one, even if it has the same inode number.
    fn root_removed(&mut self) {
        if self.watched.root_removed() {
            tracing::warn!(logdir = %self.source.root().display(), "the logdir is gone");
        }
        self.forget_everything();
    }

    /// Forgets everything that was read, because the logdir was removed or another directory has its name.
    pub(super) fn forget_everything(&mut self) {
        self.source.close(self.source.root());
        let files = self.files.forget_all();
        let files = files.into_iter().chain(self.checkpoints.forget_all()).chain(self.kept.forget_shown());
        self.index.clear(files.collect());
        self.index.publisher.set_exported(Vec::new());
        self.index.publisher.set_checkpoints(BTreeSet::new());
        self.note_second_names();
    }

    /// Reports that there is neither an event file nor a checkpoint while there is none.
    pub(super) fn note_emptiness(&mut self) {
        let n_checkpoints = self.checkpoints.count();
        self.index.publisher.set_checkpoint_count(n_checkpoints as u64);
        if self.files.is_empty() && n_checkpoints == 0 && self.kept.shown().next().is_none() {
            let has_exported = !self.index.snapshot().exported.is_empty();
            self.index.health.set(no_event_files(self.source.root(), has_exported));
        } else {
            self.index.health.retain(|problem| problem.fault != Fault::NoEventFiles);
        }
    }

    /// Compares the followed files with all existing files.
    fn compare_with_all(&mut self, stats: Vec<FileStat>) {
        let mut differences = Differences::default();
        let gone = self.files.others_than(&stats.iter().map(|stat| stat.path.as_path()).collect());
        self.forget_files(&gone, &mut differences);
        for stat in stats {
            self.compare_with(stat, &mut differences);
        }
        self.read_differences(differences);
    }

    fn read_differences(&mut self, differences: Differences) {
        let same_runs = self.files.same_runs(self.watched.directory_links().links());
        self.index.publisher.set_same_runs(same_runs);
        self.read(differences.grown, &differences.broken_runs);
        self.note_emptiness();
    }

    /// Looks at the paths in hints. A path that is neither followed nor watched costs a look-up in a map. Returns whether everything
    /// has to be listed.
    pub(super) fn look_at(&mut self, removed: &BTreeSet<PathBuf>, mut named: BTreeSet<PathBuf>) -> bool {
        let mut differences = Differences::default();
        for path in removed {
            if self.forget_below(path, &mut differences) {
                // Something else may have this name now.
                named.insert(path.clone());
            }
        }
        // New files and directories are taken under their first names before others.
        let (others, firsts): (Vec<PathBuf>, Vec<PathBuf>) =
            named.into_iter().partition(|path| self.watched.directory_links().first_of(path).is_some());
        for path in firsts.iter().chain(&others) {
            if self.is_stopped() {
                return differences.needs_sweep;
            }
            self.look_at_one(path, &mut differences);
        }
        let needs_sweep = differences.needs_sweep;
        if differences.is_any {
            self.read_differences(differences);
        }
        needs_sweep
    }

    fn look_at_one(&mut self, path: &Path, differences: &mut Differences) {
        match self.source.stat(path) {
            Ok(stat) if self.is_there_already(&stat) => {}
            Ok(stat) => self.compare_with(stat, differences),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.forget_below(path, differences);
            }
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                self.look_at_directory(path, differences);
            }
            Err(_) => self.look_at_checkpoint(path),
        }
    }

    /// Whether a file in a hint is already followed in its run under another name that it still has.
    fn is_there_already(&self, stat: &FileStat) -> bool {
        let other = self.files.other_name(stat).map(|other| self.source.stat(other));
        other.is_some_and(|other| other.is_ok_and(|other| other.identity == stat.identity))
    }

    fn look_at_directory(&mut self, dir: &Path, differences: &mut Differences) {
        let Ok(identity) = self.source.directory(dir) else { return };
        if self.watched.knows(dir, identity) {
            return;
        }
        if let Some(first) = self.watched.directory_links().first_of(dir) {
            // Listing everything finds new paths below the first name under this name too.
            let leads_elsewhere = self.source.directory(&first).ok() != Some(identity);
            let is_new = self.files.has_any_below(&first) && !self.files.has_any_below(dir);
            differences.needs_sweep |= leads_elsewhere || is_new;
            return;
        }
        // Another directory was watched under this name.
        self.forget_below(dir, differences);
        match self.watched.list_below(&*self.source, dir) {
            Ok(listing) => {
                // What was found in the other directory may no longer be true.
                self.index.forget_found_below(dir);
                self.add_listing(listing, differences);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.index.health.set(unreadable(dir, &error.to_string())),
        }
    }

    /// Follows the files that were found in a new directory.
    fn add_listing(&mut self, listing: Listing, differences: &mut Differences) {
        self.watched.add_directory_links(&listing.second_names);
        if !listing.second_names.is_empty() {
            self.note_second_names();
        }
        // A new link to runs gives them another name. A link to a checkpoint, which trainings replace often, changes nothing.
        let leads_to_runs = listing.second_names.values().any(|first| self.files.has_any_below(first));
        differences.needs_sweep |= listing.leads_out || leads_to_runs;
        self.note_problems(&listing);
        let (root, index) = (self.source.root(), &mut self.index);
        if !listing.exported.is_empty() {
            let known = index.snapshot().exported.iter().cloned();
            let new = listing.exported.into_iter().map(|file| file.path);
            let exported: BTreeSet<PathBuf> = known.chain(new).collect();
            index.publisher.set_exported(exported.into_iter().collect());
        }
        if !listing.checkpoints.is_empty() {
            let known = index.snapshot().checkpoints.iter().cloned();
            let checkpoints = known.chain(checkpoint_names(root, &listing.checkpoints)).collect();
            index.publisher.set_checkpoints(checkpoints);
        }
        index.publisher.set_watch(self.watched.mode());
        for stat in listing.files {
            self.compare_with(stat, differences);
        }
        for stat in listing.stored {
            differences.is_any = true;
            self.checkpoints.compare_with(stat, &*self.source);
        }
    }

    /// Forgets what was followed and watched at `path` and below. Returns whether there was anything.
    fn forget_below(&mut self, path: &Path, differences: &mut Differences) -> bool {
        if self.source.root().starts_with(path) {
            self.root_removed();
            differences.needs_sweep = true;
            return false;
        }
        let files = self.files.at_and_below(path);
        self.forget_files(&files, differences);
        differences.is_any |= self.forget_checkpoints(path);
        let was_watched = self.watched.forget_below(path);
        let was_any = was_watched || !files.is_empty();
        differences.needs_sweep |= was_watched && self.watched.has_other_names();
        differences.is_any |= was_any;
        if was_watched || is_event_file(path) {
            self.index.forget_found_below(path);
        }
        was_any
    }

    fn forget_files(&mut self, paths: &[PathBuf], differences: &mut Differences) {
        for path in paths {
            let Some(file) = self.files.forget(path) else { continue };
            self.source.close(path);
            self.index.remove_file(&file);
            differences.broken_runs.insert(file.run);
        }
    }

    /// Decides what the state of a file requires: nothing, reading on, or reading its run from the start.
    fn compare_with(&mut self, stat: FileStat, differences: &mut Differences) {
        differences.is_any = true;
        match self.files.compare_with(&stat) {
            Comparison::New(id) => {
                self.index.publisher.add_file(id, &stat.path);
                differences.grown.push(stat.path);
            }
            Comparison::Same => {}
            Comparison::Grown => differences.grown.push(stat.path),
            Comparison::WrittenOver(id) => {
                self.index.checker.check_again(id, &stat);
                differences.grown.push(stat.path);
            }
            Comparison::Replaced => {
                differences.broken_runs.insert(stat.run);
            }
        }
    }

    /// Continues reading each file that was not read to its end.
    pub(super) fn read_on(&mut self) {
        let unfinished = self.files.take_unfinished();
        if !unfinished.is_empty() {
            self.read(unfinished, &BTreeSet::new());
        }
    }

    /// Continues reading the files that grew. Runs of which a file was removed or replaced are dropped and read from the start, because
    /// it is not known which values of a run came from which file.
    pub(super) fn read(&mut self, mut grown: Vec<PathBuf>, broken_runs: &BTreeSet<RunName>) {
        if !broken_runs.is_empty() {
            let restarted = self.files.restart(broken_runs);
            self.index.restart(broken_runs, &restarted);
            self.show_again(broken_runs);
            grown.extend(restarted.into_iter().map(|file| file.path));
        }
        grown.sort();
        grown.dedup();
        // A run that is read again is published when it is complete, if that does not take too long.
        let turn = if broken_runs.is_empty() { TURN } else { TURN_OF_RESTARTED_RUNS };
        let mut work = self.files.take(&grown);
        let source = Arc::clone(&self.source);
        match work.as_mut_slice() {
            [] => {}
            [file] => read_for(turn, file, &*source, |batch| self.take(batch)),
            files => read_in_parallel(turn, files, &*source, |batch| {
                self.take(batch);
                let publisher = &self.index.publisher;
                if self.index.snapshot().loading && publisher.since_published() > PUBLISH_EVERY {
                    self.index.publish();
                }
            }),
        }
        self.files.put_back(work);
    }

    fn take(&mut self, mut read: ReadBatch) {
        let access = self.files.note_access(&read.stat.path, read.batch.io_error.take());
        self.index.add_batch(read, access);
    }
}
