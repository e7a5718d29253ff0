//! The newest change of the catalog, as one text for all event streams.

use std::sync::Arc;

use crate::catalog::snapshot::Snapshot;

/// The difference between two snapshots.
pub(super) struct CatalogChange {
    /// The revision of the older snapshot.
    pub(super) since: u64,
    /// The newer snapshot.
    pub(super) snapshot: Arc<Snapshot>,
    /// The difference as JSON.
    pub(super) text: Arc<str>,
}

impl CatalogChange {
    /// No change: the state in this snapshot.
    pub(super) fn none(snapshot: Arc<Snapshot>) -> Self {
        Self { since: snapshot.revision, snapshot, text: "".into() }
    }
}
