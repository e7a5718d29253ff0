//! Names and steps of a request -> the tensors of a film in the catalog, or what is near them.

use std::{ops::Bound, sync::Arc};

use super::{
    error::ApiError,
    find::{find_series, subject},
};
use crate::{
    catalog::snapshot::{Logged, Series, Snapshot},
    render::film::{Exposure, MOST_FRAMES, options::FilmChoices},
    tensor::Tensor,
    types::Step,
};

/// What a film is of.
#[derive(Clone, Debug)]
pub(crate) struct Reel {
    pub(crate) series: Arc<Series>,
    /// Steps in ascending order with their newest attempts; at least one.
    pub(crate) shots: Vec<Shot>,
    /// Whether the series has gone as far as the film, so that no step can be added to it.
    pub(crate) is_closed: bool,
}

/// One step of it.
#[derive(Clone, Debug)]
pub(crate) struct Shot {
    pub(crate) step: Step,
    /// One tensor, or pictures in the order of their numbers.
    pub(crate) parts: Vec<Logged>,
}

/// What a frame is drawn of.
pub(crate) struct Tensors {
    step: Step,
    of_step: Tensor,
    before: Option<Tensor>,
}

impl Reel {
    /// The tensors of a shot, that of the step before among them where it is wanted and there is one; `None` where `load` has
    /// none to give, as they are damaged.
    pub(crate) fn tensors<E>(
        &self,
        shot: &Shot,
        wants_before: bool,
        load: impl Fn(Step, &[Logged]) -> Result<Option<Tensor>, E>,
    ) -> Result<Option<Tensors>, E> {
        let Some(of_step) = load(shot.step, &shot.parts)? else { return Ok(None) };
        let before = self.series.steps.range(..shot.step).next_back().filter(|_| wants_before);
        let before = before.and_then(|(step, attempts)| Some((*step, attempts.attempt(0)?)));
        let before = match before {
            None => None,
            Some((step, parts)) => match load(step, &parts)? {
                None => return Ok(None),
                before => before,
            },
        };
        Ok(Some(Tensors { step: shot.step, of_step, before }))
    }
}

impl Tensors {
    pub(crate) fn exposure(&self, series: &Series) -> Exposure<'_> {
        let subject = subject(series, &self.of_step.shape, &self.of_step.frames);
        Exposure { step: self.step, tensor: &self.of_step, subject, before: self.before.as_ref() }
    }
}

/// The steps of a series that a film shows.
pub(crate) fn reel(
    snapshot: &Snapshot,
    run: Option<&str>,
    tag: &str,
    film: &FilmChoices,
) -> Result<Reel, ApiError> {
    let series = find_series(snapshot, run, tag)?;
    if let Err(error) = &series.form {
        return Err(ApiError::NotDrawable(error.reason.clone()));
    }
    let from = film.from.map_or(Bound::Unbounded, Bound::Included);
    let to = film.to.map_or(Bound::Unbounded, Bound::Included);
    let chosen = || series.steps.range((from, to)).step_by(film.every.get());
    let n = chosen().take(MOST_FRAMES + 1).count();
    if n == 0 {
        return Err(no_step(&series, film));
    }
    if n > MOST_FRAMES {
        let message = format!(
            "every: more than {MOST_FRAMES} steps are asked for: take fewer of them, as in every=10, or by from and to"
        );
        return Err(ApiError::BadOption(message));
    }
    let shots =
        chosen().filter_map(|(step, attempts)| Some(Shot { step: *step, parts: attempts.attempt(0)? }));
    let shots = shots.collect();
    let last = series.step_range().map(|(_, last)| last);
    let is_closed = film.from.is_some() && film.to.is_some_and(|to| last.is_some_and(|last| to <= last));
    Ok(Reel { series, shots, is_closed })
}

fn no_step(series: &Series, film: &FilmChoices) -> ApiError {
    let end = |step: Option<Step>, open: &str| step.map_or(open.to_owned(), |step| step.to_string());
    let there = series
        .step_range()
        .map_or("none was".to_owned(), |(first, last)| format!("they run from {first} to {last}"));
    let message = format!(
        "no step of {:?} from {} to {} was logged: {there}",
        series.tag.as_str(),
        end(film.from, "the first"),
        end(film.to, "the latest")
    );
    ApiError::Unknown { code: "unknown_step", message }
}
