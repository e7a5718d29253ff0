//! The tensors of a series, step by step, or of a step, frame by frame -> a film: an animated PNG, GIF or WebP.
//!
//! First a [`Survey`](survey::Survey) looks at all tensors. Before anything is shown, it finds the scale for all frames, steps
//! that do not fit into one film with the others, and films beyond the limits. Then a [`Film`] takes the tensors once more and
//! returns the bytes of each frame. Neither holds more than one tensor and two frames, however many steps there are.
//!
//! Without a `scope`, the range is computed from all frames, so that equal numbers have equal colours and nothing flickers.
//! With the scope `run` it is computed from all steps of the series, even if the film shows only some of them. With `layer`
//! and `tile` each frame has a scale of its own.
//!
//! From the second frame on, only the rectangle of pixels that changed is written, over the frame before.

pub mod apng;
pub mod changed;
pub mod gif;
pub mod observed_values;
pub mod options;
pub mod palette;
pub mod screen;
pub mod survey;
pub mod webp;

use self::{
    apng::Apng,
    changed::Region,
    gif::Gif,
    options::{FilmChoices, FilmFormat, Stamp},
    palette::{Coloring, Palette, PossibleCodes},
    screen::{Frame, Screen},
    webp::WebP,
};
use super::{
    choices::{ChoiceError, Choices, Cmap, Scope},
    encode::Effort,
    label::width_px,
    other_steps::OtherSteps,
    plan::{Paint, Plan, Subject, plan},
    range::Interval,
    sheet::draw_among,
};
use crate::{reader::moment::Axis, tensor::Tensor, types::Step};

/// The most frames that a film may have.
pub const MOST_FRAMES: usize = 1 << 16;
/// The most pixels that a frame may have, zoom included: two frames are in memory at once.
pub const MOST_FRAME_PIXELS: usize = 16 << 20;
/// The most pixels that all frames may have together, zoom included.
pub const MOST_FILM_PIXELS: usize = 1 << 31;

/// Why a film cannot be made or continued.
#[derive(Debug, thiserror::Error)]
pub enum FilmError {
    /// Something cannot be chosen.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// Something cannot be chosen for the tensor of one step.
    #[error("{}: step {step}: {}", .error.option, .error.message)]
    Step {
        /// The step.
        step: Step,
        /// What is wrong.
        error: ChoiceError,
    },
    /// Frames of a film have one size.
    #[error(
        "from: step {step} makes a sheet of {}x{} pixels and step {first} one of {}x{}: choose steps of one shape by from and to",
        .size.0, .size.1, .first_size.0, .first_size.1
    )]
    Shape {
        /// The step that differs.
        step: Step,
        /// Its sheet's width and height.
        size: (usize, usize),
        /// The first step of the film.
        first: Step,
        /// Its sheet's width and height.
        first_size: (usize, usize),
    },
    /// Frames of a film have one colour map.
    #[error(
        "cmap: step {step} is drawn in {} and step {first} in {}: name one for all, as in cmap=gray, or choose steps of one shape by from and to",
        .cmap.name(), .first_cmap.name()
    )]
    Colors {
        /// The step that differs.
        step: Step,
        /// Its colour map.
        cmap: Cmap,
        /// The first step of the film.
        first: Step,
        /// Its colour map.
        first_cmap: Cmap,
    },
    /// There is no step to show.
    #[error("from: none of the steps can be read")]
    Empty,
    /// The file format cannot hold it.
    #[error("format: this film cannot be a {}: {reason}", .format.name())]
    Encode {
        /// The form.
        format: FilmFormat,
        /// Why.
        reason: String,
    },
}

/// The tensor of a step that becomes a frame.
#[derive(Clone, Copy, Debug)]
pub struct FrameInput<'a> {
    /// What the step counts.
    pub axis: Axis,
    /// The step.
    pub step: Step,
    /// The number of the frame that its pictures show, from 1, in a film over frames.
    pub frame: Option<usize>,
    /// Its tensor, or that of the frame.
    pub tensor: &'a Tensor,
    /// What is known of it.
    pub subject: Subject<'a>,
    /// The tensor of the step before in the series, for the order `change`.
    pub before: Option<&'a Tensor>,
}

impl FrameInput<'_> {
    /// What is written above its sheet.
    fn text(&self, stamp: Stamp) -> String {
        match (stamp, self.frame) {
            (Stamp::Nothing, _) => String::new(),
            (Stamp::Frame, Some(number)) => format!("frame {number}"),
            (Stamp::Step | Stamp::Frame, _) => self.axis.words(self.step),
        }
    }

    /// The width of the widest text that may be written above its sheet, in dots.
    fn text_dots(&self) -> usize {
        [Stamp::Step, Stamp::Frame].map(|stamp| width_px(&self.text(stamp))).into_iter().max().unwrap_or(0)
    }
}

/// The second look at the tensors: makes the frames, one after the other.
pub struct Film {
    choices: Choices,
    /// The interval of all frames; `None` where each has its own.
    lock: Option<Interval>,
    screen: Screen,
    stamp: Stamp,
    first: FirstFrame,
    writer: Writer,
    before: Option<Frame>,
}

/// What the first frame of a film decides for all frames.
#[derive(Clone, Copy, Debug)]
struct FirstFrame {
    step: Step,
    size: (usize, usize),
    cmap: Cmap,
}

