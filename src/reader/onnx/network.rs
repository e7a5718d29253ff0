//! The nodes and initializers of a graph -> which initializers are kernels, and what is known of each.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use super::{
    model::Model,
    node::{Attributes, Inputs, Node, Op},
};
use crate::model::{
    layout::Layout,
    network::{Network, Operation, OperationKind, Origin, Traced},
    role::Role,
};

/// A kernel that a node uses.
#[derive(Debug)]
pub(super) struct Kernel<'a> {
    /// The number of the initializer, and that of the bias.
    pub(super) number: usize,
    pub(super) bias: Option<usize>,
    layout: Layout,
    /// The layout that another node asks for.
    contested: Option<Layout>,
    axes: Vec<usize>,
    node: &'a Node,
    normalization: Option<&'a Node>,
    folding: Option<&'static str>,
    /// The name of the initializer.
    name: &'a str,
}

impl Kernel<'_> {
    /// Whether the exporter says that it folded a normalization into it.
    pub(super) fn is_folded(&self) -> bool {
        self.node.is_folded
    }
}

const FOLDED: &str = "the exporter folded the batch normalization behind it into it: these are not the numbers of the training";
const PERHAPS_FOLDED: &str = "a batch normalization behind it may be folded into it by the exporter, which gave it a name of its own: \
                              then these are not the numbers of the training";

/// How PyTorch's older exporter begins the names of kernels that it computed.
const COMPUTED: &str = "onnx::Conv";

/// The most nodes between a kernel and the node that uses it.
const MOST_HOPS: usize = 8;

/// The kernels of a model, in the order of its nodes.
pub(super) fn kernels(model: &Model) -> Vec<Kernel<'_>> {
    let graph = Graph::of(model);
    let mut kernels: Vec<Kernel<'_>> = Vec::new();
    let mut known: HashMap<usize, usize> = HashMap::new();
    for node in &model.nodes {
        let Some(kernel) = graph.kernel(node) else { continue };
        match known.entry(kernel.number) {
            Entry::Vacant(entry) => {
                entry.insert(kernels.len());
                kernels.push(kernel);
            }
            Entry::Occupied(entry) => {
                let first = &mut kernels[*entry.get()];
                if first.layout != kernel.layout {
                    first.contested = Some(kernel.layout);
                }
            }
        }
    }
    kernels
}

/// What is known of kernels and biases, by the tags of the initializers.
pub(super) fn network(kernels: &[Kernel<'_>], tags: &[String]) -> Network {
    let mut traced = HashMap::new();
    let mut operations = Vec::with_capacity(kernels.len());
    let mut remarks = Vec::new();
    for (position, kernel) in kernels.iter().enumerate() {
        operations.push(Arc::new(operation(kernel, position)));
        let of = |role, layout| Traced {
            role,
            operation: Some(position),
            layout,
            contested: if role == Role::Kernel { kernel.contested } else { None },
            is_exact: true,
        };
        traced.insert(tags[kernel.number].clone(), of(Role::Kernel, Some(kernel.layout)));
        if let Some(bias) = kernel.bias {
            traced.entry(tags[bias].clone()).or_insert_with(|| of(Role::Bias, None));
        }
        remarks.extend(kernel.folding.map(|remark| (tags[kernel.number].clone(), remark)));
    }
    Network::new(operations, traced).with_remarks(remarks)
}

struct Graph<'a> {
    model: &'a Model,
    initializers: HashMap<&'a str, usize>,
    /// Nodes that only pass a tensor on, by their outputs.
    passing: HashMap<&'a str, &'a Node>,
    /// Batch normalizations, by their inputs.
    normalizations: HashMap<&'a str, &'a Node>,
}

