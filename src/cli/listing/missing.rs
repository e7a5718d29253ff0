//! A snapshot without a tensor -> what is there in its place, and the lines of Python that log what can be drawn.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::line::line;
use crate::{catalog::snapshot::Snapshot, event::summary::ValueKind, recipes::RECIPES, types::count};

/// Says what looks like checkpoints of kinds that are not read; empty where nothing does.
pub(super) fn checkpoints_text(snapshot: &Snapshot) -> String {
    const NAMED: usize = 3;
    let (n, mut out) = (snapshot.checkpoints.len(), String::new());
    if n > 0 {
        let names: Vec<&str> = snapshot.checkpoints.iter().take(NAMED).map(String::as_str).collect();
        let more = if n > NAMED { format!(" and {} more", n - NAMED) } else { String::new() };
        let files =
            if n == 1 { "file here looks like a checkpoint" } else { "files here look like checkpoints" };
        let names = names.join(", ");
        line(&mut out, &format!("{n} {files} of a kind that is not read: {names}{more}; {READ_KINDS}"));
    }
    out
}

/// Checkpoints that are shown only if the user says to which run they belong.
pub(super) fn offers_text(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    for offer in snapshot.offers.iter() {
        line(&mut out, &offer.words());
    }
    out
}

/// Which checkpoints are read.
const READ_KINDS: &str =
    "safetensors and checkpoints of PyTorch, Keras, TensorFlow and JAX (Orbax, Flax) are read";

/// What is missing and how it is logged; empty where there are tensors, or where rules alone leave them out. Kernels that Keras
/// drew are none.
pub(super) fn missing_text(snapshot: &Snapshot, logdir: &str) -> String {
    let mut out = String::new();
    if snapshot.has_drawn_kernels_alone() {
        out += "kernels are here as pictures that Keras drew, of 8 bit and without their numbers\n";
    } else if snapshot.runs.values().any(|run| !run.series.is_empty()) {
        return out;
    } else {
        line(&mut out, &format!("no tensors to show{}", tags(snapshot)));
    }
    out += "\nTo see kernels, let the training save checkpoints in the logdir. To see activations as well, log the tensors. The page, convscope --logdir LOGDIR, has the lines for\n\
            TensorFlow 1 and 2 as well, and those without the Python package. With the package:\n";
    for recipe in RECIPES.iter().filter(|recipe| recipe.with_package) {
        write!(out, "\n{}:\n\n", recipe.framework).expect("a String takes any text");
        for code in recipe.lines_for(logdir).lines() {
            line(&mut out, format!("    {code}").trim_end());
        }
    }
    out
}

/// `: 12 tags: 8 scalars, 4 histograms`; empty where there are none. A tag of several runs counts once.
fn tags(snapshot: &Snapshot) -> String {
    let mut by_kind: BTreeMap<ValueKind, BTreeSet<&str>> = BTreeMap::new();
    for run in snapshot.runs.values() {
        for (tag, skipped) in &run.skipped {
            by_kind.entry(skipped.kind).or_default().insert(tag.as_str());
        }
    }
    let n: usize = by_kind.values().map(BTreeSet::len).sum();
    if n == 0 {
        return String::new();
    }
    let kinds: Vec<String> = by_kind.iter().map(|(kind, tags)| counted(tags.len(), kind.name())).collect();
    format!(": {}: {}", counted(n, "tag"), kinds.join(", "))
}

fn counted(n: usize, one: &str) -> String {
    let has_plural = matches!(one, "tag" | "scalar" | "histogram" | "image" | "text" | "tensor");
    if has_plural { count::counted(n, one) } else { format!("{n} {one}") }
}
