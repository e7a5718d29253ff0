//! A checkpoint + a run -> the run with its tensors, or without them again.

use std::sync::Arc;

use super::{
    attempts::Attempts,
    damage::{Value, without_value},
    logged_value::{FileId, LoggedValue},
    snapshot::{Encoding, Form, FormError, Run, SavedIn, Series, Skipped},
};
use crate::{
    event::summary::ValueKind,
    model::{Facts, recorded::Recorded, role::Role},
    reader::{
        checkpoint::Checkpoint,
        contents::{Format, StoredTensor},
        moment::{Axis, Moment},
        naming::{Named, tags},
        pieces::form,
        spot::Spot,
    },
    tensor::frames::Frames,
    types::{RunName, Tag, WallTime},
};

/// The plugin that names tensors as PyTorch does.
const PYTORCHS_PLUGIN: &[u8] = b"tensor";

/// A checkpoint of a run.
pub(super) struct Saved<'a> {
    /// Its number.
    pub(super) file: FileId,
    /// What it holds.
    pub(super) checkpoint: &'a Checkpoint,
    /// When it was saved.
    pub(super) moment: &'a Moment,
    /// Why it is likely of this run, where it does not lie in it.
    pub(super) run_from: &'a Option<Arc<str>>,
}

/// Adds the tensors of a checkpoint to a run. Returns the tags of which something new is known.
pub(super) fn add(run: &mut Run, name: &RunName, saved: &Saved<'_>, revision: u64) -> Vec<Tag> {
    let contents = &saved.checkpoint.contents;
    let wall_time = WallTime::new(saved.checkpoint.mtime_ns() as f64 / 1e9);
    run.revision = revision;
    if saved.moment.axis == Axis::Step {
        run.last_step = run.last_step.max(Some(saved.moment.value));
    }
    note_time(run, wall_time);
    let mut news = Vec::new();
    for (number, (tensor, named)) in contents.tensors.iter().zip(tags(contents)).enumerate() {
        if tensor.shape.is_empty() {
            let tag = Tag::from(named.tag);
            let count = run.skipped.get(&tag).map_or(0, |skipped| skipped.count);
            run.skipped.insert(tag, Skipped { kind: ValueKind::Scalar, count: count + 1 });
            continue;
        }
        let one = One { number, tensor, named, wall_time };
        news.extend(add_tensor(run, name, saved, (one, revision)));
    }
    news
}

fn note_time(run: &mut Run, wall_time: Option<WallTime>) {
    let Some(time) = wall_time else { return };
    let first = run.first_wall_time.filter(|first| *first <= time);
    let last = run.last_wall_time.filter(|last| *last >= time);
    run.first_wall_time = first.or(wall_time);
    run.last_wall_time = last.or(wall_time);
}

/// A tensor of a checkpoint.
struct One<'a> {
    number: usize,
    tensor: &'a StoredTensor,
    named: Named,
    wall_time: Option<WallTime>,
}

