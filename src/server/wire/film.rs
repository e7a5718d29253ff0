//! The query of a film -> the series and its steps, the film options, and the picture options of its frames.

use serde::Deserialize;
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};

use super::{
    query::required_tag,
    read::{QueryOptions, parameters},
};

use crate::{
    lookup::error::AnswerError,
    render::{
        choices::{Choices, OptionRow},
        film::options::FilmChoices,
    },
};

/// The parameters of a film that are neither film options nor picture options.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilmQuery {
    /// The run; may be omitted if only one run has the tag.
    pub(crate) run: Option<String>,
    /// The tag, as it was logged.
    tag: Option<String>,
    /// Any text; distinguishes versions of an answer in caches.
    v: Option<String>,
}

/// A request for a film.
pub(crate) struct FilmRequest {
    pub(crate) query: FilmQuery,
    pub(crate) film: FilmChoices,
    pub(crate) choices: Choices,
}

impl FilmRequest {
    /// Reads a query. Picture options are those of a sheet.
    pub(crate) fn read(text: &str) -> Result<Self, AnswerError> {
        let mut options = QueryOptions::read(text)?;
        let (choices, film) = (options.choices()?, options.film()?);
        Ok(Self { query: options.others(&Self::options().collect::<Vec<_>>())?, film, choices })
    }

    fn options() -> impl Iterator<Item = &'static OptionRow> {
        FilmChoices::OPTIONS.iter().chain(Choices::OPTIONS)
    }
}

impl FilmQuery {
    pub(crate) fn tag(&self) -> Result<&str, AnswerError> {
        required_tag(self.tag.as_deref())
    }

    /// Whether the request names a version of the series.
    pub(crate) fn names_version(&self) -> bool {
        self.v.is_some()
    }
}

impl IntoParams for FilmRequest {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        FilmQuery::into_params(&place).into_iter().chain(parameters(Self::options())).collect()
    }
}
