//! What is typed after `convscope render`, and the picture options that `convscope export` has too.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::reading::Reading;
use crate::{
    lookup::{error::AnswerError, pair::Minus},
    render::choices::Choices,
};

#[derive(Args)]
pub(super) struct RenderArgs {
    /// The directory that holds the event files
    pub(super) logdir: PathBuf,
    /// The tag, as `convscope ls` shows it
    #[arg(long)]
    pub(super) tag: String,
    /// The run; may be left out if only one run has the tag
    #[arg(long)]
    pub(super) run: Option<String>,
    /// A step that was logged, or latest, which is the default
    #[arg(long, allow_hyphen_values = true)]
    pub(super) step: Option<String>,
    /// If a step was logged more than once: 0 is the newest attempt, 1 the one before
    #[arg(long)]
    pub(super) attempt: Option<usize>,
    /// Draw the difference to this step (or latest): the tensor of the step minus that of this one
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    minus_step: Option<String>,
    /// Draw the difference to the tensor of this run
    #[arg(long, value_name = "R")]
    minus_run: Option<String>,
    /// Draw the difference to the tensor of this tag
    #[arg(long, value_name = "T")]
    minus_tag: Option<String>,
    /// Which filter is subtracted from which: index, or cosine for the pairing whose sum of cosines is greatest
    #[arg(long = "match", value_name = "HOW")]
    matching: Option<String>,
    /// The file: .png or .webp for a picture, .apng, .gif, or .webp with a film option for a film of all steps, .npy for the
    /// tensor as it was logged, or the difference
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: PathBuf,
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) film: FilmArgs,
    #[command(flatten)]
    pub(super) picture: PictureArgs,
}

/// The picture options that were given: names and values.
pub(super) struct PictureArgs(Vec<(&'static str, String)>);

impl PictureArgs {
    pub(super) fn given(&self) -> Vec<(&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

impl Args for PictureArgs {
    fn augment_args(command: Command) -> Command {
        let command = command.next_help_heading("Picture options");
        Choices::OPTIONS.iter().fold(command, |command, option| {
            command.arg(
                Arg::new(option.name)
                    .long(option.name)
                    .value_name("VALUE")
                    .help(option.text())
                    .allow_hyphen_values(true),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for PictureArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let value = |name: &'static str| Some((name, matches.get_one::<String>(name)?.clone()));
        Ok(Self(Choices::names().into_iter().filter_map(value).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[derive(Args)]
#[command(next_help_heading = "Film options")]
pub(super) struct FilmArgs {
    /// steps, or frames: those of the animated pictures of one step, which --step names
    #[arg(long, value_name = "WHAT")]
    over: Option<String>,
    /// The first step of a film; the default is the first that was logged. Over frames, the number of the first frame, from 1
    #[arg(long, value_name = "STEP", allow_hyphen_values = true)]
    from: Option<String>,
    /// The last step of a film, or latest; over frames, the number of the last one
    #[arg(long, value_name = "STEP", allow_hyphen_values = true)]
    to: Option<String>,
    /// Every Nth logged step or frame
    #[arg(long, value_name = "N")]
    every: Option<String>,
    /// Frames per second, 0.1 to 60; the default is 10
    #[arg(long, value_name = "F")]
    fps: Option<String>,
    /// step: write the step into a strip above the sheet; frame: the number of the frame, over frames
    #[arg(long, value_name = "WHAT")]
    stamp: Option<String>,
}

impl FilmArgs {
    /// Whether it is of the frames of one step.
    pub(super) fn is_over_frames(&self) -> bool {
        self.over.as_deref() == Some("frames")
    }

    /// The options that were given, by name.
    pub(super) fn given(&self) -> Vec<(&'static str, &str)> {
        let Self { over, from, to, every, fps, stamp } = self;
        let options =
            [("over", over), ("from", from), ("to", to), ("every", every), ("fps", fps), ("stamp", stamp)];
        options.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }
}

impl RenderArgs {
    /// What is subtracted.
    pub(super) fn minus(&self) -> Result<Option<Minus>, AnswerError> {
        let words = [&self.minus_run, &self.minus_tag, &self.minus_step, &self.matching];
        Minus::parse(words.map(|word| word.as_deref()))
    }
}
