//! `convscope ls`: what is in a logdir, for a person or as JSON.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;

use super::{Reading, index, print};
use crate::{
    catalog::{
        health::Problem,
        snapshot::{Run, Series, Snapshot},
    },
    model::Reason,
    server::wire::Listing,
    tensor::dtype::name_of_number,
};

#[derive(Args)]
pub(super) struct LsArgs {
    /// The directory that holds the event files
    logdir: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Also list what is not drawn, with the reason
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn ls(args: &LsArgs) -> anyhow::Result<()> {
    let (snapshot, _) = index(&args.logdir, &args.reading)?;
    if args.json {
        let listing = Listing::of(&snapshot, &args.logdir.display().to_string(), args.all);
        return print(&format!("{}\n", serde_json::to_string_pretty(&listing)?));
    }
    print(&text(&snapshot, args.all))
}

fn text(snapshot: &Snapshot, all: bool) -> String {
    let mut out = String::new();
    for (name, run) in &snapshot.runs {
        run_text(&mut out, name.as_str(), run, all);
    }
    for problem in snapshot.problems.iter() {
        line(&mut out, &problem_text(problem));
    }
    out
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a String takes any text");
}

fn run_text(out: &mut String, name: &str, run: &Run, all: bool) {
    line(out, &format!("run {name}"));
    let rows: Vec<[String; 6]> = run.series_in_order().into_iter().map(|series| row(series)).collect();
    let widths: [usize; 6] =
        std::array::from_fn(|col| rows.iter().map(|row| row[col].chars().count()).max().unwrap_or(0));
    for (row, series) in rows.iter().zip(run.series_in_order()) {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        line(out, &format!("  {}", cells.join("  ").trim_end()));
        line(out, &format!("      {}", why(series)));
    }
    if rows.is_empty() {
        line(out, "  no tensors");
    }
    if all {
        for (tag, skipped) in &run.skipped {
            let reason = skipped.kind.reason_not_drawn().unwrap_or("it holds no tensor");
            line(out, &format!("  {tag}  not drawn: {} x {}, {reason}", skipped.count, skipped.kind.name()));
        }
    } else if !run.skipped.is_empty() {
        line(out, &format!("  {} more tags are not drawn: --all lists them", run.skipped.len()));
    }
}

fn row(series: &Series) -> [String; 6] {
    let (dtype, dims) = match &series.form {
        Ok(form) => (form.dtype.name().to_owned(), form.shape.to_string()),
        Err(error) => (name_of_number(error.dtype_number), format!("{:?}", error.dims)),
    };
    let layout = series.facts.layout.as_ref().map_or("-", |(layout, _)| layout.name());
    let steps = match (series.steps.len(), series.step_range()) {
        (1, Some((step, _))) => format!("step {step}"),
        (n, Some((first, last))) => format!("{n} steps, {first} to {last}"),
        (_, None) => "no steps".to_owned(),
    };
    [series.tag.to_string(), series.facts.role.name().to_owned(), layout.to_owned(), dtype, dims, steps]
}

fn why(series: &Series) -> String {
    let ground =
        |what: &str, reason: &Reason| format!("{what}: {} ({})", reason.evidence, reason.confidence.name());
    let facts = &series.facts;
    let mut why = format!("layer {}; {}", facts.layer, ground(facts.role.name(), &facts.role_from));
    if let Some((layout, reason)) = &facts.layout {
        why = format!("{why}; {}", ground(layout.name(), reason));
    }
    if let Err(error) = &series.form {
        why = format!("{why}; cannot be read: {}", error.reason);
    }
    why
}

fn problem_text(problem: &Problem) -> String {
    let Problem { run, file, offset, fault, message, count } = problem;
    if file.is_empty() {
        return format!("problem: {message}");
    }
    format!("problem: run {run}, {file}, byte {offset}: {message} ({}, {count} times)", fault.name())
}
