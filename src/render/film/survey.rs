//! The tensors of all steps -> what the frames of a film have in common: their size, their scale, their colours.
//!
//! The tensors are read in passes: each pass takes all of them, in the same order. Mostly one pass is enough; percentiles and
//! samples need as many as [`RunRange`] says.

use super::{
    Film, FilmError, FirstFrame, FrameInput, MOST_FILM_PIXELS, MOST_FRAME_PIXELS,
    observed_values::ObservedValues, options::FilmChoices, palette::PossibleCodes, screen::Screen,
};
use crate::{
    render::{
        choices::{ChoiceError, Choices, Labels, Range, Scope},
        colormap::{BAD, GUTTER, NAN, NEG_INF, POS_INF},
        encode::Effort,
        plan::{Plan, plan},
        range::{Interval, interval},
        run::RunRange,
        stack::layer,
    },
    tensor::values::values,
    types::Step,
};

/// Reads all frames before any is drawn.
#[derive(Debug)]
pub struct Survey {
    choices: Choices,
    n_planned: usize,
    /// The interval of all steps of the series, for scope `run`.
    run: Option<Interval>,
    passes_done: usize,
    observed: ObservedValues,
    n_frames: usize,
    text_dots: usize,
    /// `None` before the first tensor.
    first: Option<First>,
}

#[derive(Debug)]
struct First {
    step: Step,
    plan: Plan,
    range: FrameRange,
}

/// Where the range of the frames comes from.
#[derive(Clone, Debug)]
enum FrameRange {
    /// Each frame or each tile has its own.
    Each,
    /// It is known.
    Known(Interval),
    /// It is computed from all frames.
    All(RunRange),
}

impl Survey {
    /// A survey of `n_planned` steps, fewer if some cannot be read. For scope `run`, `run` is the interval of all steps of the series.
    #[must_use]
    pub fn new(choices: Choices, n_planned: usize, run: Option<Interval>) -> Self {
        let (observed, first) = (ObservedValues::default(), None);
        Self { choices, n_planned, run, passes_done: 0, observed, n_frames: 0, text_dots: 0, first }
    }

    /// Looks at the tensor of the next step.
    ///
    /// # Errors
    /// Choices that do not fit it, a size or a colour map other than that of the earlier steps, and films beyond the limits.
    pub fn take(&mut self, frame_input: &FrameInput<'_>) -> Result<(), FilmError> {
        let plan = self.plan(frame_input)?;
        if self.passes_done == 0 {
            self.look(frame_input, &plan)?;
        }
        let values = values(frame_input.tensor);
        let values = layer(&values, &plan.geometry);
        if self.passes_done == 0 {
            self.observed.take(&values);
            self.n_frames += 1;
            self.text_dots = self.text_dots.max(frame_input.text_dots());
        }
        if let Some(First { range: FrameRange::All(range), .. }) = &mut self.first {
            range.add(&values);
        }
        Ok(())
    }

    /// Ends a pass over all tensors, and says whether another one is needed.
    pub fn end_pass(&mut self) -> bool {
        self.passes_done += 1;
        match &mut self.first {
            Some(First { range: FrameRange::All(range), .. }) => range.end_pass(),
            _ => false,
        }
    }

    /// How many passes are left, as far as is known.
    #[must_use]
    pub fn passes_left(&self) -> usize {
        match &self.first {
            Some(First { range: FrameRange::All(range), .. }) => {
                range.passes().saturating_sub(self.passes_done)
            }
            _ => 0,
        }
    }

    /// The film of all steps that were taken, once no other pass is needed.
    ///
    /// # Errors
    /// If no step was taken, or the file format cannot hold such a film.
    pub fn film(self, film: &FilmChoices, effort: Effort) -> Result<Film, FilmError> {
        let Some(First { step, plan, range }) = &self.first else { return Err(FilmError::Empty) };
        let lock = match range {
            FrameRange::Each => None,
            FrameRange::Known(interval) => Some(*interval),
            FrameRange::All(range) => Some(range.interval()),
        };
        let screen = Screen::new(plan.size(), plan.geometry.zoom, film.stamp, self.text_dots);
        let possible = self.possible_codes(plan, lock, &screen);
        let writer = super::writer(film, &screen, (plan.paint, &possible), (self.n_frames, effort))?;
        let first = FirstFrame::of(*step, plan);
        Ok(Film { choices: self.choices, lock, screen, stamp: film.stamp, first, writer, before: None })
    }

    fn plan(&self, frame_input: &FrameInput<'_>) -> Result<Plan, FilmError> {
        let step = frame_input.step;
        plan(&self.choices, &frame_input.subject).map_err(|error| match &self.first {
            None => error.into(),
            Some(_) => FilmError::Step { step, error },
        })
    }

