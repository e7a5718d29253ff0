//! A plan -> what its picture takes from other steps of the series.

use std::sync::Arc;

use super::Load;
use crate::{
    catalog::snapshot::Series,
    lookup::{
        error::AnswerError,
        steps,
        subject::{drawable, subject},
    },
    render::{choices::Choices, plan::Plan, range::Interval, run::interval_of_run, sheet::Others},
    tensor::Tensor,
    types::Step,
};

/// What a picture takes from other steps of its series.
#[derive(Default)]
pub(crate) struct Beside {
    /// The range over all steps.
    pub(crate) run: Option<Interval>,
    /// The tensor of the step before.
    pub(crate) before: Option<Tensor>,
}

impl Beside {
    /// Of a step of a series, as far as its plan asks for it; `run` finds the range over all steps.
    ///
    /// # Errors
    /// Those of `load` and `run`.
    pub(crate) fn of(
        plan: &Plan,
        (series, step): (&Arc<Series>, Step),
        load: &Load<'_>,
        run: impl FnOnce() -> Result<Interval, AnswerError>,
    ) -> Result<Self, AnswerError> {
        let before = steps::before(series, step).filter(|_| plan.needs_before());
        let before = before.map(|found| load(series, found.step, &found.parts)).transpose()?;
        let run = plan.needs_run().then(run).transpose()?;
        Ok(Self { run, before })
    }

    /// The same, lent to the one who draws.
    pub(crate) fn others(&self) -> Others<'_> {
        Others { run: self.run, before: self.before.as_ref() }
    }
}

/// The range over all steps of a series, for which all of them are read. Damaged ones are left out, of which `left_out` hears
/// each time that they are met: there may be several passes.
///
/// # Errors
/// Those of `load` but damage, and choices that do not fit one of the tensors.
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
