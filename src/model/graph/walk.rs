//! The edges of a graph: the inputs of a node, the nodes that use its output, and the variable that a value is read from.

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    flat::{Graph, Node},
    ops::{is_passing, is_source, is_variable, layer_of},
};
use crate::model::{
    layout::Layout,
    network::{Operation, OperationKind, Traced},
    receptive_field::{ReceptiveField, SlidingWindow},
};

/// The most edges followed back on one path; networks have a handful of reads and casts on the way.
pub(super) const LONGEST_WAY: usize = 24;
/// The most tensors kept per message.
pub(super) const MOST_TENSORS: usize = 100_000;
/// The most nodes examined to find what all kernels of a graph are computed from; large networks need about ten thousand.
const MOST_LOOKS: usize = 4_000_000;

/// What is collected from the graphs of one message.
#[derive(Default)]
pub(super) struct GraphLayers {
    pub(super) operations: Vec<Arc<Operation>>,
    pub(super) tensors: HashMap<String, Traced>,
}

/// A graph that is traversed, and what is known about its nodes.
pub(super) struct GraphWalk<'a> {
    pub(super) graph: &'a Graph,
    /// The nodes that use a node's output.
    pub(super) takers: HashMap<usize, Vec<usize>>,
    /// The part of the network's input that an element of a node's output sees.
    pub(super) sees: Vec<Option<ReceptiveField>>,
    /// Whether a path back from a node contains a layer or a pool.
    pub(super) is_behind_layer: Vec<bool>,
    /// Keras 3 renumbers scopes when it traces a model: `conv2d_1` may be the scope of the layer `conv2d`.
    pub(super) has_renumbered_scopes: bool,
    /// Matrix products that only compute a convolution's kernel, as in spectral normalisation.
    pub(super) of_kernels: HashSet<usize>,
    /// How many more nodes may be examined to find what kernels are computed from.
    pub(super) looks_left: Cell<usize>,
}

/// Whether a convolution has the name that Keras 3 gives it.
fn is_keras_3s(node: &Node) -> bool {
    let last = node.name.rsplit('/').next().unwrap_or_default();
    layer_of(&node.op).is_some() && (last.starts_with("convolution") || last.starts_with("conv_transpose"))
}

/// A node that is a layer.
pub(super) struct FoundLayer {
    pub(super) node: usize,
    pub(super) kind: OperationKind,
    pub(super) variable: Option<usize>,
    /// The node whose output is the kernel, where this is not a variable.
    pub(super) computed: Option<usize>,
    pub(super) layout: Option<Layout>,
    pub(super) channels_first: bool,
    pub(super) step: SlidingWindow,
    /// Whether its dilation is done by splitting its input into batches.
    pub(super) is_spread: bool,
}

impl<'a> GraphWalk<'a> {
    pub(super) fn new(graph: &'a Graph) -> Self {
        let mut takers: HashMap<usize, Vec<usize>> = HashMap::new();
        for (taker, node) in graph.nodes.iter().enumerate() {
            for input in node.inputs.iter().flatten() {
                takers.entry(*input).or_default().push(taker);
            }
        }
        let has_renumbered_scopes = graph.nodes.iter().any(is_keras_3s);
        let n = graph.nodes.len();
        let sees = vec![None; n];
        let is_behind_layer = vec![false; n];
        let of_kernels = HashSet::new();
        let looks_left = Cell::new(MOST_LOOKS);
        Self { graph, takers, sees, is_behind_layer, has_renumbered_scopes, of_kernels, looks_left }
    }

    pub(super) fn node(&self, idx: usize) -> &'a Node {
        &self.graph.nodes[idx]
    }

    pub(super) fn input(&self, idx: usize, number: usize) -> Option<usize> {
        self.node(idx).inputs.get(number).copied().flatten()
    }

    /// The variable whose value arrives here, and whether an axis was added before its axes on the way.
    pub(super) fn variable_behind(&self, start: usize) -> (Option<usize>, bool) {
        let (mut idx, mut is_widened) = (start, false);
        for _ in 0..LONGEST_WAY {
            let node = self.node(idx);
            if self.is_variable(idx) {
                return (Some(idx), is_widened);
            }
            let is_widening = &*node.op == "ExpandDims" && self.is_first_axis(idx);
            is_widened |= is_widening;
            if !is_passing(&node.op) && !is_widening {
                return (None, is_widened);
            }
            let Some(next) = self.input(idx, 0) else { return (None, is_widened) };
            idx = next;
        }
        (None, is_widened)
    }

    /// Whether the axis that a node adds comes first, like the one before the window of a one-dimensional convolution.
    pub(super) fn is_first_axis(&self, idx: usize) -> bool {
        self.input(idx, 1).is_some_and(|axis| self.node(axis).attributes.ints.first() == Some(&0))
    }

    /// Whether a node is a variable, or stands for one inside a function.
    pub(super) fn is_variable(&self, idx: usize) -> bool {
        let node = self.node(idx);
        let is_handle = is_source(&node.op) && node.attributes.is_resource && self.input(idx, 0).is_none();
        is_handle || is_variable(&node.op)
    }

    pub(super) fn axes(&self, variable: usize) -> Option<Vec<usize>> {
        let shape = self.node(variable).attributes.shape.as_ref()?;
        shape
            .iter()
            .map(|length| usize::try_from(*length).ok())
            .collect::<Option<Vec<_>>>()
            .filter(|axes| !axes.is_empty())
    }

    pub(super) fn window(&self, variable: usize, layout: Option<Layout>) -> Vec<usize> {
        match (self.axes(variable), layout) {
            (Some(axes), Some(layout)) if axes.len() == layout.rank() => layout.extent(&axes),
            _ => Vec::new(),
        }
    }
}
