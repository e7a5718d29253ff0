//! A serialised graph -> its layers in order, and what its variables, outputs and logged tags are.
//!
//! TensorFlow's `GraphDef` (`core/framework/graph.proto`), its function library, `MetaGraphDef` and `RunMetadata`. `nodes` hops
//! over everything that is large, `flat` puts functions in the place of their calls; here edges are followed: from a convolution
//! through reads and casts back to its variable, on through bias and activation, and from the operation that logs a tag back to
//! what it logs.

mod flat;
mod nodes;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use self::{
    flat::{Graph, Node},
    nodes::Attributes,
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

/// The layer's kind, the inputs that are its kernel and its data.
fn layer_of(op: &str) -> Option<(OperationKind, usize, usize)> {
    Some(match op {
        "Conv2D" => (OperationKind::Conv(2), 1, 0),
        "Conv3D" => (OperationKind::Conv(3), 1, 0),
        "DepthwiseConv2dNative" => (OperationKind::Depthwise(2), 1, 0),
        "Conv2DBackpropInput" => (OperationKind::Transposed(2), 1, 2),
        "Conv3DBackpropInputV2" => (OperationKind::Transposed(3), 1, 2),
        "MatMul" => (OperationKind::Dense, 1, 0),
        _ => return None,
    })
}

fn is_variable(op: &str) -> bool {
    matches!(op, "Variable" | "VariableV2" | "VarHandleOp" | "AutoReloadVariable")
}

/// Operations that give what goes in, or another type of it.
fn is_passing(op: &str) -> bool {
    matches!(
        op,
        "Identity"
            | "ReadVariableOp"
            | "Cast"
            | "Enter"
            | "StopGradient"
            | "Switch"
            | "CheckNumerics"
            | "Snapshot"
            | "_Arg"
    )
}

/// What is done to data before it is logged as pictures.
fn is_of_pictures(op: &str) -> bool {
    let of_numbers =
        matches!(op, "Mul" | "Sub" | "Add" | "AddV2" | "Div" | "RealDiv" | "Maximum" | "Minimum");
    of_numbers || matches!(op, "Reshape" | "StridedSlice" | "Slice" | "Transpose" | "ExpandDims" | "Squeeze")
}

/// Where a graph gets its data from.
fn is_source(op: &str) -> bool {
    matches!(
        op,
        "Placeholder"
            | "PlaceholderWithDefault"
            | "_Arg"
            | "IteratorGetNext"
            | "QueueDequeueV2"
            | "QueueDequeueManyV2"
            | "QueueDequeueUpToV2"
    )
}

fn is_activation_function(op: &str) -> bool {
    matches!(
        op,
        "Relu"
            | "Relu6"
            | "Elu"
            | "Selu"
            | "LeakyRelu"
            | "Sigmoid"
            | "Tanh"
            | "Softplus"
            | "Softmax"
            | "Swish"
    )
}

fn is_elementwise(op: &str) -> bool {
    is_activation_function(op)
        || is_passing(op)
        || op.starts_with("FusedBatchNorm")
        || matches!(
            op,
            "BiasAdd"
                | "Add"
                | "AddV2"
                | "Sub"
                | "Mul"
                | "Maximum"
                | "ConcatV2"
                | "Concat"
                | "Pad"
                | "PadV2"
                | "MirrorPad"
        )
}

/// The backward pass is made of convolutions as well, which are no layers.
fn is_of_gradients(name: &str) -> bool {
    name.split('/').any(|part| {
        part.starts_with("gradient") || part.ends_with("_grad") || part == "Gradients" || part == "Optimizer"
    })
}

struct Walk<'a> {
    graph: &'a Graph,
    /// Who takes a node's output.
    takers: HashMap<usize, Vec<usize>>,
    /// What an element of a node's output sees.
    sees: Vec<Option<Reach>>,
    /// Keras 3 numbers scopes anew when it traces a model: `conv2d_1` may be the scope of the layer `conv2d`.
    has_renumbered_scopes: bool,
}

/// Whether a convolution has the name that Keras 3 gives it.
fn is_keras_3s(node: &Node) -> bool {
    let last = node.name.rsplit('/').next().unwrap_or_default();
    layer_of(&node.op).is_some() && (last.starts_with("convolution") || last.starts_with("conv_transpose"))
}

