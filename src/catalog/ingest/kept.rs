//! Saves on the shelf + the checkpoints that lie in the logdir -> which of the saves are shown.
//!
//! A step is shown once. A save is hidden while the write of the checkpoint from which it is still lies there. It is also hidden
//! while another checkpoint of the same run and step lies there of which nothing is kept: that is a copy of it, such as `last.ckpt`, or
//! is about to be kept. (It has tensors of the same names and shapes; a discriminator does not hide its generator.) Otherwise a checkpoint that was written anew at the same step is another attempt.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    checkpoints::{Changes, Checkpoints, Shown},
    owners::Owner,
};
use crate::{
    catalog::{logged_value::FileId, shelf::KeptChange},
    reader::{
        checkpoint::Checkpoint,
        contents::StoredTensor,
        moment::Axis,
        shelf::{KeptSave, Written},
    },
    source::Source,
    types::{RunName, Step},
};

/// A moment of a run.
type At = (RunName, Axis, Step);

/// All saves on the shelf of this logdir, by the path of the file.
#[derive(Default)]
pub(super) struct KeptSaves {
    known: BTreeMap<PathBuf, Known>,
    by_moment: BTreeMap<At, BTreeSet<PathBuf>>,
    /// Moments at which a save or a checkpoint came or went.
    changed: BTreeSet<At>,
}

struct Known {
    save: Arc<KeptSave>,
    shown: Option<Arc<Shown>>,
}

impl KeptSaves {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Takes a change. Returns what was shown of files that are gone.
    pub(super) fn take(&mut self, change: KeptChange) -> Vec<Arc<Shown>> {
        let mut gone = Vec::new();
        for path in change.removed {
            let Some(known) = self.known.remove(&path) else { continue };
            let at = at_of_save(&known.save);
            if let Some(paths) = self.by_moment.get_mut(&at) {
                paths.remove(&path);
            }
            self.changed.insert(at);
            gone.extend(known.shown);
        }
        for (path, save) in change.added {
            let at = at_of_save(&save);
            self.by_moment.entry(at.clone()).or_default().insert(path.clone());
            self.changed.insert(at);
            self.known.entry(path).or_insert(Known { save, shown: None });
        }
        gone
    }

    /// Notes that checkpoints came or went.
    pub(super) fn note(&mut self, changes: &Changes) {
        if self.is_empty() {
            return;
        }
        for shown in changes.taken_back.iter().chain(&changes.shown) {
            self.changed.insert((shown.run(), shown.moment.axis, shown.moment.value));
        }
    }

    /// Notes that any directory may have come or gone.
    pub(super) fn note_all(&mut self) {
        self.changed.extend(self.by_moment.keys().cloned());
    }

    /// Notes that what is at this path, relative to the logdir, or below may have gone, such as the directory of a run.
    pub(super) fn note_below(&mut self, path: &Path) {
        let is_below = |(run, ..): &&At| Path::new(run.as_str()).starts_with(path);
        self.changed.extend(self.by_moment.keys().filter(is_below).cloned());
    }

    /// Forgets what is shown, because the logdir is gone. Returns the numbers of the files.
    pub(super) fn forget_shown(&mut self) -> Vec<FileId> {
        self.note_all();
        let shown = self.known.values_mut().filter_map(|known| known.shown.take());
        shown.map(|shown| shown.file).collect()
    }

    /// Saves that are shown.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Arc<Shown>> {
        self.known.values().filter_map(|known| known.shown.as_ref())
    }

    /// Decides what is shown at the moments at which something changed.
    pub(super) fn settle(
        &mut self,
        live: &Checkpoints,
        source: &dyn Source,
        mut next_number: impl FnMut() -> FileId,
    ) -> Changes {
        let mut changes = Changes::default();
        // What is about to be opened may be what a save is from.
        if self.is_empty() || self.changed.is_empty() || live.has_due() {
            return changes;
        }
        let changed = std::mem::take(&mut self.changed);
        let live = live_at(live, &changed);
        let mut places: BTreeMap<PathBuf, bool> = BTreeMap::new();
        let mut is_there = |save: &KeptSave| {
            // Of a name that is no UTF-8, the directory is not known.
            if save.run.as_str().contains("\\x") {
                return true;
            }
            let place = source.root().join(save.place());
            *places.entry(place).or_insert_with_key(|place| source.directory(place).is_ok())
        };
        for at in changed {
            let Some(paths) = self.by_moment.get(&at) else { continue };
            let live = live.get(&at).map_or(&[][..], Vec::as_slice);
            let kept: BTreeSet<&Written> =
                paths.iter().filter_map(|path| Some(&self.known.get(path)?.save.written)).collect();
            let hides = |save: &KeptSave| {
                live.iter().any(|(written, checkpoint)| {
                    *written == save.written || (!kept.contains(written) && has_all(checkpoint, save))
                })
            };
            let mut is_hidden = |known: &Known| hides(&known.save) || !is_there(&known.save);
            let hidden: Vec<bool> =
                paths.iter().map(|path| self.known.get(path).is_none_or(&mut is_hidden)).collect();
            for (path, is_hidden) in paths.iter().zip(hidden) {
                let Some(known) = self.known.get_mut(path) else { continue };
                match (&known.shown, is_hidden) {
                    (Some(_), true) => changes.taken_back.extend(known.shown.take()),
                    (None, false) => {
                        let shown = Arc::new(shown_of(path, &known.save, next_number()));
                        known.shown = Some(Arc::clone(&shown));
                        changes.shown.push(shown);
                    }
                    _ => {}
                }
            }
        }
        changes
    }
}

fn at_of_save(save: &KeptSave) -> At {
    (save.run.clone(), save.moment.axis, save.moment.value)
}

/// Whether a checkpoint has tensors with the names and shapes of all that are kept.
fn has_all(checkpoint: &Checkpoint, save: &KeptSave) -> bool {
    let kept = &save.checkpoint.contents.tensors;
    kept.iter().all(|tensor| {
        let is_same = |other: &StoredTensor| other.name == tensor.name && other.shape == tensor.shape;
        checkpoint.contents.tensors.iter().any(is_same)
    })
}

/// The checkpoints that lie in the logdir, at these moments.
fn live_at<'a>(live: &'a Checkpoints, at: &BTreeSet<At>) -> BTreeMap<At, Vec<(Written, &'a Checkpoint)>> {
    let mut found: BTreeMap<At, Vec<(Written, &Checkpoint)>> = BTreeMap::new();
    for shown in live.shown() {
        let key = (shown.run(), shown.moment.axis, shown.moment.value);
        if at.contains(&key) {
            let written = Written::of(&shown.name, &shown.checkpoint);
            found.entry(key).or_default().push((written, &shown.checkpoint));
        }
    }
    found
}

fn dir_of(run: &RunName) -> PathBuf {
    if run.as_str() == "." { PathBuf::new() } else { Path::new(run.as_str()).to_owned() }
}

fn shown_of(path: &Path, save: &Arc<KeptSave>, file: FileId) -> Shown {
    Shown {
        file,
        path: path.to_owned(),
        checkpoint: Arc::clone(&save.checkpoint),
        moment: save.moment.clone(),
        owner: Owner { dir: dir_of(&save.run), likely: save.run_from.clone() },
        name: save.written.name.as_str().into(),
        place: path.to_owned(),
        kept: Some(Arc::clone(save)),
    }
}
