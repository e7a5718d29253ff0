//! Snapshots of the catalog -> copies of the kernels of new checkpoints on the shelf, and what is dropped from it.
//!
//! The keeper only does something when it is called. Checkpoints that were there before are copied little by little.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use imbl::{OrdMap, ordmap::DiffItem};

use super::{
    budget::Limits,
    directory::{SaveFile, ShelfDirectory},
};
use crate::{
    catalog::{
        logged_value::FileId,
        shelf::{KeptChange, ShelfNews, ShelfState},
        snapshot::{Run, Snapshot},
    },
    load::Loader,
    reader::{moment::Axis, shelf::KeptSave},
    source::now_ns,
    types::{RunName, count::counted},
};

mod copy;
mod room;
mod torn;

use self::copy::{Copied, Source};

/// How often the directory is listed, because other daemons may use it too.
const LISTED_EVERY: Duration = Duration::from_secs(10);
/// After an error of the disk, it is tried again after this time.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// A checkpoint whose step is not yet known is looked at again after this time.
const LOOKED_AT_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Checkpoints that were there before are copied for this share of the time.
const SHARE: f64 = 0.01;
/// The longest time for which such copying may go on without a pause.
const BURST: Duration = Duration::from_millis(500);
/// The most saves that are named as lost.
const MOST_LOST: usize = 100;

/// Keeps copies of the kernels of checkpoints.
pub struct Keeper {
    directory: ShelfDirectory,
    limits: Limits,
    loader: Loader,
    saves: BTreeMap<PathBuf, Known>,
    /// The runs as they were when they were last looked at.
    runs: OrdMap<RunName, Arc<Run>>,
    seen: BTreeMap<RunName, BTreeSet<FileId>>,
    /// Checkpoints that have to be copied, the newest last.
    queue: BTreeMap<FileId, RunName>,
    began_ns: i128,
    listed: Option<Instant>,
    /// For how long checkpoints that were there before may still be copied, in seconds, and when that was computed.
    allowance: (f64, Instant),
    blocked_until: Option<Instant>,
    state: ShelfState,
}

struct Known {
    file: SaveFile,
    /// None if it is not a save that can be read.
    save: Option<Arc<KeptSave>>,
}

impl Keeper {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(directory: ShelfDirectory, limits: Limits, loader: Loader) -> Self {
        let state = Self::state_at_first(&directory, limits);
        Self {
            directory,
            limits,
            loader,
            saves: BTreeMap::new(),
            runs: OrdMap::new(),
            seen: BTreeMap::new(),
            queue: BTreeMap::new(),
            began_ns: now_ns(),
            listed: None,
            allowance: (BURST.as_secs_f64(), Instant::now()),
            blocked_until: None,
            state,
        }
    }

    /// How the shelf is before anything is known of its directory; what the catalog begins with.
    #[must_use]
    pub fn state_at_first(directory: &ShelfDirectory, limits: Limits) -> ShelfState {
        let dir = Some(directory.path.clone());
        ShelfState { dir, most_bytes: limits.bytes, ..ShelfState::default() }
    }

    /// How the shelf is.
    #[must_use]
    pub fn state(&self) -> &ShelfState {
        &self.state
    }

    /// Does what there is to do. Returns after which time it has to be called again, if there is no new snapshot before.
    pub fn turn(&mut self) -> Duration {
        let before = self.state.clone();
        if self.listed.is_none_or(|listed| listed.elapsed() >= LISTED_EVERY) {
            self.list();
        }
        let snapshot = self.loader.catalog.snapshot();
        let wait = if snapshot.concluding {
            // What the kernels are is known with the next snapshot.
            LISTED_EVERY
        } else {
            self.look_at(&snapshot);
            self.copy_due(&snapshot)
        };
        self.note_size();
        if before != self.state {
            self.tell(ShelfNews::State(self.state.clone()));
        }
        wait
    }

    fn tell(&self, news: ShelfNews) {
        self.loader.catalog.tell_of_shelf(news);
    }

