//! Names of layers -> the layer with a kernel that a name means: the layer with the same name, or the only one for which one name is
//! the end of the other. With `sequential/conv2d/kernel` in the run, `conv2d/output` belongs to the layer `sequential/conv2d`.
//!
//! Names are sorted by their letters from the last to the first, so that names with the same end are neighbours. So the names whose
//! meaning changes with a kernel are found without looking at all names.
//!
//! If a model's layer only matches the end of a logged name, it must be the only one with such a kernel, and the result is never sure.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry},
    hash::{DefaultHasher, Hash, Hasher},
    ops::Bound,
    sync::Arc,
};

#[cfg(test)]
use super::super::visits;
use super::super::{
    from_end::FromEnd,
    network::{MOST_PARTS, ends},
};
use crate::types::Tag;

/// The number of a series within its run.
pub(super) type MemberIdx = u32;

/// Which series have which name, and which layers with a kernel have it.
#[derive(Debug, Default)]
pub(super) struct LayerNames {
    members: BTreeSet<(FromEnd, MemberIdx)>,
    kernels: BTreeMap<FromEnd, Kernels>,
    /// Hashes of the names in `kernels`, each with the number of names that have it. Most names need no other check.
    hashes: HashMap<u32, u32>,
}

/// The kernels of one layer by their tags, each with the layer's name as written in the tag. Nearly every layer has one kernel.
#[derive(Debug)]
struct Kernels {
    last: (Tag, Arc<str>),
    before: BTreeMap<Tag, Arc<str>>,
}

/// The layer with a kernel that a name means.
pub(super) struct NamedLayer {
    pub(super) key: Arc<str>,
    pub(super) layer: Arc<str>,
}

impl LayerNames {
    /// The shared copy of a name if some series has it, so that each name is stored once.
    pub(super) fn shared(&self, key: &str) -> Arc<str> {
        self.known(key).unwrap_or_else(|| key.into())
    }

    /// The name if some series has it.
    fn known(&self, key: &str) -> Option<Arc<str>> {
        let known = self.members.range((FromEnd(key.into()), 0)..).next().map(|(known, _)| &known.0);
        known.filter(|known| ***known == *key).map(Arc::clone)
    }

    pub(super) fn insert(&mut self, key: &Arc<str>, member: MemberIdx) {
        self.members.insert((FromEnd(Arc::clone(key)), member));
    }

    pub(super) fn remove(&mut self, key: &Arc<str>, member: MemberIdx) {
        self.members.remove(&(FromEnd(Arc::clone(key)), member));
    }

    /// The series with exactly this name.
    pub(super) fn same(&self, key: &Arc<str>) -> impl Iterator<Item = MemberIdx> {
        let key = FromEnd(Arc::clone(key));
        self.members.range((key.clone(), 0)..=(key, MemberIdx::MAX)).map(|(_, member)| visited(*member))
    }

    /// The series whose names end in this name.
    pub(super) fn longer(&self, key: &str) -> impl Iterator<Item = MemberIdx> {
        let end = format!("/{key}");
        let from = (FromEnd(end.as_str().into()), 0);
        let is_end = is_comparable(key);
        let longer = self.members.range(from..).take_while(move |(name, _)| is_end && name.0.ends_with(&end));
        longer.map(|(_, member)| visited(*member))
    }

    /// This name and its ends, as far as some series has them.
    pub(super) fn shorter(&self, key: &str) -> Vec<Arc<str>> {
        std::iter::once(key).chain(ends(key)).filter_map(|key| self.known(key)).collect()
    }

    /// Adds a kernel of this name. `layer` is the layer's name as written in its tag.
    pub(super) fn insert_kernel(&mut self, key: &Arc<str>, tag: Tag, layer: Arc<str>) {
        match self.kernels.entry(FromEnd(Arc::clone(key))) {
            Entry::Vacant(vacant) => {
                vacant.insert(Kernels { last: (tag, layer), before: BTreeMap::new() });
                *self.hashes.entry(hash_of(key)).or_default() += 1;
            }
            Entry::Occupied(mut known) => known.get_mut().insert((tag, layer)),
        }
    }

    /// Removes a kernel of this name.
    pub(super) fn remove_kernel(&mut self, key: &Arc<str>, tag: &Tag) {
        let Entry::Occupied(mut known) = self.kernels.entry(FromEnd(Arc::clone(key))) else { return };
        let Kernels { last, before } = known.get_mut();
        if last.0 != *tag {
            before.remove(tag);
        } else if let Some(next) = before.pop_last() {
            *last = next;
        } else {
            known.remove();
            self.remove_hash(hash_of(key));
        }
    }

    fn remove_hash(&mut self, hash: u32) {
        let Some(count) = self.hashes.get_mut(&hash) else { return };
        *count -= 1;
        if *count == 0 {
            self.hashes.remove(&hash);
        }
    }

    /// Whether some layer with a kernel has a name with this hash.
    pub(super) fn may_have_kernel(&self, hash: u32) -> bool {
        self.hashes.contains_key(&hash)
    }

    /// The name of the layer with a kernel that has this key, as written in its last kernel's tag.
    pub(super) fn layer(&self, key: &Arc<str>) -> Option<&Arc<str>> {
        self.kernels.get(&FromEnd(Arc::clone(key))).map(|kernels| &kernels.last.1)
    }

    /// The layer of exactly this name, if it has a kernel.
    pub(super) fn kernel(&self, key: &str) -> Option<NamedLayer> {
        let found = self.kernels.get_key_value(&FromEnd(key.into()));
        found.map(named_layer)
    }

    /// The layer that a name means.
    pub(super) fn named_layer(&self, key: &str) -> Option<NamedLayer> {
        if let Some(same) = self.kernel(key) {
            return Some(same);
        }
        let mut longer = self.longer_kernels(key);
        let mut shorter = ends(key).filter_map(|end| self.kernel(end));
        let only = match (longer.next(), shorter.next()) {
            (Some(only), None) if longer.next().is_none() => only,
            (None, Some(only)) if shorter.next().is_none() => only,
            _ => return None,
        };
        Some(only)
    }

    /// The layers with a kernel whose names end in this one.
    fn longer_kernels(&self, key: &str) -> impl Iterator<Item = NamedLayer> + use<'_> {
        let end = format!("/{key}");
        let is_end = is_comparable(key);
        let from = Bound::Included(FromEnd(end.as_str().into()));
        let kernels = self.kernels.range((from, Bound::Unbounded));
        kernels.take_while(move |(longer, _)| is_end && longer.0.ends_with(&end)).map(named_layer)
    }
}

impl Kernels {
    fn insert(&mut self, (tag, layer): (Tag, Arc<str>)) {
        if tag < self.last.0 {
            self.before.insert(tag, layer);
            return;
        }
        let (tag, layer) = std::mem::replace(&mut self.last, (tag, layer));
        self.before.insert(tag, layer);
    }
}

fn named_layer((key, kernels): (&FromEnd, &Kernels)) -> NamedLayer {
    NamedLayer { key: Arc::clone(&key.0), layer: Arc::clone(&kernels.last.1) }
}

fn visited(member: MemberIdx) -> MemberIdx {
    #[cfg(test)]
    visits::count();
    member
}

/// Whether a name can be the end of another: it has at least one part, and not too many.
fn is_comparable(key: &str) -> bool {
    !key.is_empty() && key.bytes().filter(|byte| *byte == b'/').count() < MOST_PARTS
}

/// A hash of a layer's name or of axes. It only serves to find what may be affected.
pub(super) fn hash_of<T: Hash + ?Sized>(key: &T) -> u32 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish() as u32
}
