//! A checkpoint in the catalog -> the bytes of a save with copies of its kernels.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::{
    catalog::{
        checked::Checked,
        logged_value::{FileId, LoggedValue},
        snapshot::{CheckpointOfRun, Run, Series, Snapshot},
    },
    load::{LoadError, Loader, TensorFiles, load_whole},
    model::role::Role,
    reader::{
        checkpoint::Checkpoint,
        contents::Format,
        file::FileKind,
        files::Stamp,
        moment::{Axis, Moment},
        naming::tags,
        shelf::{
            ENDING, KeptSave, NotKept, Written,
            write::{NewSave, NewTensor, bytes_of},
        },
    },
    shelf::choice::{Kernel, choose},
    source::stored::TRAINER_STATE,
    types::{RunName, digits},
};

/// A trainer writes its state after the weights, within this time, in nanoseconds.
const WRITTEN_WITHIN_NS: i128 = 10_000_000_000;

/// A checkpoint of a run.
pub(super) struct Source<'a> {
    snapshot: &'a Snapshot,
    pub(super) run: &'a RunName,
    of_run: &'a Run,
    file: FileId,
    pub(super) checkpoint: &'a CheckpointOfRun,
    stored: &'a Arc<Checkpoint>,
}

/// What copying gave.
pub(super) enum Copied {
    /// It has no kernel that is kept.
    Nothing,
    /// It was overwritten meanwhile.
    Lost,
    /// Its kernels.
    Kernels(Kernels),
}

/// The kernels that are kept.
pub(super) struct Kernels {
    tensors: Vec<NewTensor>,
    not_kept: Vec<NotKept>,
    /// Whether some were overwritten or deleted before they were copied.
    pub(super) is_partial: bool,
    pub(super) digest: String,
}

impl<'a> Source<'a> {
    /// A checkpoint that lies in the logdir; `None` if it is gone, is not whole because a part is missing, or is on the shelf itself.
    pub(super) fn find(snapshot: &'a Snapshot, run: &RunName, file: FileId) -> Option<Self> {
        let (run, of_run) = snapshot.runs.get_key_value(run)?;
        let checkpoint = of_run.checkpoints.get(&file)?;
        let FileKind::Checkpoint(stored) = &snapshot.files.get(&file)?.kind else { return None };
        let is_kept = stored.contents.format == Format::Shelf;
        (!is_kept && stored.contents.missing.is_empty()).then_some(Self {
            snapshot,
            run,
            of_run,
            file,
            checkpoint,
            stored,
        })
    }

    pub(super) fn moment(&self) -> &Moment {
        &self.checkpoint.moment
    }

    /// Whether a save is of this checkpoint, at the same moment.
    pub(super) fn is_of(&self, save: &KeptSave) -> bool {
        save.run == *self.run
            && save.moment == self.checkpoint.moment
            && *save.written.name == *self.checkpoint.name
    }

    /// Whether the step that a trainer writes beside the weights may still be that of the save before.
    pub(super) fn awaits_its_step(&self, now_ns: i128) -> bool {
        let is_state = |stamp: &&Stamp| stamp.path.file_name().is_some_and(|name| name == TRAINER_STATE);
        let Some(state) = self.stored.stamps.iter().find(is_state) else { return false };
        let weights =
            self.stored.stamps.iter().filter(|stamp| !is_state(stamp)).map(|stamp| stamp.mtime_ns).max();
        weights.is_some_and(|written| state.mtime_ns < written && now_ns - written < WRITTEN_WITHIN_NS)
    }

    /// What it is, for a person.
    pub(super) fn words(&self) -> String {
        let moment = self.moment();
        format!("{}: {} at {}", self.run, self.checkpoint.name, moment.axis.words(moment.value))
    }

    pub(super) fn mtime_ns(&self) -> i128 {
        self.stored.mtime_ns()
    }

    pub(super) fn written(&self) -> Written {
        Written::of(&self.checkpoint.name, self.stored)
    }

