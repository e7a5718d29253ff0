//! The checkpoints of the logdir: which of them are whole, changed, or cannot be read, and to which runs they belong.
//!
//! A checkpoint is opened when it is found or has changed, and again only after another change. While it is being written it is not
//! whole, or changes while it is read; then it is looked at again.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use rayon::prelude::*;

use super::{
    missed::Missed,
    owners::{Owner, owner_in},
};
use crate::{
    catalog::{defect::catch_panic, logged_value::FileId, saved::Saved},
    reader::{
        checkpoint::{Checkpoint, Opened},
        contents::OpenError,
        files::Stamp,
        moment::Moment,
        shelf::KeptSave,
    },
    source::{FileStat, Source, at_and_below, now_ns},
    types::{RunName, text_of_bytes},
};

/// The checkpoints that are opened in one turn.
const AT_ONCE: usize = 256;
/// A checkpoint that is not whole is reported when it has not changed for this time.
const REPORTED_AFTER: Duration = Duration::from_secs(10);
/// A checkpoint that cannot be read is tried again after this time.
const RETRIED_AFTER: Duration = Duration::from_secs(30);
/// A checkpoint that is being written is not looked at more often.
const UNFINISHED_LOOKED_AT_AFTER: Duration = Duration::from_millis(25);

/// All checkpoints, by the path of the file that is opened.
#[derive(Default)]
pub(super) struct Checkpoints {
    known: BTreeMap<PathBuf, Known>,
    /// When those are looked at that have to be opened.
    waiting: BTreeMap<PathBuf, Instant>,
    with_events: BTreeSet<PathBuf>,
    missed: Missed,
}

struct Known {
    stat: FileStat,
    shown: Option<Arc<Shown>>,
    /// Whether it was not whole when it was opened last.
    is_unfinished: bool,
    /// Whether it only has the name of a checkpoint.
    is_unknown: bool,
    /// How often in a row it changed while it was opened.
    changed: u32,
}

/// A checkpoint whose tensors are in the index.
pub(super) struct Shown {
    pub(super) file: FileId,
    pub(super) path: PathBuf,
    pub(super) checkpoint: Arc<Checkpoint>,
    pub(super) moment: Moment,
    pub(super) owner: Owner,
    /// Its path, relative to the directory of its run if it lies there, or else to the logdir. Of a directory, that of the directory.
    pub(super) name: Arc<str>,
    /// The file or the directory that is the checkpoint.
    pub(super) place: PathBuf,
    /// The save on the shelf, if it is one; `path` is then that of the file there.
    pub(super) kept: Option<Arc<KeptSave>>,
}

/// A checkpoint that was opened.
pub(super) struct Read {
    pub(super) path: PathBuf,
    pub(super) opened: Opened,
}

/// What has to be told of a checkpoint.
pub(super) struct Told {
    pub(super) path: PathBuf,
    pub(super) error: OpenError,
}

/// What reading some checkpoints changed.
#[derive(Default)]
pub(super) struct Changes {
    /// Checkpoints whose tensors are taken out of the index.
    pub(super) taken_back: Vec<Arc<Shown>>,
    /// Checkpoints whose tensors are added to the index.
    pub(super) shown: Vec<Arc<Shown>>,
    /// Checkpoints that cannot be read.
    pub(super) told: Vec<Told>,
}

impl Shown {
    /// The name of its run.
    pub(super) fn run(&self) -> RunName {
        let parts: Vec<String> =
            self.owner.dir.iter().map(|part| text_of_bytes(part.as_encoded_bytes())).collect();
        if parts.is_empty() { RunName::from(".") } else { RunName::from(parts.join("/")) }
    }

    /// As it is added to its run.
    pub(super) fn saved(&self) -> Saved<'_> {
        let Self { file, checkpoint, moment, owner, name, kept, .. } = self;
        let kept = kept.as_deref();
        Saved { file: *file, checkpoint, name, moment, run_from: owner.likely.as_ref(), kept }
    }
}

impl Checkpoints {
    /// Compares the checkpoints with all that exist. Returns what is no longer there.
    pub(super) fn compare_with_all(&mut self, stats: Vec<FileStat>, source: &dyn Source) -> Vec<Arc<Shown>> {
        let there: BTreeSet<&Path> = stats.iter().map(|stat| stat.path.as_path()).collect();
        let gone: Vec<PathBuf> =
            self.known.keys().filter(|path| !there.contains(path.as_path())).cloned().collect();
        let gone = gone.iter().filter_map(|path| self.forget(path)).collect();
        for stat in stats {
            self.compare_with(stat, source);
        }
        gone
    }

