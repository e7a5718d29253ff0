//! The command line: what was typed -> what is done, and the exit code.
//!
//! Exit codes: 0 fine, 1 faults found, 2 usage, 3 the logdir cannot be read, 4 the port cannot be had, 130 stopped by a signal
//! while a file was written. Data goes to
//! standard output, everything else to standard error.

mod draw;
mod export;
mod film;
mod listing;
mod logdir;
mod output;
mod token;
mod verify;

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::{
    catalog::{
        ingest::{self, index_once},
        ruled,
        snapshot::Snapshot,
    },
    daemon::{self, CannotBind, Listen},
    demo::Replay,
    lookup::error::AnswerError,
    memory::{self, Shares},
    recipes,
    server::{Bounds, FrameOrigin, Settings},
    source::{Source, local::Local},
    terminal,
};

/// Look at convolution kernels and activations while they train.
#[derive(Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    after_help = "convscope --logdir LOGDIR is convscope serve LOGDIR."
)]
struct Typed {
    #[command(subcommand)]
    command: Option<Command>,
    /// The directory that holds the event files; it need not exist yet
    #[arg(long, value_name = "LOGDIR")]
    logdir: Option<PathBuf>,
    #[command(flatten)]
    serve: ServeOptions,
}

#[derive(Subcommand)]
enum Command {
    /// Watch a logdir and serve the page
    Serve(ServeArgs),
    /// Replay the bundled recording of a real training
    Demo(DemoArgs),
    /// List what is in a logdir: run, layer, role, layout and why, type, shape, steps, problems
    Ls(listing::LsArgs),
    /// Draw one tensor into a file, or several steps into a film
    Render(Box<draw::RenderArgs>),
    /// Write pictures as image summaries for TensorBoard or as PNG files, or tensors as NPZ files
    Export(Box<export::ExportArgs>),
    /// Read every record of event files or logdirs and check every CRC
    Verify(verify::VerifyArgs),
}

#[derive(Args)]
struct ServeArgs {
    /// The directory that holds the event files; it need not exist yet
    #[arg(value_name = "LOGDIR")]
    logdir: Option<PathBuf>,
    /// The same, by the name that TensorBoard has for it
    #[arg(
        long = "logdir",
        value_name = "LOGDIR",
        conflicts_with = "logdir",
        required_unless_present = "logdir"
    )]
    named_logdir: Option<PathBuf>,
    #[command(flatten)]
    options: ServeOptions,
}

#[derive(Args)]
struct ServeOptions {
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    listen: ListenArgs,
    /// Look every so many seconds instead of asking for notifications
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    poll: Option<Duration>,
}

#[derive(Args)]
struct DemoArgs {
    #[command(flatten)]
    listen: ListenArgs,
    /// How many times faster than it was trained
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
}

/// How a logdir is read.
#[derive(Args)]
struct Reading {
    /// Longer records are taken for damage, in MiB
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    max_record_mb: u64,
    /// What tags are, where you know better: a TOML file of rules, beside the logdir's own .convscope.toml
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
}

#[derive(Args)]
struct ListenArgs {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Where to listen; 0 takes a free port
    #[arg(long, default_value_t = 6007)]
    port: u16,
    /// Open a browser
    #[arg(long)]
    open: bool,
    /// Memory for pictures and tensors that may be asked for again, in MiB
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u64).range(0..=1 << 20))]
    cache_mb: u64,
    /// Answer only those who know this token; other users of this machine can read it in the list of processes
    #[arg(long, value_name = "T", conflicts_with = "token_file")]
    token: Option<String>,
    #[arg(
        long,
        value_name = "FILE",
        help = "Answer only those who know the token in this file; without --token and --token-file, the token in the variable CONVSCOPE_TOKEN"
    )]
    token_file: Option<PathBuf>,
    /// A name beside localhost under which this machine is called; may be given several times
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

/// An error that has an exit code of its own.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Failure {
    code: u8,
    /// One line.
    message: String,
    /// Lines that are told after it.
    more: Vec<String>,
}

const FAULTS: u8 = 1;
const USAGE: u8 = 2;
const UNREADABLE: u8 = 3;
const CANNOT_BIND: u8 = 4;
/// 128 and the number of SIGINT, as shells have it.
const STOPPED: u8 = 130;

fn failure(code: u8, message: impl Into<String>) -> anyhow::Error {
    failure_with(code, message, "")
}

/// The exit code of a question that has no answer.
fn unanswered(error: &AnswerError) -> anyhow::Error {
    let code = match error {
        AnswerError::BadOption(_)
        | AnswerError::Unknown { .. }
        | AnswerError::NotDrawable(_)
        | AnswerError::Text(_)
        | AnswerError::NoMemory(_) => USAGE,
        AnswerError::Damaged(_) | AnswerError::Internal(_) => FAULTS,
        AnswerError::Busy(_) => UNREADABLE,
    };
    failure(code, error.to_string())
}

/// A failure with lines that are told after its message. No name of a log is in them but in a line of its own.
fn failure_with(code: u8, message: impl Into<String>, more: &str) -> anyhow::Error {
    Failure { code, message: message.into(), more: more.lines().map(str::to_owned).collect() }.into()
}

