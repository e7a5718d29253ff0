//! A serialised graph -> its layers in order, and what its variables, outputs and logged tags are.
//!
//! TensorFlow's `GraphDef` (`core/framework/graph.proto`), its function library, `MetaGraphDef` and `RunMetadata`. `nodes` hops
//! over everything that is large, `flat` puts functions in the place of their calls; here edges are followed: from a convolution
//! through reads and casts back to its variable, on through bias and activation, and from the operation that logs a tag back to
//! what it logs.

mod attributes;
mod computed;
mod field;
mod flat;
mod logged;
mod nodes;
mod ops;

use std::{
    cell::Cell,
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::Arc,
};

use self::{
    computed::MOST_LOOKS,
    field::of_map_axes,
    flat::{Graph, Node},
    ops::{is_activation_function, is_of_gradients, is_passing, is_pool, is_source, is_variable, layer_of},
};
use super::{
    layout::Layout,
    name::Name,
    network::{Network, Operation, OperationKind, Origin, Traced},
    reach::{Reach, Step},
    role::Role,
};
use crate::{
    event::{
        graph::GraphForm,
        wire::{Span, WireError},
    },
    source::window::Peek,
};

/// So far an edge is followed back; networks have a handful of reads and casts on the way.
const LONGEST_WAY: usize = 24;
/// So many takers of an output are looked at for what goes on with a layer.
const MOST_TAKERS: usize = 64;
/// What is kept of one message.
const MOST_OPERATIONS: usize = 20_000;
const MOST_TENSORS: usize = 100_000;

/// Reads a graph in any of its forms.
///
/// # Errors
/// As the source's, and malformed messages.
pub fn network<P: Peek>(source: &mut P, form: GraphForm, span: Span) -> Result<Network, WireError> {
    let mut told = Told::default();
    for program in nodes::programs(source, form, span)? {
        Walk::new(&flat::flatten(&program)).add_to(&mut told);
    }
    Ok(Network::new(told.operations, told.tensors))
}

/// What is gathered.
#[derive(Default)]
struct Told {
    operations: Vec<Arc<Operation>>,
    tensors: HashMap<String, Traced>,
}

struct Walk<'a> {
    graph: &'a Graph,
    /// Who takes a node's output.
    takers: HashMap<usize, Vec<usize>>,
    /// What an element of a node's output sees.
    sees: Vec<Option<Reach>>,
    /// Whether a layer or a pool is on a way back from a node.
    is_behind_layer: Vec<bool>,
    /// Keras 3 numbers scopes anew when it traces a model: `conv2d_1` may be the scope of the layer `conv2d`.
    has_renumbered_scopes: bool,
    /// Products of matrices that only compute a convolution's kernel, as spectral normalisation does.
    of_kernels: HashSet<usize>,
    /// How many nodes may still be looked at for what kernels are computed from.
    looks_left: Cell<usize>,
}

/// Whether a convolution has the name that Keras 3 gives it.
fn is_keras_3s(node: &Node) -> bool {
    let last = node.name.rsplit('/').next().unwrap_or_default();
    layer_of(&node.op).is_some() && (last.starts_with("convolution") || last.starts_with("conv_transpose"))
}

/// What is used twice is the first layer's; that another one uses it otherwise is kept.
fn note(traced: &mut HashMap<usize, Traced>, idx: usize, new: Traced) {
    match traced.entry(idx) {
        Entry::Vacant(place) => drop(place.insert(new)),
        Entry::Occupied(mut known) if known.get().layout != new.layout => {
            known.get_mut().contested = new.layout;
        }
        Entry::Occupied(_) => {}
    }
}

/// A node's place among the layers.
struct Found {
    node: usize,
    kind: OperationKind,
    variable: Option<usize>,
    /// The node whose output is the kernel, where that is no variable.
    computed: Option<usize>,
    layout: Option<Layout>,
    channels_first: bool,
    step: Step,
    /// Whether its dilation is made by spreading its input over batches.
    is_spread: bool,
}

impl<'a> Walk<'a> {
    fn new(graph: &'a Graph) -> Self {
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

    fn node(&self, idx: usize) -> &'a Node {
        &self.graph.nodes[idx]
    }

    fn input(&self, idx: usize, number: usize) -> Option<usize> {
        self.node(idx).inputs.get(number).copied().flatten()
    }

    fn add_to(mut self, told: &mut Told) {
        let mut traced_nodes: HashMap<usize, Traced> = HashMap::new();
        self.of_kernels = self.products_of_kernels();
        for idx in self.graph.in_order() {
            let found = self.layer(idx);
            self.sees[idx] = self.see(idx, found.as_ref());
            let inputs = self.node(idx).inputs.iter().flatten();
            let is_own = layer_of(&self.node(idx).op).is_some() || is_pool(&self.node(idx).op);
            self.is_behind_layer[idx] = is_own || inputs.copied().any(|input| self.is_behind_layer[input]);
            if let Some(found) = found.filter(|_| told.operations.len() < MOST_OPERATIONS) {
                self.add_layer(&found, told, &mut traced_nodes);
            }
        }
        for (idx, traced) in &traced_nodes {
            let node = self.node(*idx);
            // What stands for a variable within a function has a name that no writer logs.
            if !is_source(&node.op) && told.tensors.len() < MOST_TENSORS {
                told.tensors.entry(node.name.to_string()).or_insert_with(|| traced.clone());
            }
        }
        self.add_logged(told, &traced_nodes);
    }

