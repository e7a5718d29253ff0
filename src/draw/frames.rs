//! The steps of a film -> those of which it has frames, found in passes over all of them.

use crate::render::{
    choices::Choices,
    encode::Effort,
    film::{Film, FilmError, FrameInput, options::FilmChoices, survey::Survey},
    range::Interval,
};

/// The passes over the steps of a film that come before its first frame. Who makes the film asks for a step, reads it where it
/// likes, and shows it; as long as there is one.
pub(crate) struct Passes {
    survey: Survey,
    /// Positions of the steps that this pass sees.
    steps: Vec<usize>,
    /// Of those, how many it has seen, and which of them can be read.
    n_seen: usize,
    readable: Vec<usize>,
    is_done: bool,
}

impl Passes {
    /// Over so many steps. For scope `run`, `run` is the interval of all steps of the series.
    pub(crate) fn new(choices: Choices, n_steps: usize, run: Option<Interval>) -> Self {
        let survey = Survey::new(choices, n_steps, run);
        let mut passes =
            Self { survey, steps: (0..n_steps).collect(), n_seen: 0, readable: Vec::new(), is_done: false };
        passes.end_where_all_is_seen();
        passes
    }

    /// The position of the step to be shown next; `None` once all were shown as often as needed.
    pub(crate) fn next_step(&self) -> Option<usize> {
        if self.is_done { None } else { self.steps.get(self.n_seen).copied() }
    }

    /// Shows the step that [`Self::next_step`] gave; `None` where it is damaged, and so has no frame.
    ///
    /// # Errors
    /// Those of [`Survey::take`].
    pub(crate) fn show(&mut self, frame_input: Option<&FrameInput<'_>>) -> Result<(), FilmError> {
        if let Some(frame_input) = frame_input {
            self.survey.take(frame_input)?;
            self.readable.push(self.steps[self.n_seen]);
        }
        self.n_seen += 1;
        self.end_where_all_is_seen();
        Ok(())
    }

    fn end_where_all_is_seen(&mut self) {
        if self.n_seen < self.steps.len() {
            return;
        }
        self.steps = std::mem::take(&mut self.readable);
        self.n_seen = 0;
        self.is_done = !self.survey.end_pass() || self.steps.is_empty();
    }

    /// Whether the next step is the first one of another pass, or all were shown.
    pub(crate) fn begins_pass(&self) -> bool {
        self.n_seen == 0
    }

    /// How many looks at a step are still to come at the begin of a pass, with those that draw the frames, as far as is known.
    pub(crate) fn looks_left(&self) -> usize {
        let passes = if self.is_done { 0 } else { self.survey.passes_left() };
        (passes + 1) * self.steps.len()
    }

    /// The film, and the positions of the steps that are its frames.
    ///
    /// # Errors
    /// Those of [`Survey::film`].
    pub(crate) fn film(self, film: &FilmChoices, effort: Effort) -> Result<(Film, Vec<usize>), FilmError> {
        Ok((self.survey.film(film, effort)?, self.steps))
    }
}
