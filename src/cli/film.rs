//! `convscope render` with an animated form: several steps of a series, or the frames of one step, into one file.

use std::{fmt::Display, io::IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    exit::{FAULTS, STOPPED, UNREADABLE, USAGE, answer_failure, failure},
    loading::{loader, run_of},
    memory_budget::MemoryBudget,
    output::{Output, Stopped},
    reading::index,
    render_args::RenderArgs,
};

use crate::{
    answers::need::{self, Product},
    catalog::{
        checked::Checked,
        snapshot::{LoggedValue, Series},
    },
    draw::survey_passes::SurveyPasses,
    load::{Animations, LoadError, NotLoaded, TensorFiles, animations},
    lookup::{
        error::AnswerError,
        film_source::{
            FilmFrame, FilmSource, FrameTensors, film_source, without_neighbours, without_numbers,
        },
        subject::{plan_of, subject_of_shape},
    },
    render::{
        choices::{Choices, Order, Scope},
        encode::Effort,
        film::{
            FilmError,
            options::{FilmChoices, FilmFormat, Over},
        },
        plan::{Plan, plan},
    },
    terminal::tell,
    types::Step,
    types::count::{counted, was},
};

pub(super) fn film(args: &RenderArgs, choices: Choices, format: FilmFormat) -> anyhow::Result<()> {
    let given = args.film.given().into_iter().chain(args.step.as_deref().map(|step| ("step", step)));
    let film = FilmChoices::parse(given).map_err(unusable)?;
    let film = FilmChoices { format: Some(format), ..film };
    let over = film.over;
    let (snapshot, source) = index(&args.paths, &args.reading)?;
    let film_source = film_source(&snapshot, args.run.as_deref(), &args.tag, &film).map_err(unusable)?;
    let checked = Checked::default();
    let tensor_files = TensorFiles {
        source: &*source,
        files: &snapshot.files,
        max_bytes: args.reading.max_payload(),
        checked: &checked,
    };
    let run = match choices.scope {
        Some(Scope::Run) => Some(
            run_of(&tensor_files, &film_source.series, &choices).map_err(|error| answer_failure(&error))?,
        ),
        _ => None,
    };
    let budget = MemoryBudget::of_process();
    let FilmOf { film_source, plan, animations } = match over {
        Over::Steps => {
            FilmOf { plan: plan_of(&film_source.series, &choices).ok(), film_source, animations: None }
        }
        Over::Frames => {
            budget.check(need::for_animations(&film_source.frames[0].parts))?;
            over_frames(&tensor_files, film_source, &choices, &film)?
        }
    };
    let wants_before = choices.order == Some(Order::Change);
    let place = args.output.display();
    let unwritten = |error| failure(FAULTS, format!("{place} cannot be written: {error}"));
    let output = Output::new(&args.output).map_err(unwritten)?;
    let bar = bar(2 * film_source.frames.len());
    let mut job = FilmJob { tensor_files, film_source, plan, animations, wants_before, budget, output, bar };
    let passes = job.passes(SurveyPasses::new(choices, job.film_source.frames.len(), run))?;
    let (mut film, frames) = passes.film(&film, Effort::Keep).map_err(|error| refused(&error))?;
    let frames: Vec<FilmFrame> =
        frames.into_iter().map(|frame_idx| job.film_source.frames[frame_idx].clone()).collect();
    for film_frame in &frames {
        let tensors = job.tensors(film_frame)?.ok_or_else(|| {
            failure(UNREADABLE, format!("step {} changed while it was read: try again", film_frame.step))
        })?;
        let bytes =
            film.frame(&tensors.frame_input(&job.film_source.series)).map_err(|error| refused(&error))?;
        job.output.write(&bytes).map_err(unwritten)?;
    }
    job.output.write(&film.end().map_err(|error| refused(&error))?).map_err(unwritten)?;
    let FilmJob { film_source, output, bar, .. } = job;
    output.stopped().map_err(|error| stopped(&error))?;
    output.finish().map_err(unwritten)?;
    bar.finish_and_clear();
    let (n, run) = (frames.len(), &film_source.series.run);
    let (what, verb) = (counted(n, "frame"), if n == 1 { "is" } else { "are" });
    tell(&format!("{what} of {} in run {run}, {}, {verb} in {place}", args.tag, steps(over, &frames)));
    tell_left_out(film_source.frames.len() - frames.len());
    Ok(())
}

/// Says how many damaged steps the film does not have.
fn tell_left_out(n_damaged: usize) {
    if n_damaged > 0 {
        let are = if n_damaged == 1 { "is" } else { "are" };
        let (what, were) = (counted(n_damaged, "step"), was(n_damaged));
        tell(&format!("{what} {are} damaged and {were} left out"));
    }
}

