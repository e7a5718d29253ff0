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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{layout::Layout, role::Role},
        reader::moment::Axis,
        render::plan::Subject,
        tensor::{Tensor, dtype::DType, frames::Frames, shape::Shape},
    };

    fn kernel(step: usize) -> Tensor {
        let numbers = (0..36).map(|idx| (idx + step) as f32);
        Tensor {
            dtype: DType::Float32,
            shape: Shape::new(&[3, 3, 1, 4]).unwrap(),
            bytes: numbers.flat_map(f32::to_le_bytes).collect::<Vec<u8>>().into(),
            frames: Frames::default(),
        }
    }

    /// Makes all passes over four steps; returns the steps in the order in which they were asked for, and the passes.
    fn passes_with(range: &str, damaged: &[usize]) -> (Vec<usize>, SurveyPasses) {
        let choices = Choices::parse([("range", range)]).unwrap();
        let mut passes = SurveyPasses::new(choices, 4, None);
        let mut asked = Vec::new();
        while let Some(step) = passes.next_step() {
            asked.push(step);
            assert!(asked.len() <= 4 * 8, "the passes do not end: {asked:?}");
            let tensor = kernel(step);
            let (role, layout, shape) = (Role::Kernel, Some(Layout::Hwio), &tensor.shape);
            let subject = Subject { role, layout, shape, is_picture: false, frames: None };
            let (axis, step_number) = (Axis::Step, step as i64);
            let frame_input =
                FrameInput { axis, step: step_number, frame: None, tensor: &tensor, subject, before: None };
            passes.show((!damaged.contains(&step)).then_some(&frame_input)).unwrap();
        }
        assert!(passes.begins_pass());
        (asked, passes)
    }

    fn check(range: &str, damaged: &[usize], expected: &[usize]) {
        assert_eq!(passes_with(range, damaged).0, expected, "{range}, damaged: {damaged:?}");
    }

    #[test]
    fn a_minimum_and_maximum_take_one_pass_in_order() {
        check("minmax", &[], &[0, 1, 2, 3]);
    }

    #[test]
    fn samples_and_percentiles_take_two_passes_in_the_same_order() {
        check("zscale", &[], &[0, 1, 2, 3, 0, 1, 2, 3]);
        check("percentile:0.9", &[], &[0, 1, 2, 3, 0, 1, 2, 3]);
    }

    #[test]
    fn damaged_steps_are_left_out_of_later_passes_and_of_the_film() {
        check("minmax", &[0, 3], &[0, 1, 2, 3]);
        check("zscale", &[1], &[0, 1, 2, 3, 0, 2, 3]);
        for range in ["minmax", "zscale"] {
            let (_, passes) = passes_with(range, &[1]);
            assert_eq!(passes.looks_left(), 3, "{range}: each frame is still to be drawn");
            let (_, frames) = passes.film(&FilmChoices::default(), Effort::Live).unwrap();
            assert_eq!(frames, [0, 2, 3], "{range}");
        }
    }

    #[test]
    fn without_a_readable_step_there_is_one_pass_and_no_film() {
        let (asked, passes) = passes_with("zscale", &[0, 1, 2, 3]);
        assert_eq!(asked, [0, 1, 2, 3]);
        assert!(matches!(passes.film(&FilmChoices::default(), Effort::Live), Err(FilmError::Empty)));
    }

    #[test]
    fn the_beginning_of_a_pass_is_known() {
        let choices = Choices::parse([("range", "zscale")]).unwrap();
        let mut passes = SurveyPasses::new(choices, 2, None);
        assert!(passes.begins_pass());
        passes.show(None).unwrap();
        assert!(!passes.begins_pass());
        passes.show(None).unwrap();
        assert!(passes.begins_pass() && passes.next_step().is_none());
    }

    #[test]
    fn a_film_of_no_step_needs_no_pass() {
        assert_eq!(SurveyPasses::new(Choices::default(), 0, None).next_step(), None);
    }
}
