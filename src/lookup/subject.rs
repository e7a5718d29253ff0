//! A series -> what a plan needs to know of its tensors, and the plan for its newest tensor.

use super::error::AnswerError;
use crate::{
    catalog::snapshot::{Encoding, Form, Series},
    render::{
        choices::Choices,
        plan::{Plan, Subject, plan},
    },
    tensor::{Tensor, shape::Shape},
};

/// What a plan needs to know of a tensor of this form, such as the newest one of the series.
pub(crate) fn subject<'a>(series: &Series, form: &'a Form) -> Subject<'a> {
    Subject { frames: Some(&form.frames), ..subject_of_shape(series, &form.shape) }
}

/// What a plan needs to know of this tensor of a series.
pub(crate) fn subject_of<'a>(series: &Series, tensor: &'a Tensor) -> Subject<'a> {
    Subject { frames: Some(&tensor.frames), ..subject_of_shape(series, &tensor.shape) }
}

/// What a plan needs to know of a tensor of this shape, without the frames of animations.
pub(crate) fn subject_of_shape<'a>(series: &Series, shape: &'a Shape) -> Subject<'a> {
    let is_picture = series.encoding == Encoding::Pictures;
    let (role, layout) = (series.facts.role, series.layout());
    Subject { role, layout, shape, is_picture, frames: None }
}

/// The plan for a series' newest tensor.
///
/// # Errors
/// Choices that do not fit it, and a series that cannot be drawn.
pub(crate) fn plan_of(series: &Series, choices: &Choices) -> Result<Plan, AnswerError> {
    Ok(plan(choices, &subject(series, drawable(series)?))?)
}

/// The form of a series' newest tensor.
///
/// # Errors
/// A series that cannot be drawn.
pub(crate) fn drawable(series: &Series) -> Result<&Form, AnswerError> {
    series.form.as_ref().map_err(|error| AnswerError::NotDrawable(error.reason.clone()))
}