/// What making a film takes.
struct FilmJob<'a> {
    tensor_files: TensorFiles<'a>,
    film_source: FilmSource,
    /// For a tensor of the newest shape, or for a frame; `None` where the choices do not fit the newest tensor.
    plan: Option<Plan>,
    /// The pictures of the one step, over frames.
    animations: Option<Animations>,
    wants_before: bool,
    budget: MemoryBudget,
    output: Output,
    bar: ProgressBar,
}

impl FilmJob<'_> {
    /// Makes the passes over all frames that come before the first frame.
    fn passes(&mut self, mut passes: SurveyPasses) -> anyhow::Result<SurveyPasses> {
        while let Some(frame_idx) = passes.next_step() {
            let film_frame = self.film_source.frames[frame_idx].clone();
            let tensors = self.tensors(&film_frame)?;
            let frame_input = tensors.as_ref().map(|tensors| tensors.frame_input(&self.film_source.series));
            passes.show(frame_input.as_ref()).map_err(|error| refused(&error))?;
            if passes.begins_pass() {
                // Damaged steps are in no later pass.
                self.bar.set_length(self.bar.position() + passes.looks_left() as u64);
            }
        }
        Ok(passes)
    }

    /// The tensors of a frame; `None` where they are damaged.
    fn tensors(&mut self, film_frame: &FilmFrame) -> anyhow::Result<Option<FrameTensors>> {
        self.output.stopped().map_err(|error| stopped(&error))?;
        self.bar.inc(1);
        self.check_memory(film_frame)?;
        let series = &self.film_source.series;
        if let (Some(animations), Some(number)) = (&mut self.animations, film_frame.frame) {
            let frame =
                animations.frame(number).map_err(|error| unread((series, film_frame.step), &error))?;
            return Ok(frame.map(|frame| FrameTensors::of_frame(film_frame, frame)));
        }
        let load = |step, parts: &[LoggedValue]| match loader(&self.tensor_files)(series, step, parts) {
            Ok(tensor) => Ok(Some(tensor)),
            Err(AnswerError::Damaged(_)) => Ok(None),
            Err(error) => Err(answer_failure(&error)),
        };
        self.film_source.tensors(film_frame, self.wants_before, load)
    }

    /// Checks that there is the memory to read and draw a frame.
    fn check_memory(&self, film_frame: &FilmFrame) -> anyhow::Result<()> {
        let Some(plan) = &self.plan else { return Ok(()) };
        let of = (&*self.film_source.series, &*film_frame.parts);
        self.budget.check(self.animations.as_ref().map_or_else(
            || need::estimate_on_this_thread(&self.tensor_files, of, &Product::Frame(plan)),
            |animations| need::for_frame(animations.reader(), plan),
        ))
    }
}

/// What a film is of, and how a frame of it is drawn.
struct FilmOf {
    film_source: FilmSource,
    plan: Option<Plan>,
    animations: Option<Animations>,
}

/// The frames of the one step that a film has, and the pictures that they are of.
fn over_frames(
    tensor_files: &TensorFiles<'_>,
    film_source: FilmSource,
    choices: &Choices,
    film: &FilmChoices,
) -> anyhow::Result<FilmOf> {
    without_neighbours(choices).map_err(unusable)?;
    without_numbers(&film_source).map_err(unusable)?;
    let FilmFrame { step, parts, .. } = &film_source.frames[0];
    let animations =
        animations(tensor_files, parts).map_err(|error| unread((&film_source.series, *step), &error))?;
    let film_source = film_source.over_frames(animations.reader().frames(), film).map_err(unusable)?;
    let plan = plan(choices, &subject_of_shape(&film_source.series, animations.reader().shape())).ok();
    Ok(FilmOf { film_source, plan, animations: Some(animations) })
}

fn unread((series, step): (&Series, Step), NotLoaded { error, .. }: &NotLoaded) -> anyhow::Error {
    let code = if matches!(error, LoadError::Io(_)) { UNREADABLE } else { FAULTS };
    failure(code, format!("{} of {}: {error}", series.axis.words(step), series.tag))
}

/// The steps of a film in words.
fn steps(over: Over, frames: &[FilmFrame]) -> String {
    let step = |film_frame: Option<&FilmFrame>| film_frame.map_or(0, |film_frame| film_frame.step);
    let (first, last) = (step(frames.first()), step(frames.last()));
    match over {
        Over::Steps if first < last => format!("steps {first} to {last}"),
        Over::Steps | Over::Frames => format!("step {first}"),
    }
}

fn unusable(error: impl Display) -> anyhow::Error {
    failure(USAGE, error.to_string())
}

fn refused(error: &FilmError) -> anyhow::Error {
    let code = if matches!(error, FilmError::Empty) { FAULTS } else { USAGE };
    failure(code, error.to_string())
}

fn stopped(error: &Stopped) -> anyhow::Error {
    failure(STOPPED, error.to_string())
}

/// A progress bar, shown only on a terminal.
fn bar(steps: usize) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style = ProgressStyle::with_template("{bar:40} {percent}% {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(steps as u64), target).with_style(style)
}
