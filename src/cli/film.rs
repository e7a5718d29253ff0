//! `convscope render` with an animated form: several steps of a series into one file.

use std::io::IsTerminal;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    FAULTS, STOPPED, UNREADABLE, USAGE,
    draw::{RenderArgs, run_interval},
    failure, index,
    output::{Output, Stopped},
};

use crate::{
    catalog::{checked::Checked, snapshot::Logged},
    load::{LoadError, NotLoaded, Shelf, load},
    lookup::reel::{Reel, Shot, Tensors, reel},
    memory,
    render::{
        choices::{Choices, Order, Scope},
        encode::Effort,
        film::{
            FilmError,
            options::{FilmChoices, FilmFormat},
            survey::Survey,
        },
        range::Interval,
    },
    terminal::tell,
};

#[derive(Args)]
#[command(next_help_heading = "Film options")]
pub(super) struct FilmArgs {
    /// The first step of a film; the first that was logged when left out
    #[arg(long, value_name = "STEP", allow_hyphen_values = true)]
    from: Option<String>,
    /// The last step of a film, or latest
    #[arg(long, value_name = "STEP", allow_hyphen_values = true)]
    to: Option<String>,
    /// Every so many logged steps, one frame
    #[arg(long, value_name = "N")]
    every: Option<String>,
    /// Frames a second, 0.1 to 60; 10 when left out
    #[arg(long, value_name = "F")]
    fps: Option<String>,
    /// step: write the step into a strip above the sheet
    #[arg(long, value_name = "WHAT")]
    stamp: Option<String>,
}

impl FilmArgs {
    /// The options that were given, by name.
    pub(super) fn given(&self) -> Vec<(&'static str, &str)> {
        let Self { from, to, every, fps, stamp } = self;
        let options = [("from", from), ("to", to), ("every", every), ("fps", fps), ("stamp", stamp)];
        options.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }
}

pub(super) fn film(args: &RenderArgs, choices: Choices, format: FilmFormat) -> anyhow::Result<()> {
    // Each frame takes and gives back some hundred kilobytes.
    memory::spare();
    let film = FilmChoices::parse(args.film.given()).map_err(|error| failure(USAGE, error.to_string()))?;
    let film = FilmChoices { format: Some(format), ..film };
    let (snapshot, source) = index(&args.logdir, &args.reading)?;
    let reel = reel(&snapshot, args.run.as_deref(), &args.tag, &film)
        .map_err(|error| failure(USAGE, error.to_string()))?;
    let checked = Checked::default();
    let shelf = Shelf {
        source: &*source,
        files: &snapshot.files,
        max_bytes: args.reading.max_payload(),
        checked: &checked,
    };
    let run = match choices.scope {
        Some(Scope::Run) => Some(run_interval(&shelf, &reel.series, &choices)?),
        _ => None,
    };
    let wants_before = choices.order == Some(Order::Change);
    let place = args.output.display();
    let unwritten = |error| failure(FAULTS, format!("{place} cannot be written: {error}"));
    let output = Output::new(&args.output).map_err(unwritten)?;
    let bar = bar(2 * reel.shots.len());
    let mut studio = Studio { shelf, reel, wants_before, output, bar };

    let (survey, frames) = studio.survey(choices, run)?;
    let mut film = survey.film(&film, Effort::Keep).map_err(|error| refused(&error))?;
    for shot in &frames {
        let tensors = studio.tensors(shot)?.ok_or_else(|| {
            failure(UNREADABLE, format!("step {} changed while it was read: try again", shot.step))
        })?;
        let bytes = film.frame(&tensors.exposure(&studio.reel.series)).map_err(|error| refused(&error))?;
        studio.output.write(&bytes).map_err(unwritten)?;
    }
    studio.output.write(&film.end().map_err(|error| refused(&error))?).map_err(unwritten)?;
    let Studio { reel, output, bar, .. } = studio;
    output.stopped().map_err(|error| stopped(&error))?;
    output.finish().map_err(unwritten)?;
    bar.finish_and_clear();
    let (first, last) =
        (frames.first().map_or(0, |shot| shot.step), frames.last().map_or(0, |shot| shot.step));
    tell(&format!(
        "{} frames of {} in run {}, steps {first} to {last}, are in {place}",
        frames.len(),
        args.tag,
        reel.series.run
    ));
    let n_damaged = reel.shots.len() - frames.len();
    if n_damaged > 0 {
        tell(&format!("{n_damaged} steps are damaged and were left out"));
    }
    Ok(())
}

/// What making a film takes.
struct Studio<'a> {
    shelf: Shelf<'a>,
    reel: Reel,
    wants_before: bool,
    output: Output,
    bar: ProgressBar,
}

impl Studio<'_> {
    /// Looks at all shots, and gives those that can be read.
    fn survey(&self, choices: Choices, run: Option<Interval>) -> anyhow::Result<(Survey, Vec<Shot>)> {
        let mut survey = Survey::new(choices, self.reel.shots.len(), run);
        let mut frames = self.reel.shots.clone();
        loop {
            let mut readable = Vec::new();
            for shot in frames {
                if let Some(tensors) = self.tensors(&shot)? {
                    let exposure = tensors.exposure(&self.reel.series);
                    survey.take(&exposure).map_err(|error| refused(&error))?;
                    readable.push(shot);
                }
            }
            frames = readable;
            // Passes over the frames that are left, and one that draws them.
            let is_done = !survey.end_pass();
            let left = 1 + if is_done { 0 } else { survey.passes_left() };
            self.bar.set_length(self.bar.position() + (left * frames.len()) as u64);
            if is_done {
                return Ok((survey, frames));
            }
        }
    }

    /// The tensors of a shot; `None` where they are damaged.
    fn tensors(&self, shot: &Shot) -> anyhow::Result<Option<Tensors>> {
        self.output.stopped().map_err(|error| stopped(&error))?;
        self.bar.inc(1);
        let series = &self.reel.series;
        let load = |step, parts: &[Logged]| match load(&self.shelf, series.encoding, parts) {
            Ok(tensor) => Ok(Some(tensor)),
            Err(NotLoaded { error: LoadError::Damaged { .. } | LoadError::Undecodable(_), .. }) => Ok(None),
            Err(NotLoaded { error, .. }) => {
                Err(failure(UNREADABLE, format!("step {step} of {}: {error}", series.tag)))
            }
        };
        self.reel.tensors(shot, self.wants_before, load)
    }
}

fn refused(error: &FilmError) -> anyhow::Error {
    let code = if matches!(error, FilmError::Empty) { FAULTS } else { USAGE };
    failure(code, error.to_string())
}

fn stopped(error: &Stopped) -> anyhow::Error {
    failure(STOPPED, error.to_string())
}

/// Progress over both passes, on a terminal only.
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
