//! The queries of requests -> typed parameters, or an error that names the wrong one.
//!
//! The API's description, `openapi.json`, is derived from these structs and from the structs of the answers, so it matches what is read
//! and written.
//! Unknown parameters are refused, so that a misspelled one is noticed.

use serde::Deserialize;
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};

use super::read::{QueryOptions, parameters};

use crate::{
    lookup::{error::AnswerError, find::TensorRequest, pair::Minus},
    model::role::Role,
    render::{
        choices::{Choices, Cmap, OptionRow},
        encode::Format,
    },
};

/// For requests without parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoQuery {}

/// A part of a list: consecutive entries. The default is all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// How many entries come before the part.
    pub(crate) offset: usize,
    /// How many entries it has at most.
    pub(crate) limit: usize,
}

impl Default for Part {
    fn default() -> Self {
        Self { offset: 0, limit: usize::MAX }
    }
}

impl Part {
    /// The requested part, if there is one.
    fn read(offset: Option<&str>, limit: Option<&str>) -> Result<Option<Self>, AnswerError> {
        if offset.or(limit).is_none() {
            return Ok(None);
        }
        let offset = match offset {
            None => 0,
            Some(text) => text
                .parse()
                .map_err(|_| AnswerError::bad("offset", text, "is not a whole number from 0 on"))?,
        };
        let limit = match limit.map(|text| (text, text.parse())) {
            None => usize::MAX,
            Some((_, Ok(limit))) if limit > 0 => limit,
            Some((text, _)) => {
                return Err(AnswerError::bad("limit", text, "is not a whole number from 1 on"));
            }
        };
        Ok(Some(Self { offset, limit }))
    }
}

/// The requested part of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// How many entries to skip before the requested part; 0 by default.
    offset: Option<String>,
    /// How many entries to return at most; all by default.
    limit: Option<String>,
}

impl ListQuery {
    pub(crate) fn part(&self) -> Result<Option<Part>, AnswerError> {
        Part::read(self.offset.as_deref(), self.limit.as_deref())
    }
}

/// The requested runs and roles.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeriesQuery {
    /// Only this run; all runs by default.
    pub(crate) run: Option<String>,
    /// Only this role: `kernel`, `bias`, `activation`, `input`, `image` or `other`.
    role: Option<String>,
    /// How many entries to skip before the requested part; 0 by default.
    offset: Option<String>,
    /// How many entries to return at most; all by default.
    limit: Option<String>,
}

impl SeriesQuery {
    pub(crate) fn part(&self) -> Result<Option<Part>, AnswerError> {
        Part::read(self.offset.as_deref(), self.limit.as_deref())
    }

    pub(crate) fn role(&self) -> Result<Option<Role>, AnswerError> {
        let Some(name) = &self.role else { return Ok(None) };
        let allowed = Role::ALL.map(Role::name).join(", ");
        Role::from_name(name)
            .map(Some)
            .ok_or_else(|| AnswerError::bad("role", name, &format!("is not one of {allowed}")))
    }
}

/// The requested runs.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunQuery {
    /// Only this run; all runs by default.
    pub(crate) run: Option<String>,
    /// How many entries to skip before the requested part; 0 by default.
    offset: Option<String>,
    /// How many entries to return at most; all by default.
    limit: Option<String>,
}

impl RunQuery {
    pub(crate) fn part(&self) -> Result<Option<Part>, AnswerError> {
        Part::read(self.offset.as_deref(), self.limit.as_deref())
    }
}

/// Which series.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeriesNameQuery {
    /// The run; may be omitted if only one run has the tag.
    pub(crate) run: Option<String>,
    /// The tag, as it was logged.
    tag: Option<String>,
    /// Any text; distinguishes versions of an answer in caches.
    #[serde(rename = "v")]
    #[param(rename = "v")]
    _version: Option<String>,
}

impl SeriesNameQuery {
    pub(crate) fn tag(&self) -> Result<&str, AnswerError> {
        required_tag(self.tag.as_deref())
    }
}

/// The requested series.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepsQuery {
    /// The run; may be omitted if only one run has the tag.
    pub(crate) run: Option<String>,
    /// The tag, as it was logged.
    tag: Option<String>,
    /// Any text; distinguishes versions of an answer in caches.
    #[serde(rename = "v")]
    #[param(rename = "v")]
    _version: Option<String>,
    /// How many entries to skip before the requested part; 0 by default.
    offset: Option<String>,
    /// How many entries to return at most; all by default.
    limit: Option<String>,
}

impl StepsQuery {
    pub(crate) fn part(&self) -> Result<Option<Part>, AnswerError> {
        Part::read(self.offset.as_deref(), self.limit.as_deref())
    }

    pub(crate) fn tag(&self) -> Result<&str, AnswerError> {
        required_tag(self.tag.as_deref())
    }
}

pub(super) fn required_tag(tag: Option<&str>) -> Result<&str, AnswerError> {
    tag.ok_or_else(|| {
        AnswerError::BadOption(
            "tag is missing: name one, as in tag=conv1/kernel; api/v1/series lists them".to_owned(),
        )
    })
}

