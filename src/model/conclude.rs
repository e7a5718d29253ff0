//! All tags of a run, with what was logged beside them -> what each tensor is to the network.
//!
//! The evidence in order: the user's rules, the writer's own metadata, the logged graph or model, the other tensors of the
//! layer, names, shapes. What comes first holds if it fits the shape; what speaks against it is kept as a contradiction.
//!
//! All series of a run are concluded together, because they are evidence for one another: the channels of an activation settle
//! the layout of its kernel, and what most tensors of a run have in common settles the rest. It is done again when a tag, a shape, a graph
//! or a rule is new, and not for a new step.

mod bias;
mod channels;
mod choice;
mod common;
mod conclusions;
mod facts_draft;
mod item;
mod layer_index;
mod layer_names;
mod layer_order;
mod layer_sequence;
mod layers;
mod majority;
mod member;
mod members;
mod operation;
mod pending;
mod roles;
mod stack;
mod transposed;
mod wrappers;

use std::{collections::BTreeMap, sync::Arc};

pub use self::{
    conclusions::Conclusions,
    item::{Item, Known},
};
use super::{facts::Facts, network::Network, rules::Rules};

/// Concludes for all series of a run at once, because they are evidence for one another. The result is in the items' order.
#[must_use]
pub fn conclude(run: &str, items: &[Item<'_>], networks: &[Arc<Network>], rules: &Rules) -> Vec<Facts> {
    let by_tag: BTreeMap<&str, Item<'_>> = items.iter().map(|item| (item.tag, *item)).collect();
    let mut conclusions = Conclusions::default();
    for tag in by_tag.keys() {
        conclusions.change((*tag).into());
    }
    let item = |tag: &str| by_tag.get(tag).copied();
    let known = Known { rules: &rules.in_run(run), networks, item: &item };
    let mut facts = BTreeMap::new();
    conclusions.work(&known, &mut || true, &mut |tag, found| drop(facts.insert(tag.clone(), found)));
    let of_item = |item: &Item<'_>| facts.get(item.tag).cloned();
    items.iter().map(|item| of_item(item).unwrap_or_else(|| Facts::unknown(item.tag))).collect()
}
