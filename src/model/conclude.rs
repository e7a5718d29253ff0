//! All tags of a run, with logged graphs, models and metadata -> what each tensor is in the network.
//!
//! The evidence, strongest first: the user's rules, the writer's own metadata, the logged graph or model, the other tensors of the
//! layer, names, shapes. The strongest evidence that fits the shape is used; evidence against it is kept as a contradiction.
//!
//! Conclusions are drawn for all series of a run together, because they are evidence for one another: the channels of an activation
//! decide the layout of its kernel, and what most tensors of a run have in common decides the rest. This is repeated for a new tag,
//! shape, graph or rule, but not for a new step.

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

/// Draws conclusions for all series of a run together, because they are evidence for one another. The results are in the order of
/// the items.
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
    conclusions.work(&known, &mut || true, &mut |tag, found| {
        facts.insert(tag.clone(), found);
    });
    let of_item = |item: &Item<'_>| facts.get(item.tag).cloned();
    items.iter().map(|item| of_item(item).unwrap_or_else(|| Facts::unknown(item.tag))).collect()
}
