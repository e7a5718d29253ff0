//! The command line: what was typed -> what is done, and the exit code.
//!
//! Exit codes: 0 success, 1 faults found, 2 wrong usage, 3 the logdir cannot be read, 4 the port cannot be opened, 130 stopped by
//! a signal while a file was written. Data goes to standard output, everything else to standard error.

mod draw;
mod exit;
mod export;
mod film;
mod listing;
mod loading;
mod logdir;
mod memory_budget;
mod output;
mod places;
mod reading;
mod render_args;
mod serve;
mod shelf;
mod token;
mod verify;

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};

use self::exit::{Failure, USAGE, exit_code, failure, failure_with};
use crate::terminal;

/// Look at convolution kernels and activations while they train.
#[derive(Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    after_help = "convscope PATH and convscope --logdir PATH are convscope serve PATH."
)]
struct Typed {
    #[command(subcommand)]
    command: Option<Command>,
    /// The directory that holds the event files; it need not exist yet
    #[arg(long, value_name = "LOGDIR", conflicts_with = "paths")]
    logdir: Option<PathBuf>,
    /// A logdir, or checkpoints and event files, which are shown beside one another
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    serve: serve::ServeOptions,
}

#[derive(Subcommand)]
enum Command {
    /// Watch a logdir and serve the page
    Serve(serve::ServeArgs),
    /// Replay the bundled recording of a real training
    Demo(serve::DemoArgs),
    /// List what is in a logdir: run, layer, role, layout and why, type, shape, steps, problems
    Ls(listing::LsArgs),
    /// Draw one tensor into a file, or several steps into a film
    Render(Box<render_args::RenderArgs>),
    /// Write pictures as image summaries for TensorBoard or as PNG files, or tensors as NPZ files
    Export(Box<export::args::ExportArgs>),
    /// Read every record of event files or logdirs and check every CRC
    Verify(verify::VerifyArgs),
    /// Copies of kernels from checkpoints that training overwrote or deleted: what is kept of which logdir
    #[command(subcommand)]
    Shelf(shelf::ShelfCommand),
}

/// Runs the command that the arguments of this process name.
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

fn run(typed: Typed) -> anyhow::Result<()> {
    match typed.command {
        Some(Command::Serve(args)) => args.run(),
        Some(Command::Demo(args)) => serve::demo(args),
        Some(Command::Ls(args)) => listing::ls(&args),
        Some(Command::Render(args)) => draw::render(&args),
        Some(Command::Export(args)) => export::export(&args),
        Some(Command::Verify(args)) => verify::verify(&args),
        Some(Command::Shelf(command)) => shelf::shelf(&command),
        None => match (typed.logdir, typed.paths) {
            (Some(logdir), _) => serve::serve(&[logdir], typed.serve),
            (None, paths) if !paths.is_empty() => match paths.iter().find(|path| !path.exists()) {
                // It may be a command that was mistyped: only --logdir waits for a directory.
                Some(missing) => {
                    let missing = missing.display();
                    let words = format!(
                        "{missing} is neither a command nor a file or directory; --logdir {missing} waits for one"
                    );
                    Err(failure(USAGE, words))
                }
                None => serve::serve(&paths, typed.serve),
            },
            (None, _) => Err(failure_with(
                USAGE,
                "which logdir? convscope LOGDIR",
                &format!("\n{}", Typed::command().render_help()),
            )),
        },
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
