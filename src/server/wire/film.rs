//! The query of a film -> which series and steps, how it runs, and how its frames are drawn.

use serde::Deserialize;
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};

use super::{
    query::required_tag,
    read::{picture_parameters, with_choices},
};

use crate::{
    lookup::error::AnswerError,
    render::{choices::Choices, film::options::FilmChoices},
};

/// Which steps, how fast, in which form; picture options stand beside it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilmQuery {
    /// The run; may be left out where one run alone has the tag.
    pub(crate) run: Option<String>,
    /// The tag, as it was logged.
    tag: Option<String>,
    /// `steps` (the default), or `frames`: of the animated pictures of one step.
    over: Option<String>,
    /// Over frames, the step, or `latest`, which is what is taken when it is left out.
    step: Option<String>,
    /// The first step, which need not have been logged; the first that was logged when it is left out. Over frames, the number of
    /// the first one, from 1 on.
    from: Option<String>,
    /// The last step, which need not have been logged, or `latest`, which is what is taken when it is left out. Over frames, the
    /// number of the last one.
    to: Option<String>,
    /// Of the logged steps or the frames in between, every so many one; 1 when it is left out.
    every: Option<String>,
    /// Frames a second, 0.1 to 60; 10 when it is left out.
    fps: Option<String>,
    /// `apng` (the default) or `webp`, both without loss, or `gif`, which has at most 256 colours.
    format: Option<String>,
    /// `step` writes the step into a strip above the sheet, `frame` over frames the number of the frame; `none`.
    stamp: Option<String>,
    /// Anything: tells versions apart for caches.
    v: Option<String>,
}

/// A film that is asked for.
pub(crate) struct WantedFilm {
    pub(crate) query: FilmQuery,
    pub(crate) choices: Choices,
}

impl WantedFilm {
    /// Reads a query. Picture options are those of a sheet.
    pub(crate) fn read(text: &str) -> Result<Self, AnswerError> {
        let (choices, query) = with_choices(text)?;
        Ok(Self { query, choices })
    }
}

impl FilmQuery {
    pub(crate) fn tag(&self) -> Result<&str, AnswerError> {
        required_tag(self.tag.as_deref())
    }

    pub(crate) fn film(&self) -> Result<FilmChoices, AnswerError> {
        let options = [
            ("over", &self.over),
            ("step", &self.step),
            ("from", &self.from),
            ("to", &self.to),
            ("every", &self.every),
            ("fps", &self.fps),
            ("format", &self.format),
            ("stamp", &self.stamp),
        ];
        let given = options.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        Ok(FilmChoices::parse(given)?)
    }

    /// Whether the client says which version of the series it means.
    pub(crate) fn names_version(&self) -> bool {
        self.v.is_some()
    }
}

impl IntoParams for WantedFilm {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        FilmQuery::into_params(&place).into_iter().chain(picture_parameters()).collect()
    }
}
