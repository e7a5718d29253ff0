//! A file's batch + a run -> the run with the values of the batch.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use super::{
    attempts::Attempts,
    batch::{AtStep, Batch, Group, Pictures},
    logged_value::LoggedValue,
    namesakes::tag_on_axis,
    snapshot::{Encoding, Form, FormError, Run, SavedIn, Series, Skipped},
};
use crate::{
    event::{
        outline::{Content, TensorOutline},
        picture::PictureHead,
        summary::{ValueKind, kind},
    },
    model::{Facts, recorded::Recorded},
    reader::moment::Axis,
    tensor::{
        decode::MOST_FILLED_BYTES,
        dtype::{DType, name_of_number},
        frames::Frames,
        picture::{MOST_PICTURES, PictureError, shape_of},
        shape::Shape,
    },
    types::{
        RunName, Tag, WallTime,
        count::{counted, is},
    },
};

/// Adds a batch's values to a run. Tensors whose claimed size is above the limit are listed with that reason. Returns the tags
/// of which something new is known: the tag itself, its shape, or what its writer recorded.
pub fn merge(run: &mut Run, name: &RunName, batch: Batch, limits: Limits) -> Vec<Tag> {
    let (mut news, mut pictures) = (Vec::new(), BTreeMap::<Tag, Pictures>::new());
    run.revision = limits.revision;
    run.last_step = run.last_step.max(batch.last_step);
    if let Some((first, last)) = batch.wall_times {
        note_times(run, first, last);
    }
    for mut group in batch.groups {
        let is_first = !run.plugins.contains_key(&group.tag);
        // Writers log metadata only with the first value of a tag, which may be in any file of the run. The first metadata counts.
        let plugin = run.plugins.entry(group.tag.clone()).or_insert_with(|| Arc::clone(&group.plugin));
        if plugin.is_empty() {
            plugin.clone_from(&group.plugin);
        }
        let plugin = Arc::clone(plugin);
        if !group.recorded.is_empty() && !run.recorded.contains_key(&group.tag) {
            run.recorded.insert(group.tag.clone(), Arc::new(Recorded::of(&group.recorded)));
            news.push(group.tag.clone());
        }
        if let Some(new) = group.pictures.take() {
            let new = NewPictures { tag: &group.tag, is_first, pictures: new };
            collect_pictures(run, &mut pictures, new);
        }
        if let Some(last) = group.forms.last() {
            let kind = kind(&Content::Tensor(last.clone()), &plugin);
            if kind != ValueKind::Tensor {
                let count = group.tensors.len() as u64 + group.skipped.map_or(0, |(_, count)| count);
                group.skipped = Some((kind, count));
                group.tensors.clear();
            }
        }
        if let Some((kind, count)) = group.skipped {
            skip(run, &group.tag, kind, count);
        }
        if !group.tensors.is_empty() {
            let tag = group.tag.clone();
            if merge_tensors(run, name, group, limits) {
                news.push(tag);
            }
        }
    }
    for of_tag in pictures.into_values() {
        let tag = of_tag.tag.clone();
        if merge_pictures(run, name, of_tag, limits) {
            news.push(tag);
        }
    }
    news
}

/// The new pictures of one tag.
struct NewPictures<'a> {
    /// The tag as it was logged, including the number.
    tag: &'a Tag,
    /// Whether the run had no value of this tag before.
    is_first: bool,
    pictures: Pictures,
}

/// Collects pictures that were logged under numbered tags, because they belong to one step.
fn collect_pictures(run: &mut Run, by_tag: &mut BTreeMap<Tag, Pictures>, new: NewPictures<'_>) {
    let NewPictures { tag, is_first, pictures: mut new } = new;
    if let (true, Some(head)) = (is_first, new.first) {
        // The first picture decides, so that the result is the same whether a file is read while it grows or as a whole.
        let size = [head.height, head.width];
        if *run.picture_sizes.entry(new.tag.clone()).or_insert(size) != size {
            run.pictures_apart.insert(tag.clone());
        }
    }
    if run.pictures_apart.contains(tag) {
        new.tag = tag.clone();
    }
    match by_tag.entry(new.tag.clone()) {
        Entry::Occupied(mut known) => known.get_mut().join(new),
        Entry::Vacant(place) => {
            place.insert(new);
        }
    }
}

/// The revision in which a run changes, and the largest size of a tensor.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The revision.
    pub revision: u64,
    /// Bytes.
    pub max_bytes: u64,
}

