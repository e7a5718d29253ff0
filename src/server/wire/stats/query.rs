//! The query of statistics -> the requested steps, and the format of the answer.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    answers::chart::Span,
    lookup::{error::AnswerError, find::TensorRequest},
    model::layout::Layout,
    server::wire::{
        difference::layout,
        query::{is_fixed, required_tag, wanted},
    },
    types::Step,
};

/// A request for statistics.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatsQuery {
    /// The run; may be omitted if only one run has the tag.
    pub(crate) run: Option<String>,
    /// The tag, as it was logged.
    tag: Option<String>,
    /// A logged step, or `latest` (the default).
    step: Option<String>,
    /// `all`: the statistics over all steps of the series instead of those of one step.
    steps: Option<String>,
    /// If the step was logged more than once, which attempt: 0 (the default) is the newest, 1 the one before.
    attempt: Option<String>,
    /// The layout (the meaning of each axis), in place of the inferred one.
    layout: Option<String>,
    /// A channel is dead if it is nowhere above 0 in this many logged steps, up to the requested one: 1 to 50, 5 by default.
    dead_over: Option<String>,
    /// With `steps=all`: the first requested step.
    from: Option<String>,
    /// With `steps=all`: the last requested step.
    to: Option<String>,
    /// With `steps=all`: how many steps to return at most, 2 to 10000; 1000 by default.
    points: Option<String>,
    /// `json` (the default) or `csv`.
    format: Option<String>,
    /// Any text; distinguishes versions of an answer in caches.
    #[serde(rename = "v")]
    #[param(rename = "v")]
    _version: Option<String>,
}

/// The format of an answer with statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumbersFormat {
    Json,
    Csv,
}

const USUAL_DEAD_OVER: usize = 5;
const USUAL_POINTS: usize = 1000;

impl StatsQuery {
    pub(crate) fn tag(&self) -> Result<&str, AnswerError> {
        required_tag(self.tag.as_deref())
    }

    pub(crate) fn wanted(&self) -> Result<TensorRequest, AnswerError> {
        let beside = [("from", &self.from), ("to", &self.to), ("points", &self.points)];
        if let Some((name, _)) = beside.into_iter().find(|(_, value)| value.is_some()) {
            return Err(AnswerError::BadOption(format!(
                "{name} is only allowed with steps=all: add steps=all, or leave {name} out"
            )));
        }
        wanted(self.run.clone(), self.tag.as_deref(), self.step.as_deref(), self.attempt.as_deref())
    }

    /// Whether the answer never changes.
    pub(crate) fn is_fixed(&self) -> bool {
        is_fixed(self.step.as_deref())
    }

    pub(crate) fn layout(&self) -> Result<Option<Layout>, AnswerError> {
        layout(self.layout.as_deref())
    }

    pub(crate) fn format(&self) -> Result<NumbersFormat, AnswerError> {
        match self.format.as_deref() {
            None | Some("json") => Ok(NumbersFormat::Json),
            Some("csv") => Ok(NumbersFormat::Csv),
            Some(other) => Err(AnswerError::bad("format", other, "is not one of json, csv")),
        }
    }

    pub(crate) fn dead_over(&self) -> Result<usize, AnswerError> {
        number("dead_over", self.dead_over.as_deref(), (USUAL_DEAD_OVER, 1, 50))
    }

    /// The requested steps, with `steps=all`.
    pub(crate) fn span(&self) -> Result<Option<Span>, AnswerError> {
        match self.steps.as_deref() {
            None => return Ok(None),
            Some("all") => {}
            Some(other) => return Err(AnswerError::bad("steps", other, "is not all")),
        }
        let beside = [("step", &self.step), ("attempt", &self.attempt), ("dead_over", &self.dead_over)];
        if let Some((name, _)) = beside.into_iter().find(|(_, value)| value.is_some()) {
            return Err(AnswerError::BadOption(format!(
                "{name} is not allowed with steps=all: leave one of them out"
            )));
        }
        let end = |name, text: Option<&str>, default| {
            text.map_or(Ok(default), |text| {
                text.parse().map_err(|_| AnswerError::bad(name, text, "is not a whole number"))
            })
        };
        let (from, to) =
            (end("from", self.from.as_deref(), Step::MIN)?, end("to", self.to.as_deref(), Step::MAX)?);
        if from > to {
            return Err(AnswerError::BadOption(format!(
                "from={from} is greater than to={to}: the smaller comes first"
            )));
        }
        let most_steps = number("points", self.points.as_deref(), (USUAL_POINTS, 2, 10_000))?;
        Ok(Some(Span { from, to, most_steps }))
    }
}

fn number(
    name: &str,
    text: Option<&str>,
    (default, least, greatest): (usize, usize, usize),
) -> Result<usize, AnswerError> {
    let Some(text) = text else { return Ok(default) };
    let number = text.parse().ok().filter(|number| (least..=greatest).contains(number));
    number.ok_or_else(|| {
        AnswerError::bad(name, text, &format!("is not a whole number from {least} to {greatest}"))
    })
}
