//! A series -> what its tensors are to the one who draws them, and the plan for its newest one.

use super::error::AnswerError;
use crate::{
    catalog::snapshot::{Encoding, Form, Series},
    render::{
        choices::Choices,
        plan::{Plan, Subject, plan},
    },
    tensor::{Tensor, shape::Shape},
};

/// What a series' newest tensor is to the one who draws it.
pub(crate) fn subject<'a>(series: &Series, form: &'a Form) -> Subject<'a> {
    let is_picture = series.encoding == Encoding::Pictures;
    let (role, layout) = (series.facts.role, series.layout());
    Subject { role, layout, shape: &form.shape, is_picture, frames: Some(&form.frames) }
}

/// What this tensor of a series is to the one who draws it.
pub(crate) fn subject_of<'a>(series: &Series, tensor: &'a Tensor) -> Subject<'a> {
    let is_picture = series.encoding == Encoding::Pictures;
    let (role, layout) = (series.facts.role, series.layout());
    Subject { role, layout, shape: &tensor.shape, is_picture, frames: Some(&tensor.frames) }
}

/// What a tensor of this shape is, without frames.
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

/// What a series' newest tensor is.
///
/// # Errors
/// A series that cannot be drawn.
pub(crate) fn drawable(series: &Series) -> Result<&Form, AnswerError> {
    series.form.as_ref().map_err(|error| AnswerError::NotDrawable(error.reason.clone()))
}