    /// The name of the file: its time first, so that TensorBoard reads files in the order of the training.
    pub(super) fn file_name(&self, kernels: &Kernels) -> String {
        let seconds = self.mtime_ns().max(0) / 1_000_000_000;
        let letter = match self.moment().axis {
            Axis::Step => 's',
            Axis::Epoch => 'e',
            Axis::Time => 't',
        };
        let value = self.moment().value;
        format!("events.out.tfevents.{seconds:010}.{letter}{value}-{}{ENDING}", &kernels.digest[..12])
    }

    /// The kernels of this checkpoint, in the order of the network.
    fn kernels(&self) -> Vec<(&'a Series, LoggedValue)> {
        let of_file = |series: &'a Arc<Series>| {
            let attempts = series.steps.get(&self.checkpoint.moment.value)?;
            let logged = attempts.newest_first().find(|logged| logged.file == self.file)?;
            Some((&**series, *logged))
        };
        let shown = self.of_run.shown_in_order();
        let kernels =
            shown.into_iter().filter(|series| series.facts.role == Role::Kernel && series.form.is_ok());
        kernels.filter_map(of_file).collect()
    }

    /// Reads the kernels that are kept.
    pub(super) fn copy(&self, loader: &Loader) -> Copied {
        let kernels = self.kernels();
        let named = tags(&self.stored.contents);
        let kernel = |(series, logged): &(&Series, LoggedValue)| Kernel {
            tag: named.get(logged.spot.tensor()).map_or_else(String::new, |named| named.tag.clone()),
            bytes: logged.spot.bytes(),
            is_convolution: series.is_kernel_of_convolution(),
            is_first: series.facts.is_first,
        };
        let all: Vec<Kernel> = kernels.iter().map(kernel).collect();
        let (chosen, mut not_kept) = choose(&all);
        let nothing_checked = Checked::default();
        let files = TensorFiles {
            source: &*loader.source,
            files: &self.snapshot.files,
            max_bytes: loader.max_bytes,
            checked: &nothing_checked,
        };
        let (mut tensors, mut digest, mut is_lost) = (Vec::new(), Sha256::new(), false);
        for number in chosen {
            let ((series, logged), kernel) = (&kernels[number], &all[number]);
            let mut skip = |why: String| {
                not_kept.push(NotKept { tag: kernel.tag.clone(), bytes: kernel.bytes, why });
            };
            let stored = &self.stored.contents.tensors[logged.spot.tensor()];
            match load_whole(&files, series.encoding, &[*logged], |_| {}) {
                Ok(tensor) => {
                    digest.update((kernel.tag.len() as u64).to_le_bytes());
                    digest.update(&kernel.tag);
                    digest.update(tensor.dtype.number().to_le_bytes());
                    tensor.shape.axes().iter().for_each(|axis| digest.update((*axis as u64).to_le_bytes()));
                    digest.update(&tensor.bytes);
                    let saved_as = stored.name.iter().map(ToString::to_string).collect();
                    let (tag, facts) = (kernel.tag.clone(), series.facts.clone());
                    tensors.push((number, NewTensor { tag, saved_as, tensor, facts }));
                }
                // What was read before it changed is right, as the reader looks at the file before and after.
                Err(failed) if matches!(failed.error, LoadError::Changed | LoadError::Io(_)) => {
                    is_lost = true;
                    skip("the checkpoint was overwritten before it was copied".to_owned());
                }
                Err(failed) => skip(failed.error.to_string()),
            }
        }
        if tensors.is_empty() {
            return if is_lost { Copied::Lost } else { Copied::Nothing };
        }
        tensors.sort_by_key(|(number, _)| *number);
        let tensors = tensors.into_iter().map(|(_, tensor)| tensor).collect();
        let digest = digits(&digest.finalize());
        Copied::Kernels(Kernels { tensors, not_kept, is_partial: is_lost, digest })
    }

    /// The bytes of the save.
    pub(super) fn bytes_of(&self, kernels: &Kernels) -> Vec<u8> {
        bytes_of(&NewSave {
            run: self.run.as_str(),
            written: &self.written(),
            moment: self.moment(),
            run_from: self.checkpoint.run_from.as_deref(),
            format: self.stored.contents.format.name(),
            digest: &kernels.digest,
            tensors: &kernels.tensors,
            not_kept: &kernels.not_kept,
        })
    }
}
