//! Names, steps and frames of a request -> the tensors of a film in the catalog, or what is near them.

use std::{ops::Bound, sync::Arc};

use super::{
    error::AnswerError,
    find::{Wanted, find, find_series},
    steps::{Found, before},
    subject::subject_of,
};

use crate::{
    catalog::{
        attempts::Attempts,
        snapshot::{Encoding, Logged, Series, Snapshot},
    },
    render::{
        choices::{Choices, Order},
        film::{
            FrameInput, MOST_FRAMES,
            options::{FilmChoices, Over},
        },
    },
    tensor::{Tensor, frames::Frames},
    types::Step,
};

/// What a film is of.
#[derive(Clone, Debug)]
pub(crate) struct Reel {
    pub(crate) series: Arc<Series>,
    /// Steps in ascending order with their newest attempts, or the frames of one step; at least one.
    pub(crate) shots: Vec<Shot>,
    /// Whether the series has gone as far as the film, so that no step can be added to it.
    pub(crate) is_closed: bool,
}

/// One step of it, or one frame of a step.
#[derive(Clone, Debug)]
pub(crate) struct Shot {
    pub(crate) step: Step,
    /// The number of the frame, from 1, over frames.
    pub(crate) frame: Option<usize>,
    /// One tensor, or pictures in the order of their numbers.
    pub(crate) parts: Vec<Logged>,
}

/// What a frame is drawn of.
pub(crate) struct Tensors {
    step: Step,
    frame: Option<usize>,
    of_step: Tensor,
    before: Option<Tensor>,
}

impl Reel {
    /// The tensors of a shot of a whole step, that of the step before among them where it is wanted and there is one; `None` where `load` has
    /// none to give, as they are damaged.
    pub(crate) fn tensors<E>(
        &self,
        shot: &Shot,
        wants_before: bool,
        load: impl Fn(Step, &[Logged]) -> Result<Option<Tensor>, E>,
    ) -> Result<Option<Tensors>, E> {
        let Some(of_step) = load(shot.step, &shot.parts)? else { return Ok(None) };
        let before = match before(&self.series, shot.step).filter(|_| wants_before) {
            None => None,
            Some(found) => match load(found.step, &found.parts)? {
                None => return Ok(None),
                before => before,
            },
        };
        Ok(Some(Tensors { step: shot.step, frame: None, of_step, before }))
    }

    /// The film over the frames of the one step that it has, whose pictures have these.
    pub(crate) fn over_frames(self, frames: &Frames, film: &FilmChoices) -> Result<Self, AnswerError> {
        let [Shot { step, parts, .. }] = &*self.shots else { return Ok(self) };
        let of = frames_of(&self.series, *step, frames)?;
        let end = |end: Option<Step>, open| end.map_or(open, |end| usize::try_from(end).unwrap_or(of + 1));
        let (from, to) = (end(film.from, 1), end(film.to, of));
        if let Some((option, number)) = [("from", from), ("to", to)].into_iter().find(|(_, end)| *end > of) {
            let message = format!("{option}: there is no frame {number}: step {step} has {of}, from 1 on");
            return Err(AnswerError::BadOption(message));
        }
        let shot = |number| Shot { step: *step, frame: Some(number), parts: parts.clone() };
        let shots = (from..=to).step_by(film.every.get()).map(shot).collect();
        Ok(Self { shots, ..self })
    }
}

/// How many frames the pictures of a step have, each as many as the others.
fn frames_of(series: &Series, step: Step, frames: &Frames) -> Result<usize, AnswerError> {
    let name = || format!("{:?} at step {step}", series.tag.as_str());
    frames.of_all().ok_or_else(|| {
        AnswerError::BadOption(match frames.counts() {
            [] => format!("over: {} has no animated picture, and so no frames: leave it out", name()),
            counts => format!(
                "over: the pictures of {} have from {} to {} frames, and are not shown together",
                name(),
                counts.iter().min().unwrap_or(&1),
                counts.iter().max().unwrap_or(&1)
            ),
        })
    })
}

impl Tensors {
    /// Those of a shot of one frame, which hang on no other.
    pub(crate) fn of_frame(shot: &Shot, of_step: Tensor) -> Self {
        Self { step: shot.step, frame: shot.frame, of_step, before: None }
    }

    pub(crate) fn frame_input(&self, series: &Series) -> FrameInput<'_> {
        let subject = subject_of(series, &self.of_step);
        let (step, frame, before) = (self.step, self.frame, self.before.as_ref());
        FrameInput { step, frame, tensor: &self.of_step, subject, before }
    }
}

/// Checks that the picture of a step hangs on no other one, as that of a frame cannot.
pub(crate) fn without_neighbours(choices: &Choices) -> Result<(), AnswerError> {
    if choices.order == Some(Order::Change) {
        let message = "order: change compares with the step before, and a film over frames is of one step: use another order";
        return Err(AnswerError::BadOption(message.to_owned()));
    }
    Ok(())
}

/// Checks that the one step of a film over frames has pictures.
pub(crate) fn without_numbers(reel: &Reel) -> Result<(), AnswerError> {
    let step = reel.shots.first().map_or(0, |shot| shot.step);
    match reel.series.encoding {
        Encoding::Pictures => Ok(()),
        Encoding::Numbers => frames_of(&reel.series, step, &Frames::default()).map(|_| ()),
    }
}

/// The steps of a series that a film shows; over frames the one step whose frames it shows.
pub(crate) fn reel(
    snapshot: &Snapshot,
    run: Option<&str>,
    tag: &str,
    film: &FilmChoices,
) -> Result<Reel, AnswerError> {
    let series = find_series(snapshot, run, tag)?;
    if let Err(error) = &series.form {
        return Err(AnswerError::NotDrawable(error.reason.clone()));
    }
    if film.over == Over::Frames {
        let run = Some(series.run.to_string());
        let wanted = Wanted { run, tag: series.tag.to_string(), step: film.step, attempt: 0 };
        let Found { series, step, parts, .. } = find(snapshot, &wanted)?;
        let shots = vec![Shot { step, frame: None, parts }];
        return Ok(Reel { series, shots, is_closed: film.step.is_some() });
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
        return Err(AnswerError::BadOption(message));
    }
    let shot = |(step, attempts): (&Step, &Attempts)| {
        Some(Shot { step: *step, frame: None, parts: attempts.attempt(0)? })
    };
    let shots = chosen().filter_map(shot).collect();
    let last = series.step_range().map(|(_, last)| last);
    let is_closed = film.from.is_some() && film.to.is_some_and(|to| last.is_some_and(|last| to <= last));
    Ok(Reel { series, shots, is_closed })
}

fn no_step(series: &Series, film: &FilmChoices) -> AnswerError {
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
    AnswerError::Unknown { code: "unknown_step", message }
}
