//! A series -> what its tensors are to the one who draws them, and the plan for its newest one.

use super::error::AnswerError;
use crate::{
    catalog::snapshot::{Encoding, Series},
    render::{
        choices::Choices,
        plan::{Plan, Subject, plan},
    },
    tensor::shape::Shape,
};

/// What a series' tensor of this shape is to the one who draws it.
pub(crate) fn subject<'a>(series: &Series, shape: &'a Shape) -> Subject<'a> {
    let is_picture = series.encoding == Encoding::Pictures;
    Subject { role: series.facts.role, layout: series.layout(), shape, is_picture }
}

/// The plan for a series' newest tensor.
///
/// # Errors
/// Choices that do not fit it, and a series that cannot be drawn.
pub(crate) fn plan_of(series: &Series, choices: &Choices) -> Result<Plan, AnswerError> {
    Ok(plan(choices, &subject(series, drawable_shape(series)?))?)
}

/// The shape of a series' newest tensor.
///
/// # Errors
/// A series that cannot be drawn.
pub(crate) fn drawable_shape(series: &Series) -> Result<&Shape, AnswerError> {
    let form = series.form.as_ref().map_err(|error| AnswerError::NotDrawable(error.reason.clone()))?;
    Ok(&form.shape)
}
