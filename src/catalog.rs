//! Event files -> an index of where every tensor in the logdir is stored, kept up to date by one thread and read by all others.
//!
//! The ingest thread follows the files and publishes immutable snapshots. A reader takes the newest and never waits. A
//! snapshot shares everything that did not change with the one before.

mod apart;
pub mod attempts;
mod backoff;
pub mod batch;
pub mod checked;
pub mod checker;
pub mod damage;
mod defect;
pub mod demand;
mod directory_links;
mod facts;
pub mod follow;
mod form;
mod graphs;
pub mod health;
pub mod ingest;
mod kept;
pub mod logged_value;
pub mod merge;
mod namesakes;
pub mod offers;
pub mod rules_files;
mod saved;
pub mod shelf;
pub mod snapshot;
mod watched;

use std::sync::Arc;

use tokio::sync::watch;

use self::{checked::Checked, damage::BadValue, demand::Demand, shelf::ShelfNews, snapshot::Snapshot};

/// A handle on the newest snapshot, cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    checked: Arc<Checked>,
    demand: Arc<Demand>,
    /// Passes a damaged value to the ingest thread.
    report: Arc<dyn Fn(BadValue) + Send + Sync>,
    /// Passes news of the shelf to the ingest thread.
    tell_of_shelf: Arc<dyn Fn(ShelfNews) + Send + Sync>,
}

impl Catalog {
    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshots.borrow())
    }

    /// A receiver that is ready whenever there is a new snapshot.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Which records are known to be intact.
    #[must_use]
    pub fn checked(&self) -> &Checked {
        &self.checked
    }

    /// How many requests wait for an answer. The background check pauses while there are any.
    #[must_use]
    pub fn demand(&self) -> &Arc<Demand> {
        &self.demand
    }

    /// Reports a value that was found damaged when it was read. It becomes a problem and is no longer listed.
    pub fn report(&self, bad: BadValue) {
        (self.report)(bad);
    }

    /// Tells that something changed on the shelf.
    pub fn tell_of_shelf(&self, news: ShelfNews) {
        (self.tell_of_shelf)(news);
    }
}