/// New values of a series. There is at least one.
pub(super) struct NewValues {
    pub(super) tag: Tag,
    pub(super) encoding: Encoding,
    pub(super) form: Result<Form, FormError>,
    pub(super) logged: Vec<AtStep>,
    /// What their steps count.
    pub(super) axis: Axis,
    /// The checkpoint in which they are saved, if that is where they are.
    pub(super) saved_in: Option<SavedIn>,
}

fn merge_tensors(run: &mut Run, name: &RunName, group: Group, limits: Limits) -> bool {
    let mut forms = group.forms.iter().rev().map(|outline| form(outline, limits.max_bytes));
    let last = forms.next().expect("a group with tensors has their outlines");
    // One unusual tensor must not make a series unreadable.
    let form = if last.is_ok() { last } else { forms.find(Result::is_ok).unwrap_or(last) };
    let (tag, logged) = (group.tag, group.tensors);
    let new = NewValues { tag, encoding: Encoding::Numbers, form, logged, axis: Axis::Step, saved_in: None };
    merge_values(run, name, new, limits.revision).is_some()
}

fn merge_pictures(run: &mut Run, name: &RunName, pictures: Pictures, limits: Limits) -> bool {
    let Pictures { tag, mut logged, head, count, frames, .. } = pictures;
    // Numbered pictures arrive tag by tag; those of the same step belong together.
    logged.sort_by_key(|value| value.step);
    let known = run.series.get(&tag).map(|series| series.form.clone());
    let form = known.unwrap_or_else(|| {
        picture_form(&Encoded { head, count, frames: frames.as_deref() }, limits.max_bytes)
    });
    let newest = logged.iter().max_by_key(|value| value.logged.position()).map(|value| value.step);
    let encoding = Encoding::Pictures;
    let new = NewValues { tag: tag.clone(), encoding, form, logged, axis: Axis::Step, saved_in: None };
    let is_news = merge_values(run, name, new, limits.revision).is_some();
    let Some(series) = run.series.get_mut(&tag).filter(|series| series.encoding == Encoding::Pictures) else {
        return is_news;
    };
    // How many pictures the newest attempt has is only known after they were added.
    let parts = newest.and_then(|step| series.steps.get(&step)?.attempt(0)).map_or(1, |parts| parts.len());
    let form =
        picture_form(&Encoded { head, count: count * parts, frames: frames.as_deref() }, limits.max_bytes);
    if series.form == form || (form.is_err() && series.form.is_ok()) {
        return is_news;
    }
    Arc::make_mut(series).form = form;
    true
}

/// Adds values to their series. Returns its tag if something new is known of it: that it is there, or its shape.
pub(super) fn merge_values(run: &mut Run, name: &RunName, new: NewValues, revision: u64) -> Option<Tag> {
    let NewValues { tag, encoding, form, logged, axis, saved_in } = new;
    let AtStep { logged: first, .. } = logged.first()?;
    let order = first.position();
    let tag = tag_on_axis(run, &tag, axis, revision);
    let mut is_news = !run.series.contains_key(&tag);
    let series = run.series.entry(tag.clone()).or_insert_with(|| {
        Arc::new(Series {
            run: name.clone(),
            order,
            revision,
            facts: Facts::unknown(tag.as_str()),
            encoding,
            form: form.clone(),
            steps: imbl::OrdMap::new(),
            kept_steps: 0,
            not_kept: 0,
            rewrites: 0,
            axis,
            saved_in: saved_in.clone(),
            tag: tag.clone(),
        })
    });
    if series.encoding != encoding {
        let kind = if encoding == Encoding::Pictures { ValueKind::Image } else { ValueKind::Tensor };
        skip(run, &tag, kind, logged.len() as u64);
        return None;
    }
    let series = Arc::make_mut(series);
    series.revision = revision;
    series.order = series.order.min(order);
    // Events come in their order, and checkpoints in any.
    let last = series.steps.get_max().map(|(last, _)| *last);
    let is_newest = saved_in.is_none() || logged.iter().any(|value| Some(value.step) >= last);
    if is_newest {
        series.saved_in = saved_in;
    }
    if is_newest && series.form != form && (form.is_ok() || series.form.is_err()) {
        series.form = form;
        is_news = true;
    }
    for of_step in logged.chunk_by(|a, b| a.step == b.step) {
        let step = of_step[0].step;
        let values: Vec<LoggedValue> = of_step.iter().map(|value| value.logged).collect();
        match series.steps.get_mut(&step) {
            Some(attempts) => {
                *attempts = attempts.with(&values);
                series.rewrites += 1;
            }
            None => {
                series.steps.insert(step, attempts_of(&values));
            }
        }
    }
    is_news.then_some(tag)
}

