//! What is subtracted from what: found, checked against one another, and planned.

use super::{
    error::ApiError,
    find::{Found, Wanted, find, subject},
};
use crate::{
    catalog::snapshot::{Encoding, Form, Snapshot},
    model::layout::Layout,
    render::{
        choices::{ChoiceError, Choices, Cmap, Range, View},
        plan::{Plan, Subject, plan},
    },
    stats::{
        difference::{Order, difference},
        groups::Groups,
        matching::{Match, match_filters},
    },
    tensor::{Tensor, values::values},
    types::Step,
};

/// What is subtracted. What is left out is that of the tensor from which it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Minus {
    pub(crate) run: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) step: MinusStep,
    pub(crate) matching: Match,
}

/// Which step is subtracted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum MinusStep {
    /// The one from which it is subtracted.
    #[default]
    Same,
    Latest,
    At(Step),
}

/// Two tensors of one shape and layout.
#[derive(Clone, Debug)]
pub(crate) struct Both {
    pub(crate) a: Found,
    pub(crate) b: Found,
    /// Which axis is which in both, as far as it was concluded or asked for.
    pub(crate) layout: Option<Layout>,
    pub(crate) matching: Match,
}

impl Both {
    /// Finds what is subtracted from `a`. A layout that was asked for is that of both.
    ///
    /// # Errors
    /// Tensors that are not there, and those whose forms differ.
    pub(crate) fn find(
        snapshot: &Snapshot,
        a: Found,
        minus: &Minus,
        asked: Option<Layout>,
    ) -> Result<Self, ApiError> {
        let step = match minus.step {
            MinusStep::Same => Some(a.step),
            MinusStep::Latest => None,
            MinusStep::At(step) => Some(step),
        };
        let run = minus.run.clone().unwrap_or_else(|| a.series.run.to_string());
        let tag = minus.tag.clone().unwrap_or_else(|| a.series.tag.to_string());
        let b = find(snapshot, &Wanted { run: Some(run), tag, step, attempt: 0 })?;
        let layout = check_forms(&a, &b, asked)?;
        if minus.matching == Match::Cosine {
            has_filters(layout)?;
        }
        Ok(Self { a, b, layout, matching: minus.matching })
    }

    /// What the drawer must know of the difference.
    pub(crate) fn subject<'a>(&self, tensor: &'a Tensor) -> Subject<'a> {
        Subject { layout: self.layout, ..subject(&self.a.series, &tensor.shape, &tensor.frames) }
    }
}

fn name(found: &Found) -> String {
    format!("{} of run {} at step {}", found.series.tag, found.series.run, found.step)
}

pub(super) fn form(found: &Found) -> Result<&Form, ApiError> {
    if found.series.encoding == Encoding::Pictures {
        return Err(ApiError::NotDrawable(format!(
            "{} was logged as pictures of 8 bit whose scale is unknown: a difference of them says nothing",
            name(found)
        )));
    }
    found.series.form.as_ref().map_err(|error| ApiError::NotDrawable(error.reason.clone()))
}

fn check_forms(a: &Found, b: &Found, asked: Option<Layout>) -> Result<Option<Layout>, ApiError> {
    form(a)?;
    form(b)?;
    if asked.is_some() {
        return Ok(asked);
    }
    let layout = |found: &Found| found.series.facts.layout.as_ref().map(|(layout, _)| *layout);
    if layout(a) == layout(b) {
        return Ok(layout(a));
    }
    let said = |found| layout(found).map_or("not known", Layout::name);
    Err(ApiError::BadOption(format!(
        "the layouts differ: that of {} is {} and that of {} is {}: if they are the same, name it, as in layout=HWIO",
        name(a),
        said(a),
        name(b),
        said(b)
    )))
}

fn has_filters(layout: Option<Layout>) -> Result<(), ApiError> {
    match layout {
        Some(layout) if !layout.is_activation() => Ok(()),
        Some(layout) => Err(ApiError::BadOption(format!(
            "match: cosine pairs the filters of kernels, and {} is a layout of activations: leave it out",
            layout.name()
        ))),
        None => Err(ApiError::BadOption(
            "match: cosine pairs the filters of kernels, and nobody knows which axis is which here: name the layout, as in layout=HWIO"
                .to_owned(),
        )),
    }
}

/// # Errors
/// Where they differ: steps of a series may have other shapes than its newest one.
pub(super) fn check_shapes(both: &Both, a: &Tensor, b: &Tensor) -> Result<(), ApiError> {
    if a.shape == b.shape {
        return Ok(());
    }
    Err(ApiError::BadOption(format!(
        "the shapes differ: that of {} is {} and that of {} is {}",
        name(&both.a),
        a.shape,
        name(&both.b),
        b.shape
    )))
}

/// What was asked for, with a range and colours for differences where none were: zero in the middle. Norms of differences have no
/// sign and colours of three channels have their zero in the middle anyway.
///
/// # Errors
/// Choices that do not fit the tensor.
pub(crate) fn plan_difference(choices: &Choices, subject: &Subject<'_>) -> Result<Plan, ApiError> {
    let planned = plan(choices, subject)?;
    if planned.needs_run() {
        return Err(ChoiceError::new("scope", "a difference has no run of its own: use layer or tile").into());
    }
    if planned.needs_before() {
        return Err(ChoiceError::new("order", "change is itself a difference: use another order").into());
    }
    if planned.view == View::Magnitude {
        return Ok(planned);
    }
    let mut choices = choices.clone();
    choices.range.get_or_insert(Range::Symmetric);
    if planned.cmap != Cmap::Rgb {
        choices.cmap.get_or_insert(Cmap::RdBu);
    }
    Ok(plan(&choices, subject)?)
}

/// The partners of the filters of `a` among those of `b`, where they are asked for.
///
/// # Errors
/// Shapes that differ, and more filters than are paired.
pub(crate) fn partners(both: &Both, a: &Tensor, b: &Tensor) -> Result<Option<Vec<usize>>, ApiError> {
    check_shapes(both, a, b)?;
    if both.matching == Match::Index {
        return Ok(None);
    }
    let bad = |error: &dyn std::fmt::Display| ApiError::BadOption(format!("match: {error}: leave it out"));
    let layout = both.layout.ok_or_else(|| bad(&"nobody knows which axis is which"))?;
    let groups = Groups::of(layout, &a.shape).map_err(|error| bad(&error))?;
    match_filters(&values(a), &values(b), &groups).map(Some).map_err(|error| bad(&error))
}

/// a - b, the filters of b in the order of their partners.
pub(crate) fn subtract(both: &Both, (a, b): (&Tensor, &Tensor), partners: Option<&[usize]>) -> Tensor {
    let groups = both.layout.and_then(|layout| Groups::of(layout, &a.shape).ok());
    let order = groups.as_ref().zip(partners).map(|(groups, of_b)| Order { groups, of_b });
    difference(a, b, order)
}
