//! A checkpoint + a run -> the run with its tensors, or without them again.

use std::{path::Path, sync::Arc};

use super::{
    apart::{Newcomer, network_of, tag_of, tell_apart},
    batch::AtStep,
    damage::{Value, without_value},
    kept,
    logged_value::{FileId, LoggedValue},
    merge::{NewValues, merge_values, note_times, skip},
    namesakes::tag_on_axis,
    snapshot::{CheckpointOfRun, Encoding, Form, FormError, Run, SavedIn, Series},
};
use crate::{
    event::summary::ValueKind,
    model::network::Network,
    reader::{
        checkpoint::Checkpoint, contents::StoredTensor, moment::Moment, naming::tags, pieces::form,
        shelf::KeptSave, spot::Spot,
    },
    tensor::frames::Frames,
    types::{RunName, Tag, WallTime},
};

/// A checkpoint of a run.
pub(super) struct Saved<'a> {
    /// Its number.
    pub(super) file: FileId,
    /// What it holds.
    pub(super) checkpoint: &'a Checkpoint,
    /// Its path, relative to the directory of the run if it lies there.
    pub(super) name: &'a Arc<str>,
    /// When it was saved.
    pub(super) moment: &'a Moment,
    /// Why it is likely of this run, where it does not lie in it.
    pub(super) run_from: Option<&'a Arc<str>>,
    /// The save on the shelf, if it is one.
    pub(super) kept: Option<&'a KeptSave>,
}

impl Saved<'_> {
    /// When its file was written.
    fn wall_time(&self) -> Option<WallTime> {
        let of_kept = self.kept.map(|kept| i128::from(kept.written.mtime_ns));
        WallTime::new(of_kept.unwrap_or_else(|| self.checkpoint.mtime_ns()) as f64 / 1e9)
    }
}

/// Adds the tensors of a checkpoint to a run. Returns the tags of which something new is known.
pub(super) fn add(run: &mut Run, name: &RunName, saved: &Saved<'_>, revision: u64) -> Vec<Tag> {
    let contents = &saved.checkpoint.contents;
    let wall_time = saved.wall_time();
    run.revision = revision;
    if let Some(time) = wall_time {
        note_times(run, time, time);
    }
    let n_tensors = contents.tensors.iter().filter(|tensor| !tensor.shape.is_empty()).count();
    let checkpoint = CheckpointOfRun {
        name: Arc::clone(saved.name),
        n_tensors,
        moment: saved.moment.clone(),
        run_from: saved.run_from.cloned(),
    };
    run.checkpoints.insert(saved.file, checkpoint);
    let network = network_of(Path::new(&**saved.name));
    let named = tags(contents);
    let of_network = contents.tensors.iter().zip(&named).filter(|(_, named)| !named.is_optimizers);
    let tensors = of_network.map(|(tensor, named)| (named.tag.as_str(), tensor.shape.as_slice())).collect();
    let mut news = tell_apart(run, &Newcomer { network: &network, moment: saved.moment, tensors }, revision);
    for (number, (tensor, named)) in contents.tensors.iter().zip(named).enumerate() {
        let saved_as = tensor.name.join("/");
        let tag = tag_of(run, &network, named.tag);
        let saved_as = (saved_as != tag).then(|| Arc::from(saved_as));
        let tag = Tag::from(tag);
        if tensor.shape.is_empty() {
            skip(run, &tag, ValueKind::Scalar, 1);
            continue;
        }
        let form = form_of(tensor);
        let bytes = form.as_ref().map_or(0, |form| (form.shape.elements() * form.dtype.bytes()) as u64);
        let spot = Spot::of_tensor(number, bytes);
        let new = NewValues {
            tag,
            encoding: Encoding::Numbers,
            form,
            logged: vec![AtStep {
                step: saved.moment.value,
                logged: LoggedValue { wall_time, file: saved.file, spot, number: 0 },
            }],
            axis: saved.moment.axis,
            saved_in: Some(SavedIn {
                format: contents.format,
                step_from: saved.moment.from,
                run_from: saved.run_from.cloned(),
                is_optimizers: named.is_optimizers,
                saved_as,
                network: Arc::clone(&network),
            }),
        };
        let tag = tag_on_axis(run, &new.tag, new.axis, revision);
        news.extend(merge_values(run, name, new, revision));
        kept::count_missing(run, &tag);
        if let Some(facts) = saved.kept.and_then(|kept| kept.facts.get(number)) {
            kept::add_facts(run, tag, facts);
        }
    }
    saved.kept.iter().for_each(|kept| kept::note_not_kept(run, kept));
    news
}

/// What the graph of a checkpoint says, for its tags and for those that they have beside another network.
pub(super) fn networks(saved: &Saved<'_>) -> Vec<Network> {
    let Some(network) = &saved.checkpoint.contents.network else { return Vec::new() };
    let apart = network_of(Path::new(&**saved.name));
    let within = (!apart.is_empty()).then(|| network.within(&apart));
    [Network::clone(network)].into_iter().chain(within).collect()
}

fn form_of(tensor: &StoredTensor) -> Result<Form, FormError> {
    match form(tensor) {
        Ok((dtype, shape)) => Ok(Form { dtype, shape, is_listed: false, frames: Frames::default() }),
        Err(reason) => {
            let dims = tensor.shape.iter().map(|length| i64::try_from(*length).unwrap_or(i64::MAX));
            let dtype_number = tensor.dtype.as_ref().map_or(0, |dtype| dtype.number());
            Err(FormError { dtype_number, dims: dims.collect(), reason })
        }
    }
}

/// Takes everything that a checkpoint gave out of a run. Returns whether there was anything.
pub(super) fn take_back(run: &mut Run, saved: &Saved<'_>, revision: u64) -> bool {
    let (file, step) = (saved.file, saved.moment.value);
    let was_there = run.checkpoints.remove(&file).is_some();
    forget_scalars(run, saved);
    let of_file = |series: &Arc<Series>| {
        let attempts = series.steps.get(&step)?;
        attempts.newest_first().find(|logged| logged.file == file).copied()
    };
    let found: Vec<(Tag, LoggedValue)> =
        run.series.iter().filter_map(|(tag, series)| Some((tag.clone(), of_file(series)?))).collect();
    for (tag, logged) in &found {
        if let Some(series) = run.series.get_mut(tag).filter(|_| saved.kept.is_some()) {
            let series = Arc::make_mut(series);
            series.kept_steps = series.kept_steps.saturating_sub(1);
        }
        without_value(run, Value { tag, step, logged }, revision);
    }
    saved.kept.iter().for_each(|kept| kept::forget_not_kept(run, kept));
    was_there || !found.is_empty()
}

fn forget_scalars(run: &mut Run, saved: &Saved<'_>) {
    let contents = &saved.checkpoint.contents;
    let network = network_of(Path::new(&**saved.name));
    for (tensor, named) in contents.tensors.iter().zip(tags(contents)) {
        if !tensor.shape.is_empty() {
            continue;
        }
        let tag = tag_of(run, &network, named.tag);
        let Some(skipped) = run.skipped.get_mut(tag.as_str()) else { continue };
        skipped.count = skipped.count.saturating_sub(1);
        if skipped.count == 0 {
            run.skipped.remove(tag.as_str());
        }
    }
}