impl<'a> Graph<'a> {
    fn of(model: &'a Model) -> Self {
        let initializers = model.initializers.iter().enumerate();
        let (mut passing, mut normalizations) = (HashMap::new(), HashMap::new());
        for node in &model.nodes {
            match (node.op, node.inputs.first()) {
                (Op::Through | Op::Transpose, _) => drop(passing.insert(&*node.output, node)),
                (Op::BatchNormalization, Some(input)) => drop(normalizations.insert(&**input, node)),
                _ => {}
            }
        }
        Self {
            model,
            initializers: initializers.map(|(number, one)| (&*one.name, number)).collect(),
            passing,
            normalizations,
        }
    }

    /// The initializer from which a tensor comes, and how its axes were turned around on the way.
    fn source(&self, tensor: &str) -> Option<(usize, Vec<&'a Node>)> {
        let (mut tensor, mut turns) = (tensor, Vec::new());
        for _ in 0..MOST_HOPS {
            if let Some(number) = self.initializers.get(tensor) {
                return Some((*number, turns));
            }
            let node = self.passing.get(tensor)?;
            if node.op == Op::Transpose {
                turns.push(*node);
            }
            tensor = node.inputs.first()?;
        }
        None
    }

    fn kernel(&self, node: &'a Node) -> Option<Kernel<'a>> {
        let (Op::Conv(inputs) | Op::ConvTranspose(inputs) | Op::Dense(inputs)) = node.op else { return None };
        let Inputs { kernel, bias } = inputs;
        let (number, turns) = self.source(node.inputs.get(kernel)?)?;
        let initializer = &self.model.initializers[number];
        let axes: Option<Vec<usize>> =
            initializer.shape.iter().map(|length| usize::try_from(*length).ok()).collect();
        let axes = axes?;
        let layout = turned_back(layout_in_node(node, axes.len())?, &turns)?;
        let window = &node.attributes.kernel_shape;
        if !window.is_empty() && layout.extent(&axes) != *window {
            return None;
        }
        let bias = bias.and_then(|bias| node.inputs.get(bias)).filter(|bias| !bias.is_empty());
        let bias_number = bias.and_then(|bias| Some(self.source(bias)?.0));
        let normalization = self.normalizations.get(&*node.output).copied();
        let is_computed = initializer.name.starts_with(COMPUTED) && bias.is_some() && normalization.is_none();
        let folding = if node.is_folded { Some(FOLDED) } else { is_computed.then_some(PERHAPS_FOLDED) };
        Some(Kernel {
            number,
            bias: bias_number.filter(|bias| self.model.initializers[*bias].shape.len() == 1),
            layout,
            contested: None,
            axes,
            node,
            normalization,
            folding,
            name: &initializer.name,
        })
    }
}

/// The layout that the kernel of a node has with so many axes.
fn layout_in_node(node: &Node, n_axes: usize) -> Option<Layout> {
    match (node.op, n_axes) {
        (Op::Conv(_), 3) => Some(Layout::Oiw),
        (Op::Conv(_), 4) => Some(Layout::Oihw),
        (Op::Conv(_), 5) => Some(Layout::Oidhw),
        (Op::ConvTranspose(_), 3) => Some(Layout::Iow),
        (Op::ConvTranspose(_), 4) => Some(Layout::Iohw),
        (Op::ConvTranspose(_), 5) => Some(Layout::Iodhw),
        (Op::Dense(_), 2) if node.attributes.is_transposed => Some(Layout::Oi),
        (Op::Dense(_), 2) => Some(Layout::Io),
        _ => None,
    }
}

/// The layout before the axes were turned around; `None` if there is no name for it.
fn turned_back(layout: Layout, turns: &[&Node]) -> Option<Layout> {
    let mut letters: Vec<char> = layout.name().chars().collect();
    for turn in turns {
        let reversed: Vec<usize> = (0..letters.len()).rev().collect();
        let perm = if turn.attributes.perm.is_empty() { &reversed } else { &turn.attributes.perm };
        let mut before = vec![None; letters.len()];
        for (after, from) in letters.iter().zip(perm) {
            *before.get_mut(*from)? = Some(*after);
        }
        letters = before.into_iter().collect::<Option<_>>()?;
    }
    Layout::from_name(&letters.into_iter().collect::<String>())
}

fn operation(kernel: &Kernel<'_>, position: usize) -> Operation {
    let Kernel { node, layout, axes, .. } = kernel;
    let window = layout.extent(axes);
    let n_spatial = window.len() as u8;
    let group = node.attributes.group.unwrap_or(1);
    let is_depthwise = group > 1 && layout.axis('I').is_some_and(|axis| axes[axis] == 1) && n_spatial < 3;
    let (kind, outputs) = match node.op {
        Op::ConvTranspose(_) => {
            (OperationKind::Transposed(n_spatial), layout.outputs(axes).filter(|_| group == 1))
        }
        Op::Conv(_) if is_depthwise => (OperationKind::Depthwise(n_spatial), layout.outputs(axes)),
        Op::Conv(_) => (OperationKind::Conv(n_spatial), layout.outputs(axes)),
        _ => (OperationKind::Dense, layout.outputs(axes)),
    };
    let of_axes =
        |numbers: &[usize]| if numbers.len() == window.len() { numbers.to_vec() } else { Vec::new() };
    let normalization = kernel.normalization.map(|node| match node.inputs.get(1) {
        Some(scale) => module_of(scale, &node.name),
        None => node.name.to_string(),
    });
    Operation {
        kind,
        name: module_of(kernel.name, &node.name),
        position,
        outputs,
        strides: of_axes(&node.attributes.strides),
        dilations: of_axes(&node.attributes.dilations),
        padding: (!window.is_empty()).then(|| padding(&node.attributes).to_owned()),
        channels_first: (!window.is_empty()).then_some(true),
        activation: None,
        normalization,
        receptive_field: None,
        origin: Origin::Onnx,
        window,
    }
}

fn padding(attributes: &Attributes) -> &'static str {
    match &*attributes.auto_pad {
        "SAME_UPPER" | "SAME_LOWER" => "same",
        word if word == "VALID" || attributes.pads.iter().all(|pad| *pad == 0) => "valid",
        _ => "explicit",
    }
}