    /// Compares the directory with what is known of it.
    fn list(&mut self) {
        self.listed = Some(Instant::now());
        let files = match self.directory.files() {
            Ok(files) => files,
            Err(error) => return self.fail(&error),
        };
        if self.queue.is_empty() {
            self.state.trouble = None;
        }
        let mut change = KeptChange::default();
        let there: BTreeSet<&Path> = files.iter().map(|file| file.path.as_path()).collect();
        let gone = self.saves.keys().filter(|path| !there.contains(path.as_path()));
        change.removed.extend(gone.cloned());
        for path in &change.removed {
            self.saves.remove(path);
        }
        for file in files {
            if self.saves.contains_key(&file.path) {
                continue;
            }
            let save = ShelfDirectory::read(&file).ok().map(|save| Arc::new(self.shared(save)));
            change.added.extend(save.clone().map(|save| (file.path.clone(), save)));
            self.saves.insert(file.path.clone(), Known { file, save });
        }
        if !change.added.is_empty() || !change.removed.is_empty() {
            self.tell(ShelfNews::Change(change));
        }
        let n_unreadable = self.saves.values().filter(|known| known.save.is_none()).count();
        if n_unreadable > 0 && self.state.trouble.is_none() {
            let files = counted(n_unreadable, "file");
            self.state.trouble =
                Some(format!("{files} on the shelf cannot be read: convscope shelf list says which"));
        }
        self.drop_some();
    }

    /// A save that shares its facts with another of its run, which mostly has the same.
    fn shared(&self, mut save: KeptSave) -> KeptSave {
        let others = self.saves.values().rev().filter_map(|known| known.save.as_ref());
        if let Some(other) =
            others.filter(|other| other.run == save.run).max_by_key(|other| other.moment.value)
        {
            save.share_facts(other);
        }
        save
    }

    /// Notes the checkpoints that are new.
    fn look_at(&mut self, snapshot: &Snapshot) {
        if self.runs.ptr_eq(&snapshot.runs) {
            return;
        }
        // What both have in common is passed over.
        for changed in self.runs.diff(&snapshot.runs) {
            let (name, run) = match changed {
                DiffItem::Add(name, run) | DiffItem::Update { new: (name, run), .. } => (name, run),
                DiffItem::Remove(name, _) => {
                    self.seen.remove(name);
                    continue;
                }
            };
            let seen = self.seen.entry(name.clone()).or_default();
            for file in run.checkpoints.keys().filter(|file| !seen.contains(file)) {
                self.queue.insert(*file, name.clone());
            }
            *seen = run.checkpoints.keys().copied().collect();
        }
        self.runs = snapshot.runs.clone();
    }

