//! What the API says about the daemon and the logdir.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    catalog::{checked::Progress, health, offers::Offer, shelf::ShelfState, snapshot},
    watch::Mode,
};

/// How the daemon and the logdir are.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
pub(crate) struct HealthJson {
    status: Status,
    version: &'static str,
    logdir: String,
    revision: u64,
    watch: WatchJson,
    scanned: ScannedJson,
    checked: CheckedJson,
    checkpoints: Checkpoints,
    /// Checkpoints that may belong to runs and are shown only if the user says so with `--checkpoints RUN=DIR`.
    offers: Vec<OfferJson>,
    /// Copies of kernels from checkpoints that training overwrites or deletes; null if none are kept.
    shelf: Option<ShelfJson>,
    problems: Vec<ProblemJson>,
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
#[schema(as = Watch)]
pub(crate) struct WatchJson {
    /// `native`, `poll` or `waiting`.
    mode: &'static str,
    /// Why it polls or waits.
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Scanned)]
pub(crate) struct ScannedJson {
    files: u64,
    /// Checkpoints of kinds that are read, also those that are damaged or still being written.
    checkpoints: u64,
    bytes: u64,
    records: u64,
    runs: u64,
}

/// How far the check of large payloads has come, which goes on in the background. Records of up to 4 KiB are checked when they
/// are scanned and do not count here.
#[derive(Serialize, ToSchema)]
#[schema(as = Checked)]
pub(crate) struct CheckedJson {
    /// Records of more than 4 KiB that were checked.
    records: u64,
    /// Of so many.
    of_records: u64,
    /// The bytes of their payloads.
    bytes: u64,
    of_bytes: u64,
}

/// What looks like checkpoints in the logdir, by the names of files and the first bytes of those whose ending says little (`.pt`,
/// `.ckpt`, `.h5` and the like): data in HDF5 and `TorchScript` modules look the same. They are not read.
#[derive(Serialize, ToSchema)]
pub(crate) struct Checkpoints {
    /// How many; 10,000 stands for that and more.
    count: usize,
    /// The first of them by name, relative to the logdir.
    names: Vec<String>,
}

/// Checkpoints in a directory, known by their names alone.
#[derive(Serialize, ToSchema)]
#[schema(as = Offer)]
pub(crate) struct OfferJson {
    /// The directory.
    dir: String,
    /// A pattern for their names in it: `epoch_*.pth`.
    pattern: String,
    /// How many there are.
    count: usize,
    /// The runs with events and without a checkpoint to which they may belong; the first 100.
    runs: Vec<String>,
    /// What there is, as a phrase: `run a: 12 checkpoints at ../../epoch_*.pth`.
    found: String,
    /// The option of the command line with which they are shown; `RUN` in it stands for the run if several are possible.
    option: String,
}

/// Where copies of kernels are kept, and how many.
#[derive(Serialize, ToSchema)]
#[schema(as = Shelf)]
pub(crate) struct ShelfJson {
    /// The directory.
    dir: String,
    /// How many saves it has, also of checkpoints that are still there.
    saves: u64,
    /// How many bytes it has.
    bytes: u64,
    /// The most bytes that it may have.
    most_bytes: u64,
    /// How many saves were overwritten before they were copied, or before they were seen whole, since the program started.
    lost: u64,
    /// The last of them, at most 200: `run: name at step 12`, or the name and the time if it was never whole.
    lost_saves: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemJson {
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
        } else if snapshot.problems.iter().all(|problem| problem.fault.is_harmless()) {
            Self::Ok
        } else {
            Self::Degraded
        }
    }
}

impl HealthJson {
    pub(crate) fn of(snapshot: &snapshot::Snapshot, checked: Progress, logdir: &str, demo: bool) -> Self {
        let problems = snapshot.problems.iter().map(ProblemJson::of).collect();
        Self { problems, ..Self::without_problems(snapshot, checked, logdir, demo) }
    }

    /// All but the problems, of which there may be many.
    pub(crate) fn without_problems(
        snapshot: &snapshot::Snapshot,
        checked: Progress,
        logdir: &str,
        demo: bool,
    ) -> Self {
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
            watch: WatchJson { mode, reason },
            scanned: ScannedJson::of(snapshot),
            checked: CheckedJson::of(checked),
            checkpoints: Checkpoints::of(snapshot),
            offers: OfferJson::all_of(snapshot),
            shelf: ShelfJson::of(&snapshot.shelf, &snapshot.missed),
            problems: Vec::new(),
            demo,
        }
    }
}

impl ScannedJson {
    pub(crate) fn of(snapshot: &snapshot::Snapshot) -> Self {
        let snapshot::Scanned { files, checkpoints, bytes, records } = snapshot.scanned;
        Self { files, checkpoints, bytes, records, runs: snapshot.runs.len() as u64 }
    }
}

impl Checkpoints {
    /// How many are named.
    const NAMED: usize = 10;

    pub(crate) fn of(snapshot: &snapshot::Snapshot) -> Self {
        let names = snapshot.checkpoints.iter().take(Self::NAMED).cloned().collect();
        Self { count: snapshot.checkpoints.len(), names }
    }
}

impl OfferJson {
    /// How many runs are named.
    const NAMED: usize = 100;

    pub(crate) fn all_of(snapshot: &snapshot::Snapshot) -> Vec<Self> {
        snapshot.offers.iter().map(Self::of).collect()
    }

    fn of(offer: &Offer) -> Self {
        Self {
            dir: offer.dir.display().to_string(),
            pattern: offer.pattern.clone(),
            count: offer.count,
            runs: offer.runs.iter().take(Self::NAMED).map(ToString::to_string).collect(),
            found: offer.found(),
            option: offer.option(),
        }
    }
}

impl ShelfJson {
    fn of(state: &ShelfState, missed: &(u64, Vec<String>)) -> Option<Self> {
        let ShelfState { dir, most_bytes, bytes, saves, lost, lost_count, .. } = state;
        Some(Self {
            dir: dir.as_deref()?.display().to_string(),
            saves: *saves,
            bytes: *bytes,
            most_bytes: *most_bytes,
            lost: *lost_count + missed.0,
            lost_saves: lost.iter().chain(&missed.1).cloned().collect(),
        })
    }
}

impl CheckedJson {
    pub(crate) fn of(progress: Progress) -> Self {
        let Progress { records, bytes, records_checked, bytes_checked } = progress;
        Self { records: records_checked, of_records: records, bytes: bytes_checked, of_bytes: bytes }
    }
}

impl ProblemJson {
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
