//! Series with the layers of their names -> their layers and operations according to a logged graph or model.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::super::network::{NameMatch, Network, Operation, Origin};

/// The layer of a series, first according to names, then according to graphs.
pub(super) struct Assignment {
    pub(super) key: Arc<str>,
    pub(super) layer: Arc<str>,
    pub(super) operation: Option<Arc<Operation>>,
    /// Whether the names of operation and layer only have their ends in common.
    pub(super) is_named_alike: bool,
    pub(super) kind: SeriesKind,
}

/// What a series is, as far as its layer depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SeriesKind {
    /// Whether its name or the graph says that it is a kernel.
    pub(super) is_called_kernel: bool,
    /// Whether the layer of this name in a graph can be its own.
    pub(super) may_have_operation: bool,
    pub(super) is_picture: bool,
}

/// The operations that layers have by their names.
type NamedOperation = (Arc<str>, (Arc<Operation>, NameMatch));

/// Assigns operations to the series of a run, in the order of their tags, by their names, and joins the series of one operation.
pub(super) fn settle_operations(placed: &mut [Assignment], networks: &[Arc<Network>]) {
    name_operations(placed, networks);
    join_operations(placed);
}

/// Assigns to each layer the operation of its name. If one name is only the end of the other, there must be only one layer with a
/// kernel that it can mean: `conv1` in a model may be that of the discriminator or of the generator.
fn name_operations(placed: &mut [Assignment], networks: &[Arc<Network>]) {
    let is_open = |one: &Assignment| one.operation.is_none() && one.kind.may_have_operation;
    let mut has_kernel: HashMap<Arc<str>, bool> = HashMap::new();
    for one in placed.iter().filter(|one| is_open(one)) {
        *has_kernel.entry(Arc::clone(&one.key)).or_default() |= one.kind.is_called_kernel;
    }
    let mut claims: HashMap<*const Operation, Vec<Claim<'_>>> = HashMap::new();
    for (key, has_kernel) in has_kernel {
        let Some((operation, found)) = operation_of(&key, networks) else { continue };
        let claim = Claim { key, has_kernel, found, operation };
        claims.entry(Arc::as_ptr(operation)).or_default().push(claim);
    }
    let named_operations: HashMap<Arc<str>, (Arc<Operation>, NameMatch)> =
        claims.into_values().flat_map(named_operations).collect();
    for one in placed.iter_mut().filter(|one| is_open(one)) {
        if let Some((operation, found)) = named_operations.get(&one.key) {
            (one.operation, one.is_named_alike) = (Some(Arc::clone(operation)), *found != NameMatch::Same);
        }
    }
}

/// A layer that an operation's name can mean.
struct Claim<'a> {
    key: Arc<str>,
    has_kernel: bool,
    found: NameMatch,
    operation: &'a Arc<Operation>,
}

/// The operation with the name of a layer. A model has names of layers; a graph has scopes, which often have the same names.
fn operation_of<'a>(key: &str, networks: &'a [Arc<Network>]) -> Option<(&'a Arc<Operation>, NameMatch)> {
    let named = |origin| {
        let found = networks.iter().filter_map(|network| network.operation(key));
        found.into_iter().find(|(operation, _)| operation.origin == origin)
    };
    named(Origin::Keras).or_else(|| named(Origin::Graph))
}

fn named_operations(claims: Vec<Claim<'_>>) -> Vec<NamedOperation> {
    // The output of a wrapper has another name than the kernel, so the two are handled separately.
    let (of_wrapper, of_layer): (Vec<_>, Vec<_>) =
        claims.into_iter().partition(|claim| claim.found == NameMatch::Wrapper && !claim.has_kernel);
    let is_exact = of_layer.iter().any(|claim| claim.found == NameMatch::Same);
    let kernels = of_layer.iter().filter(|claim| claim.has_kernel).count();
    let is_clear = kernels == 1 || of_layer.len() == 1;
    let is_its = |claim: &Claim<'_>| if is_exact { claim.found == NameMatch::Same } else { is_clear };
    let of_layer = of_layer.into_iter().filter(is_its);
    of_layer.chain(of_wrapper).map(|claim| (claim.key, (Arc::clone(claim.operation), claim.found))).collect()
}

/// Joins tensors that belong to one layer according to a graph or model, whatever their names are. Layers with a kernel of their own
/// are not changed.
fn join_operations(placed: &mut [Assignment]) {
    let address = |one: &Assignment| one.operation.as_ref().map(Arc::as_ptr);
    let mut kernels: HashMap<*const Operation, (Arc<str>, Arc<str>)> = HashMap::new();
    let mut with_kernel: HashSet<Arc<str>> = HashSet::new();
    for one in placed.iter().filter(|one| one.kind.is_called_kernel) {
        with_kernel.insert(Arc::clone(&one.key));
        if let Some(address) = address(one) {
            kernels.entry(address).or_insert_with(|| (Arc::clone(&one.key), Arc::clone(&one.layer)));
        }
    }
    for one in placed.iter_mut().filter(|one| !one.kind.is_picture && !with_kernel.contains(&one.key)) {
        if let Some((key, layer)) = address(one).and_then(|address| kernels.get(&address)) {
            (one.key, one.layer) = (Arc::clone(key), Arc::clone(layer));
        }
    }
}
