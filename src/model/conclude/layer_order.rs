//! The layers of a run whose channels are evidence, in the order of their names.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    super::natural_order::NaturalOrder,
    item::Known,
    layer_sequence::{LayerChannels, REACH},
};
use crate::types::Tag;

/// How many entries of the same layer are skipped one by one before the next layer is searched for.
const MOST_SAME: usize = 16;

/// Layers with a kernel, or with a tensor of one axis and no kernel.
#[derive(Debug, Default)]
pub(super) struct LayerOrder {
    layers: BTreeSet<LayerEntry>,
}

/// A tensor that may represent a layer, sorted by the layer's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LayerEntry {
    key: NaturalOrder,
    representative: Representative,
    tag: Tag,
}

/// Which tensor represents a layer: the first of these that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Representative {
    Kernel,
    Vector,
    /// After everything that a layer has.
    End,
}

/// A layer, and the tag of the tensor that represents it.
pub(super) type Neighbour = (Arc<str>, Tag);

impl LayerOrder {
    pub(super) fn insert(&mut self, key: &Arc<str>, representative: Representative, tag: Tag) {
        self.layers.insert(LayerEntry { key: NaturalOrder(Arc::clone(key)), representative, tag });
    }

    pub(super) fn remove(&mut self, key: &Arc<str>, representative: Representative, tag: Tag) {
        self.layers.remove(&LayerEntry { key: NaturalOrder(Arc::clone(key)), representative, tag });
    }

    /// The layers before and after one whose channels are evidence, in the order of names, and how many of them come before it.
    pub(super) fn channels_around(
        &self,
        key: &Arc<str>,
        known: &Known<'_>,
    ) -> (Vec<(Arc<str>, LayerChannels)>, usize) {
        let channels = |(key, tag): Neighbour| {
            Some((key, LayerChannels::of((known.item)(tag.as_str())?.shape?.axes())?))
        };
        let mut layers: Vec<_> = self.before(key).into_iter().map_while(channels).collect();
        layers.reverse();
        let n_before = layers.len();
        layers.extend(self.after(key).into_iter().map_while(channels));
        (layers, n_before)
    }

    /// The layers before this one, the nearest first.
    pub(super) fn before(&self, key: &Arc<str>) -> Vec<Neighbour> {
        let mut found: Vec<Neighbour> = Vec::new();
        let mut layers = self.layers.range(..edge(key, Representative::Kernel)).rev();
        let mut n_same = 0;
        while let Some(LayerEntry { key, tag, .. }) = layers.next() {
            let is_full = found.len() == REACH;
            match found.last_mut() {
                // The first tensor of a layer represents it.
                Some((last, first)) if *last == key.0 => {
                    n_same += 1;
                    if n_same < MOST_SAME {
                        *first = tag.clone();
                        continue;
                    }
                    let start = edge(&key.0, Representative::Kernel);
                    first.clone_from(self.layers.range(&start..).next().map_or(tag, |entry| &entry.tag));
                    layers = self.layers.range(..start).rev();
                }
                _ if is_full => break,
                _ => found.push((Arc::clone(&key.0), tag.clone())),
            }
            n_same = 0;
        }
        found
    }

    /// The layers after this one, the nearest first.
    pub(super) fn after(&self, key: &Arc<str>) -> Vec<Neighbour> {
        let mut found: Vec<Neighbour> = Vec::new();
        let mut layers = self.layers.range(edge(key, Representative::End)..);
        let mut n_same = 0;
        while let Some(LayerEntry { key, tag, .. }) = layers.next() {
            if found.last().is_some_and(|(last, _)| *last == key.0) {
                n_same += 1;
                if n_same >= MOST_SAME {
                    layers = self.layers.range(edge(&key.0, Representative::End)..);
                }
                continue;
            }
            n_same = 0;
            if found.len() == REACH {
                break;
            }
            found.push((Arc::clone(&key.0), tag.clone()));
        }
        found
    }
}

/// The first entry that a layer can have from a representative on.
fn edge(key: &Arc<str>, representative: Representative) -> LayerEntry {
    LayerEntry { key: NaturalOrder(Arc::clone(key)), representative, tag: "".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_stand_beside_one_another_by_number_and_each_once() {
        let mut order = LayerOrder::default();
        let keys: Vec<Arc<str>> = ["main/0", "main/1", "main/3", "main/10", "main/03"].map(Arc::from).into();
        for key in &keys {
            for tag in ["b", "a"] {
                order.insert(key, Representative::Kernel, format!("{key}.{tag}").as_str().into());
            }
            order.insert(key, Representative::Vector, format!("{key}.0").as_str().into());
        }
        order.remove(&keys[0], Representative::Kernel, "main/0.a".into());
        let tags = |found: Vec<Neighbour>| found.iter().map(|(_, tag)| tag.to_string()).collect::<Vec<_>>();
        assert_eq!(tags(order.before(&keys[2])), ["main/03.a", "main/1.a", "main/0.b"]);
        assert_eq!(tags(order.after(&keys[1])), ["main/03.a", "main/3.a", "main/10.a"]);
        assert!(order.after(&keys[3]).is_empty());
        for number in 0..100 {
            order.insert(&keys[1], Representative::Kernel, format!("main/1.{number:03}").as_str().into());
        }
        assert_eq!(tags(order.before(&keys[2])), ["main/03.a", "main/1.000", "main/0.b"]);
        assert_eq!(tags(order.after(&keys[0])), ["main/1.000", "main/03.a", "main/3.a", "main/10.a"]);
    }
}
