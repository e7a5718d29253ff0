//! What an export does -> a bar while it runs, a line when it ends, and the exit code.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
    sync::atomic::Ordering,
};

use indicatif::{ProgressBar, ProgressStyle};

use super::{
    args::{ExportArgs, To},
    stop::Stop,
};

use crate::{
    cli::exit::{FAULTS, export_failure, failure, failure_with},
    export::{ExportError, round::Note},
    terminal::tell,
    types::{
        count::{counted, was},
        printable::printable,
    },
};

/// What happened so far, and the bar that shows it.
pub(super) struct ExportReport {
    planned: usize,
    tensors: usize,
    written: usize,
    failed: usize,
    left_out: usize,
    second_names: usize,
    bar: ProgressBar,
}

/// After this many reasons of a kind, others are only counted.
const MOST_REASONS: usize = 5;

impl ExportReport {
    pub(super) fn new() -> Self {
        // Hidden where standard error is no terminal.
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} tensors, {eta} left") {
            bar.set_style(style);
        }
        Self { planned: 0, tensors: 0, written: 0, failed: 0, left_out: 0, second_names: 0, bar }
    }

    pub(super) fn note(&mut self, note: Note) {
        match note {
            Note::Planned(n) => {
                self.planned += n;
                self.bar.set_length(self.planned as u64);
            }
            Note::Written(n) => {
                self.tensors += 1;
                self.written += n;
                self.bar.inc(1);
            }
            Note::Failed(reason) => {
                self.failed += 1;
                self.bar.inc(1);
                self.say(self.failed, &format!("not exported: {reason}"));
            }
            Note::LeftOut(reason) => {
                self.left_out += 1;
                self.say(self.left_out, &format!("left out: {reason}"));
            }
            Note::SecondName(words) => {
                self.second_names += 1;
                self.say(self.second_names, &words);
            }
        }
    }

    fn say(&self, count: usize, line: &str) {
        if count <= MOST_REASONS {
            self.bar.suspend(|| tell(line));
        }
    }

    pub(super) fn end(
        &self,
        args: &ExportArgs,
        stop: &Stop,
        exported: anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        let (is_stopped, out) = (stop.flag.load(Ordering::Relaxed), args.output.display());
        let done = self.summary(args.to, &out.to_string());
        let go_on = "run the same command again to go on";
        match exported {
            Err(error) => match error.downcast::<ExportError>() {
                Ok(error @ ExportError::Write { .. }) => {
                    let advice = "make room or mend what is wrong, then";
                    Err(failure_with(
                        FAULTS,
                        error.to_string(),
                        &printable(&format!("{done}; {advice} {go_on}")),
                    ))
                }
                Ok(error) => Err(export_failure(&error)),
                Err(error) => Err(error),
            },
            Ok(()) if is_stopped && !args.follow => {
                let planned = counted(self.planned, "tensor");
                Err(failure(FAULTS, format!("stopped: {done}, of {planned}; {go_on}")))
            }
            Ok(()) => {
                tell(&done);
                self.hint(args.to, &args.output);
                if self.failed == 0 {
                    return Ok(());
                }
                let failed = counted(self.failed, "tensor");
                Err(failure(FAULTS, format!("{failed} {} not exported", was(self.failed))))
            }
        }
    }

    fn summary(&self, to: To, out: &str) -> String {
        let what = counted(self.written, if to == To::Npz { "array" } else { "picture" });
        let (of, were) = (counted(self.tensors, "tensor"), was(self.written));
        let left_out = match self.left_out {
            0 => String::new(),
            n => format!(", {} {} left out", counted(n, "series"), was(n)),
        };
        let second_names = match self.second_names {
            0 => String::new(),
            n => format!(", {} by links {} not written again", counted(n, "second name"), was(n)),
        };
        format!("{what} of {of} {were} written into {out}{left_out}{second_names}")
    }

    fn hint(&self, to: To, out: &Path) {
        if to == To::Tensorboard && self.written > 0 && io::stderr().is_terminal() {
            let out = out.display();
            tell(&format!(
                "tensorboard --logdir {out} --samples_per_plugin images=100000   shows every step"
            ));
        }
    }
}
