//! A walk through a graph -> its layers, and what their variables and outputs are.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use super::{
    field::of_map_axes,
    flat::flatten,
    nodes::programs,
    ops::{
        LayerOp, is_activation_function, is_of_gradients, is_passing, is_pool, is_source, is_variable,
        layer_of,
    },
    walk::{FoundLayer, GraphLayers, GraphWalk, LONGEST_WAY, MOST_TENSORS},
};
use crate::{
    event::{
        graph::GraphForm,
        wire::{Span, WireError},
    },
    model::{
        layout::Layout,
        name::Name,
        network::{Network, Operation, OperationKind, Origin, Traced},
        receptive_field::SlidingWindow,
        role::Role,
    },
    source::window::Peek,
};

/// The most consumers of an output that are examined to find what continues a layer.
const MOST_TAKERS: usize = 64;
/// The most operations kept per message.
const MOST_OPERATIONS: usize = 20_000;

/// Reads a graph in any of its forms.
///
/// # Errors
/// Errors of the source, and malformed messages.
pub fn network<P: Peek>(source: &mut P, form: GraphForm, span: Span) -> Result<Network, WireError> {
    let mut gathered = GraphLayers::default();
    for program in programs(source, form, span)? {
        GraphWalk::new(&flatten(&program)).add_to(&mut gathered);
    }
    Ok(Network::new(gathered.operations, gathered.tensors))
}

/// A node that is used twice belongs to the first layer; a different layout in another layer is kept as `contested`.
fn note(traced: &mut HashMap<usize, Traced>, idx: usize, new: Traced) {
    match traced.entry(idx) {
        Entry::Vacant(place) => {
            place.insert(new);
        }
        Entry::Occupied(mut known) if known.get().layout != new.layout => {
            known.get_mut().contested = new.layout;
        }
        Entry::Occupied(_) => {}
    }
}

