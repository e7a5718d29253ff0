//! Names of layers -> the layer with a kernel that a name means: the same, or the only one of which one name is the end of the
//! other. `conv2d/output` beside `sequential/conv2d/kernel` is of that layer.
//!
//! Names are kept in the order of their letters from the last to the first, so that those with one end stand together, and
//! whose answer changes with a kernel is found without looking at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

use super::super::{
    from_end::FromEnd,
    network::{MOST_PARTS, ends},
};

/// The number of a series in what is kept of its run.
pub(super) type MemberIdx = u32;

/// Which series have which name, and the layers with a kernel that is called so.
#[derive(Debug, Default)]
pub(super) struct Names {
    members: BTreeSet<(FromEnd, MemberIdx)>,
    /// The layer's name as it stands in its last kernel's tag.
    kernels: BTreeMap<FromEnd, Arc<str>>,
}

/// The layer with a kernel that a name means.
pub(super) struct Meant {
    pub(super) key: Arc<str>,
    pub(super) layer: Arc<str>,
}

impl Names {
    /// The same text as before if some series has it, so that it is kept once.
    pub(super) fn shared(&self, key: &str) -> Arc<str> {
        let key: Arc<str> = key.into();
        let from = (FromEnd(Arc::clone(&key)), 0);
        let known = self.members.range(from..).next().filter(|(known, _)| known.0 == key);
        known.map_or(key, |(known, _)| Arc::clone(&known.0))
    }

    pub(super) fn insert(&mut self, key: &Arc<str>, member: MemberIdx) {
        self.members.insert((FromEnd(Arc::clone(key)), member));
    }

    pub(super) fn remove(&mut self, key: &Arc<str>, member: MemberIdx) {
        self.members.remove(&(FromEnd(Arc::clone(key)), member));
    }

    /// The series of this very name.
    pub(super) fn same(&self, key: &Arc<str>) -> impl Iterator<Item = MemberIdx> {
        let key = FromEnd(Arc::clone(key));
        self.members.range((key.clone(), 0)..=(key, MemberIdx::MAX)).map(|(_, member)| *member)
    }

    /// Sets the layer's name as its last kernel has it, `None` where it has no kernel. Gives whether that is news.
    pub(super) fn set_kernel(&mut self, key: &Arc<str>, layer: Option<Arc<str>>) -> bool {
        let key = FromEnd(Arc::clone(key));
        match layer {
            Some(layer) => self.kernels.insert(key, Arc::clone(&layer)).as_ref() != Some(&layer),
            None => self.kernels.remove(&key).is_some(),
        }
    }

    /// The series whose layer may be another one when `kernel` comes or goes: those of this name, of an end of it, or with it as an end.
    pub(super) fn touched_by(&self, kernel: &Arc<str>) -> Vec<MemberIdx> {
        let mut touched: Vec<MemberIdx> = self.same(kernel).collect();
        for end in ends(kernel) {
            touched.extend(self.same(&end.into()));
        }
        touched
            .extend(longer(&self.members, kernel, |end| (end, 0), |(key, _)| key).map(|(_, member)| *member));
        touched
    }

    /// The layer of exactly this name, if it has a kernel.
    pub(super) fn kernel(&self, key: &str) -> Option<Meant> {
        let found = self.kernels.get_key_value(&FromEnd(key.into()));
        found.map(|(key, layer)| Meant { key: Arc::clone(&key.0), layer: Arc::clone(layer) })
    }

    /// The layer that a name means.
    pub(super) fn meant(&self, key: &str) -> Option<Meant> {
        if let Some(same) = self.kernel(key) {
            return Some(same);
        }
        let mut longer = longer_kernels(&self.kernels, key);
        let mut shorter = ends(key).filter_map(|end| self.kernel(end));
        let only = match (longer.next(), shorter.next()) {
            (Some(only), None) if longer.next().is_none() => only,
            (None, Some(only)) if shorter.next().is_none() => only,
            _ => return None,
        };
        Some(only)
    }
}

/// The layers with a kernel of whose names this one is an end.
fn longer_kernels<'k>(
    kernels: &'k BTreeMap<FromEnd, Arc<str>>,
    key: &str,
) -> impl Iterator<Item = Meant> + use<'k> {
    let end = format!("/{key}");
    let is_end = is_comparable(key);
    let from = Bound::Included(FromEnd(end.as_str().into()));
    kernels
        .range((from, Bound::Unbounded))
        .take_while(move |(longer, _)| is_end && longer.0.ends_with(&end))
        .map(|(key, layer)| Meant { key: Arc::clone(&key.0), layer: Arc::clone(layer) })
}

/// The entries of whose names this one is an end.
fn longer<'k, T: Ord>(
    all: &'k BTreeSet<T>,
    key: &str,
    entry: impl Fn(FromEnd) -> T,
    name: impl Fn(&T) -> &FromEnd + 'k,
) -> impl Iterator<Item = &'k T> {
    let end = format!("/{key}");
    let is_end = is_comparable(key);
    all.range(entry(FromEnd(end.as_str().into()))..)
        .take_while(move |longer| is_end && name(longer).0.ends_with(&end))
}

/// Whether a name can be the end of another: it is some parts, and not too many.
fn is_comparable(key: &str) -> bool {
    !key.is_empty() && key.bytes().filter(|byte| *byte == b'/').count() < MOST_PARTS
}
