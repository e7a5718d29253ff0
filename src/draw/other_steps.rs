//! A plan -> the tensor of the step before and the range of all steps, as far as its picture needs them.

use std::sync::Arc;

use super::Load;
use crate::{
    catalog::snapshot::Series,
    lookup::{
        error::AnswerError,
        steps,
        subject::{drawable, subject},
    },
    render::{choices::Choices, other_steps::OtherSteps, plan::Plan, range::Interval, run::interval_of_run},
    tensor::Tensor,
    types::Step,
};

/// Reads what the picture of a step needs of other steps according to its plan. `run` finds the range over all steps.
///
/// # Errors
/// Those of `load` and `run`.
pub(crate) fn read_other_steps(
    plan: &Plan,
    (series, step): (&Arc<Series>, Step),
    load: &Load<'_>,
    run: impl FnOnce() -> Result<Interval, AnswerError>,
) -> Result<OtherSteps<Tensor>, AnswerError> {
    let before = steps::before(series, step).filter(|_| plan.needs_before());
    let before = before.map(|found| load(series, found.step, &found.parts)).transpose()?;
    let run = plan.needs_run().then(run).transpose()?;
    Ok(OtherSteps { run, before })
}

/// The range over all steps of a series, for which all of them are read. Damaged steps are left out: `left_out` is called with
/// each, once per pass over the steps.
///
/// # Errors
/// Those of `load` except damage, and choices that do not fit one of the tensors.
pub(crate) fn run_interval(
    series: &Series,
    choices: &Choices,
    load: &Load<'_>,
    left_out: &dyn Fn(Step, &str),
) -> Result<Interval, AnswerError> {
    let pass = || {
        series.steps.iter().filter_map(|(step, attempts)| match load(series, *step, &attempts.attempt(0)?) {
            Ok(tensor) => Some(Ok(tensor)),
            Err(AnswerError::Damaged(reason)) => {
                left_out(*step, &reason);
                None
            }
            Err(error) => Some(Err(error)),
        })
    };
    interval_of_run(choices, &subject(series, drawable(series)?), pass)
}
