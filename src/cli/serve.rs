//! `convscope serve` and `convscope demo`: the daemon over a logdir, or over the bundled recording.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;

use super::{
    exit::{UNREADABLE, failure},
    places::{Existence, absolute},
    reading::Reading,
    shelf::ShelfLimits,
    token,
};
use crate::{
    catalog::ingest,
    daemon::{self, Listen, Shelf},
    demo::Replay,
    memory::{self, Shares},
    server::{ConnectionLimits, FrameOrigin, Settings},
    source::{Source as _, local::Local},
    terminal,
};

#[derive(Args)]
pub(super) struct ServeArgs {
    /// The directory that holds event files or checkpoints, which need not exist yet; or checkpoints and event files
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The same, as an option, as TensorBoard has it
    #[arg(
        long = "logdir",
        value_name = "LOGDIR",
        conflicts_with = "paths",
        required_unless_present = "paths"
    )]
    named_logdir: Option<PathBuf>,
    #[command(flatten)]
    options: ServeOptions,
}

#[derive(Args)]
pub(super) struct ServeOptions {
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    listen: ListenArgs,
    /// Look for changes every SECS seconds instead of using notifications
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    poll: Option<Duration>,
    #[command(flatten)]
    shelf_limits: ShelfLimits,
}

#[derive(Args)]
pub(super) struct DemoArgs {
    #[command(flatten)]
    listen: ListenArgs,
    /// How many times as fast as the training was
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
}

#[derive(Args)]
struct ListenArgs {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 6007)]
    port: u16,
    /// Open a browser
    #[arg(long)]
    open: bool,
    /// Memory for pictures and tensors that may be asked for again, in MiB
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u64).range(0..=1 << 20))]
    cache_mb: u64,
    /// Answer only requests with this token; other users of this machine can read it in the list of processes
    #[arg(long, value_name = "T", conflicts_with = "token_file")]
    token: Option<String>,
    #[arg(
        long,
        value_name = "FILE",
        help = "Answer only requests with the token in this file; without --token and --token-file, the token in the variable CONVSCOPE_TOKEN"
    )]
    token_file: Option<PathBuf>,
    /// Another name of this machine, besides localhost; may be given several times
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    #[arg(
        long,
        value_name = "ORIGIN",
        help = "An origin whose pages may show the page in a frame, as in http://localhost:8888; may be given several times"
    )]
    allow_frame: Vec<FrameOrigin>,
    /// Write the port to this file once the socket listens
    #[arg(long, value_name = "F")]
    port_file: Option<PathBuf>,
    /// Stop when standard input ends
    #[arg(long)]
    exit_with_stdin: bool,
}

impl ServeArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let paths = self.named_logdir.map_or(self.paths, |logdir| vec![logdir]);
        serve(&paths, self.options)
    }
}

pub(super) fn serve(paths: &[PathBuf], args: ServeOptions) -> anyhow::Result<()> {
    memory::tune_allocator();
    let typed = args.reading.typed(paths);
    let source = Arc::new(typed.source(Existence::Awaited)?);
    if !source.root().exists() {
        terminal::tell(&format!("convscope: {} does not exist yet: waiting for it", typed.name()));
    }
    let options = ingest::Options { poll_every: args.poll, ..args.reading.options()? };
    let shown: Vec<PathBuf> = paths.iter().map(|path| absolute(path)).collect::<Result<_, _>>()?;
    let shelf = args.reading.shelf.directory(source.root(), &shown, args.shelf_limits)?;
    let (listen, settings) = args.listen.ready(&typed.name(), false)?;
    let settings = Settings { log_into: typed.log_into(), ..settings };
    daemon::run(source, options, &listen, settings, shelf)
}

pub(super) fn demo(args: DemoArgs) -> anyhow::Result<()> {
    memory::tune_allocator();
    let (listen, settings) = args.listen.ready("the bundled demo recording", true)?;
    let replay = Replay::start(args.speed)
        .map_err(|error| failure(UNREADABLE, format!("the demo cannot be written: {error}")))?;
    let source = Arc::new(Local::new(replay.logdir()));
    daemon::run(source, ingest::Options::default(), &listen, settings, Shelf::Off)
}

impl ListenArgs {
    fn ready(self, logdir: &str, is_demo: bool) -> anyhow::Result<(Listen, Settings)> {
        let Self { host, port, open, cache_mb, port_file, exit_with_stdin, .. } = self;
        let token = token::token(self.token, self.token_file.as_deref())?;
        let mut allow_host = self.allow_host;
        allow_host.push(host.clone());
        let Shares { cache_bytes, work_bytes } = Shares::of(memory::most_bytes(), cache_mb << 20);
        if cache_bytes < cache_mb << 20 {
            tracing::warn!(
                cache_mb = cache_bytes >> 20,
                "little memory is available: caches get less than --cache-mb"
            );
        }
        let settings = Settings {
            logdir: logdir.to_owned(),
            log_into: logdir.to_owned(),
            is_demo,
            cache_bytes,
            work_bytes,
            token,
            allowed_hosts: allow_host,
            allowed_frames: self.allow_frame,
            limits: ConnectionLimits::of(daemon::most_descriptors()),
        };
        Ok((Listen { host, port, port_file, open, exit_with_stdin }, settings))
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse().map(Duration::try_from_secs_f64) {
        Ok(Ok(pace)) if pace >= Duration::from_millis(10) => Ok(pace),
        _ => Err("not a number of seconds from 0.01 on".to_owned()),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if f64::is_finite(speed) && speed > 0.0 => Ok(speed),
        _ => Err("not a number above 0".to_owned()),
    }
}
