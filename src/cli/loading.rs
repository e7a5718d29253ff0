//! A series and a step -> its tensor, or an error that names step and tag.

use std::{cell::RefCell, collections::BTreeSet};

use crate::{
    catalog::snapshot::{Logged, Series},
    draw::beside::run_interval,
    load::{NotLoaded, TensorFiles, load},
    lookup::error::AnswerError,
    render::{choices::Choices, range::Interval},
    tensor::Tensor,
    terminal::tell,
    types::Step,
};

/// Reads tensors, each with its step and tag in the reason where that fails.
pub(super) fn loader<'a>(
    tensor_files: &'a TensorFiles<'a>,
) -> impl Fn(&Series, Step, &[Logged]) -> Result<Tensor, AnswerError> + 'a {
    |series, step, parts| {
        load(tensor_files, series.encoding, parts).map_err(|NotLoaded { error, .. }| {
            let reason = format!("step {step} of {}: {error}", series.tag);
            if error.fault().is_some() { AnswerError::Damaged(reason) } else { AnswerError::Busy(reason) }
        })
    }
}

/// The range over all steps of the series, for which all of them are read. Damaged ones are told of and left out.
pub(super) fn run_of(
    tensor_files: &TensorFiles<'_>,
    series: &Series,
    choices: &Choices,
) -> Result<Interval, AnswerError> {
    let told = RefCell::new(BTreeSet::new());
    let left_out = |step, reason: &str| {
        if told.borrow_mut().insert(step) {
            tell(&format!("left out of the range: {reason}"));
        }
    };
    run_interval(series, choices, &loader(tensor_files), &left_out)
}
