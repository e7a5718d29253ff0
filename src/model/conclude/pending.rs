//! What of a run is to be concluded again.

use std::{collections::BTreeSet, sync::Arc};

use super::layer_names::MemberIdx;
use crate::types::Tag;

/// What is to be looked at again. What stands first is done first.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) tags: BTreeSet<Tag>,
    /// Names of layers of which a kernel came or went.
    pub(super) kernels: BTreeSet<Arc<str>>,
    /// Names that may mean another layer because of that, and so all series that have them.
    pub(super) keys: BTreeSet<Arc<str>>,
    pub(super) names: BTreeSet<MemberIdx>,
    /// Whether graphs are to be asked again.
    pub(super) operations: bool,
    pub(super) layers: BTreeSet<Arc<str>>,
    /// Layers in which nothing changed but what the run has in common.
    pub(super) others: BTreeSet<Arc<str>>,
    /// How many layers were concluded since nothing was pending.
    pub(super) n_layers: usize,
}
