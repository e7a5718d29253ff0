//! Drafts -> the layer that each belongs to: as rules, metadata and graphs say, and as names have ends in common.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    super::{
        name::{Hint, layer_key},
        network::{Match, Network, Operation, Origin, ends},
        role::Role,
    },
    Draft,
};

pub(super) fn settle_layers(drafts: &mut [Draft<'_>], networks: &[Arc<Network>]) {
    for draft in drafts.iter_mut() {
        let recorded = draft.item.recorded.and_then(|recorded| recorded.layer.as_deref());
        let ruled = draft.ruling.layer.as_ref().map(|(layer, _)| *layer);
        let traced = draft.traced.and(draft.operation.as_ref()).map(|operation| operation.name.clone());
        let named = ruled.or(recorded).map(str::to_owned).or(traced.filter(|name| !name.is_empty()));
        draft.layer = named.unwrap_or_else(|| draft.name.layer.to_string());
        draft.key = layer_key(&draft.layer);
    }
    join_ends(drafts);
    name_operations(drafts, networks);
    join_operations(drafts);
}

/// Whether it is a kernel by its name or by the graph.
fn is_called_kernel(draft: &Draft<'_>) -> bool {
    let is_traced = draft.traced.is_some_and(|traced| traced.role == Role::Kernel);
    (is_traced || matches!(draft.name.hint, Some((Hint::Kernel, _)))) && draft.axes().len() > 1
}

/// A layer without a kernel whose path is the end of the path of one with a kernel, or the other way round, is that layer:
/// `conv2d/output` beside `sequential/conv2d/kernel`.
fn join_ends(drafts: &mut [Draft<'_>]) {
    let with_kernel: HashMap<String, String> = drafts
        .iter()
        .filter(|draft| is_called_kernel(draft))
        .map(|draft| (draft.key.clone(), draft.layer.clone()))
        .collect();
    // The ends of all paths, so that the search is not over all pairs; `None` where several paths end so.
    let mut by_end: HashMap<&str, Option<&String>> = HashMap::new();
    for key in with_kernel.keys() {
        for end in ends(key) {
            by_end.entry(end).and_modify(|only| *only = None).or_insert(Some(key));
        }
    }
    for draft in drafts.iter_mut().filter(|draft| !draft.item.is_picture) {
        let whole = layer_key(&draft.name.whole);
        if !is_called_kernel(draft) && with_kernel.contains_key(&whole) {
            draft.key = whole;
            draft.is_named_as_layer = true;
        }
        if let Some(layer) = with_kernel.get(&draft.key) {
            draft.layer.clone_from(layer);
            continue;
        }
        let longer = by_end.get(&*draft.key).copied();
        let shorter: Vec<&String> =
            ends(&draft.key).filter_map(|end| with_kernel.get_key_value(end)).map(|(key, _)| key).collect();
        let only = match (longer, shorter.as_slice()) {
            (Some(Some(only)), []) => only.clone(),
            (None, [only]) => (*only).clone(),
            _ => continue,
        };
        draft.layer.clone_from(&with_kernel[&only]);
        draft.key = only;
    }
}

/// Gives each layer the operation of its name. Where a name is only the end of the other, there must be one layer of a kernel
/// alone that it can mean: a model called `conv1` what may be the discriminator's and the generator's.
fn name_operations(drafts: &mut [Draft<'_>], networks: &[Arc<Network>]) {
    let mut has_kernel: HashMap<&str, bool> = HashMap::new();
    for draft in drafts.iter().filter(|draft| draft.operation.is_none() && draft.may_have_operation()) {
        *has_kernel.entry(&draft.key).or_default() |= is_called_kernel(draft);
    }
    let mut claims: HashMap<*const Operation, Vec<Claim<'_>>> = HashMap::new();
    for (key, has_kernel) in has_kernel {
        let Some((operation, found)) = operation_of(key, networks) else { continue };
        let claim = Claim { key: key.to_owned(), has_kernel, found, operation };
        claims.entry(Arc::as_ptr(operation)).or_default().push(claim);
    }
    let granted: HashMap<String, (Arc<Operation>, Match)> = claims.into_values().flat_map(granted).collect();
    for draft in drafts.iter_mut().filter(|draft| draft.operation.is_none() && draft.may_have_operation()) {
        if let Some((operation, found)) = granted.get(&draft.key) {
            (draft.operation, draft.is_named_alike) = (Some(Arc::clone(operation)), *found == Match::End);
        }
    }
}

/// A layer that an operation's name can mean.
struct Claim<'a> {
    key: String,
    has_kernel: bool,
    found: Match,
    operation: &'a Arc<Operation>,
}

/// A model names its layers; a graph has scopes that are often called like them.
fn operation_of<'a>(key: &str, networks: &'a [Arc<Network>]) -> Option<(&'a Arc<Operation>, Match)> {
    let named = |origin| {
        let found = networks.iter().filter_map(|network| network.operation(key));
        found.into_iter().find(|(operation, _)| operation.origin == origin)
    };
    named(Origin::Keras).or_else(|| named(Origin::Graph))
}

fn granted(claims: Vec<Claim<'_>>) -> Vec<(String, (Arc<Operation>, Match))> {
    let is_exact = claims.iter().any(|claim| claim.found == Match::Same);
    let kernels = claims.iter().filter(|claim| claim.has_kernel).count();
    let is_clear = kernels == 1 || claims.len() == 1;
    claims
        .into_iter()
        .filter(|claim| if is_exact { claim.found == Match::Same } else { is_clear })
        .map(|claim| (claim.key, (Arc::clone(claim.operation), claim.found)))
        .collect()
}

/// Tensors of which a graph or model says that they are of one layer are, whatever their names have in common; what has a kernel
/// of its own stays where it is.
fn join_operations(drafts: &mut [Draft<'_>]) {
    let address = |draft: &Draft<'_>| draft.operation.as_ref().map(Arc::as_ptr);
    let mut kernels: HashMap<*const Operation, (String, String)> = HashMap::new();
    let mut with_kernel: HashSet<String> = HashSet::new();
    for draft in drafts.iter().filter(|draft| is_called_kernel(draft)) {
        with_kernel.insert(draft.key.clone());
        if let Some(address) = address(draft) {
            kernels.entry(address).or_insert_with(|| (draft.key.clone(), draft.layer.clone()));
        }
    }
    for draft in drafts.iter_mut().filter(|draft| !draft.item.is_picture && !with_kernel.contains(&draft.key))
    {
        if let Some((key, layer)) = address(draft).and_then(|address| kernels.get(&address)) {
            (draft.key, draft.layer) = (key.clone(), layer.clone());
        }
    }
}
