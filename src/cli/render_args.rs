//! What is typed after `convscope render`, and the picture options that `convscope export` has too.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::reading::Reading;
use crate::{
    lookup::{error::AnswerError, pair::Minus},
    render::{
        choices::{Choices, OptionRow},
        film::options::{FilmChoices, Over},
    },
};

#[derive(Args)]
pub(super) struct RenderArgs {
    /// The logdir, or checkpoints and event files
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
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
pub(super) struct PictureArgs(Given);

/// The film options that were given, likewise. The step is named by `--step`, which pictures have too, and the form of the file
/// by its ending.
pub(super) struct FilmArgs(Given);

type Given = Vec<(&'static str, String)>;

/// Of the film options, those that are said otherwise here.
const SAID_OTHERWISE: [&str; 2] = ["step", "format"];

impl PictureArgs {
    pub(super) fn given(&self) -> Vec<(&'static str, &str)> {
        borrowed(&self.0)
    }
}

impl FilmArgs {
    /// Whether it is of the frames of one step.
    pub(super) fn is_over_frames(&self) -> bool {
        self.0.iter().any(|(name, value)| *name == "over" && value == Over::Frames.name())
    }

    /// The options that were given, by name.
    pub(super) fn given(&self) -> Vec<(&'static str, &str)> {
        borrowed(&self.0)
    }

    fn options() -> impl Iterator<Item = &'static OptionRow> {
        FilmChoices::OPTIONS.iter().filter(|option| !SAID_OTHERWISE.contains(&option.name))
    }
}

fn borrowed<'a>(given: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    given.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn with_options(
    command: Command,
    heading: &'static str,
    options: impl Iterator<Item = &'static OptionRow>,
) -> Command {
    options.fold(command.next_help_heading(heading), |command, option| {
        let arg = Arg::new(option.name).long(option.name).value_name("VALUE");
        command.arg(arg.help(option.text()).allow_hyphen_values(true))
    })
}

fn given(matches: &ArgMatches, options: impl Iterator<Item = &'static OptionRow>) -> Given {
    options
        .filter_map(|option| Some((option.name, matches.get_one::<String>(option.name)?.clone())))
        .collect()
}

impl Args for PictureArgs {
    fn augment_args(command: Command) -> Command {
        with_options(command, "Picture options", Choices::OPTIONS.iter())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for PictureArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(given(matches, Choices::OPTIONS.iter())))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for FilmArgs {
    fn augment_args(command: Command) -> Command {
        with_options(command, "Film options", Self::options())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for FilmArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(given(matches, Self::options())))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl RenderArgs {
    /// What is subtracted.
    pub(super) fn minus(&self) -> Result<Option<Minus>, AnswerError> {
        let words = [&self.minus_run, &self.minus_tag, &self.minus_step, &self.matching];
        Minus::parse(words.map(|word| word.as_deref()))
    }
}
