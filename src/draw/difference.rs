//! Two tensors of one layout -> the plan for their difference, and the difference itself.

use crate::{
    lookup::{
        error::AnswerError,
        pair::{TensorPair, name},
    },
    render::{
        choices::{ChoiceError, Choices, Cmap, Range, View},
        plan::{Plan, Subject, plan},
    },
    stats::{
        difference::{FilterOrder, difference},
        groups::Groups,
        matching::{Match, match_filters},
    },
    tensor::{Tensor, values::values},
};

/// Checks that two tensors can be subtracted.
///
/// # Errors
/// If their shapes differ: a step of a series may have another shape than the newest step.
pub(crate) fn check_shapes(pair: &TensorPair, a: &Tensor, b: &Tensor) -> Result<(), AnswerError> {
    if a.shape == b.shape {
        return Ok(());
    }
    Err(AnswerError::BadOption(format!(
        "the shapes differ: that of {} is {} and that of {} is {}",
        name(&pair.a),
        a.shape,
        name(&pair.b),
        b.shape
    )))
}

/// Plans the picture of a difference. Where no range or colour map was chosen, zero becomes the middle colour. The view
/// `magnitude` shows norms, which have no sign, and in colours of three channels zero is the middle anyway.
///
/// # Errors
/// Choices that do not fit the tensor.
pub(crate) fn plan_difference(choices: &Choices, subject: &Subject<'_>) -> Result<Plan, AnswerError> {
    let planned = plan(choices, subject)?;
    if planned.needs_run() {
        return Err(ChoiceError::new("scope", "a difference has no run of its own: use layer or tile").into());
    }
    if planned.needs_before() {
        return Err(ChoiceError::new("order", "change is itself a difference: use another order").into());
    }
    if planned.geometry.view == View::Magnitude {
        return Ok(planned);
    }
    let mut choices = choices.clone();
    choices.range.get_or_insert(Range::Symmetric);
    if planned.paint.cmap != Cmap::Rgb {
        choices.cmap.get_or_insert(Cmap::RdBu);
    }
    Ok(plan(&choices, subject)?)
}

/// For each filter of `a` the filter of `b` from which it is subtracted; `None` if filters are paired by their index.
///
/// # Errors
/// Shapes that differ, and too many filters to pair.
pub(crate) fn partners(pair: &TensorPair, a: &Tensor, b: &Tensor) -> Result<Option<Vec<usize>>, AnswerError> {
    check_shapes(pair, a, b)?;
    if pair.matching == Match::Index {
        return Ok(None);
    }
    let bad = |error: &dyn std::fmt::Display| AnswerError::BadOption(format!("match: {error}: leave it out"));
    let layout = pair.layout.ok_or_else(|| bad(&"nobody knows which axis is which"))?;
    let groups = Groups::of(layout, &a.shape).map_err(|error| bad(&error))?;
    match_filters(&values(a), &values(b), &groups).map(Some).map_err(|error| bad(&error))
}

/// a - b, after the filters of b were put into the order of their partners.
pub(crate) fn subtract(pair: &TensorPair, (a, b): (&Tensor, &Tensor), partners: Option<&[usize]>) -> Tensor {
    let groups = pair.layout.and_then(|layout| Groups::of(layout, &a.shape).ok());
    let order = groups.as_ref().zip(partners).map(|(groups, of_b)| FilterOrder { groups, of_b });
    difference(a, b, order)
}
