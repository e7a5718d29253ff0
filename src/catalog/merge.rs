//! A file's batch + a run -> the run with the batch's values in it.

use std::sync::Arc;

use super::{
    batch::{Batch, Group},
    snapshot::{Attempts, Form, FormError, Run, Series, Skipped},
};
use crate::{
    event::{
        outline::{Content, TensorOutline},
        summary::{Kind, kind},
    },
    model::{Facts, recorded::Recorded},
    tensor::{
        decode::MOST_FILLED_BYTES,
        dtype::{DType, name_of_number},
        shape::Shape,
    },
    types::{RunName, WallTime},
};

/// Puts a batch's values into a run. Tensors whose claimed size is above `max_bytes` are listed with that reason. Gives whether
/// there is something new to conclude from: a tag, a shape, a writer's word.
pub fn merge(run: &mut Run, name: &RunName, batch: Batch, revision: u64, max_bytes: u64) -> bool {
    let mut is_news = false;
    run.revision = revision;
    run.last_step = run.last_step.max(batch.last_step);
    if let Some((first, last)) = batch.wall_times {
        run.first_wall_time = Some(earlier(run.first_wall_time.unwrap_or(first), first));
        run.last_wall_time = Some(later(run.last_wall_time.unwrap_or(last), last));
    }
    for mut group in batch.groups {
        // Metadata comes with the first value of a tag only, in whichever file of the run that is: the first one wins.
        let plugin = run.plugins.entry(group.tag.clone()).or_insert_with(|| Arc::clone(&group.plugin));
        if plugin.is_empty() {
            plugin.clone_from(&group.plugin);
        }
        if !group.recorded.is_empty() && !run.recorded.contains_key(&group.tag) {
            run.recorded.insert(group.tag.clone(), Arc::new(Recorded::of(&group.recorded)));
            is_news = true;
        }
        if !group.tensors.is_empty() {
            let kind = kind(&Content::Tensor(group.form.clone()), plugin);
            if kind != Kind::Tensor {
                let count = group.tensors.len() as u64 + group.skipped.map_or(0, |(_, count)| count);
                group.skipped = Some((kind, count));
                group.tensors.clear();
            }
        }
        if let Some((kind, count)) = group.skipped {
            let known = run.skipped.get(&group.tag).map_or(0, |skipped| skipped.count);
            run.skipped.insert(group.tag.clone(), Skipped { kind, count: known + count });
        }
        if !group.tensors.is_empty() {
            is_news |= merge_tensors(run, name, group, revision, max_bytes);
        }
    }
    is_news
}

fn merge_tensors(run: &mut Run, name: &RunName, group: Group, revision: u64, max_bytes: u64) -> bool {
    let form = form(&group.form, max_bytes);
    let first = group.tensors[0].1;
    let order = (first.file, first.place.offset, first.value_idx);
    let tag = group.tag.clone();
    let mut is_news = !run.series.contains_key(&tag);
    let series = run.series.entry(tag.clone()).or_insert_with(|| {
        Arc::new(Series {
            run: name.clone(),
            order,
            revision,
            facts: Facts::unknown(tag.as_str()),
            form: form.clone(),
            steps: imbl::OrdMap::new(),
            rewrites: 0,
            tag,
        })
    });
    let series = Arc::make_mut(series);
    series.revision = revision;
    series.order = series.order.min(order);
    if series.form != form {
        series.form = form;
        is_news = true;
    }
    for (step, logged) in group.tensors {
        match series.steps.get_mut(&step) {
            Some(attempts) => {
                *attempts = attempts.with(logged);
                series.rewrites += 1;
            }
            None => drop(series.steps.insert(step, Attempts::new(logged))),
        }
    }
    is_news
}

/// Type and shape of an outlined tensor, or what keeps it from being read.
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
            "the content has {found} bytes where shape and type need {needed}: it was cut or mixed up"
        )));
    }
    if needed > max_bytes {
        return Err(error(format!(
            "{needed} bytes are above the limit of {max_bytes}: raise --max-record-mb to read it"
        )));
    }
    let longest_list = tensor.list_bytes / dtype.list_bytes() as u64;
    let is_filled = tensor.content_bytes == 0 && longest_list < shape.elements() as u64;
    if is_filled && needed > MOST_FILLED_BYTES as u64 {
        return Err(error(format!(
            "its short list would be filled up to {needed} bytes with the last element: a constant of that size is not made"
        )));
    }
    Ok(Form { dtype, shape })
}

fn earlier(a: WallTime, b: WallTime) -> WallTime {
    if b < a { b } else { a }
}

fn later(a: WallTime, b: WallTime) -> WallTime {
    if b > a { b } else { a }
}