/// The requested tensor.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TensorQuery {
    /// The run; may be omitted if only one run has the tag.
    run: Option<String>,
    /// The tag, as it was logged.
    tag: Option<String>,
    /// A logged step, or `latest` (the default).
    step: Option<String>,
    /// If the step was logged more than once, which attempt: 0 (the default) is the newest, 1 the one before.
    attempt: Option<String>,
    /// Any text; distinguishes versions of an answer in caches.
    #[serde(rename = "v")]
    #[param(rename = "v")]
    _version: Option<String>,
}

/// The parameters of a sheet that are not picture options.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SheetParameters {
    /// The run; may be omitted if only one run has the tag.
    run: Option<String>,
    /// The tag, as it was logged.
    tag: Option<String>,
    /// A logged step, or `latest` (the default).
    step: Option<String>,
    /// If the step was logged more than once, which attempt: 0 (the default) is the newest, 1 the one before.
    attempt: Option<String>,
    /// `png` (the default) or `webp`; both are lossless.
    format: Option<String>,
    /// Any text; distinguishes versions of an answer in caches.
    #[serde(rename = "v")]
    #[param(rename = "v")]
    _version: Option<String>,
    /// The run of the tensor that is subtracted; by default the same run. With any of `minus_run`, `minus_tag` and `minus_step`, the sheet
    /// shows a difference.
    minus_run: Option<String>,
    /// The tag of the tensor that is subtracted; by default the same tag.
    minus_tag: Option<String>,
    /// The step of the tensor that is subtracted, or `latest`; by default the same step.
    minus_step: Option<String>,
    /// How filters are paired: by `index` (the default), or by `cosine`, which is the pairing with the greatest sum of cosines.
    #[serde(rename = "match")]
    #[param(rename = "match")]
    matching: Option<String>,
}

impl TensorQuery {
    pub(crate) fn wanted(self) -> Result<TensorRequest, AnswerError> {
        wanted(self.run, self.tag.as_deref(), self.step.as_deref(), self.attempt.as_deref())
    }

    /// Whether the answer never changes.
    pub(crate) fn is_fixed(&self) -> bool {
        is_fixed(self.step.as_deref())
    }
}

/// A request for a sheet: which tensor, and how it is drawn.
pub(crate) struct SheetQuery {
    parameters: SheetParameters,
    pub(crate) choices: Choices,
}

impl IntoParams for SheetQuery {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        SheetParameters::into_params(&place).into_iter().chain(parameters(Choices::OPTIONS)).collect()
    }
}

impl SheetQuery {
    pub(crate) fn read(text: &str) -> Result<Self, AnswerError> {
        let mut options = QueryOptions::read(text)?;
        let choices = options.choices()?;
        let taken: Vec<&OptionRow> = Choices::OPTIONS.iter().collect();
        Ok(Self { parameters: options.others(&taken)?, choices })
    }

    /// The tensor that is subtracted, if any.
    pub(crate) fn minus(&self) -> Result<Option<Minus>, AnswerError> {
        let words = [
            &self.parameters.minus_run,
            &self.parameters.minus_tag,
            &self.parameters.minus_step,
            &self.parameters.matching,
        ];
        Minus::parse(words.map(|word| word.as_deref()))
    }

    pub(crate) fn wanted(&self) -> Result<TensorRequest, AnswerError> {
        wanted(
            self.parameters.run.clone(),
            self.parameters.tag.as_deref(),
            self.parameters.step.as_deref(),
            self.parameters.attempt.as_deref(),
        )
    }

    pub(crate) fn run(&self) -> Option<&str> {
        self.parameters.run.as_deref()
    }

    pub(crate) fn tag(&self) -> Result<&str, AnswerError> {
        required_tag(self.parameters.tag.as_deref())
    }

    /// Whether the answer never changes. An answer that depends on other steps may change, as steps may be added.
    pub(crate) fn is_fixed(&self) -> bool {
        let is_of_itself = !self.choices.need_other_steps();
        is_fixed(self.parameters.step.as_deref())
            && self.parameters.minus_step.as_deref() != Some("latest")
            && is_of_itself
    }

    pub(crate) fn format(&self) -> Result<Format, AnswerError> {
        let Some(name) = &self.parameters.format else { return Ok(Format::Png) };
        let allowed = Format::ALL.map(Format::name).join(", ");
        Format::from_name(name)
            .ok_or_else(|| AnswerError::bad("format", name, &format!("is not one of {allowed}")))
    }
}

/// The requested colour map.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ColormapQuery {
    /// Its name.
    cmap: Option<String>,
}

impl ColormapQuery {
    pub(crate) fn cmap(&self) -> Result<Cmap, AnswerError> {
        Ok(Cmap::parse(self.cmap.as_deref().unwrap_or(""))?)
    }
}

pub(super) fn is_fixed(step: Option<&str>) -> bool {
    step.is_some_and(|step| step != "latest")
}

pub(super) fn wanted(
    run: Option<String>,
    tag: Option<&str>,
    step: Option<&str>,
    attempt: Option<&str>,
) -> Result<TensorRequest, AnswerError> {
    let step = match step {
        None | Some("latest") => None,
        Some(text) => Some(
            text.parse()
                .map_err(|_| AnswerError::bad("step", text, "is neither a whole number nor latest"))?,
        ),
    };
    let attempt = match attempt {
        None => 0,
        Some(text) => text
            .parse()
            .map_err(|_| AnswerError::bad("attempt", text, "is not a whole number from 0 (the newest) on"))?,
    };
    Ok(TensorRequest { run, tag: required_tag(tag)?.to_owned(), step, attempt })
}