/// Adds a tensor to its series. Returns its tag if something new is known.
fn add_tensor(
    run: &mut Run,
    name: &RunName,
    saved: &Saved<'_>,
    (one, revision): (One<'_>, u64),
) -> Option<Tag> {
    let Moment { axis, value: step, from } = *saved.moment;
    let form = form_of(one.tensor);
    let bytes = form.as_ref().map_or(0, |form| (form.shape.elements() * form.dtype.bytes()) as u64);
    let spot = Spot::of_tensor(one.number, bytes);
    let logged = LoggedValue { wall_time: one.wall_time, file: saved.file, spot, number: 0 };
    let format = saved.checkpoint.contents.format;
    let saved_in = SavedIn { format, step_from: from, run_from: saved.run_from.clone() };
    let tag = tag_on_axis(run, Tag::from(one.named.tag.as_str()), axis, revision);
    let mut is_news = !run.series.contains_key(&tag);
    if is_news {
        note_meaning(run, &tag, &one.named, format);
    }
    let series = run.series.entry(tag.clone()).or_insert_with(|| {
        Arc::new(Series {
            run: name.clone(),
            order: logged.position(),
            revision,
            facts: Facts::unknown(tag.as_str()),
            encoding: Encoding::Numbers,
            form: form.clone(),
            steps: imbl::OrdMap::new(),
            rewrites: 0,
            axis,
            saved_in: Some(saved_in.clone()),
            tag: tag.clone(),
        })
    });
    let series = Arc::make_mut(series);
    series.revision = revision;
    series.order = series.order.min(logged.position());
    // The newest step decides what is said of the series.
    if series.steps.get_max().is_none_or(|(last, _)| *last <= step) {
        series.saved_in = Some(saved_in);
        if series.form != form && (form.is_ok() || series.form.is_err()) {
            series.form = form;
            is_news = true;
        }
    }
    match series.steps.get_mut(&step) {
        Some(attempts) => {
            *attempts = attempts.with(&[logged]);
            series.rewrites += 1;
        }
        None => {
            series.steps.insert(step, Attempts::new(logged));
        }
    }
    is_news.then_some(tag)
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

/// What the checkpoint says about a tensor beyond its name.
fn note_meaning(run: &mut Run, tag: &Tag, named: &Named, format: Format) {
    if named.is_optimizers {
        let recorded = Recorded { role: Some(Role::Other), ..Recorded::default() };
        run.recorded.insert(tag.clone(), Arc::new(recorded));
    }
    if format == Format::PyTorch && !run.plugins.contains_key(tag) {
        run.plugins.insert(tag.clone(), PYTORCHS_PLUGIN.into());
    }
}

/// The tag of a tensor on this axis. Where one tag has steps and epochs, the steps have the tag itself, and the others a tag with the
/// name of their axis, whatever the order in which they were found.
fn tag_on_axis(run: &mut Run, tag: Tag, axis: Axis, revision: u64) -> Tag {
    let with_axis = |axis: Axis| Series::tag_apart(&tag, axis);
    match run.series.get(&tag).map(|series| series.axis) {
        None => {
            let apart = with_axis(axis);
            if run.series.contains_key(&apart) { apart } else { tag }
        }
        Some(known) if known == axis => tag,
        Some(known) if known < axis => with_axis(axis),
        Some(known) => {
            let apart = with_axis(known);
            give_way(run, &tag, apart, revision);
            tag
        }
    }
}

/// Gives a series another tag.
pub(super) fn give_way(run: &mut Run, tag: &Tag, apart: Tag, revision: u64) {
    let Some(mut series) = run.series.remove(tag) else { return };
    let moved = Arc::make_mut(&mut series);
    moved.tag = apart.clone();
    moved.revision = revision;
    moved.rewrites += 1;
    if let Some(recorded) = run.recorded.get(tag).cloned() {
        run.recorded.insert(apart.clone(), recorded);
    }
    if let Some(plugin) = run.plugins.get(tag).cloned() {
        run.plugins.insert(apart.clone(), plugin);
    }
    run.series.insert(apart, series);
}

/// Takes everything that a checkpoint gave out of a run. Returns whether there was anything.
pub(super) fn take_back(run: &mut Run, saved: &Saved<'_>, revision: u64) -> bool {
    let (file, step) = (saved.file, saved.moment.value);
    forget_scalars(run, saved);
    let of_file = |series: &Arc<Series>| {
        let attempts = series.steps.get(&step)?;
        attempts.newest_first().find(|logged| logged.file == file).copied()
    };
    let found: Vec<(Tag, LoggedValue)> =
        run.series.iter().filter_map(|(tag, series)| Some((tag.clone(), of_file(series)?))).collect();
    for (tag, logged) in &found {
        without_value(run, Value { tag, step, logged }, revision);
    }
    !found.is_empty()
}

fn forget_scalars(run: &mut Run, saved: &Saved<'_>) {
    let contents = &saved.checkpoint.contents;
    for (tensor, named) in contents.tensors.iter().zip(tags(contents)) {
        let Some(skipped) = run.skipped.get_mut(named.tag.as_str()).filter(|_| tensor.shape.is_empty())
        else {
            continue;
        };
        skipped.count = skipped.count.saturating_sub(1);
        if skipped.count == 0 {
            run.skipped.remove(named.tag.as_str());
        }
    }
}