fn attempts_of(values: &[LoggedValue]) -> Attempts {
    let first = Attempts::new(values[0]);
    if values.len() == 1 { first } else { first.with(&values[1..]) }
}

/// Counts values that are no tensors.
pub(super) fn skip(run: &mut Run, tag: &Tag, kind: ValueKind, count: u64) {
    let known = run.skipped.get(tag).map_or(0, |skipped| skipped.count);
    run.skipped.insert(tag.clone(), Skipped { kind, count: known + count });
}

/// The encoded pictures of a step.
struct Encoded<'a> {
    /// The header of one of them.
    head: Option<PictureHead>,
    count: usize,
    /// How many frames each of them has, or each of those that were logged last.
    frames: Option<&'a [u32]>,
}

/// The form of encoded pictures, or why they cannot be read.
fn picture_form(encoded: &Encoded<'_>, max_bytes: u64) -> Result<Form, FormError> {
    let Encoded { head, count, frames } = *encoded;
    let limit = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    let frames = frames.filter(|frames| !frames.is_empty());
    let each = || frames.unwrap_or(&[1]).iter().map(|frames| *frames as usize).cycle().take(count);
    let total = if count > MOST_PICTURES { count } else { each().fold(0, usize::saturating_add) };
    let shape = match (head, frames) {
        _ if count == 0 => Err(PictureError::Nothing),
        (None, _) => Err(PictureError::UnknownKind(0)),
        _ if count > MOST_PICTURES => Err(PictureError::TooMany(count)),
        (Some(_), None) => Err(PictureError::Uncounted(0)),
        (Some(head), Some(_)) => shape_of(head, total, limit),
    };
    let dtype = DType::UInt8;
    match shape {
        Ok(shape) => Ok(Form { dtype, shape, is_listed: false, frames: Frames::of(each().collect()) }),
        Err(error) => {
            let dims = head
                .map(|head| vec![total as i64, head.height.into(), head.width.into(), head.channels.into()]);
            let (dims, reason) = (dims.unwrap_or_default(), error.to_string());
            Err(FormError { dtype_number: dtype.number(), dims, reason })
        }
    }
}

/// The type and shape of an outlined tensor, or why it cannot be read.
fn form(tensor: &TensorOutline, max_bytes: u64) -> Result<Form, FormError> {
    let error = |reason: String| FormError { dtype_number: tensor.dtype, dims: tensor.dims.clone(), reason };
    let dtype = DType::from_number(tensor.dtype).ok_or_else(|| {
        error(format!("elements of {} are not read: log them as float32", name_of_number(tensor.dtype)))
    })?;
    if tensor.unknown_rank {
        return Err(error("the writer did not know the rank: log a tensor whose shape is known".to_owned()));
    }
    let shape =
        Shape::new(&tensor.dims).map_err(|reason| error(format!("the shape is impossible: {reason}")))?;
    let needed = (shape.elements() as u64).saturating_mul(dtype.bytes() as u64);
    if needed > 0 && tensor.content_bytes > 0 && tensor.content_bytes != needed {
        let found = tensor.content_bytes;
        return Err(error(format!(
            "the content has {} where shape and type need {needed}: it was cut or mixed up",
            counted(found, "byte")
        )));
    }
    if needed > max_bytes {
        return Err(error(format!(
            "{} {} above the limit of {max_bytes}: raise --max-record-mb to read it",
            counted(needed, "byte"),
            is(needed)
        )));
    }
    let longest_list = tensor.list_bytes / dtype.list_bytes() as u64;
    let is_filled = tensor.content_bytes == 0 && longest_list < shape.elements() as u64;
    if is_filled && needed > MOST_FILLED_BYTES as u64 {
        return Err(error(format!(
            "its short list would be filled up to {needed} bytes with the last element: a constant of that size is not made"
        )));
    }
    Ok(Form { dtype, shape, is_listed: tensor.content_bytes == 0, frames: Frames::default() })
}

/// Notes the first and the last time of what was added to a run.
pub(super) fn note_times(run: &mut Run, first: WallTime, last: WallTime) {
    run.first_wall_time = Some(earlier(run.first_wall_time.unwrap_or(first), first));
    run.last_wall_time = Some(later(run.last_wall_time.unwrap_or(last), last));
}

fn earlier(a: WallTime, b: WallTime) -> WallTime {
    if b < a { b } else { a }
}

fn later(a: WallTime, b: WallTime) -> WallTime {
    if b > a { b } else { a }
}