    /// Copies what is waiting, the newest first. Returns when there is something to do again.
    fn copy_due(&mut self, snapshot: &Snapshot) -> Duration {
        if let Some(until) = self.blocked_until {
            let left = until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                return left.min(LISTED_EVERY);
            }
        }
        let mut awaiting = Vec::new();
        let wait = self.copy_queue(snapshot, &mut awaiting);
        let is_any = !awaiting.is_empty();
        self.queue.extend(awaiting);
        if is_any { wait.min(LOOKED_AT_AGAIN_AFTER) } else { wait }
    }

    /// Copies the checkpoints of the queue. Those of which the step is not yet known are put into `awaiting`.
    fn copy_queue(&mut self, snapshot: &Snapshot, awaiting: &mut Vec<(FileId, RunName)>) -> Duration {
        while let Some((file, run)) = self.queue.pop_last() {
            let Some(source) = Source::find(snapshot, &run, file) else { continue };
            if source.awaits_its_step(now_ns()) {
                awaiting.push((file, run));
                continue;
            }
            let is_of_before = source.mtime_ns() < self.began_ns;
            if is_of_before && !self.has_allowance() {
                self.queue.insert(file, run);
                return Duration::from_secs_f64(BURST.as_secs_f64() / 4.0 / SHARE).min(LISTED_EVERY);
            }
            let begun = Instant::now();
            if let Err(error) = self.copy(&source) {
                self.fail(&error);
                self.queue.insert(file, run);
                return TRIED_AGAIN_AFTER;
            }
            if is_of_before {
                self.allowance.0 -= begun.elapsed().as_secs_f64();
            }
        }
        LISTED_EVERY
    }

    /// Whether checkpoints that were there before may be copied now.
    fn has_allowance(&mut self) -> bool {
        let (left, since) = self.allowance;
        let left = left + since.elapsed().as_secs_f64() * SHARE;
        self.allowance = (left.min(BURST.as_secs_f64()), Instant::now());
        self.allowance.0 > 0.0
    }

    /// Copies the kernels of a checkpoint, unless they are there.
    fn copy(&mut self, source: &Source<'_>) -> io::Result<()> {
        let written = source.written();
        let kept = || self.saves.values().filter_map(|known| known.save.as_ref());
        if kept().any(|save| save.run == *source.run && save.written == written) {
            return Ok(());
        }
        let is_there = kept().any(|save| source.is_of(save));
        let copied = match source.copy(&self.loader) {
            // What is being deleted was copied before.
            Copied::Kernels(copied) if copied.is_partial && is_there => return Ok(()),
            Copied::Lost if is_there => return Ok(()),
            Copied::Nothing => return Ok(()),
            Copied::Lost => {
                self.lose(source.words());
                return Ok(());
            }
            Copied::Kernels(copied) => copied,
        };
        let same: Vec<&Known> =
            self.saves.values().filter(|known| is_same(known, source, &copied.digest)).collect();
        // A time says nothing that a step does not, and a step says more.
        let is_known = |known: &&Known| {
            source.moment().axis == Axis::Time
                || known.save.as_ref().is_some_and(|save| save.moment == *source.moment())
        };
        if same.iter().any(is_known) {
            return Ok(());
        }
        let by_time: Vec<PathBuf> = (same.iter())
            .filter(|known| known.save.as_ref().is_some_and(|save| save.moment.axis == Axis::Time))
            .map(|known| known.file.path.clone())
            .collect();
        let bytes = source.bytes_of(&copied);
        if !self.has_room_for(source, bytes.len() as u64) {
            return Ok(());
        }
        let file = self.directory.add(source.run.as_str(), &source.file_name(&copied), &bytes)?;
        (self.state.trouble, self.blocked_until) = (None, None);
        let save = ShelfDirectory::read(&file).map_err(io::Error::other)?;
        let save = Arc::new(self.shared(save));
        let path = file.path.clone();
        self.saves.insert(path.clone(), Known { file, save: Some(Arc::clone(&save)) });
        self.tell(ShelfNews::Change(KeptChange {
            added: vec![(path, Arc::clone(&save))],
            removed: Vec::new(),
        }));
        self.remove(by_time);
        self.drop_torn(&save);
        self.drop_some();
        Ok(())
    }

    /// Drops the copy before `newest` of the same file, if it was taken while the file was written over.
    fn drop_torn(&mut self, newest: &KeptSave) {
        if !torn::may_be(newest) {
            return;
        }
        let is_of_file = |save: &&Arc<KeptSave>| {
            save.run == newest.run
                && save.written.name == newest.written.name
                && save.written.mtime_ns < newest.written.mtime_ns
        };
        let mut before: Vec<&Arc<KeptSave>> =
            self.saves.values().filter_map(|known| known.save.as_ref()).filter(is_of_file).collect();
        before.sort_by_key(|save| save.written.mtime_ns);
        let [.., first, middle] = before.as_slice() else { return };
        if torn::is_mixture(&*self.loader.source, first, middle, newest) {
            let (paths, moment) = (middle.checkpoint.contents.files.clone(), &middle.moment);
            let what = moment.axis.words(moment.value);
            let what = format!("{}: {} at {what}, a mixture of two saves", middle.run, middle.written.name);
            self.remove(paths);
            self.lose(what);
        }
    }

    /// Notes a save that was overwritten before it was copied.
    fn lose(&mut self, what: String) {
        self.state.lost.push(what);
        self.state.lost_count += 1;
        if self.state.lost.len() > MOST_LOST {
            self.state.lost.remove(0);
        }
    }

    fn fail(&mut self, error: &io::Error) {
        let what = "copies of kernels cannot be kept";
        self.state.trouble = Some(format!(
            "{what}: {error}; name another directory with --shelf DIR, or turn it off with --no-shelf"
        ));
        self.blocked_until = Some(Instant::now() + TRIED_AGAIN_AFTER);
    }

    fn note_size(&mut self) {
        self.state.saves = self.saves.values().filter(|known| known.save.is_some()).count() as u64;
        self.state.bytes = self.saves.values().map(|known| known.file.bytes).sum();
    }
}

/// Whether a save has the same numbers as another checkpoint of its run.
fn is_same(known: &Known, source: &Source<'_>, digest: &str) -> bool {
    known.save.as_ref().is_some_and(|save| save.run == *source.run && save.digest == digest)
}