    fn layer(&self, idx: usize) -> Option<Found> {
        let node = self.node(idx);
        let (kind, kernel_input, _) = layer_of(&node.op)?;
        if is_of_gradients(&node.name) || self.of_kernels.contains(&idx) {
            return None;
        }
        let kernel = self.input(idx, kernel_input)?;
        let (mut variable, is_widened) = self.variable_behind(kernel);
        // What a graph computes from a variable and feeds into a convolution is its kernel as well.
        let computed = if variable.is_none() && kind != OperationKind::Dense {
            let computed = self.computed(kernel, kind.kernel_layout("").map_or(0, Layout::rank));
            variable = computed.variable;
            Some(computed.kernel)
        } else {
            None
        };
        // A one-dimensional convolution is a two-dimensional one of a kernel that got an axis.
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
        let step = Step { window, strides: of_map(&attributes.strides), dilations };
        let is_spread = spread.is_some();
        Some(Found { node: idx, kind, variable, computed, layout, channels_first, step, is_spread })
    }

    /// The variable whose value comes in here, and whether an axis was put before it on the way.
    fn variable_behind(&self, start: usize) -> (Option<usize>, bool) {
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

    /// Whether the axis that a node adds comes first, as that before the window of a one-dimensional convolution does.
    fn is_first_axis(&self, idx: usize) -> bool {
        self.input(idx, 1).is_some_and(|axis| self.node(axis).attributes.ints.first() == Some(&0))
    }

    /// A variable, or what stands for one within a function.
    fn is_variable(&self, idx: usize) -> bool {
        let node = self.node(idx);
        let is_handle = is_source(&node.op) && node.attributes.is_resource && self.input(idx, 0).is_none();
        is_handle || is_variable(&node.op)
    }

    fn axes(&self, variable: usize) -> Option<Vec<usize>> {
        let shape = self.node(variable).attributes.shape.as_ref()?;
        shape
            .iter()
            .map(|length| usize::try_from(*length).ok())
            .collect::<Option<Vec<_>>>()
            .filter(|axes| !axes.is_empty())
    }

    fn window(&self, variable: usize, layout: Option<Layout>) -> Vec<usize> {
        match (self.axes(variable), layout) {
            (Some(axes), Some(layout)) if axes.len() == layout.rank() => layout.extent(&axes),
            _ => Vec::new(),
        }
    }

    fn add_layer(&self, found: &Found, told: &mut Told, traced: &mut HashMap<usize, Traced>) {
        let (after, activation) = self.after(found.node);
        let position = told.operations.len();
        let axes = found.variable.and_then(|variable| self.axes(variable));
        let outputs = axes
            .as_ref()
            .zip(found.layout)
            .and_then(|(axes, layout)| (axes.len() == layout.rank()).then(|| layout.outputs(axes)).flatten());
        let attributes = &self.node(found.node).attributes;
        told.operations.push(Arc::new(Operation {
            kind: found.kind,
            name: self.layer_name(found),
            position,
            window: found.step.window.clone(),
            outputs,
            strides: found.step.strides.clone(),
            dilations: found.step.dilations.clone(),
            // What is spread is padded before, by lengths that are not followed.
            padding: attributes.padding.as_deref().filter(|_| !found.is_spread).map(str::to_lowercase),
            channels_first: Some(found.channels_first),
            activation,
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
            // Within a one-dimensional convolution there are four axes, until one is taken away.
            is_flat |= &*self.node(idx).op == "Squeeze";
            let layout = found.kind.activation_layout(found.channels_first).filter(|_| is_flat);
            note(traced, idx, traced_as(Role::Activation, layout));
            if let Some(bias) = self.bias_of(idx) {
                note(traced, bias, traced_as(Role::Bias, None));
            }
        }
    }

    /// The node and what its output goes through on its own: bias, normalisation, activation; and the name of the last.
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

    /// Whether a node that takes a layer's output is still the layer's.
    fn is_own(&self, taker: usize) -> bool {
        let (op, name) = (&*self.node(taker).op, &*self.node(taker).name);
        let is_bias = self.bias_of(taker).is_some() || op == "BiasAdd";
        // Where there is no operation for it, normalisation is made of products and sums in a scope of that name.
        let is_norm = op.starts_with("FusedBatchNorm")
            || (name.contains("batchnorm") && matches!(op, "Mul" | "Add" | "AddV2" | "Sub"));
        let is_shaping = matches!(op, "Squeeze" | "BatchToSpaceND");
        (is_bias || is_norm || is_shaping || is_activation_function(op)) && !is_of_gradients(name)
    }

    /// What is multiplied with its own sigmoid is swish.
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

    /// The variable's name without its role, or the scope that the layer's operation stands in; empty where neither tells.
    fn layer_name(&self, found: &Found) -> String {
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