    /// Compares the state of a checkpoint with the known one. If it differs, the checkpoint is opened in the next turn.
    pub(super) fn compare_with(&mut self, stat: FileStat, source: &dyn Source) {
        let is_same = self.known.get(&stat.path).is_some_and(|known| {
            let others = known.shown.iter().flat_map(|shown| &shown.checkpoint.stamps);
            let mut missing = known.shown.iter().flat_map(|shown| &shown.checkpoint.contents.missing);
            Stamp::of(&known.stat) == Stamp::of(&stat)
                && others.filter(|stamp| stamp.path != stat.path).all(|stamp| stamp.holds(source))
                && missing.all(|path| source.state(path).is_err())
        });
        let before = self.known.remove(&stat.path);
        // What was not whole may be whole now because of one of its other files.
        let is_unfinished = before.as_ref().is_some_and(|known| known.is_unfinished);
        for unfinished in before.iter().filter(|known| known.is_unfinished) {
            self.missed.compare(&unfinished.stat, &stat, source.root());
        }
        let wait = if is_unfinished { UNFINISHED_LOOKED_AT_AFTER } else { Duration::ZERO };
        if !is_same || is_unfinished {
            let at = Instant::now() + wait;
            self.waiting.entry(stat.path.clone()).and_modify(|known| *known = at.min(*known)).or_insert(at);
        }
        let is_unknown = before.as_ref().is_some_and(|known| known.is_unknown);
        let changed = before.as_ref().map_or(0, |known| known.changed);
        let shown = before.and_then(|known| known.shown);
        self.known.insert(stat.path.clone(), Known { stat, shown, is_unfinished, is_unknown, changed });
    }

    /// Stops following what is at `path` and below. Returns what was shown of it.
    pub(super) fn forget_below(&mut self, path: &Path) -> Vec<Arc<Shown>> {
        let gone: Vec<PathBuf> = at_and_below(&self.known, path).map(|(path, _)| path.clone()).collect();
        gone.iter().filter_map(|path| self.forget(path)).collect()
    }

    fn forget(&mut self, path: &Path) -> Option<Arc<Shown>> {
        self.waiting.remove(path);
        self.known.remove(path)?.shown
    }

    /// Forgets everything. Returns the numbers of the files.
    pub(super) fn forget_all(&mut self) -> Vec<FileId> {
        self.waiting.clear();
        let known = std::mem::take(&mut self.known);
        known.into_values().filter_map(|known| Some(known.shown?.file)).collect()
    }

    /// Whether a checkpoint is known under another name in its directory, such as a link `last.ckpt`.
    pub(super) fn has_other_name(&self, stat: &FileStat, source: &dyn Source) -> bool {
        let dir = stat.path.parent().unwrap_or(&stat.path);
        let mut near = at_and_below(&self.known, dir);
        near.any(|(path, known)| {
            let is_other = *path != stat.path && known.stat.identity == stat.identity;
            is_other && source.state(path).is_ok_and(|found| found.identity == stat.identity)
        })
    }

    /// What was overwritten before it was whole.
    pub(super) fn missed(&self) -> &Missed {
        &self.missed
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// How many there are, without files that only have the name of one.
    pub(super) fn count(&self) -> usize {
        self.known.values().filter(|known| !known.is_unknown).count()
    }

    /// The checkpoints of which a file lies in this directory, and the items of the checkpoint that it is.
    pub(super) fn in_directory(&self, dir: &Path) -> Vec<PathBuf> {
        let near = at_and_below(&self.known, dir);
        let is_in = |path: &Path, known: &Known| {
            let is_item = known.shown.as_ref().is_none_or(|shown| shown.place == dir);
            path.parent() == Some(dir) || (is_item && path.parent().and_then(Path::parent) == Some(dir))
        };
        near.filter(|(path, known)| is_in(path, known)).map(|(path, _)| path.clone()).collect()
    }

    /// Whether a directory, relative to the logdir, has event files.
    pub(super) fn has_events(&self, dir: &Path) -> bool {
        self.with_events.contains(dir)
    }

    /// Checkpoints that are a run of their own, with its directory, unless the user says to which run they belong.
    pub(super) fn of_no_run_with_events(&self, source: &dyn Source) -> Vec<(&Path, &Path)> {
        let own = self.shown().filter(|shown| {
            !self.with_events.contains(&shown.owner.dir) && source.named_place(&shown.path).is_none()
        });
        own.map(|shown| (shown.place.as_path(), shown.owner.dir.as_path())).collect()
    }

    /// Checkpoints whose tensors are in the index.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Arc<Shown>> {
        self.known.values().filter_map(|known| known.shown.as_ref())
    }