    fn look(&mut self, frame_input: &FrameInput<'_>, plan: &Plan) -> Result<(), FilmError> {
        let step = frame_input.step;
        check_before(frame_input, plan).map_err(|error| FilmError::Step { step, error })?;
        if let Some(first) = &self.first {
            return FirstFrame::of(first.step, &first.plan).check(step, plan);
        }
        within_limits(plan, self.n_planned)?;
        let range = self.range(plan)?;
        self.first = Some(First { step, plan: plan.clone(), range });
        Ok(())
    }

    fn range(&self, plan: &Plan) -> Result<FrameRange, ChoiceError> {
        match (self.choices.scope, plan.scale.range) {
            (Some(Scope::Run), range @ Range::Fixed(..)) => {
                Ok(FrameRange::Known(interval::<f64>(range, &[])))
            }
            (Some(Scope::Run), _) => self.run.map(FrameRange::Known).ok_or_else(|| {
                ChoiceError::new(
                    "scope",
                    "run needs the range of all steps, which is not known here: leave it out",
                )
            }),
            (Some(Scope::Layer | Scope::Tile), _) => Ok(FrameRange::Each),
            // TensorFlow scales each image separately, whatever was chosen.
            (None, range) if range.is_tensorflow() => Ok(FrameRange::Each),
            (None, range) => Ok(FrameRange::All(RunRange::new(range))),
        }
    }

    /// The codes that can occur in the frames. Levels are monotone: with one interval, only those between the extremes' levels.
    fn possible_codes(&self, plan: &Plan, lock: Option<Interval>, screen: &Screen) -> PossibleCodes {
        let mut possible = PossibleCodes::everything();
        if let (Some(interval), Some((least, greatest)), true) =
            (lock, self.observed.extent, plan.scale.blend == 0.0)
        {
            let mut ends = [0; 2];
            interval.codes(&[least, greatest], &mut ends);
            possible.levels = ends[0] as u8..=ends[1] as u8;
        }
        let ObservedValues { nan, pos_inf, neg_inf, .. } = self.observed;
        let has_letters = screen.has_strip() || plan.geometry.labels != Labels::None;
        let has_gaps = plan.geometry.gutter > 0
            || !plan.geometry.tiles.len().is_multiple_of(plan.geometry.cols)
            || has_letters;
        possible.others.retain(|code| match *code {
            NAN => nan,
            POS_INF => pos_inf,
            NEG_INF => neg_inf,
            GUTTER => has_gaps,
            BAD => plan.scale.range == Range::Tf1 && (nan || pos_inf || neg_inf),
            _ => has_letters,
        });
        possible
    }
}

/// The order `change` compares each tensor with the one before it.
fn check_before(frame_input: &FrameInput<'_>, plan: &Plan) -> Result<(), ChoiceError> {
    if !plan.needs_before() {
        return Ok(());
    }
    let error = |message: String| Err(ChoiceError::new("order", message));
    match frame_input.before {
        None => error(
            "change compares with the step before, and there is none: begin behind it, by from".to_owned(),
        ),
        Some(before) if before.shape != frame_input.tensor.shape => error(format!(
            "change cannot compare {} with {} at the step before: choose steps of one shape by from and to",
            frame_input.tensor.shape, before.shape
        )),
        Some(_) => Ok(()),
    }
}

fn within_limits(plan: &Plan, n_frames: usize) -> Result<(), ChoiceError> {
    let (width, height) = plan.size();
    let of_frame = width.saturating_mul(height);
    if of_frame > MOST_FRAME_PIXELS {
        let (option, advice) = if plan.geometry.zoom > 1 {
            ("zoom", "a smaller zoom")
        } else {
            ("channels", "fewer, as in channels=0-15")
        };
        let message = format!(
            "a frame of {width}x{height} pixels is above the limit of {MOST_FRAME_PIXELS} for films: choose {advice}"
        );
        return Err(ChoiceError::new(option, message));
    }
    if of_frame.saturating_mul(n_frames) <= MOST_FILM_PIXELS {
        return Ok(());
    }
    let times = n_frames.div_ceil(MOST_FILM_PIXELS / of_frame);
    let zoom = if plan.geometry.zoom > 1 { ", a smaller zoom" } else { "" };
    Err(ChoiceError::new(
        "every",
        format!(
            "{n_frames} frames of {width}x{height} pixels are above the limit of {MOST_FILM_PIXELS}: \
             take one of {times} of them by every{zoom}, or fewer by from and to"
        ),
    ))
}
