//! What is typed after `convscope render`, and the picture options that `convscope export` has too.

use std::path::PathBuf;

use clap::Args;

use super::reading::Reading;
use crate::lookup::{error::AnswerError, pair::Minus};

#[derive(Args)]
pub(super) struct RenderArgs {
    /// The directory that holds the event files
    pub(super) logdir: PathBuf,
    /// The tag, as `convscope ls` shows it
    #[arg(long)]
    pub(super) tag: String,
    /// The run; may be left out where one run alone has the tag
    #[arg(long)]
    pub(super) run: Option<String>,
    /// A step that was logged, or latest, which is what is taken when left out
    #[arg(long, allow_hyphen_values = true)]
    pub(super) step: Option<String>,
    /// Where a step was logged more than once: 0 is the newest, 1 the one before
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

#[derive(Args)]
#[command(next_help_heading = "Picture options")]
pub(super) struct PictureArgs {
    /// filters, matrix, slice, magnitude, components, maps, samples or image
    #[arg(long)]
    view: Option<String>,
    /// minmax, symmetric, percentile:P, zscale, std:K, fixed:LO:HI, tf1 or tf2
    #[arg(long, allow_hyphen_values = true)]
    range: Option<String>,
    /// tile, layer or run
    #[arg(long)]
    scope: Option<String>,
    /// A colour map, or rgb
    #[arg(long)]
    cmap: Option<String>,
    /// Filters or maps, as in 0-15,20
    #[arg(long)]
    channels: Option<String>,
    /// Frames of animated pictures, from 1 on, as in 1-64,80 or 1-300/4
    #[arg(long)]
    frames: Option<String>,
    /// The sample that maps are of
    #[arg(long)]
    sample: Option<String>,
    /// The input channel that the view slice shows
    #[arg(long)]
    slice: Option<String>,
    /// Columns of the sheet
    #[arg(long)]
    cols: Option<String>,
    /// Pixels between and around the tiles
    #[arg(long)]
    gutter: Option<String>,
    /// Pixels an element
    #[arg(long)]
    zoom: Option<String>,
    /// Which axis is which, as in HWIO
    #[arg(long)]
    layout: Option<String>,
    /// index, norm, mean, max, sparsity, change or similarity
    #[arg(long)]
    order: Option<String>,
    /// none or index
    #[arg(long)]
    labels: Option<String>,
    /// From the layer's range, 0, to those of the tiles, 1
    #[arg(long)]
    blend: Option<String>,
}

impl PictureArgs {
    pub(super) fn given(&self) -> Vec<(&'static str, &str)> {
        let Self {
            view,
            range,
            scope,
            cmap,
            channels,
            frames,
            sample,
            slice,
            cols,
            gutter,
            zoom,
            layout,
            order,
            labels,
            blend,
        } = self;
        let options = [
            ("view", view),
            ("range", range),
            ("scope", scope),
            ("cmap", cmap),
            ("channels", channels),
            ("frames", frames),
            ("sample", sample),
            ("slice", slice),
            ("cols", cols),
            ("gutter", gutter),
            ("zoom", zoom),
            ("layout", layout),
            ("order", order),
            ("labels", labels),
            ("blend", blend),
        ];
        options.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }
}

#[derive(Args)]
#[command(next_help_heading = "Film options")]
pub(super) struct FilmArgs {
    /// steps, or frames: those of the animated pictures of one step, which --step names
    #[arg(long, value_name = "WHAT")]
    over: Option<String>,
    /// The first step of a film; the first that was logged when left out. Over frames, the number of the first one, from 1 on
    #[arg(long, value_name = "STEP", allow_hyphen_values = true)]
    from: Option<String>,
    /// The last step of a film, or latest; over frames, the number of the last one
    #[arg(long, value_name = "STEP", allow_hyphen_values = true)]
    to: Option<String>,
    /// Every so many logged steps or frames, one is shown
    #[arg(long, value_name = "N")]
    every: Option<String>,
    /// Frames a second, 0.1 to 60; 10 when left out
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
