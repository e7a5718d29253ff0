//! What goes out about the daemon and the logdir.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    catalog::{health, snapshot},
    watch::Mode,
};

/// How the daemon and the logdir are.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    status: Status,
    version: &'static str,
    logdir: String,
    revision: u64,
    watch: Watch,
    scanned: Scanned,
    problems: Vec<Problem>,
    /// Whether the bundled recording is shown.
    demo: bool,
}

/// `loading` until the first scan is done, `degraded` when something is damaged or cannot be read.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Loading,
    Ok,
    Degraded,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Watch {
    /// `native`, `poll` or `waiting`.
    mode: &'static str,
    /// Why it polls or waits.
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Scanned {
    files: u64,
    bytes: u64,
    records: u64,
    runs: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Problem {
    run: String,
    /// The file's name within the run; empty where the logdir itself is meant.
    file: String,
    /// The first place, in bytes.
    offset: u64,
    kind: &'static str,
    message: String,
    count: u64,
}

impl Status {
    pub(crate) fn of(snapshot: &snapshot::Snapshot) -> Self {
        if snapshot.loading {
            Self::Loading
        } else if snapshot.problems.iter().all(|problem| problem.fault.is_waiting()) {
            Self::Ok
        } else {
            Self::Degraded
        }
    }
}

impl Health {
    pub(crate) fn of(snapshot: &snapshot::Snapshot, logdir: &str, demo: bool) -> Self {
        let (mode, reason) = match &snapshot.watch {
            Mode::Native => ("native", None),
            Mode::Poll { reason } => ("poll", Some(reason.clone())),
            Mode::Waiting => ("waiting", snapshot.problems.first().map(|problem| problem.message.clone())),
        };
        Self {
            status: Status::of(snapshot),
            version: env!("CARGO_PKG_VERSION"),
            logdir: logdir.to_owned(),
            revision: snapshot.revision,
            watch: Watch { mode, reason },
            scanned: Scanned::of(snapshot),
            problems: snapshot.problems.iter().map(Problem::of).collect(),
            demo,
        }
    }
}

impl Scanned {
    pub(crate) fn of(snapshot: &snapshot::Snapshot) -> Self {
        let snapshot::Scanned { files, bytes, records } = snapshot.scanned;
        Self { files, bytes, records, runs: snapshot.runs.len() as u64 }
    }
}

impl Problem {
    pub(crate) fn of(problem: &health::Problem) -> Self {
        Self {
            run: problem.run.to_string(),
            file: problem.file.clone(),
            offset: problem.offset,
            kind: problem.fault.name(),
            message: problem.message.clone(),
            count: problem.count,
        }
    }
}
