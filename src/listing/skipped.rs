//! What a run logged but is not drawn -> the reason, as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use super::series::{drawing, lengths};
use crate::{
    catalog::{shelf::NotOnShelf, snapshot},
    types::count::counted,
};

#[derive(Serialize, ToSchema)]
pub(crate) struct SkippedTag {
    run: String,
    tag: String,
    kind: &'static str,
    count: u64,
    shape: Option<Vec<i64>>,
    reason: String,
}

impl SkippedTag {
    /// Everything of a run that is not drawn: what cannot be drawn, what rules leave out, what holds no tensor, checkpoints without a
    /// convolution, and kernels of overwritten checkpoints that were not kept.
    pub(crate) fn all_of(name: &str, run: &snapshot::Run) -> Vec<Self> {
        let shown = run.shown_in_order().into_iter().filter_map(|series| Self::undrawable(series));
        let ignored = run.series.values().filter_map(|series| Self::ignored(series));
        let others = run.skipped.iter().map(|(tag, skipped)| Self::of(name, tag.as_str(), skipped));
        let checkpoints = run.checkpoints_without_convolution();
        let checkpoints = checkpoints.into_iter().map(|checkpoint| Self::checkpoint(name, checkpoint));
        let not_kept =
            run.on_shelf.missing.iter().map(|(tag, kernel)| Self::not_kept(name, tag.as_str(), kernel));
        shown.chain(ignored).chain(others).chain(checkpoints).chain(not_kept).collect()
    }

    fn not_kept(run: &str, tag: &str, kernel: &NotOnShelf) -> Self {
        Self {
            run: run.to_owned(),
            tag: tag.to_owned(),
            kind: "not_kept",
            count: kernel.saves,
            shape: None,
            reason: reason_not_kept(kernel),
        }
    }

    fn checkpoint(run: &str, checkpoint: &snapshot::CheckpointOfRun) -> Self {
        Self {
            run: run.to_owned(),
            tag: checkpoint.name.to_string(),
            kind: "checkpoint",
            count: checkpoint.n_tensors as u64,
            shape: None,
            reason: reason_without_convolution(checkpoint),
        }
    }

    fn undrawable(series: &snapshot::Series) -> Option<Self> {
        Some(Self {
            run: series.run.to_string(),
            tag: series.tag.to_string(),
            kind: "tensor",
            count: series.steps.len() as u64,
            shape: Some(lengths(series)),
            reason: drawing(series).err()?,
        })
    }

    fn ignored(series: &snapshot::Series) -> Option<Self> {
        let place = series.facts.ignored_by.as_ref()?;
        Some(Self {
            run: series.run.to_string(),
            tag: series.tag.to_string(),
            kind: "ignored",
            count: series.steps.len() as u64,
            shape: series
                .form
                .as_ref()
                .ok()
                .map(|form| form.shape.axes().iter().map(|axis| *axis as i64).collect()),
            reason: format!("left out by {place}"),
        })
    }

    fn of(run: &str, tag: &str, skipped: &snapshot::Skipped) -> Self {
        let reason = skipped.kind.reason_not_drawn().to_owned();
        Self {
            run: run.to_owned(),
            tag: tag.to_owned(),
            kind: skipped.kind.name(),
            count: skipped.count,
            shape: None,
            reason,
        }
    }
}

/// Why a checkpoint is listed with what is not drawn.
pub(crate) fn reason_without_convolution(checkpoint: &snapshot::CheckpointOfRun) -> String {
    let tensors = counted(checkpoint.n_tensors, "tensor");
    format!("a checkpoint of {tensors} without a kernel of a convolution")
}

/// Why steps of a kernel are missing.
pub(crate) fn reason_not_kept(kernel: &NotOnShelf) -> String {
    let saves = counted(kernel.saves, "save");
    format!("not kept of {saves} that training overwrote or deleted: {}", kernel.why)
}