    /// Whether a checkpoint waits to be opened for the first time, or for the second because it had been written just before.
    pub(super) fn has_due(&self) -> bool {
        let now = Instant::now();
        let is_first = |known: &Known| known.shown.is_none() && !known.is_unfinished;
        self.waiting.iter().any(|(path, at)| {
            self.known.get(path).is_some_and(|known| is_first(known) && (*at <= now || known.changed == 1))
        })
    }

    /// The checkpoints that have to be opened.
    pub(super) fn waiting(&self) -> Vec<PathBuf> {
        self.waiting.keys().cloned().collect()
    }

    /// Whether a problem has to be told now. A checkpoint that is not whole may be in the middle of being written, unless the program
    /// reads only once.
    pub(super) fn is_to_be_told(&mut self, told: &Told, is_once: bool) -> bool {
        let Some(known) = self.known.get_mut(&told.path) else { return false };
        let again = match &told.error {
            _ if is_once => return true,
            OpenError::Io(_) => RETRIED_AFTER,
            OpenError::NotWhole(_) => {
                known.is_unfinished = true;
                REPORTED_AFTER
            }
            _ => return true,
        };
        let is_told = again == RETRIED_AFTER || known.stat.is_older_than(REPORTED_AFTER);
        if again == RETRIED_AFTER || !is_told {
            self.waiting.insert(told.path.clone(), Instant::now() + again);
        }
        is_told
    }

    /// When a checkpoint has to be opened.
    pub(super) fn next_turn(&self) -> Option<Instant> {
        self.waiting.values().min().copied()
    }

    /// Opens the checkpoints whose turn it is, many in parallel.
    pub(super) fn read_due(&mut self, source: &dyn Source) -> Vec<Read> {
        let now = Instant::now();
        let due = self.waiting.iter().filter(|(_, at)| **at <= now).map(|(path, _)| path.clone());
        let due: Vec<PathBuf> = due.take(AT_ONCE).collect();
        for path in &due {
            self.waiting.remove(path);
            // The state in which it is opened now is the known one, so that a later change is noticed.
            if let (Some(known), Ok(stat)) = (self.known.get_mut(path), source.state(path)) {
                known.stat = stat;
            }
        }
        let read = |path: PathBuf| Read { opened: open(source, &path), path };
        match due.len() {
            0 | 1 => due.into_iter().map(read).collect(),
            _ => due.into_par_iter().map(read).collect(),
        }
    }

    /// Takes what was read. `next_number` gives a number for a file.
    pub(super) fn take(
        &mut self,
        reads: Vec<Read>,
        source: &dyn Source,
        mut next_number: impl FnMut() -> FileId,
    ) -> Changes {
        let mut changes = Changes::default();
        for Read { path, opened } in reads {
            let Some(known) = self.known.get_mut(&path) else { continue };
            known.is_unknown = matches!(opened, Opened::Failed(OpenError::Unknown));
            known.changed =
                if matches!(opened, Opened::Changing(_)) { known.changed.saturating_add(1) } else { 0 };
            match opened {
                Opened::Changing(wait) => {
                    self.waiting.insert(path, Instant::now() + wait);
                }
                Opened::Whole(checkpoint) => {
                    known.is_unfinished = false;
                    changes.taken_back.extend(known.shown.take());
                    // The names above the logdir say nothing, but those above a file that was named may.
                    let is_named = source.named_place(&path).is_some();
                    let above = if is_named { Path::new("/") } else { source.root() };
                    let place = checkpoint.contents.place(&path);
                    let relative = place.strip_prefix(above).unwrap_or(place);
                    let moment = Moment::of(&checkpoint.contents, relative, checkpoint.mtime_ns());
                    let opened = Found { path, checkpoint: checkpoint.into(), moment };
                    let shown = Arc::new(opened.shown(source, &self.with_events, next_number()));
                    known.shown = Some(Arc::clone(&shown));
                    changes.shown.push(shown);
                }
                // It was removed or renamed meanwhile.
                Opened::Failed(OpenError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                    changes.taken_back.extend(self.forget(&path));
                }
                Opened::Failed(error) => {
                    // What is no longer in the file is not shown, unless the file is being written.
                    if !matches!(error, OpenError::NotWhole(_) | OpenError::Io(_)) {
                        changes.taken_back.extend(known.shown.take());
                    }
                    changes.told.push(Told { path, error });
                }
            }
        }
        changes
    }