impl GraphWalk<'_> {
    fn add_to(mut self, gathered: &mut GraphLayers) {
        let mut traced_nodes: HashMap<usize, Traced> = HashMap::new();
        self.of_kernels = self.products_of_kernels();
        for idx in self.graph.in_order() {
            let found = self.layer(idx);
            self.sees[idx] = self.see(idx, found.as_ref());
            let inputs = self.node(idx).inputs.iter().flatten();
            let is_own = layer_of(&self.node(idx).op).is_some() || is_pool(&self.node(idx).op);
            self.is_behind_layer[idx] = is_own || inputs.copied().any(|input| self.is_behind_layer[input]);
            if let Some(found) = found.filter(|_| gathered.operations.len() < MOST_OPERATIONS) {
                self.add_layer(&found, gathered, &mut traced_nodes);
            }
        }
        for (idx, traced) in &traced_nodes {
            let node = self.node(*idx);
            // A placeholder for a variable inside a function has a name that no writer logs.
            if !is_source(&node.op) && gathered.tensors.len() < MOST_TENSORS {
                gathered.tensors.entry(node.name.to_string()).or_insert_with(|| traced.clone());
            }
        }
        self.add_logged(gathered, &traced_nodes);
    }

    fn layer(&self, idx: usize) -> Option<FoundLayer> {
        let node = self.node(idx);
        let LayerOp { kind, kernel_input, .. } = layer_of(&node.op)?;
        if is_of_gradients(&node.name) || self.of_kernels.contains(&idx) {
            return None;
        }
        let kernel = self.input(idx, kernel_input)?;
        let (mut variable, is_widened) = self.variable_behind(kernel);
        // A tensor that a graph computes from a variable and feeds into a convolution is a kernel as well.
        let computed = if variable.is_none() && kind != OperationKind::Dense {
            let computed = self.computed(kernel, kind.kernel_layout("").map_or(0, Layout::rank));
            variable = computed.variable;
            Some(computed.kernel)
        } else {
            None
        };
        // A one-dimensional convolution is a two-dimensional one whose kernel got an extra axis.
        let kind = match kind {
            OperationKind::Conv(2) if is_widened => OperationKind::Conv(1),
            OperationKind::Transposed(2) if is_widened => OperationKind::Transposed(1),
            kind => kind,
        };
        let attributes = &node.attributes;
        let channels_first = attributes.data_format.as_deref().is_some_and(|format| format.starts_with("NC"));
        let layout = match kind {
            OperationKind::Dense if attributes.transpose_b => Some(Layout::Oi),
            kind => kind.kernel_layout(""),
        };
        let window = variable.map(|variable| self.window(variable, layout)).unwrap_or_default();
        let of_map = |all: &[i64]| of_map_axes(all, channels_first, kind.spatial_axes());
        let spread = self.spread(idx, kind.spatial_axes());
        let dilations = spread.clone().unwrap_or_else(|| of_map(&attributes.dilations));
        let step = SlidingWindow { window, strides: of_map(&attributes.strides), dilations };
        let is_spread = spread.is_some();
        Some(FoundLayer { node: idx, kind, variable, computed, layout, channels_first, step, is_spread })
    }

    fn add_layer(&self, found: &FoundLayer, gathered: &mut GraphLayers, traced: &mut HashMap<usize, Traced>) {
        let (after, activation) = self.after(found.node);
        let position = gathered.operations.len();
        let axes = found.variable.and_then(|variable| self.axes(variable));
        let outputs = axes
            .as_ref()
            .zip(found.layout)
            .and_then(|(axes, layout)| (axes.len() == layout.rank()).then(|| layout.outputs(axes)).flatten());
        let attributes = &self.node(found.node).attributes;
        gathered.operations.push(Arc::new(Operation {
            kind: found.kind,
            name: self.layer_name(found),
            position,
            window: found.step.window.clone(),
            outputs,
            strides: found.step.strides.clone(),
            dilations: found.step.dilations.clone(),
            // Data that is split into batches is padded before that, by lengths that are not followed.
            padding: attributes.padding.as_deref().filter(|_| !found.is_spread).map(str::to_lowercase),
            channels_first: Some(found.channels_first),
            activation,
            normalization: None,
            receptive_field: self.sees[found.node].as_ref().map(|seen| seen.field().to_vec()),
            origin: Origin::Graph,
        }));
        let traced_as = |role, layout| Traced {
            role,
            operation: Some(position),
            layout,
            contested: None,
            is_exact: false,
        };
        for kernel in [found.variable, found.computed].into_iter().flatten() {
            note(traced, kernel, traced_as(Role::Kernel, found.layout));
        }
        let mut is_flat = found.kind.spatial_axes() != 1;
        for idx in after {
            // Inside a one-dimensional convolution there are four axes, until one is removed.
            is_flat |= &*self.node(idx).op == "Squeeze";
            let layout = found.kind.activation_layout(found.channels_first).filter(|_| is_flat);
            note(traced, idx, traced_as(Role::Activation, layout));
            if let Some(bias) = self.bias_of(idx) {
                note(traced, bias, traced_as(Role::Bias, None));
            }
        }
    }

    /// The node and the layer's own steps after it (bias, normalisation, activation), and the name of the activation.
    fn after(&self, start: usize) -> (Vec<usize>, Option<String>) {
        let (mut chain, mut idx) = (vec![start], start);
        for _ in 0..LONGEST_WAY {
            let takers: Vec<usize> =
                self.takers.get(&idx).into_iter().flatten().take(MOST_TAKERS).copied().collect();
            if let Some(product) = self.swish(&takers) {
                chain.push(product);
                return (chain, Some("swish".to_owned()));
            }
            let Some(next) = takers.into_iter().find(|taker| self.is_own(*taker)) else { break };
            chain.push(next);
            if is_activation_function(&self.node(next).op) {
                return (chain, Some(self.node(next).op.to_lowercase()));
            }
            idx = next;
        }
        (chain, None)
    }

    /// Whether a node that receives a layer's output is still part of the layer.
    fn is_own(&self, taker: usize) -> bool {
        let (op, name) = (&*self.node(taker).op, &*self.node(taker).name);
        let is_bias = self.bias_of(taker).is_some() || op == "BiasAdd";
        // Without an operation of its own, normalisation consists of products and sums in a scope of that name.
        let is_norm = op.starts_with("FusedBatchNorm")
            || (name.contains("batchnorm") && matches!(op, "Mul" | "Add" | "AddV2" | "Sub"));
        let is_shaping = matches!(op, "Squeeze" | "BatchToSpaceND");
        (is_bias || is_norm || is_shaping || is_activation_function(op)) && !is_of_gradients(name)
    }

    /// A value multiplied by its own sigmoid is swish.
    fn swish(&self, takers: &[usize]) -> Option<usize> {
        let sigmoid = takers.iter().find(|taker| &*self.node(**taker).op == "Sigmoid")?;
        let is_product = |taker: &&usize| {
            let node = self.node(**taker);
            &*node.op == "Mul" && node.inputs.contains(&Some(*sigmoid)) && !is_of_gradients(&node.name)
        };
        takers.iter().find(is_product).copied()
    }

    /// The variable of one axis that this node adds.
    fn bias_of(&self, idx: usize) -> Option<usize> {
        if !matches!(&*self.node(idx).op, "BiasAdd" | "Add" | "AddV2") {
            return None;
        }
        let mut at = self.input(idx, 1)?;
        for _ in 0..LONGEST_WAY {
            if self.is_variable(at) {
                return self.axes(at).is_none_or(|axes| axes.len() == 1).then_some(at);
            }
            let op = &*self.node(at).op;
            if !is_passing(op) && !matches!(op, "Reshape" | "Squeeze" | "ExpandDims") {
                return None;
            }
            at = self.input(at, 0)?;
        }
        None
    }

    /// The variable's name without its role, or the scope of the layer's operation; empty where neither says it.
    fn layer_name(&self, found: &FoundLayer) -> String {
        if let Some(variable) = found.variable.filter(|variable| is_variable(&self.node(*variable).op)) {
            return Name::of(&self.node(variable).name).layer.to_string();
        }
        if self.has_renumbered_scopes {
            return String::new();
        }
        let name = &self.node(found.node).name;
        name.rsplit_once('/').map_or_else(String::new, |(scope, _)| scope.to_owned())
    }
}
