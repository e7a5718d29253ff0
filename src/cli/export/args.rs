//! What is typed after `convscope export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::{
    cli::{reading::Reading, render_args::PictureArgs},
    export::selection::{LayerGlob, layer_glob, step_range},
    model::role::Role,
    types::Step,
};

#[derive(Args)]
pub(in crate::cli) struct ExportArgs {
    /// The logdir, or checkpoints and event files
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Event files with image summaries, a tree of PNG files, or NPZ files of the tensors as they were logged
    #[arg(long, value_enum)]
    pub(super) to: To,
    /// The directory to write into; an export that was stopped is resumed there
    #[arg(short, long, value_name = "OUT")]
    pub(super) output: PathBuf,
    /// Keep exporting while a training writes, until interrupted
    #[arg(long)]
    pub(super) follow: bool,
    /// Every Nth of the logged steps of each series, the first included
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    pub(super) every: u64,
    /// Only this run
    #[arg(long)]
    pub(super) run: Option<String>,
    /// Only layers that match, for example 'conv*'
    #[arg(long, value_name = "GLOB", value_parser = layer_glob)]
    pub(super) layer: Option<LayerGlob>,
    /// kernel, bias, activation, input, other, or image for pictures that the log holds already
    #[arg(long, value_parser = role)]
    pub(super) role: Option<Role>,
    /// Steps from A to B, both included; either may be left out
    #[arg(long, value_name = "A:B", value_parser = step_range, allow_hyphen_values = true)]
    pub(super) steps: Option<(Step, Step)>,
    /// What the classic image summary recipe shows, byte for byte, and a sheet beside it
    #[arg(long, value_enum)]
    pub(super) preset: Option<Preset>,
    /// Write image summaries as TensorFlow 1 did
    #[arg(long)]
    pub(super) tf1: bool,
    /// Write into the logdir itself; what is written there is never read back
    #[arg(long)]
    pub(super) into_logdir: bool,
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) picture: PictureArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum To {
    Tensorboard,
    Png,
    Npz,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Preset {
    Classic,
}

fn role(name: &str) -> Result<Role, String> {
    Role::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
        format!("there are {}", names.join(", "))
    })
}
