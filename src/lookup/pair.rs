//! Two tensors of which one is subtracted from the other: both are found, and it is checked that they fit.

use super::{
    error::AnswerError,
    find::{TensorRequest, find},
    steps::Found,
    subject::{drawable, subject},
};

use crate::{
    catalog::snapshot::{Encoding, Form, Snapshot},
    model::layout::Layout,
    render::plan::Subject,
    stats::matching::Match,
    types::Step,
};

/// What is subtracted. Names that are left out are those of the tensor from which it is subtracted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Minus {
    pub(crate) run: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) step: MinusStep,
    pub(crate) matching: Match,
}

impl Minus {
    /// Reads the options `minus_run`, `minus_tag`, `minus_step` and `match`, in this order. Without any of them, nothing is
    /// subtracted.
    ///
    /// # Errors
    /// Values that are not allowed, and `match` without any of the others.
    pub(crate) fn parse(words: [Option<&str>; 4]) -> Result<Option<Self>, AnswerError> {
        let [run, tag, step, matching] = words;
        if run.is_none() && tag.is_none() && step.is_none() {
            return match matching {
                None => Ok(None),
                Some(_) => Err(AnswerError::BadOption(
                    "match pairs the filters of two kernels: name the other one by minus_step, minus_run or minus_tag"
                        .to_owned(),
                )),
            };
        }
        let step = match step {
            None => MinusStep::Same,
            Some("latest") => MinusStep::Latest,
            Some(text) => {
                let why = "is neither a whole number nor latest";
                MinusStep::At(text.parse().map_err(|_| AnswerError::bad("minus_step", text, why))?)
            }
        };
        let allowed = || format!("is not one of {}", Match::ALL.map(Match::name).join(", "));
        let matching = matching.map_or(Ok(Match::Index), |name| {
            Match::from_name(name).ok_or_else(|| AnswerError::bad("match", name, &allowed()))
        })?;
        Ok(Some(Self { run: run.map(str::to_owned), tag: tag.map(str::to_owned), step, matching }))
    }
}

/// Which step is subtracted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MinusStep {
    /// The step from which it is subtracted.
    #[default]
    Same,
    Latest,
    At(Step),
}

/// Two tensors of one shape and layout.
#[derive(Clone, Debug)]
pub(crate) struct TensorPair {
    pub(crate) a: Found,
    pub(crate) b: Found,
    /// Which axis is which in both, if it was concluded or requested.
    pub(crate) layout: Option<Layout>,
    pub(crate) matching: Match,
}

impl TensorPair {
    /// Finds what is subtracted from `a`. A requested layout applies to both.
    ///
    /// # Errors
    /// Tensors that do not exist, and tensors whose layouts differ.
    pub(crate) fn find(
        snapshot: &Snapshot,
        a: Found,
        minus: &Minus,
        asked: Option<Layout>,
    ) -> Result<Self, AnswerError> {
        let step = match minus.step {
            MinusStep::Same => Some(a.step),
            MinusStep::Latest => None,
            MinusStep::At(step) => Some(step),
        };
        let run = minus.run.clone().unwrap_or_else(|| a.series.run.to_string());
        let tag = minus.tag.clone().unwrap_or_else(|| a.series.tag.to_string());
        let b = find(snapshot, &TensorRequest { run: Some(run), tag, step, attempt: 0 })?;
        if minus.step == MinusStep::Same && a.series.axis != b.series.axis {
            let (of_a, of_b) = (a.series.axis.name(), b.series.axis.name());
            let message = format!(
                "minus_step: one series counts by {of_a} and the other by {of_b}: name a {of_b} of the other"
            );
            return Err(AnswerError::BadOption(message));
        }
        let layout = check_forms(&a, &b, asked)?;
        if minus.matching == Match::Cosine {
            has_filters(layout)?;
        }
        Ok(Self { a, b, layout, matching: minus.matching })
    }

    /// What a plan needs to know of the difference between the newest tensors.
    ///
    /// # Errors
    /// Pictures, and a series that cannot be drawn.
    pub(crate) fn subject_of_newest(&self) -> Result<Subject<'_>, AnswerError> {
        Ok(Subject { layout: self.layout, ..subject(&self.a.series, numbers_of(&self.a)?) })
    }

    /// What a plan needs to know of the difference between tensors of this form.
    pub(crate) fn subject<'a>(&self, form: &'a Form) -> Subject<'a> {
        Subject { layout: self.layout, ..subject(&self.a.series, form) }
    }
}

/// A tensor in words.
pub(crate) fn name(found: &Found) -> String {
    format!("{} of run {} at {}", found.series.tag, found.series.run, found.series.axis.words(found.step))
}

fn numbers_of(found: &Found) -> Result<&Form, AnswerError> {
    if found.series.encoding == Encoding::Pictures {
        return Err(AnswerError::NotDrawable(format!(
            "{} was logged as pictures of 8 bit whose scale is unknown: a difference of them says nothing",
            name(found)
        )));
    }
    drawable(&found.series)
}

fn check_forms(a: &Found, b: &Found, asked: Option<Layout>) -> Result<Option<Layout>, AnswerError> {
    numbers_of(a)?;
    numbers_of(b)?;
    if asked.is_some() {
        return Ok(asked);
    }
    let layout = |found: &Found| found.series.layout();
    if layout(a) == layout(b) {
        return Ok(layout(a));
    }
    let said = |found| layout(found).map_or("not known", Layout::name);
    Err(AnswerError::BadOption(format!(
        "the layouts differ: that of {} is {} and that of {} is {}: if they are the same, name it, as in layout=HWIO",
        name(a),
        said(a),
        name(b),
        said(b)
    )))
}

fn has_filters(layout: Option<Layout>) -> Result<(), AnswerError> {
    match layout {
        Some(layout) if !layout.is_activation() => Ok(()),
        Some(layout) => Err(AnswerError::BadOption(format!(
            "match: cosine pairs the filters of kernels, and {} is a layout of activations: leave it out",
            layout.name()
        ))),
        None => Err(AnswerError::BadOption(
            "match: cosine pairs the filters of kernels, and nobody knows which axis is which here: name the layout, as in layout=HWIO"
                .to_owned(),
        )),
    }
}
