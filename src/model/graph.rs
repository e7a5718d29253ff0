//! A serialised graph -> its layers in order, and what its variables, outputs and logged tags are.
//!
//! TensorFlow's `GraphDef` (`core/framework/graph.proto`), its function library, `MetaGraphDef` and `RunMetadata`. `nodes` hops
//! over everything that is large; here edges are followed: from a convolution through reads and casts back to its variable, on
//! through bias and activation, and from the operation that logs a tag back to what it logs.

mod nodes;

use std::{collections::HashMap, sync::Arc};

use self::nodes::{Attributes, Graph, Node};
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

/// Reads a graph in any of its forms.
///
/// # Errors
/// As the source's, and malformed messages.
pub fn network<P: Peek>(source: &mut P, form: GraphForm, span: Span) -> Result<Network, WireError> {
    let mut network = Network::default();
    for graph in nodes::graphs(source, form, span)? {
        Walk::new(&graph).add_to(&mut network);
    }
    Ok(network)
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
}

/// A node's place among the layers.
struct Found {
    node: usize,
    kind: OperationKind,
    variable: Option<usize>,
    layout: Option<Layout>,
    channels_first: bool,
    step: Step,
}

impl<'a> Walk<'a> {
    fn new(graph: &'a Graph) -> Self {
        let mut takers: HashMap<usize, Vec<usize>> = HashMap::new();
        for (taker, node) in graph.nodes.iter().enumerate() {
            for input in node.inputs.iter().flatten() {
                takers.entry(*input).or_default().push(taker);
            }
        }
        Self { graph, takers, sees: vec![None; graph.nodes.len()] }
    }