enum Writer {
    Apng(Apng),
    Gif(Gif),
    WebP(WebP),
}

impl Film {
    /// The numbers at the ends of the colours of all frames; `None` where each frame has its own.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        self.lock
    }

    /// The bytes of the next frame; none if the file format can only be written as a whole.
    ///
    /// # Errors
    /// If the tensor is not the one that was surveyed, or the file format cannot hold the frame.
    pub fn frame(&mut self, frame_input: &FrameInput<'_>) -> Result<Vec<u8>, FilmError> {
        let FrameInput { step, tensor, ref subject, before, .. } = *frame_input;
        let of_step = |error| FilmError::Step { step, error };
        let plan = plan(&self.choices, subject).map_err(of_step)?;
        self.first.check(step, &plan)?;
        let Plan { geometry, mut scale, .. } = plan;
        if self.lock.is_some() {
            scale.scope = Scope::Run;
        }
        let other_steps = OtherSteps { run: self.lock, before };
        let sheet = draw_among(tensor, geometry, &scale, &other_steps).map_err(of_step)?;
        let frame = self.screen.frame(sheet.raster, &frame_input.text(self.stamp));
        let changed = self.before.as_ref().map(|before| Region::changed(before, &frame));
        let bytes = self.writer.frame(&frame, changed.unwrap_or(Region::whole(&frame)))?;
        self.before = Some(frame);
        Ok(bytes)
    }

    /// The last bytes.
    ///
    /// # Errors
    /// If the file format cannot hold the film.
    pub fn end(self) -> Result<Vec<u8>, FilmError> {
        match self.writer {
            Writer::Apng(_) => Ok(Apng::end()),
            Writer::Gif(gif) => gif.end().map_err(|error| encode(FilmFormat::Gif, &error)),
            Writer::WebP(webp) => Ok(webp.end()),
        }
    }
}

impl Writer {
    fn frame(&mut self, frame: &Frame, changed: Region) -> Result<Vec<u8>, FilmError> {
        match self {
            Self::Apng(apng) => {
                apng.frame(&changed.cut(frame), changed).map_err(|error| encode(FilmFormat::Apng, &error))
            }
            Self::Gif(gif) => {
                gif.frame(&changed.cut(frame), changed).map_err(|error| encode(FilmFormat::Gif, &error))
            }
            Self::WebP(webp) => {
                let changed = changed.from_even();
                let taken = webp.frame(&changed.cut(frame), changed);
                taken.map(|()| Vec::new()).map_err(|error| encode(FilmFormat::WebP, &error))
            }
        }
    }
}

/// Begins a file for `n_frames` frames of a screen that show the possible codes under a colour map.
fn writer(
    film: &FilmChoices,
    screen: &Screen,
    (paint, possible): (Paint, &PossibleCodes),
    (n_frames, effort): (usize, Effort),
) -> Result<Writer, FilmError> {
    let (format, size) = (film.format(), (screen.width, screen.height));
    check_form(format, film, size)?;
    let has_map = paint.cmap != Cmap::Rgb;
    let colors = paint.colors();
    Ok(match format {
        FilmFormat::Apng => {
            let palette = if has_map { Palette::lossless(&colors, possible) } else { None };
            let coloring = Coloring { palette, colors: colors.into() };
            Writer::Apng(Apng::new(coloring, n_frames as u32, film.fps, effort))
        }
        FilmFormat::Gif => {
            let palette = has_map.then(|| Palette::merged(&colors, possible));
            Writer::Gif(Gif::new(size, palette, film.fps).map_err(|error| encode(format, &error))?)
        }
        FilmFormat::WebP => Writer::WebP(WebP::new(size, colors.into(), film.fps)),
    })
}

fn encode(format: FilmFormat, error: &dyn std::error::Error) -> FilmError {
    FilmError::Encode { format, reason: error.to_string() }
}

impl FirstFrame {
    fn of(step: Step, plan: &Plan) -> Self {
        Self { step, size: plan.size(), cmap: plan.paint.cmap }
    }

    /// A tensor of another shape may make a sheet of the same size and other colours: a kernel's magnitudes in place of its only
    /// input channel. The palette is that of the first frame.
    fn check(self, step: Step, plan: &Plan) -> Result<(), FilmError> {
        let Self { step: first, size: first_size, cmap: first_cmap } = self;
        let (size, cmap) = (plan.size(), plan.paint.cmap);
        if size != first_size {
            return Err(FilmError::Shape { step, size, first, first_size });
        }
        if cmap != first_cmap {
            return Err(FilmError::Colors { step, cmap, first, first_cmap });
        }
        Ok(())
    }
}

fn check_form(
    format: FilmFormat,
    film: &FilmChoices,
    (width, height): (usize, usize),
) -> Result<(), FilmError> {
    let longest = match format {
        FilmFormat::Apng => i32::MAX as usize,
        FilmFormat::Gif => gif::LONGEST_SIDE,
        FilmFormat::WebP => webp::LONGEST_SIDE,
    };
    if width.max(height) > longest {
        let reason = format!("a side of {} pixels is above its limit of {longest}", width.max(height));
        return Err(FilmError::Encode { format, reason });
    }
    if format == FilmFormat::Gif && film.fps.in_hundred_seconds() > gif::FASTEST {
        let reason = "it shows at most 50 frames a second: choose fps=50 or less".to_owned();
        return Err(FilmError::Encode { format, reason });
    }
    Ok(())
}
