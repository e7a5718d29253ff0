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
    budget::{Entry, Limits, Series, dropped},
    directory::{SaveFile, ShelfDirectory},
};
use crate::{
    catalog::{
        logged_value::FileId,
        shelf::{KeptChange, ShelfNews, ShelfState},
        snapshot::{Run, Snapshot},
    },
    load::Loader,
    reader::shelf::KeptSave,
    source::now_ns,
    types::RunName,
};

mod copy;
mod unconfirmed;

use self::{
    copy::{Copied, Source},
    unconfirmed::Unconfirmed,
};

/// How often the directory is listed, because other daemons may use it too.
const LISTED_EVERY: Duration = Duration::from_secs(10);
/// After an error of the disk, it is tried again after this time.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(5);
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
    unconfirmed: Unconfirmed,
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
            unconfirmed: Unconfirmed::default(),
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
        self.drop_torn();
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
        self.unconfirmed.due_after().map_or(wait, |until| until.min(wait))
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
        while let Some((file, run)) = self.queue.pop_last() {
            let Some(source) = Source::find(snapshot, &run, file) else { continue };
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
        let copied = match source.copy(&self.loader) {
            Copied::Nothing => return Ok(()),
            Copied::Lost => {
                self.lose(source.words());
                return Ok(());
            }
            Copied::Kernels(copied) => copied,
        };
        let is_same = |save: &&Arc<KeptSave>| {
            save.run == *source.run && save.moment == *source.moment() && save.digest == copied.digest
        };
        if kept().any(|save| is_same(&save)) {
            return Ok(());
        }
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
        self.unconfirmed.add(path.clone(), source.words(), source.stored());
        self.tell(ShelfNews::Change(KeptChange { added: vec![(path, save)], removed: Vec::new() }));
        self.drop_some();
        Ok(())
    }

    fn entry(&self, known: &Known) -> Option<Entry> {
        let save = known.save.as_ref()?;
        let dir = self.loader.source.root().join(save.run.as_str());
        let is_file = save.written.name == save.run.as_str();
        Some(Entry {
            series: Series::of(save.run.as_str(), save.moment.axis, &save.written.name),
            at: save.moment.value,
            bytes: known.file.bytes,
            kept_ns: known.file.kept_ns,
            is_of_gone_run: !is_file && self.loader.source.directory(&dir).is_err(),
        })
    }

    /// Whether a new save would stay; otherwise it need not be written.
    fn has_room_for(&mut self, source: &Source<'_>, bytes: u64) -> bool {
        let used: u64 = self.saves.values().map(|known| known.file.bytes).sum();
        if used + bytes <= self.limits.bytes {
            return true;
        }
        let mut entries: Vec<Entry> = self.saves.values().filter_map(|known| self.entry(known)).collect();
        let number = entries.len();
        entries.push(Entry {
            series: Series::of(source.run.as_str(), source.moment().axis, &source.checkpoint.name),
            at: source.moment().value,
            bytes,
            kept_ns: now_ns(),
            is_of_gone_run: false,
        });
        let gone = dropped(&entries, self.limits, now_ns());
        let left = (0..entries.len()).filter(|number| !gone.contains(number));
        let left: u64 = left.map(|number| entries[number].bytes).sum();
        if left > self.limits.bytes {
            let most = self.limits.bytes >> 20;
            self.state.trouble = Some(format!(
                "the shelf has reached {most} MiB, and of each run only the first and the last save are left: raise --shelf-mb to keep more"
            ));
            return false;
        }
        !gone.contains(&number)
    }

    /// Drops what is too old or too much.
    fn drop_some(&mut self) {
        let used: u64 = self.saves.values().map(|known| known.file.bytes).sum();
        let oldest = self.saves.values().map(|known| known.file.kept_ns).min().unwrap_or(i128::MAX);
        let is_old = now_ns().saturating_sub(oldest) > self.limits.age_ns;
        if used <= self.limits.bytes && !is_old && self.saves.len() <= super::budget::MOST_OF_SERIES {
            return;
        }
        let (paths, entries): (Vec<PathBuf>, Vec<Entry>) =
            (self.saves.iter()).filter_map(|(path, known)| Some((path.clone(), self.entry(known)?))).unzip();
        let mut removed = Vec::new();
        for number in dropped(&entries, self.limits, now_ns()) {
            removed.push(paths[number].clone());
        }
        self.remove(removed);
    }

    /// Drops copies of what was still being written.
    fn drop_torn(&mut self) {
        let torn = self.unconfirmed.take_torn(&*self.loader.source, Instant::now());
        for copy in &torn {
            self.lose(copy.what.clone());
        }
        self.remove(torn.into_iter().map(|copy| copy.path).collect());
    }

    fn remove(&mut self, paths: Vec<PathBuf>) {
        let mut removed = Vec::new();
        for path in paths {
            match self.directory.remove(&path) {
                Ok(()) => {
                    self.saves.remove(&path);
                    removed.push(path);
                }
                Err(error) => self.fail(&error),
            }
        }
        if !removed.is_empty() {
            self.tell(ShelfNews::Change(KeptChange { added: Vec::new(), removed }));
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
