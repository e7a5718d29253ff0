//! The queries of requests -> what is wanted, or the option that is in the way.
//!
//! The API's description, `openapi.json`, is derived from these structs and from those of the answers, so it says what is really read
//! and written.
//! Options that do not exist are refused, so that nobody believes a misspelled one.

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

/// For calls without options.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoQuery {}

/// Some entries of a list, one after another. The default is all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// How many come before them.
    pub(crate) offset: usize,
    /// How many they are at most.
    pub(crate) limit: usize,
}

impl Default for Part {
    fn default() -> Self {
        Self { offset: 0, limit: usize::MAX }
    }
}

impl Part {
    /// The part that is asked for, if one is.
    fn read(offset: Option<&str>, limit: Option<&str>) -> Result<Option<Self>, AnswerError> {
        if offset.or(limit).is_none() {
            return Ok(None);
        }
        let offset = match offset {
            None => 0,
            Some(text) => {
                text.parse().map_err(|_| AnswerError::bad("offset", text, "is no whole number from 0 on"))?
            }
        };
        let limit = match limit.map(|text| (text, text.parse())) {
            None => usize::MAX,
            Some((_, Ok(limit))) if limit > 0 => limit,
            Some((text, _)) => return Err(AnswerError::bad("limit", text, "is no whole number from 1 on")),
        };
        Ok(Some(Self { offset, limit }))
    }
}

/// Which part of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// How many entries come before the part that is wanted; none when left out.
    offset: Option<String>,
    /// How many entries are wanted at most; all when left out.
    limit: Option<String>,
}

impl ListQuery {
    pub(crate) fn part(&self) -> Result<Option<Part>, AnswerError> {
        Part::read(self.offset.as_deref(), self.limit.as_deref())
    }
}

/// Which runs and roles are listed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeriesQuery {
    /// One run; all when left out.
    pub(crate) run: Option<String>,
    /// One role: `kernel`, `bias`, `activation`, `input`, `image` or `other`.
    role: Option<String>,
    /// How many entries come before the part that is wanted; none when left out.
    offset: Option<String>,
    /// How many entries are wanted at most; all when left out.
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

/// Which runs are listed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunQuery {
    /// One run; all when left out.
    pub(crate) run: Option<String>,
    /// How many entries come before the part that is wanted; none when left out.
    offset: Option<String>,
    /// How many entries are wanted at most; all when left out.
    limit: Option<String>,
}

impl RunQuery {
    pub(crate) fn part(&self) -> Result<Option<Part>, AnswerError> {
        Part::read(self.offset.as_deref(), self.limit.as_deref())
    }
}

/// Which series is meant.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepsQuery {
    /// The run; may be left out where one run alone has the tag.
    pub(crate) run: Option<String>,
    /// The tag, as it was logged.
    tag: Option<String>,
    /// Anything: tells versions apart for caches.
    #[serde(rename = "v")]
    #[param(rename = "v")]
    _version: Option<String>,
    /// How many entries come before the part that is wanted; none when left out.
    offset: Option<String>,
    /// How many entries are wanted at most; all when left out.
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

/// Which tensor is meant.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TensorQuery {
    /// The run; may be left out where one run alone has the tag.
    run: Option<String>,
    /// The tag, as it was logged.
    tag: Option<String>,
    /// A step that was logged, or `latest`, which is what is taken when it is left out.
    step: Option<String>,
    /// Where a step was logged more than once: 0 is the newest, 1 the one before.
    attempt: Option<String>,
    /// Anything: tells versions apart for caches.
    #[serde(rename = "v")]
    #[param(rename = "v")]
    _version: Option<String>,
}

/// Which sheet is meant; picture options stand beside it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SheetParameters {
    /// The run; may be left out where one run alone has the tag.
    run: Option<String>,
    /// The tag, as it was logged.
    tag: Option<String>,
    /// A step that was logged, or `latest`, which is what is taken when it is left out.
    step: Option<String>,
    /// Where a step was logged more than once: 0 is the newest, 1 the one before.
    attempt: Option<String>,
    /// `png` (the default) or `webp`, both without loss.
    format: Option<String>,
    /// Anything: tells versions apart for caches.
    #[serde(rename = "v")]
    #[param(rename = "v")]
    _version: Option<String>,
    /// The tensor of this run is subtracted; the same run when left out. One of `minus_run`, `minus_tag` and `minus_step` makes the
    /// sheet that of a difference.
    minus_run: Option<String>,
    /// The tensor of this tag is subtracted; the same tag when left out.
    minus_tag: Option<String>,
    /// The tensor of this step (or `latest`) is subtracted; the same step when left out.
    minus_step: Option<String>,
    /// Which filter is subtracted from which: `index` (the default) or `cosine`, the pairing whose sum of cosines is greatest.
    #[serde(rename = "match")]
    #[param(rename = "match")]
    matching: Option<String>,
}

impl TensorQuery {
    pub(crate) fn wanted(self) -> Result<TensorRequest, AnswerError> {
        wanted(self.run, self.tag.as_deref(), self.step.as_deref(), self.attempt.as_deref())
    }

    /// Whether the answer is the same for ever.
    pub(crate) fn is_fixed(&self) -> bool {
        is_fixed(self.step.as_deref())
    }
}

/// Which sheet is meant, and how it is drawn.
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

    /// What is subtracted, if anything.
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

    /// Whether the answer is the same for ever: not where it hangs on other steps, as these may still come.
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

/// Which colour map is described.
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
            .map_err(|_| AnswerError::bad("attempt", text, "is no whole number from 0 (the newest) on"))?,
    };
    Ok(TensorRequest { run, tag: required_tag(tag)?.to_owned(), step, attempt })
}
