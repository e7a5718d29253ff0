//! A snapshot -> its contents, as the JSON that the API and `convscope ls --json` share. It never contains NaN or infinity.

pub(crate) mod behind;
pub(crate) mod health;
pub(crate) mod operation;
pub(crate) mod run;
pub(crate) mod series;
pub(crate) mod skipped;

use serde::Serialize;

use self::{
    health::{CheckedJson, Checkpoints, OfferJson, ProblemJson, ScannedJson},
    series::SeriesJson,
    skipped::SkippedTag,
};
use crate::catalog::{checked::Progress, snapshot};

/// Everything at once, as `convscope ls --json` prints it.
#[derive(Serialize)]
pub(crate) struct Listing {
    logdir: String,
    scanned: ScannedJson,
    series: Vec<SeriesJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<Vec<SkippedTag>>,
    /// Event files that `convscope export` wrote, which are not read back.
    #[serde(skip_serializing_if = "Option::is_none")]
    exported: Option<Vec<String>>,
    checkpoints: Checkpoints,
    /// Checkpoints that may belong to runs and are shown only if the user says so.
    offers: Vec<OfferJson>,
    /// How many large payloads were checked, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    checked: Option<CheckedJson>,
    problems: Vec<ProblemJson>,
}

impl Listing {
    /// What is not drawn is listed `all` alone.
    pub(crate) fn of(
        snapshot: &snapshot::Snapshot,
        checked: Option<Progress>,
        logdir: &str,
        all: bool,
    ) -> Self {
        let runs = || snapshot.runs.iter();
        Self {
            logdir: logdir.to_owned(),
            scanned: ScannedJson::of(snapshot),
            series: runs()
                .flat_map(|(_, run)| run.shown_in_order())
                .map(|series| SeriesJson::of(series, 0))
                .collect(),
            skipped: all
                .then(|| runs().flat_map(|(name, run)| SkippedTag::all_of(name.as_str(), run)).collect()),
            exported: all.then(|| snapshot.exported.iter().map(|path| path.display().to_string()).collect()),
            checkpoints: Checkpoints::of(snapshot),
            offers: OfferJson::all_of(snapshot),
            checked: checked.map(CheckedJson::of),
            problems: snapshot.problems.iter().map(ProblemJson::of).collect(),
        }
    }
}
