//! The steps of a film -> which of them become frames, found in passes over all steps.

use crate::render::{
    choices::Choices,
    encode::Effort,
    film::{Film, FilmError, FrameInput, options::FilmChoices, survey::Survey},
    range::Interval,
};

/// The passes over the steps of a film that come before its first frame. The caller asks for the next step, reads its tensor
/// and shows it, until there is no next step.
pub(crate) struct SurveyPasses {
    survey: Survey,
    /// Positions of the steps of this pass.
    steps: Vec<usize>,
    /// How many of them were shown in this pass.
    n_seen: usize,
    /// Which of these can be read: the steps of the next pass.
    readable: Vec<usize>,
    is_done: bool,
}

impl SurveyPasses {
    /// Begins the first pass over `n_steps` steps. For scope `run`, `run` is the interval of all steps of the series.
    pub(crate) fn new(choices: Choices, n_steps: usize, run: Option<Interval>) -> Self {
        let survey = Survey::new(choices, n_steps, run);
        let mut passes =
            Self { survey, steps: (0..n_steps).collect(), n_seen: 0, readable: Vec::new(), is_done: false };
        passes.end_pass_after_last_step();
        passes
    }

    /// The position of the step that must be shown next; `None` after the last pass.
    pub(crate) fn next_step(&self) -> Option<usize> {
        if self.is_done { None } else { self.steps.get(self.n_seen).copied() }
    }

    /// Takes the step that [`Self::next_step`] returned; `None` if it is damaged, so that it becomes no frame.
    ///
    /// # Errors
    /// Those of [`Survey::take`].
    pub(crate) fn show(&mut self, frame_input: Option<&FrameInput<'_>>) -> Result<(), FilmError> {
        if let Some(frame_input) = frame_input {
            self.survey.take(frame_input)?;
            self.readable.push(self.steps[self.n_seen]);
        }
        self.n_seen += 1;
        self.end_pass_after_last_step();
        Ok(())
    }

    fn end_pass_after_last_step(&mut self) {
        if self.n_seen < self.steps.len() {
            return;
        }
        self.steps = std::mem::take(&mut self.readable);
        self.n_seen = 0;
        self.is_done = !self.survey.end_pass() || self.steps.is_empty();
    }

    /// Whether the next step is the first of a pass, or the last pass has ended.
    pub(crate) fn begins_pass(&self) -> bool {
        self.n_seen == 0
    }

    /// At the beginning of a pass: how often a step is still to be read, including once per frame to draw it, as far as is known.
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