/// The name of the module that has a tensor: `conv1` for `conv1.weight`. Where an exporter gave the tensor a name of its own, the name
/// of the node says it: `/conv1/Conv`.
fn module_of(tensor: &str, node: &str) -> String {
    const WORDS: [&str; 6] = ["weight", "kernel", "scale", "gamma", "W", "w"];
    if let Some((module, word)) = tensor.rsplit_once(['.', '/'])
        && WORDS.contains(&word)
    {
        return module.to_owned();
    }
    let node = node.trim_start_matches('/');
    node.rsplit_once('/').map_or(node, |(module, _)| module).replace('/', ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_named_by_their_tensors_or_nodes() {
        assert_eq!(module_of("net.conv1.weight", "/net/conv1/Conv"), "net.conv1");
        assert_eq!(module_of("onnx::Conv_24", "/net/conv1/Conv"), "net.conv1");
        assert_eq!(module_of("onnx::Conv_24", "Conv_0"), "Conv_0");
        assert_eq!(module_of("W", ""), "");
    }

    #[test]
    fn the_layout_before_a_transposition_is_found() {
        let turn = |perm: &[usize]| Node {
            op: Op::Transpose,
            name: Box::default(),
            inputs: Vec::new(),
            output: Box::default(),
            attributes: Attributes { perm: perm.to_vec(), ..Attributes::default() },
            is_folded: false,
        };
        assert_eq!(turned_back(Layout::Oihw, &[&turn(&[3, 2, 0, 1])]), Some(Layout::Hwio));
        assert_eq!(turned_back(Layout::Io, &[&turn(&[])]), Some(Layout::Oi));
        assert_eq!(turned_back(Layout::Io, &[&turn(&[1, 0]), &turn(&[1, 0])]), Some(Layout::Io));
        assert_eq!(turned_back(Layout::Oihw, &[&turn(&[1, 3, 0, 2])]), None);
        assert_eq!(turned_back(Layout::Oihw, &[&turn(&[0, 0, 1, 9])]), None);
    }
}
