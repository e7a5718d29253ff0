//! The names, steps and frames in a request -> where the tensors of a film are, or an error that names what is similar.

use std::{ops::Bound, sync::Arc};

use super::{
    error::AnswerError,
    find::{TensorRequest, find, find_series},
    steps::{Found, before},
    subject::subject_of,
};

use crate::{
    catalog::{
        attempts::Attempts,
        snapshot::{Encoding, LoggedValue, Series, Snapshot},
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

/// The series and the steps or frames that a film shows.
#[derive(Clone, Debug)]
pub(crate) struct FilmSource {
    pub(crate) series: Arc<Series>,
    /// Steps in ascending order with their newest attempts, or the frames of one step. There is at least one.
    pub(crate) frames: Vec<FilmFrame>,
    /// Whether the series already has a step at or after the film's end, so that no step can be added to the film.
    pub(crate) is_closed: bool,
}

/// What one frame of the film shows: a step, or one frame of the animated pictures of a step.
#[derive(Clone, Debug)]
pub(crate) struct FilmFrame {
    pub(crate) step: Step,
    /// In a film over frames, the number of the animation's frame, from 1.
    pub(crate) frame: Option<usize>,
    /// One tensor, or pictures in the order of their numbers.
    pub(crate) parts: Vec<LoggedValue>,
}

/// The tensors from which a frame is drawn.
pub(crate) struct FrameTensors {
    step: Step,
    frame: Option<usize>,
    of_step: Tensor,
    before: Option<Tensor>,
}

impl FilmSource {
    /// The tensors of a frame that shows a whole step, with that of the step before if it is wanted and exists. `None` if
    /// `load` returns `None`, because a tensor is damaged.
    pub(crate) fn tensors<E>(
        &self,
        film_frame: &FilmFrame,
        wants_before: bool,
        load: impl Fn(Step, &[LoggedValue]) -> Result<Option<Tensor>, E>,
    ) -> Result<Option<FrameTensors>, E> {
        let Some(of_step) = load(film_frame.step, &film_frame.parts)? else { return Ok(None) };
        let before = match before(&self.series, film_frame.step).filter(|_| wants_before) {
            None => None,
            Some(found) => match load(found.step, &found.parts)? {
                None => return Ok(None),
                before => before,
            },
        };
        Ok(Some(FrameTensors { step: film_frame.step, frame: None, of_step, before }))
    }

    /// The film over the frames of its single step, whose pictures have these `frames`.
    pub(crate) fn over_frames(self, frames: &Frames, film: &FilmChoices) -> Result<Self, AnswerError> {
        let [FilmFrame { step, parts, .. }] = &*self.frames else { return Ok(self) };
        let of = frames_of(&self.series, *step, frames)?;
        let end = |end: Option<Step>, open| end.map_or(open, |end| usize::try_from(end).unwrap_or(of + 1));
        let (from, to) = (end(film.from, 1), end(film.to, of));
        if let Some((option, number)) = [("from", from), ("to", to)].into_iter().find(|(_, end)| *end > of) {
            let message = format!("{option}: there is no frame {number}: step {step} has {of}, from 1 on");
            return Err(AnswerError::BadOption(message));
        }
        let film_frame = |number| FilmFrame { step: *step, frame: Some(number), parts: parts.clone() };
        let frames = (from..=to).step_by(film.every.get()).map(film_frame).collect();
        Ok(Self { frames, ..self })
    }
}

/// How many frames each picture of a step has, if all have the same number.
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

impl FrameTensors {
    /// The tensor of a frame of an animation, which needs no other tensor.
    pub(crate) fn of_frame(film_frame: &FilmFrame, of_step: Tensor) -> Self {
        Self { step: film_frame.step, frame: film_frame.frame, of_step, before: None }
    }

    pub(crate) fn frame_input(&self, series: &Series) -> FrameInput<'_> {
        let subject = subject_of(series, &self.of_step);
        let (step, frame, before) = (self.step, self.frame, self.before.as_ref());
        FrameInput { axis: series.axis, step, frame, tensor: &self.of_step, subject, before }
    }
}

/// Checks that the picture needs no other step: a frame of an animation has no step before it.
pub(crate) fn without_neighbours(choices: &Choices) -> Result<(), AnswerError> {
    if choices.order == Some(Order::Change) {
        let message = "order: change compares with the step before, and a film over frames is of one step: use another order";
        return Err(AnswerError::BadOption(message.to_owned()));
    }
    Ok(())
}

/// Checks that the step of a film over frames has pictures.
pub(crate) fn without_numbers(film_source: &FilmSource) -> Result<(), AnswerError> {
    let step = film_source.frames.first().map_or(0, |film_frame| film_frame.step);
    match film_source.series.encoding {
        Encoding::Pictures => Ok(()),
        Encoding::Numbers => frames_of(&film_source.series, step, &Frames::default()).map(|_| ()),
    }
}

/// Finds the steps of a series that a film shows; for a film over frames, the step whose frames it shows.
pub(crate) fn film_source(
    snapshot: &Snapshot,
    run: Option<&str>,
    tag: &str,
    film: &FilmChoices,
) -> Result<FilmSource, AnswerError> {
    let series = find_series(snapshot, run, tag)?;
    if let Err(error) = &series.form {
        return Err(AnswerError::NotDrawable(error.reason.clone()));
    }
    if film.over == Over::Frames {
        let run = Some(series.run.to_string());
        let wanted = TensorRequest { run, tag: series.tag.to_string(), step: film.step, attempt: 0 };
        let Found { series, step, parts, .. } = find(snapshot, &wanted)?;
        let frames = vec![FilmFrame { step, frame: None, parts }];
        return Ok(FilmSource { series, frames, is_closed: film.step.is_some() });
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
    let film_frame = |(step, attempts): (&Step, &Attempts)| {
        Some(FilmFrame { step: *step, frame: None, parts: attempts.attempt(0)? })
    };
    let frames = chosen().filter_map(film_frame).collect();
    let last = series.step_range().map(|(_, last)| last);
    let is_closed = film.from.is_some() && film.to.is_some_and(|to| last.is_some_and(|last| to <= last));
    Ok(FilmSource { series, frames, is_closed })
}

fn no_step(series: &Series, film: &FilmChoices) -> AnswerError {
    let axis = series.axis;
    let end = |step: Option<Step>, open: &str| step.map_or(open.to_owned(), |step| axis.number(step));
    let there = series.step_range().map_or("none was".to_owned(), |(first, last)| {
        format!("they run from {} to {}", axis.number(first), axis.number(last))
    });
    let message = format!(
        "no {} of {:?} from {} to {} was logged: {there}",
        axis.name(),
        series.tag.as_str(),
        end(film.from, "the first"),
        end(film.to, "the latest")
    );
    AnswerError::Unknown { code: "unknown_step", message }
}
