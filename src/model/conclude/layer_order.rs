//! The layers of a run whose channels tell something, in the order of their names.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    super::natural::Natural,
    chain::{Link, REACH},
    item::Known,
};
use crate::types::Tag;

/// So many links of one layer are gone over one by one, before the next layer is looked for.
const MOST_SAME: usize = 16;

/// Layers with a kernel, or with a tensor of one axis and no kernel.
#[derive(Debug, Default)]
pub(super) struct Order {
    links: BTreeSet<(Natural, Place, Tag)>,
}

/// What stands for a layer comes first among what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Kernel,
    Vector,
    /// Behind everything that a layer has.
    End,
}

/// A layer, and the tag of what stands for it.
pub(super) type Beside = (Arc<str>, Tag);

impl Order {
    pub(super) fn insert(&mut self, key: &Arc<str>, place: Place, tag: Tag) {
        self.links.insert((Natural(Arc::clone(key)), place, tag));
    }

    pub(super) fn remove(&mut self, key: &Arc<str>, place: Place, tag: Tag) {
        self.links.remove(&(Natural(Arc::clone(key)), place, tag));
    }

    /// The layers before and after one, as far as their channels tell something, in the order of names; and how many of them come
    /// before it.
    pub(super) fn links_around(&self, key: &Arc<str>, known: &Known<'_>) -> (Vec<(Arc<str>, Link)>, usize) {
        let link = |(key, tag): Beside| Some((key, Link::of((known.item)(tag.as_str())?.shape?.axes())?));
        let mut links: Vec<_> = self.before(key).into_iter().map_while(link).collect();
        links.reverse();
        let n_before = links.len();
        links.extend(self.after(key).into_iter().map_while(link));
        (links, n_before)
    }

    /// The layers before this one, the nearest first.
    pub(super) fn before(&self, key: &Arc<str>) -> Vec<Beside> {
        let mut found: Vec<Beside> = Vec::new();
        let mut links = self.links.range(..edge(key, Place::Kernel)).rev();
        let mut n_same = 0;
        while let Some((key, _, tag)) = links.next() {
            let is_full = found.len() == REACH;
            match found.last_mut() {
                // What comes first in a layer stands for it.
                Some((last, first)) if *last == key.0 => {
                    n_same += 1;
                    if n_same < MOST_SAME {
                        *first = tag.clone();
                        continue;
                    }
                    let start = edge(&key.0, Place::Kernel);
                    first.clone_from(self.links.range(&start..).next().map_or(tag, |(.., tag)| tag));
                    links = self.links.range(..start).rev();
                }
                _ if is_full => break,
                _ => found.push((Arc::clone(&key.0), tag.clone())),
            }
            n_same = 0;
        }
        found
    }

    /// The layers after this one, the nearest first.
    pub(super) fn after(&self, key: &Arc<str>) -> Vec<Beside> {
        let mut found: Vec<Beside> = Vec::new();
        let mut links = self.links.range(edge(key, Place::End)..);
        let mut n_same = 0;
        while let Some((key, _, tag)) = links.next() {
            if found.last().is_some_and(|(last, _)| *last == key.0) {
                n_same += 1;
                if n_same >= MOST_SAME {
                    links = self.links.range(edge(&key.0, Place::End)..);
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

fn edge(key: &Arc<str>, place: Place) -> (Natural, Place, Tag) {
    (Natural(Arc::clone(key)), place, "".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_stand_beside_one_another_by_number_and_each_once() {
        let mut order = Order::default();
        let keys: Vec<Arc<str>> = ["main/0", "main/1", "main/3", "main/10", "main/03"].map(Arc::from).into();
        for key in &keys {
            for tag in ["b", "a"] {
                order.insert(key, Place::Kernel, format!("{key}.{tag}").as_str().into());
            }
            order.insert(key, Place::Vector, format!("{key}.0").as_str().into());
        }
        order.remove(&keys[0], Place::Kernel, "main/0.a".into());
        let tags = |found: Vec<Beside>| found.iter().map(|(_, tag)| tag.to_string()).collect::<Vec<_>>();
        assert_eq!(tags(order.before(&keys[2])), ["main/03.a", "main/1.a", "main/0.b"]);
        assert_eq!(tags(order.after(&keys[1])), ["main/03.a", "main/3.a", "main/10.a"]);
        assert!(order.after(&keys[3]).is_empty());
        for number in 0..100 {
            order.insert(&keys[1], Place::Kernel, format!("main/1.{number:03}").as_str().into());
        }
        assert_eq!(tags(order.before(&keys[2])), ["main/03.a", "main/1.000", "main/0.b"]);
        assert_eq!(tags(order.after(&keys[0])), ["main/1.000", "main/03.a", "main/3.a", "main/10.a"]);
    }
}
