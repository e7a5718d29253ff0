//! `convscope ls`: what is in a logdir, for a person or as JSON.
//!
//! It exits with 0 even if it lists problems: listing them is what it was asked for. Scripts read `problems` in `--json`.

mod line;
mod missing;

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, sync::Arc};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use self::line::line;
use super::{
    places::Existence,
    reading::{Reading, index},
};

use crate::{
    catalog::{
        attempts::Attempts,
        checked::Progress,
        health::Problem,
        ingest::index_checked,
        snapshot::{FileId, Run, Series, Snapshot},
    },
    listing::{
        Listing,
        series::note,
        skipped::{reason_not_kept, reason_without_convolution},
    },
    lookup::subject::plan_of,
    model::{Reason, network::Operation},
    render::{choices::Choices, plan::Plan},
    tensor::{dtype::name_of_number, frames::Frames},
    terminal::{print, print_json},
    types::{Step, count::counted, printable::printable},
};

#[derive(Args)]
pub(super) struct LsArgs {
    /// The logdir, or checkpoints and event files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Also list what is not drawn, with the reason
    #[arg(long)]
    all: bool,
    /// Also compare every payload with its CRC, which reads all of every file, and say how far that came
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn ls(args: &LsArgs) -> anyhow::Result<()> {
    let typed = args.reading.typed(&args.paths);
    let (snapshot, checked) = if args.verify {
        let bar = bar_of_bytes();
        let tell = |progress: Progress| {
            bar.set_length(progress.bytes);
            bar.set_position(progress.bytes_checked);
        };
        let source = Arc::new(typed.source(Existence::Needed)?);
        let options = args.reading.options_once(&*source)?;
        let (snapshot, progress) = index_checked(source, options, &tell);
        bar.finish_and_clear();
        (snapshot, Some(progress))
    } else {
        (index(&args.paths, &args.reading)?.0, None)
    };
    if args.json {
        let listing = Listing::of(&snapshot, checked, &typed.name(), args.all);
        return Ok(print_json(&serde_json::to_string_pretty(&listing)?)?);
    }
    let checked = checked.map(|progress| checked_text(&progress));
    let missing = missing::missing_text(&snapshot, &typed.log_into());
    let parts = [
        text(&snapshot, args.all),
        missing::checkpoints_text(&snapshot),
        missing::offers_text(&snapshot),
        checked.unwrap_or_default(),
        missing,
    ];
    Ok(print(&parts.concat())?)
}

/// A progress bar on standard error, drawn only on a terminal.
fn bar_of_bytes() -> ProgressBar {
    let style = ProgressStyle::with_template("checking payloads {bar:30} {bytes} of {total_bytes}");
    ProgressBar::new(0).with_style(style.expect("the template is right"))
}

fn checked_text(progress: &Progress) -> String {
    let Progress { records, bytes, records_checked, bytes_checked } = progress;
    format!(
        "checked: {records_checked} of {} of more than 4 KiB, {bytes_checked} of {bytes} bytes; smaller ones are always checked\n",
        counted(*records as usize, "record")
    )
}

fn text(snapshot: &Snapshot, all: bool) -> String {
    let mut out = String::new();
    for (name, run) in &snapshot.runs {
        run_text(&mut out, name.as_str(), run, all);
    }
    for path in snapshot.exported.iter().filter(|_| all) {
        line(&mut out, &format!("not read: {}: convscope export wrote it", path.display()));
    }
    for problem in snapshot.problems.iter() {
        line(&mut out, &problem_text(problem));
    }
    out
}

const WIDEST_CELL: usize = 60;

fn run_text(out: &mut String, name: &str, run: &Run, all: bool) {
    line(out, &format!("run {name}"));
    let shown = run.shown_in_order();
    let rows: Vec<[String; 6]> = shown.iter().map(|series| row(series)).collect();
    // A very long cell must not widen its column for all rows.
    let widths: [usize; 6] = std::array::from_fn(|col| {
        rows.iter()
            .map(|row| row[col].chars().count())
            .filter(|width| *width <= WIDEST_CELL)
            .max()
            .unwrap_or(0)
    });
    for (row, series) in rows.iter().zip(shown) {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        line(out, &format!("  {}", cells.join("  ").trim_end()));
        for why in why(series) {
            line(out, &format!("      {why}"));
        }
    }
    if rows.is_empty() {
        line(out, "  no tensors");
    }
    not_drawn(out, run, all);
}

fn not_drawn(out: &mut String, run: &Run, all: bool) {
    let ignored =
        || run.series.values().filter_map(|series| Some((series, series.facts.ignored_by.as_ref()?)));
    let count = run.skipped.len() + ignored().count();
    if !all && count > 0 {
        let (tags, them) = if count == 1 { ("tag is", "it") } else { ("tags are", "them") };
        line(out, &format!("  {count} more {tags} not drawn: --all lists {them}"));
    }
    without_convolution(out, run, all);
    for (tag, kernel) in &run.on_shelf.missing {
        line(out, &format!("  {tag}  {}", reason_not_kept(kernel)));
    }
    if !all {
        return;
    }
    for (series, place) in ignored() {
        line(out, &format!("  {}  not drawn: left out by {place}", series.tag));
    }
    for (tag, skipped) in &run.skipped {
        let reason = skipped.kind.reason_not_drawn();
        line(out, &format!("  {tag}  not drawn: {} x {}, {reason}", skipped.count, skipped.kind.name()));
    }
}

/// Checkpoints in which no kernel of a convolution was found.
fn without_convolution(out: &mut String, run: &Run, all: bool) {
    const NAMED: usize = 3;
    let without = run.checkpoints_without_convolution();
    for checkpoint in without.iter().take(if all { usize::MAX } else { NAMED }) {
        line(out, &format!("  {}  {}", checkpoint.name, reason_without_convolution(checkpoint)));
    }
    if !all && without.len() > NAMED {
        line(out, &format!("  and {} more checkpoints without one: --all lists them", without.len() - NAMED));
    }
}

fn row(series: &Series) -> [String; 6] {
    let (dtype, dims) = match &series.form {
        Ok(form) => (form.dtype.name().to_owned(), form.shape.to_string()),
        Err(error) => (name_of_number(error.dtype_number), format!("{:?}", error.dims)),
    };
    let layout = series.facts.layout.as_ref().map_or("-", |(layout, _)| layout.name());
    let mut steps = match (series.steps.len(), series.step_range()) {
        (1, Some((step, _))) => series.axis.words(step),
        (n, Some((first, last))) => {
            let (first, last) = (series.axis.number(first), series.axis.number(last));
            format!("{}, {first} to {last}", series.axis.counted(n))
        }
        (_, None) => "no steps".to_owned(),
    };
    let n_attempts: usize = series.steps.values().map(Attempts::count).sum();
    if n_attempts > series.steps.len() {
        write!(steps, ", logged {n_attempts} times").expect("a String takes any text");
    }
    if series.kept_steps > 0 {
        write!(steps, ", {} on the shelf", series.kept_steps).expect("a String takes any text");
    }
    // As it is shown, so that its column is as wide as that.
    let tag = printable(series.tag.as_str()).into_owned();
    [tag, series.facts.role.name().to_owned(), layout.to_owned(), dtype, dims, steps]
}

/// The evidence for its layer, role and layout, and other notes, line by line.
fn why(series: &Series) -> Vec<String> {
    let ground =
        |what: &str, reason: &Reason| format!("{what}: {} ({})", reason.evidence, reason.confidence.name());
    let facts = &series.facts;
    let mut grounds = vec![format!("layer {}", facts.layer), ground(facts.role.name(), &facts.role_from)];
    grounds.extend(facts.layout.as_ref().map(|(layout, reason)| ground(layout.name(), reason)));
    let mut lines = vec![grounds.join("; ")];
    lines.extend(facts.operation.as_deref().map(operation));
    lines.extend(note(series).map(str::to_owned));
    lines.extend(
        series
            .form
            .as_ref()
            .ok()
            .and_then(|form| frames(&form.frames, plan_of(series, &Choices::default()).ok())),
    );
    lines.extend(interleaved(series));
    lines.extend(facts.contradictions.iter().map(|against| format!("contradiction: {against}")));
    lines.extend(series.form.as_ref().err().map(|error| format!("cannot be read: {}", error.reason)));
    lines
}

/// How many frames animated pictures have, of which each is a tile.
fn frames(frames: &Frames, plan: Option<Plan>) -> Option<String> {
    let counts = frames.counts();
    if let Some(some) = plan.and_then(|plan| plan.geometry.some_frames()) {
        return Some(format!("a sheet has {some}, as all would be too large: --frames chooses others"));
    }
    Some(match counts {
        [] => return None,
        [of] => format!("{}, each a tile", counted(*of, "frame")),
        [of, rest @ ..] if rest.iter().all(|other| other == of) => {
            format!("{} pictures of {}, each a tile", counts.len(), counted(*of, "frame"))
        }
        [..] => {
            let least = counts.iter().min().unwrap_or(&1);
            let most = counts.iter().max().unwrap_or(&1);
            format!("{} pictures of {least} to {most} frames, each a tile", counts.len())
        }
    })
}

/// A restarted training that logs other steps than the one before leaves two files whose steps mix.
fn interleaved(series: &Series) -> Option<String> {
    let mut by_file: BTreeMap<FileId, (Step, Step)> = BTreeMap::new();
    for (step, attempts) in &series.steps {
        let range = by_file.entry(attempts.newest().file).or_insert((*step, *step));
        range.1 = *step;
    }
    let mut ranges: Vec<(Step, Step)> = by_file.into_values().collect();
    ranges.sort_unstable();
    let n_files = ranges.len();
    let mixed: Vec<(Step, Step)> = ranges
        .windows(2)
        .filter(|pair| pair[1].0 < pair[0].1)
        .map(|pair| (pair[1].0, pair[0].1.min(pair[1].1)))
        .collect();
    let (from, to) = (mixed.iter().map(|range| range.0).min()?, mixed.iter().map(|range| range.1).max()?);
    Some(format!(
        "steps of {n_files} files mix from {from} to {to}, as those of a training that was started again: neighbouring steps may be of different trainings"
    ))
}

fn operation(operation: &Operation) -> String {
    let by = |lengths: &[usize]| lengths.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    let many = |what: &str, lengths: &[usize]| {
        let says = lengths.iter().any(|length| *length != 1);
        says.then(|| format!("{what} {}", by(lengths)))
    };
    let mut words = vec![operation.kind.name()];
    words.extend((!operation.window.is_empty()).then(|| by(&operation.window)));
    words.extend(many("stride", &operation.strides));
    words.extend(many("dilation", &operation.dilations));
    words.extend(operation.padding.as_ref().map(|padding| format!("{padding} padding")));
    words.extend(operation.activation.clone());
    words.extend(operation.receptive_field.as_ref().map(|field| format!("sees {} of the input", by(field))));
    words.join(", ")
}

fn problem_text(problem: &Problem) -> String {
    let Problem { run, file, offset, fault, message, count } = problem;
    if file.is_empty() {
        return format!("problem: {message}");
    }
    let name = fault.name();
    if problem.is_of_logdir() {
        return format!("problem: {file}: {message} ({name})");
    }
    let times = if *count == 1 { String::new() } else { format!(", {count} times") };
    format!("problem: run {run}, {file}, byte {offset}: {message} ({name}{times})")
}