/// Does what the arguments of this process say.
#[must_use]
pub fn main() -> ExitCode {
    let typed = Typed::parse();
    let level = std::env::var("CONVSCOPE_LOG").ok().and_then(|level| level.parse().ok());
    let level = level.unwrap_or(tracing_subscriber::filter::LevelFilter::WARN);
    terminal::log(level);
    match run(typed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::tell(&format!("convscope: {error:#}"));
            error
                .downcast_ref::<Failure>()
                .into_iter()
                .flat_map(|failure| &failure.more)
                .for_each(|line| terminal::tell(line));
            ExitCode::from(exit_code(&error))
        }
    }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<CannotBind>() {
        return CANNOT_BIND;
    }
    error.downcast_ref::<Failure>().map_or(FAULTS, |failure| failure.code)
}

fn run(typed: Typed) -> anyhow::Result<()> {
    match typed.command {
        Some(Command::Serve(ServeArgs { logdir, named_logdir, options })) => {
            let logdir = logdir
                .or(named_logdir)
                .ok_or_else(|| failure(USAGE, "which logdir? convscope serve LOGDIR"))?;
            serve(&logdir, options)
        }
        Some(Command::Demo(args)) => demo(args),
        Some(Command::Ls(args)) => listing::ls(&args),
        Some(Command::Render(args)) => draw::render(&args),
        Some(Command::Export(args)) => export::export(&args),
        Some(Command::Verify(args)) => verify::verify(&args),
        None => match typed.logdir {
            Some(logdir) => serve(&logdir, typed.serve),
            None => Err(failure_with(
                USAGE,
                "which logdir? convscope --logdir LOGDIR",
                &format!("\n{}", Typed::command().render_help()),
            )),
        },
    }
}

fn serve(logdir: &Path, args: ServeOptions) -> anyhow::Result<()> {
    memory::spare();
    match readable(logdir) {
        Err(error) if is_awaited(logdir, &error) => {
            terminal::tell(&format!("convscope: {} does not exist yet: waiting for it", logdir.display()));
        }
        checked => checked.map_err(|error| cannot_read(logdir, &error))?,
    }
    let source = Arc::new(Local::new(absolute(logdir)?));
    let options = ingest::Options { poll_every: args.poll, ..args.reading.options()? };
    let (listen, settings) = args.listen.ready(&logdir.display().to_string(), false)?;
    let settings = Settings { log_into: log_into(logdir), ..settings };
    daemon::run(source, options, &listen, settings)
}

fn demo(args: DemoArgs) -> anyhow::Result<()> {
    memory::spare();
    let (listen, settings) = args.listen.ready("the bundled demo recording", true)?;
    let replay = Replay::start(args.speed)
        .map_err(|error| failure(UNREADABLE, format!("the demo cannot be written: {error}")))?;
    daemon::run(Arc::new(Local::new(replay.logdir())), ingest::Options::default(), &listen, settings)
}

impl Reading {
    fn max_payload(&self) -> u64 {
        self.max_record_mb << 20
    }

    /// A rules file that was named must be there and right from the start.
    fn options(&self) -> anyhow::Result<ingest::Options> {
        let rules = self.rules.as_deref().map(absolute).transpose()?;
        if let Some(path) = &rules {
            let bytes = std::fs::read(path).map_err(|error| {
                failure(USAGE, format!("--rules {} cannot be read: {error}", path.display()))
            })?;
            ruled::parse(path, &bytes)
                .map_err(|error| failure(USAGE, format!("{}: {error}", path.display())))?;
        }
        Ok(ingest::Options { max_payload: self.max_payload(), rules, ..ingest::Options::default() })
    }
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
                "the memory that may be had is little: caches get less than --cache-mb"
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
            bounds: Bounds::of(daemon::most_descriptors()),
        };
        Ok((Listen { host, port, port_file, open, exit_with_stdin }, settings))
    }
}

/// Everything in the logdir as it is now.
fn index(logdir: &Path, reading: &Reading) -> anyhow::Result<(Snapshot, Arc<dyn Source>)> {
    let source = source(logdir)?;
    Ok((index_once(Arc::clone(&source), reading.options()?), source))
}

/// The logdir, which must be there.
fn source(logdir: &Path) -> anyhow::Result<Arc<dyn Source>> {
    readable(logdir).map_err(|error| cannot_read(logdir, &error))?;
    Ok(Arc::new(Local::new(logdir.to_owned())))
}

/// The directory that recipes log into: the logdir, or the first that is linked in one of links.
fn log_into(logdir: &Path) -> String {
    let first = recipes::is_of_links(logdir).then(|| Local::new(logdir.to_owned()).first_linked()).flatten();
    first.as_deref().unwrap_or(logdir).display().to_string()
}

fn readable(logdir: &Path) -> io::Result<()> {
    // Listing it is the one test that links, permissions and mounts all take part in.
    std::fs::read_dir(logdir).map(drop)
}

/// Whether a logdir that is not there may still come.
fn is_awaited(logdir: &Path, error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound && logdir::foreign(logdir).is_none()
}

fn cannot_read(logdir: &Path, error: &io::Error) -> anyhow::Error {
    if let Some(words) = logdir::foreign(logdir) {
        return failure(USAGE, words);
    }
    let path = logdir.display();
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("{path} does not exist"),
        io::ErrorKind::NotADirectory => {
            format!(
                "{path} is no directory: name the one that holds the event files (names that contain \"tfevents\")"
            )
        }
        io::ErrorKind::PermissionDenied => format!("{path} cannot be read: this user lacks the permission"),
        _ => format!("{path} cannot be read: {error}"),
    };
    failure(UNREADABLE, message)
}

/// A relative logdir stays the same if the process changes its directory.
fn absolute(logdir: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(logdir)
        .map_err(|error| failure(UNREADABLE, format!("{} cannot be found: {error}", logdir.display())))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Typed::command().debug_assert();
    }
}
