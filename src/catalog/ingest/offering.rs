//! Where checkpoints lie -> what `--checkpoints RUN=DIR` could show, when the logdir was listed or its checkpoints changed.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use super::{checkpoints::Checkpoints, files::FollowedFiles};
use crate::{
    catalog::offers::{BareRun, Offer, inside, outside},
    source::Source,
};

/// Directories outside of the logdir are listed again after this time.
const LISTED_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// What is offered.
#[derive(Default)]
pub(super) struct Offering {
    /// Whether it may have changed.
    is_due: bool,
    /// The runs for which names outside of the logdir were looked at, when, and what was found.
    outside: Option<(BTreeSet<BareRun>, Instant, Vec<Offer>)>,
}

impl Offering {
    /// Notes that files or checkpoints changed.
    pub(super) fn note_change(&mut self) {
        self.is_due = true;
    }

    /// What is offered now, if that may have changed and all checkpoints are read.
    pub(super) fn find_if_due(
        &mut self,
        files: &FollowedFiles,
        checkpoints: &Checkpoints,
        source: &dyn Source,
    ) -> Option<Vec<Offer>> {
        if checkpoints.has_due() || !std::mem::take(&mut self.is_due) {
            return None;
        }
        let root = source.root();
        let bare = bare_runs(files, checkpoints, root);
        let own = checkpoints.of_no_run_with_events(source);
        let own: Vec<(&Path, &Path)> =
            own.into_iter().map(|(path, owner)| (path.strip_prefix(root).unwrap_or(path), owner)).collect();
        let mut offers = inside(root, &own, &bare);
        offers.extend(self.find_outside(bare, source));
        Some(offers)
    }

    fn find_outside(&mut self, bare: BTreeSet<BareRun>, source: &dyn Source) -> Vec<Offer> {
        if let Some((runs, at, offers)) = &self.outside
            && *runs == bare
            && at.elapsed() < LISTED_AGAIN_AFTER
        {
            return offers.clone();
        }
        let names = |dir: &Path| {
            let is_shown = source.named_place(&dir.join("any")).is_some();
            if is_shown { Vec::new() } else { source.checkpoints_beside(dir) }
        };
        let offers = outside(source.root(), &bare, &names);
        self.outside = Some((bare, Instant::now(), offers.clone()));
        offers
    }
}

/// Runs with events and without a checkpoint.
fn bare_runs(files: &FollowedFiles, checkpoints: &Checkpoints, root: &Path) -> BTreeSet<BareRun> {
    let with_checkpoints: BTreeSet<&Path> =
        checkpoints.shown().map(|shown| shown.owner.dir.as_path()).collect();
    let all = files.runs();
    // Of the parts into which Keras divides the events of a run, the checkpoints are those of the training.
    let is_of_training = |dir: &Path| {
        let is_part = ["validation", "eval", "test"].iter().any(|part| dir.ends_with(part));
        !is_part || !all.contains_key(dir.with_file_name("train").as_path())
    };
    let runs = all.iter().filter(|(dir, _)| is_of_training(dir)).filter_map(|(dir, name)| {
        let dir = dir.strip_prefix(root).ok()?;
        (!with_checkpoints.contains(dir)).then(|| BareRun { name: (*name).clone(), dir: dir.to_owned() })
    });
    runs.collect()
}
