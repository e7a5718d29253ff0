//! The newest change of the catalog, as one text for all listeners.

use std::sync::Arc;

use crate::catalog::snapshot::Snapshot;

/// The newest event.
pub(super) struct CatalogChange {
    /// The revision of the snapshot that was compared.
    pub(super) since: u64,
    /// What it was compared with.
    pub(super) snapshot: Arc<Snapshot>,
    /// The difference as JSON.
    pub(super) text: Arc<str>,
}

impl CatalogChange {
    /// Nothing has changed yet.
    pub(super) fn none(snapshot: Arc<Snapshot>) -> Self {
        Self { since: snapshot.revision, snapshot, text: "".into() }
    }
}
