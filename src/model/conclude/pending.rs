//! What must be concluded again in a run.

use std::{collections::BTreeSet, sync::Arc};

use super::layer_names::MemberIdx;
use crate::types::Tag;

/// What must be looked at again. The first field is processed first.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) tags: BTreeSet<Tag>,
    /// Names of layers that gained or lost a kernel.
    pub(super) kernels: BTreeSet<Arc<str>>,
    /// Names that may mean another layer because of that, which affects all series with these names.
    pub(super) keys: BTreeSet<Arc<str>>,
    pub(super) names: BTreeSet<MemberIdx>,
    /// Whether graphs must be evaluated again.
    pub(super) operations: bool,
    pub(super) layers: BTreeSet<Arc<str>>,
    /// Layers for which only the majority of the run changed.
    pub(super) others: BTreeSet<Arc<str>>,
    /// The number of layers concluded since the last time nothing was pending.
    pub(super) n_layers: usize,
}
