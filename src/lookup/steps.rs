//! A series -> what was logged at one of its steps, at the step before it, and at the first step.

use std::sync::Arc;

use crate::{
    catalog::snapshot::{LoggedValue, Series},
    types::Step,
};

/// What was logged at a step.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) series: Arc<Series>,
    pub(crate) step: Step,
    /// What this attempt logged: one tensor, or pictures in the order of their numbers. There is at least one value.
    pub(crate) parts: Vec<LoggedValue>,
    pub(crate) attempts: usize,
}

/// The newest attempt at a step.
pub(crate) fn at(series: &Arc<Series>, step: Step) -> Option<Found> {
    let attempts = series.steps.get(&step)?;
    Some(Found { series: Arc::clone(series), step, parts: attempts.attempt(0)?, attempts: attempts.count() })
}

/// The newest attempt at the first step.
pub(crate) fn first(series: &Arc<Series>) -> Option<Found> {
    at(series, series.step_range()?.0)
}

/// The newest attempt at the last step before this one; `None` at the first step.
pub(crate) fn before(series: &Arc<Series>, step: Step) -> Option<Found> {
    at(series, *series.steps.get_prev(&step.checked_sub(1)?)?.0)
}