    fn node(&self, idx: usize) -> &'a Node {
        &self.graph.nodes[idx]
    }

    fn input(&self, idx: usize, number: usize) -> Option<usize> {
        self.node(idx).inputs.get(number).copied().flatten()
    }

    fn add_to(mut self, network: &mut Network) {
        let mut traced_nodes: HashMap<usize, Traced> = HashMap::new();
        for idx in self.graph.in_order() {
            let found = self.layer(idx);
            self.sees[idx] = self.see(idx, found.as_ref());
            if let Some(found) = found {
                self.add_layer(&found, network, &mut traced_nodes);
            }
        }
        for (idx, traced) in &traced_nodes {
            network.tensors.entry(self.node(*idx).name.to_string()).or_insert_with(|| traced.clone());
        }
        self.add_logged(network, &traced_nodes);
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
        let step =
            Step { window, strides: of_map(&attributes.strides), dilations: of_map(&attributes.dilations) };
        Some(Found { node: idx, kind, variable, layout, channels_first, step })
    }

    /// The variable whose value comes in here, and whether an axis was put before it on the way.
    fn variable_behind(&self, start: usize) -> (Option<usize>, bool) {
        let (mut idx, mut is_widened) = (start, false);
        for _ in 0..LONGEST_WAY {
            let node = self.node(idx);
            if is_variable(&node.op) || matches!(&*node.op, "Placeholder" | "_Arg") {
                return (Some(idx), is_widened);
            }
            is_widened |= node.op == "ExpandDims".into();
            if !is_passing(&node.op) && &*node.op != "ExpandDims" {
                return (None, is_widened);
            }
            let Some(next) = self.input(idx, 0) else { return (None, is_widened) };
            idx = next;
        }
        (None, is_widened)
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

    fn see(&self, idx: usize, found: Option<&Found>) -> Option<Reach> {
        let node = self.node(idx);
        if let Some(found) = found {
            let (_, _, data) = layer_of(&node.op)?;
            let moved = matches!(found.kind, OperationKind::Transposed(_) | OperationKind::Dense);
            let before = self.data_at(self.input(idx, data)?, found.kind.spatial_axes())?;
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
            op if is_elementwise(op) => {
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
            let is_source = matches!(
                &*node.op,
                "Placeholder" | "PlaceholderWithDefault" | "_Arg" | "IteratorGetNext" | "Const"
            ) || node.inputs.iter().flatten().next().is_none();
            if is_source {
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

    fn add_layer(&self, found: &Found, network: &mut Network, traced: &mut HashMap<usize, Traced>) {
        let (after, activation) = self.after(found.node);
        let position = network.operations.len();
        let axes = found.variable.and_then(|variable| self.axes(variable));
        let outputs = axes
            .as_ref()
            .zip(found.layout)
            .and_then(|(axes, layout)| (axes.len() == layout.rank()).then(|| layout.outputs(axes)).flatten());
        let attributes = &self.node(found.node).attributes;
        network.operations.push(Arc::new(Operation {
            kind: found.kind,
            name: self.layer_name(found),
            position,
            window: found.step.window.clone(),
            outputs,
            strides: found.step.strides.clone(),
            dilations: found.step.dilations.clone(),
            padding: attributes.padding.as_deref().map(str::to_lowercase),
            channels_first: Some(found.channels_first),
            activation,
            receptive_field: self.sees[found.node].as_ref().map(|seen| seen.field().to_vec()),
            origin: Origin::Graph,
        }));
        let traced_as = |role, layout| Traced { role, operation: Some(position), layout, is_exact: false };
        // The placeholder of a function's argument has a name that no writer logs.
        if let Some(variable) = found.variable.filter(|variable| is_variable(&self.node(*variable).op)) {
            traced.insert(variable, traced_as(Role::Kernel, found.layout));
        }
        // Within a one-dimensional convolution there are four axes, which one of the nodes behind it takes away.
        let layout = if found.kind.spatial_axes() == 1 {
            None
        } else {
            found.kind.activation_layout(found.channels_first)
        };
        for idx in after {
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
            let next = self.takers.get(&idx).into_iter().flatten().copied().find(|taker| {
                let op = &*self.node(*taker).op;
                let is_bias =
                    self.bias_of(*taker).is_some() || op == "BiasAdd" || op.starts_with("FusedBatchNorm");
                (is_bias || is_activation_function(op)) && !is_of_gradients(&self.node(*taker).name)
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
        let (variable, _) = self.variable_behind(self.input(idx, 1)?);
        variable.filter(|variable| {
            is_variable(&self.node(*variable).op) && self.axes(*variable).is_none_or(|axes| axes.len() == 1)
        })
    }

    /// The variable's name without its role, or the scope that the layer's operation stands in.
    fn layer_name(&self, found: &Found) -> String {
        if let Some(variable) = found.variable.filter(|variable| is_variable(&self.node(*variable).op)) {
            return Name::of(&self.node(variable).name).layer.to_owned();
        }
        let name = &self.node(found.node).name;
        name.rsplit_once('/').map_or_else(String::new, |(scope, _)| scope.to_owned())
    }

    /// What the operations that log tags were given.
    fn add_logged(&self, network: &mut Network, traced: &HashMap<usize, Traced>) {
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
            if is_picture {
                let role = if self.is_from_input(data) { Role::Input } else { Role::Image };
                let logged = Traced { role, operation: None, layout: None, is_exact: true };
                network.tensors.insert(tag.clone(), logged.clone());
                network.tensors.insert(format!("{tag}/image"), logged);
                continue;
            }
            if let Some(logged) = self.logged(data, traced) {
                network.tensors.insert(tag, logged);
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
                is_passing(&node.op) || (node.op == "StridedSlice".into() && node.attributes.keeps_axes);
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

    /// Whether pictures are what the network is fed: there is no layer and no variable on the way back.
    fn is_from_input(&self, start: usize) -> bool {
        let mut idx = start;
        for _ in 0..LONGEST_WAY {
            let node = self.node(idx);
            if matches!(
                &*node.op,
                "Placeholder"
                    | "PlaceholderWithDefault"
                    | "_Arg"
                    | "IteratorGetNext"
                    | "QueueDequeueManyV2"
                    | "QueueDequeueUpToV2"
            ) {
                return true;
            }
            if layer_of(&node.op).is_some() || is_variable(&node.op) {
                return false;
            }
            let Some(next) = self.input(idx, 0) else { return false };
            idx = next;
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
