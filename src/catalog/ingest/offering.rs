//! Where checkpoints lie -> what `--checkpoints RUN=DIR` could show, when the logdir was listed or its checkpoints changed.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use super::logdir::Logdir;
use crate::catalog::offers::{BareRun, Offer, inside, outside};

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
}

impl Logdir {
    /// Finds anew what is offered, if that may have changed and all checkpoints are read.
    pub(super) fn offer_if_due(&mut self) {
        if self.checkpoints.has_due() || !std::mem::take(&mut self.offering.is_due) {
            return;
        }
        let bare = self.bare_runs();
        let root = self.source.root();
        let own = self.checkpoints.of_no_run_with_events(&*self.source);
        let own: Vec<(&Path, &Path)> =
            own.iter().map(|(path, owner)| (path.strip_prefix(root).unwrap_or(path), *owner)).collect();
        let mut offers = inside(root, &own, &bare);
        offers.extend(self.offered_outside(bare));
        self.index.publisher.set_offers(offers);
    }

    /// Runs with events and without a checkpoint.
    fn bare_runs(&self) -> BTreeSet<BareRun> {
        let with_checkpoints: BTreeSet<&Path> =
            self.checkpoints.shown().map(|shown| shown.owner.dir.as_path()).collect();
        let root = self.source.root();
        let runs = self.files.runs().into_iter().filter_map(|(dir, name)| {
            let dir = dir.strip_prefix(root).ok()?;
            (!with_checkpoints.contains(dir)).then(|| BareRun { name: name.clone(), dir: dir.to_owned() })
        });
        runs.collect()
    }

    fn offered_outside(&mut self, bare: BTreeSet<BareRun>) -> Vec<Offer> {
        if let Some((runs, at, offers)) = &self.offering.outside
            && *runs == bare
            && at.elapsed() < LISTED_AGAIN_AFTER
        {
            return offers.clone();
        }
        let source = &self.source;
        let names = |dir: &Path| {
            let is_shown = source.named_place(&dir.join("any")).is_some();
            if is_shown { Vec::new() } else { source.checkpoints_beside(dir) }
        };
        let offers = outside(source.root(), &bare, &names);
        self.offering.outside = Some((bare, Instant::now(), offers.clone()));
        offers
    }
}