/// A node's place among the layers.
struct Found {
    node: usize,
    kind: OperationKind,
    variable: Option<usize>,
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
        Self { graph, takers, sees: vec![None; graph.nodes.len()], has_renumbered_scopes }
    }

    fn node(&self, idx: usize) -> &'a Node {
        &self.graph.nodes[idx]
    }

    fn input(&self, idx: usize, number: usize) -> Option<usize> {
        self.node(idx).inputs.get(number).copied().flatten()
    }

    fn add_to(mut self, told: &mut Told) {
        let mut traced_nodes: HashMap<usize, Traced> = HashMap::new();
        for idx in self.graph.in_order() {
            let found = self.layer(idx);
            self.sees[idx] = self.see(idx, found.as_ref());
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
        if is_of_gradients(&node.name) {
            return None;
        }
        let (variable, is_widened) = self.variable_behind(self.input(idx, kernel_input)?);
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
        Some(Found { node: idx, kind, variable, layout, channels_first, step, is_spread: spread.is_some() })
    }

    /// The variable whose value comes in here, and whether an axis was put before it on the way.
    fn variable_behind(&self, start: usize) -> (Option<usize>, bool) {
        let (mut idx, mut is_widened) = (start, false);
        for _ in 0..LONGEST_WAY {
            let node = self.node(idx);
            if self.is_variable(idx) {
                return (Some(idx), is_widened);
            }
            is_widened |= &*node.op == "ExpandDims";
            if !is_passing(&node.op) && &*node.op != "ExpandDims" {
                return (None, is_widened);
            }
            let Some(next) = self.input(idx, 0) else { return (None, is_widened) };
            idx = next;
        }
        (None, is_widened)
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

    /// The dilation of a convolution whose input was spread over batches, which is how TensorFlow dilates on some devices.
    fn spread(&self, idx: usize, axes: usize) -> Option<Vec<usize>> {
        let before = self.input(idx, 0).filter(|before| &*self.node(*before).op == "SpaceToBatchND")?;
        let block = &self.node(self.input(before, 1)?).attributes.ints;
        // A constant list may be shortened to its last number.
        let block = block.iter().chain(std::iter::repeat(block.last()?)).take(axes);
        Some(block.filter_map(|length| usize::try_from(*length).ok()).collect())
    }

    fn see(&self, idx: usize, found: Option<&Found>) -> Option<Reach> {
        let node = self.node(idx);
        if let Some(found) = found {
            let (_, _, data) = layer_of(&node.op)?;
            let moved = matches!(found.kind, OperationKind::Transposed(_) | OperationKind::Dense);
            let data = self.input(idx, data)?;
            let data = if found.is_spread { self.input(data, 0)? } else { data };
            let before = self.data_at(data, found.kind.spatial_axes())?;
            return if moved { None } else { before.through(&found.step) };
        }
        match &*node.op {
            "MaxPool" | "AvgPool" | "MaxPool3D" | "AvgPool3D" => {
                let attributes = &node.attributes;
                let first = attributes.data_format.as_deref().is_some_and(|format| format.starts_with("NC"));
                let axes = attributes.ksize.len().checked_sub(2)?;
                let of_map = |all: &[i64]| of_map_axes(all, first, axes);
                let step = Step {
                    window: of_map(&attributes.ksize),
                    strides: of_map(&attributes.strides),
                    dilations: Vec::new(),
                };
                self.data_at(self.input(idx, 0)?, axes)?.through(&step)
            }
            // It puts together what was spread before a layer, which has been counted there.
            op if is_elementwise(op) || op == "BatchToSpaceND" => {
                let mut seen = node.inputs.iter().flatten().filter_map(|input| self.sees[*input].clone());
                let first = seen.next()?;
                seen.try_fold(first, |joined, other| joined.joined(&other))
            }
            _ => None,
        }
    }

    /// What the data that goes into a layer sees: itself, where the network begins.
    fn data_at(&self, start: usize, axes: usize) -> Option<Reach> {
        if let Some(seen) = &self.sees[start] {
            return (seen.field().len() == axes).then(|| seen.clone());
        }
        let mut idx = start;
        for _ in 0..LONGEST_WAY {
            let node = self.node(idx);
            if node.inputs.iter().flatten().next().is_none() {
                return Some(Reach::of_input(axes));
            }
            if !is_elementwise(&node.op) && &*node.op != "Reshape" {
                return None;
            }
            idx = self.input(idx, 0)?;
            if self.sees[idx].is_some() {
                return None;
            }
        }
        None
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
        let traced_as = |role, layout| Traced { role, operation: Some(position), layout, is_exact: false };
        if let Some(variable) = found.variable {
            traced.insert(variable, traced_as(Role::Kernel, found.layout));
        }
        let mut is_flat = found.kind.spatial_axes() != 1;
        for idx in after {
            // Within a one-dimensional convolution there are four axes, until one is taken away.
            is_flat |= &*self.node(idx).op == "Squeeze";
            let layout = found.kind.activation_layout(found.channels_first).filter(|_| is_flat);
            traced.insert(idx, traced_as(Role::Activation, layout));
            if let Some(bias) = self.bias_of(idx) {
                traced.insert(bias, traced_as(Role::Bias, None));
            }
        }
    }

    /// The node and what its output goes through on its own: bias, normalisation, activation; and the name of the last.
    fn after(&self, start: usize) -> (Vec<usize>, Option<String>) {
        let (mut chain, mut activation, mut idx) = (vec![start], None, start);
        for _ in 0..LONGEST_WAY {
            let next = self.takers.get(&idx).into_iter().flatten().take(MOST_TAKERS).copied().find(|taker| {
                let op = &*self.node(*taker).op;
                let is_bias =
                    self.bias_of(*taker).is_some() || op == "BiasAdd" || op.starts_with("FusedBatchNorm");
                let is_own =
                    is_bias || is_activation_function(op) || matches!(op, "Squeeze" | "BatchToSpaceND");
                is_own && !is_of_gradients(&self.node(*taker).name)
            });
            let Some(next) = next else { break };
            chain.push(next);
            if is_activation_function(&self.node(next).op) {
                activation = Some(self.node(next).op.to_lowercase());
                break;
            }
            idx = next;
        }
        (chain, activation)
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

    /// What the operations that log tags were given.
    fn add_logged(&self, told: &mut Told, traced: &HashMap<usize, Traced>) {
        let before_layers = self.before_layers();
        for idx in 0..self.graph.nodes.len() {
            let (tag_input, data_input, is_picture) = match &*self.node(idx).op {
                "TensorSummaryV2" => (0, 1, false),
                "ImageSummary" => (0, 1, true),
                "WriteSummary" => (3, 2, false),
                "WriteImageSummary" => (2, 3, true),
                _ => continue,
            };
            let tag = self.input(idx, tag_input).and_then(|tag| self.text_behind(tag));
            let (Some(tag), Some(data)) = (tag, self.input(idx, data_input)) else { continue };
            if told.tensors.len() > MOST_TENSORS {
                return;
            }
            if is_picture {
                let role = if self.is_from_input(data, &before_layers) { Role::Input } else { Role::Image };
                let logged = Traced { role, operation: None, layout: None, is_exact: true };
                told.tensors.insert(tag.clone(), logged.clone());
                told.tensors.insert(format!("{tag}/image"), logged);
                continue;
            }
            if let Some(logged) = self.logged(data, traced) {
                told.tensors.insert(tag, logged);
            }
        }
    }

    /// What stands behind the data of a logging operation, as long as nothing on the way moves axes.
    fn logged(&self, start: usize, traced: &HashMap<usize, Traced>) -> Option<Traced> {
        let mut idx = start;
        for _ in 0..LONGEST_WAY {
            if let Some(found) = traced.get(&idx) {
                return Some(Traced { is_exact: true, ..found.clone() });
            }
            let node = self.node(idx);
            let keeps_axes =
                is_passing(&node.op) || (&*node.op == "StridedSlice" && node.attributes.keeps_axes);
            if !keeps_axes {
                return None;
            }
            idx = self.input(idx, 0)?;
        }
        None
    }

    fn text_behind(&self, start: usize) -> Option<String> {
        let mut idx = start;
        for _ in 0..LONGEST_WAY {
            let node = self.node(idx);
            if let Some(text) = &node.attributes.text {
                return Some(text.to_string());
            }
            if !is_passing(&node.op) {
                return None;
            }
            idx = self.input(idx, 0)?;
        }
        None
    }

    /// The nodes that a layer's data comes from.
    fn before_layers(&self) -> HashSet<usize> {
        let layers = (0..self.graph.nodes.len()).filter(|idx| !is_of_gradients(&self.node(*idx).name));
        let mut way: Vec<usize> = layers
            .filter_map(|idx| {
                let (_, _, data) = layer_of(&self.node(idx).op)?;
                self.input(idx, data)
            })
            .collect();
        let mut before = HashSet::new();
        while let Some(idx) = way.pop() {
            if before.insert(idx) {
                way.extend(self.node(idx).inputs.iter().flatten());
            }
        }
        before
    }

    /// Whether pictures are what the network is fed: nothing but their numbers and their axes was changed on the way from where
    /// data comes in, and what comes in there goes to a layer.
    fn is_from_input(&self, start: usize, before_layers: &HashSet<usize>) -> bool {
        let mut idx = start;
        for _ in 0..LONGEST_WAY {
            let op = &*self.node(idx).op;
            match self.input(idx, 0) {
                Some(next) if is_passing(op) || is_of_pictures(op) => idx = next,
                _ => return is_source(op) && before_layers.contains(&idx),
            }
        }
        false
    }
}

/// Of numbers for all axes of an activation, those of the map's.
fn of_map_axes(all: &[i64], channels_first: bool, axes: usize) -> Vec<usize> {
    let first = if channels_first { 2 } else { 1 };
    let numbers: Vec<usize> = all.iter().filter_map(|n| usize::try_from(*n).ok()).collect();
    let of_map = numbers.get(first..).unwrap_or_default();
    let of_map = if channels_first { of_map } else { &of_map[..of_map.len().saturating_sub(1)] };
    // The axis that a one-dimensional convolution got comes first.
    of_map[of_map.len().saturating_sub(axes)..].to_vec()
}

impl Attributes {
    /// Whether a slice of these masks takes away or adds no axis.
    fn set_masks(&mut self, shrinks: bool) {
        self.keeps_axes &= !shrinks;
    }
}