    /// Takes the directories with event files. Checkpoints may belong to other runs: returns those, with what is
    /// shown instead.
    pub(super) fn set_with_events(
        &mut self,
        with_events: BTreeSet<PathBuf>,
        source: &dyn Source,
        mut next_number: impl FnMut() -> FileId,
    ) -> Changes {
        let mut changes = Changes::default();
        self.with_events = with_events;
        for (path, known) in &mut self.known {
            let Some(shown) = &mut known.shown else { continue };
            let place = shown.checkpoint.contents.place(path);
            if owner_in(source, (path, place), &self.with_events) == shown.owner {
                continue;
            }
            let (path, checkpoint, moment) =
                (path.clone(), Arc::clone(&shown.checkpoint), shown.moment.clone());
            let found = Found { path, checkpoint, moment };
            let moved = Arc::new(found.shown(source, &self.with_events, next_number()));
            changes.taken_back.push(std::mem::replace(shown, Arc::clone(&moved)));
            changes.shown.push(moved);
        }
        changes
    }
}

/// A checkpoint of which it is not known yet to which run it belongs.
struct Found {
    path: PathBuf,
    checkpoint: Arc<Checkpoint>,
    moment: Moment,
}

impl Found {
    fn shown(self, source: &dyn Source, with_events: &BTreeSet<PathBuf>, file: FileId) -> Shown {
        let Self { path, checkpoint, moment } = self;
        let place = checkpoint.contents.place(&path).to_owned();
        let owner = owner_in(source, (&path, &place), with_events);
        let is_file = place == path;
        let own = if is_file { path.as_path() } else { path.parent().unwrap_or(&path) };
        let name = name_in(source.root(), &owner, own);
        Shown { file, path, checkpoint, moment, owner, name, place, kept: None }
    }
}

/// The path of a checkpoint, relative to the directory of its run if it lies there, or else to the logdir.
fn name_in(root: &Path, owner: &Owner, path: &Path) -> Arc<str> {
    let in_logdir = path.strip_prefix(root).unwrap_or(path);
    let in_run = in_logdir.strip_prefix(&owner.dir).ok().filter(|name| !name.as_os_str().is_empty());
    text_of_bytes(in_run.unwrap_or(in_logdir).as_os_str().as_encoded_bytes()).into()
}

/// Opens a checkpoint. A failure of this program is a problem of this checkpoint only.
fn open(source: &dyn Source, path: &Path) -> Opened {
    catch_panic(|| Checkpoint::open(source, path, now_ns())).unwrap_or_else(|panic| {
        let reason = format!("ConvScope failed on it, which is a defect of ours ({panic})");
        Opened::Failed(OpenError::NotRead(reason))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::memory::Memory;

    const EMPTY: &[u8] = b"\x02\0\0\0\0\0\0\0{}";

    /// Opens what is due, and returns how many checkpoints are shown because of it.
    fn shown(checkpoints: &mut Checkpoints, memory: &Memory) -> usize {
        let reads = checkpoints.read_due(memory);
        let changes = checkpoints.take(reads, memory, || FileId(0));
        for told in &changes.told {
            checkpoints.is_to_be_told(told, false);
        }
        changes.shown.len()
    }

    #[test]
    fn a_checkpoint_that_was_not_whole_is_looked_at_as_soon_as_it_changes() {
        let (memory, mut checkpoints) = (Memory::default(), Checkpoints::default());
        let path = memory.path("a.safetensors");
        memory.write("a.safetensors", &EMPTY[..9]);
        checkpoints.compare_with(memory.state(&path).unwrap(), &memory);
        assert_eq!(shown(&mut checkpoints, &memory), 0);
        assert!(checkpoints.known[&path].is_unfinished);
        // It would be reported later if nothing came.
        checkpoints.waiting.insert(path.clone(), Instant::now() + REPORTED_AFTER);
        memory.append("a.safetensors", &EMPTY[9..]);
        checkpoints.compare_with(memory.state(&path).unwrap(), &memory);
        assert!(checkpoints.next_turn().unwrap() < Instant::now() + REPORTED_AFTER / 2);
        checkpoints.waiting.insert(path.clone(), Instant::now());
        assert_eq!(shown(&mut checkpoints, &memory), 1);
        // The same state again is no reason to look.
        checkpoints.compare_with(memory.state(&path).unwrap(), &memory);
        assert_eq!(checkpoints.next_turn(), None);
        memory.remove("a.safetensors");
        assert_eq!(checkpoints.compare_with_all(Vec::new(), &memory).len(), 1);
    }
}
