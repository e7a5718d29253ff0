//! A series and a step -> its tensor, or an error that names step and tag.

use std::{cell::RefCell, collections::BTreeSet};

use crate::{
    catalog::snapshot::{LoggedValue, Series},
    draw::other_steps::run_interval,
    load::{LoadError, NotLoaded, TensorFiles, load_whole},
    lookup::error::AnswerError,
    render::{choices::Choices, range::Interval},
    tensor::Tensor,
    terminal::tell,
    types::Step,
};

/// Reads tensors; an error names the step and the tag.
pub(super) fn loader<'a>(
    tensor_files: &'a TensorFiles<'a>,
) -> impl Fn(&Series, Step, &[LoggedValue]) -> Result<Tensor, AnswerError> + 'a {
    |series, step, parts| {
        let reason = |error: &LoadError| format!("step {step} of {}: {error}", series.tag);
        let mut left_out = Vec::new();
        let found = load_whole(tensor_files, series.encoding, parts, |NotLoaded { error, .. }| {
            left_out.push(reason(error));
        });
        let tensor = found.map_err(|NotLoaded { error, .. }| {
            let is_damage = error.fault().is_some();
            if is_damage { AnswerError::Damaged(reason(&error)) } else { AnswerError::Busy(reason(&error)) }
        })?;
        for reason in left_out {
            tell(&format!("left out: {reason}"));
        }
        Ok(tensor)
    }
}

/// The range over all steps of the series, for which all of them are read. Damaged ones are reported and left out.
pub(super) fn run_of(
    tensor_files: &TensorFiles<'_>,
    series: &Series,
    choices: &Choices,
) -> Result<Interval, AnswerError> {
    let reported = RefCell::new(BTreeSet::new());
    let left_out = |step, reason: &str| {
        if reported.borrow_mut().insert(step) {
            tell(&format!("left out of the range: {reason}"));
        }
    };
    run_interval(series, choices, &loader(tensor_files), &left_out)
}
