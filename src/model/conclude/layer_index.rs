//! Which series each layer has, and which modules contain layers with a kernel.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{super::network::MOST_PARTS, layer_names::MemberIdx};

/// The layers of a run by their keys.
#[derive(Debug, Default)]
pub(super) struct LayerIndex {
    members: BTreeSet<(Arc<str>, MemberIdx)>,
    /// Layers that have a kernel according to names and graphs, before shapes are considered.
    with_kernel: BTreeSet<Arc<str>>,
    /// The paths of modules, each with the number of layers of `with_kernel` that it contains.
    modules: BTreeMap<Arc<str>, usize>,
}

impl LayerIndex {
    pub(super) fn insert(&mut self, key: &Arc<str>, member: MemberIdx) {
        self.members.insert((Arc::clone(key), member));
    }

    pub(super) fn remove(&mut self, key: &Arc<str>, member: MemberIdx) {
        self.members.remove(&(Arc::clone(key), member));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The series of a layer.
    pub(super) fn members(&self, key: &Arc<str>) -> impl Iterator<Item = MemberIdx> {
        let range = (Arc::clone(key), 0)..=(Arc::clone(key), MemberIdx::MAX);
        self.members.range(range).map(|(_, member)| *member)
    }

    /// Whether the module with this key contains layers with a kernel.
    pub(super) fn is_module_with_kernel(&self, key: &str) -> bool {
        self.modules.contains_key(key)
    }

    /// Notes whether a layer has a kernel. Returns the modules around it that have series of their own and for which
    /// `is_module_with_kernel` has changed.
    pub(super) fn note_kernel(&mut self, key: &Arc<str>, has_kernel: bool) -> Vec<Arc<str>> {
        let is_news =
            if has_kernel { self.with_kernel.insert(Arc::clone(key)) } else { self.with_kernel.remove(key) };
        if !is_news {
            return Vec::new();
        }
        let changed = paths_above(key).map(Arc::from).filter(|path| self.count_layer(path, has_kernel));
        changed.collect::<Vec<_>>().into_iter().filter(|path| self.members(path).next().is_some()).collect()
    }

    /// Counts one layer more or less in a module. Returns whether it is the first or was the last one.
    fn count_layer(&mut self, path: &Arc<str>, is_more: bool) -> bool {
        let n_before = self.modules.get(path).copied().unwrap_or(0);
        let n_now = if is_more { n_before + 1 } else { n_before - 1 };
        if n_now == 0 {
            self.modules.remove(path);
        } else {
            self.modules.insert(Arc::clone(path), n_now);
        }
        n_before == 0 || n_now == 0
    }
}

/// The paths of the modules that contain a layer.
fn paths_above(key: &str) -> impl Iterator<Item = &str> {
    key.rmatch_indices('/').take(MOST_PARTS).map(|(at, _)| &key[..at])
}
