//! What a logged graph or model says about a network: its layers in order, and which tensor belongs to which layer.

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use super::{from_end::from_end, layout::Layout, name::layer_key, role::Role};

/// Kinds of layers that have kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// Convolution over this many axes: 1, 2 or 3.
    Conv(u8),
    /// Convolution of each input channel separately, over 1 or 2 axes.
    Depthwise(u8),
    /// Depthwise, then 1x1, over 1 or 2 axes.
    Separable(u8),
    /// Transposed convolution over 1, 2 or 3 axes.
    Transposed(u8),
    /// Dense: every input is connected with every output.
    Dense,
}

impl OperationKind {
    /// Its name in Keras.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Conv(axes) => format!("Conv{axes}D"),
            Self::Depthwise(axes) => format!("DepthwiseConv{axes}D"),
            Self::Separable(axes) => format!("SeparableConv{axes}D"),
            Self::Transposed(axes) => format!("Conv{axes}DTranspose"),
            Self::Dense => "Dense".to_owned(),
        }
    }

    /// The kind of a Keras class.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let kinds: [fn(u8) -> Self; 4] = [Self::Conv, Self::Depthwise, Self::Separable, Self::Transposed];
        let mut all = kinds.into_iter().flat_map(|kind| (1..=3).map(kind)).chain([Self::Dense]);
        all.find(|kind| kind.name() == name)
    }

    /// The axes that its window moves along.
    #[must_use]
    pub fn spatial_axes(self) -> usize {
        match self {
            Self::Conv(axes) | Self::Depthwise(axes) | Self::Separable(axes) | Self::Transposed(axes) => {
                axes.into()
            }
            Self::Dense => 0,
        }
    }

    /// The layout of its kernel in TensorFlow; for a separable convolution, that of the kernel that `word` names.
    #[must_use]
    pub fn kernel_layout(self, word: &str) -> Option<Layout> {
        match self {
            Self::Conv(1) => Some(Layout::Wio),
            Self::Conv(2) => Some(Layout::Hwio),
            Self::Conv(3) => Some(Layout::Dhwio),
            Self::Depthwise(1) => Some(Layout::Wim),
            Self::Depthwise(2) => Some(Layout::Hwim),
            Self::Separable(axes) if word.contains("depthwise") => Self::Depthwise(axes).kernel_layout(word),
            Self::Separable(axes) if word.contains("pointwise") => Self::Conv(axes).kernel_layout(word),
            Self::Transposed(1) => Some(Layout::Woi),
            Self::Transposed(2) => Some(Layout::Hwoi),
            Self::Transposed(3) => Some(Layout::Dhwoi),
            Self::Dense => Some(Layout::Io),
            _ => None,
        }
    }

    /// The layout of its output.
    #[must_use]
    pub fn activation_layout(self, channels_first: bool) -> Option<Layout> {
        match (self.spatial_axes(), channels_first) {
            (0, _) => Some(Layout::Nc),
            (1, false) => Some(Layout::Nwc),
            (1, true) => Some(Layout::Ncw),
            (2, false) => Some(Layout::Nhwc),
            (2, true) => Some(Layout::Nchw),
            (3, false) => Some(Layout::Ndhwc),
            (3, true) => Some(Layout::Ncdhw),
            _ => None,
        }
    }
}

/// Where facts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A serialised graph.
    Graph,
    /// The JSON of a Keras model.
    Keras,
    /// The graph of an ONNX model.
    Onnx,
    /// The metadata that the writer put beside a tensor.
    Writer,
}

impl Origin {
    /// As a phrase.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Graph => "the logged graph",
            Self::Keras => "the logged Keras model",
            Self::Onnx => "the ONNX graph",
            Self::Writer => "the writer's metadata",
        }
    }
}

/// A layer that has a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What it does.
    pub kind: OperationKind,
    /// The layer's name.
    pub name: String,
    /// Its place in the order in which data passes the network, from 0.
    pub position: usize,
    /// The window's lengths: depth, height, width, without the axes that it does not have; empty if not known.
    pub window: Vec<usize>,
    /// Output channels.
    pub outputs: Option<usize>,
    /// Steps of the window, in the same order as the window's lengths.
    pub strides: Vec<usize>,
    /// Distances of the window's elements, in the same order as the window's lengths.
    pub dilations: Vec<usize>,
    /// `same`, `valid`, `causal` or `explicit`.
    pub padding: Option<String>,
    /// Whether activations have their channels before the axes of the map.
    pub channels_first: Option<bool>,
    /// The function applied to its output, for example `relu`.
    pub activation: Option<String>,
    /// The batch normalization that is applied to its output, if the source names it.
    pub normalization: Option<String>,
    /// How many elements of the network's input one element of its output sees, in the same order as the window's lengths.
    pub receptive_field: Option<Vec<usize>>,
    /// The source of this.
    pub origin: Origin,
}

impl Operation {
    /// What it is and which source says so, as a phrase.
    #[must_use]
    pub fn words(&self) -> String {
        let (kind, origin) = (self.kind.name(), self.origin.name());
        if self.name.is_empty() {
            format!("a {kind} of {origin}")
        } else {
            format!("the {kind} \"{}\" of {origin}", self.name)
        }
    }
}

/// What a graph says about a tag or about the variable of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// What it does.
    pub role: Role,
    /// Its layer, as a position in the network's list.
    pub operation: Option<usize>,
    /// The layout that the operation using it requires; `None` where something on the way changes axes.
    pub layout: Option<Layout>,
    /// Another layout that the same variable has where another layer uses it, as in a tied autoencoder.
    pub contested: Option<Layout>,
    /// Whether the trace starts from the operation that logged this very tag, and not only from an equal name.
    pub is_exact: bool,
}

/// How a layer's name matches a name in a graph or model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameMatch {
    /// The names are the same.
    Same,
    /// One name is the last part or parts of the other.
    End,
    /// The name, or its last part or parts, is that of a layer that only applies this one.
    Wrapper,
}

/// Everything that one graph or model says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    operations: Vec<Arc<Operation>>,
    tensors: HashMap<String, Traced>,
    /// The keys of the layers' names, sorted by their letters from the last to the first, with positions: keys with the same end
    /// are next to each other.
    keys: Vec<(String, usize)>,
    /// The keys of layers that only apply another one, with the position of the applied layer.
    wrappers: HashMap<String, usize>,
    /// What a person has to know of tags, as phrases.
    remarks: HashMap<String, &'static str>,
}

impl Network {
    /// From layers with kernels, in the order in which data passes them, and what is known about tags and names of variables.
    #[must_use]
    pub fn new(operations: Vec<Arc<Operation>>, tensors: HashMap<String, Traced>) -> Self {
        let keys = operations.iter().map(|operation| layer_key(&operation.name));
        let mut keys: Vec<(String, usize)> = keys.zip(0..).collect();
        keys.sort_by(|(a, a_at), (b, b_at)| from_end(a.as_bytes(), b.as_bytes()).then(a_at.cmp(b_at)));
        Self { operations, tensors, keys, wrappers: HashMap::new(), remarks: HashMap::new() }
    }

    /// The same with what a person has to know of tags.
    #[must_use]
    pub fn with_remarks(mut self, remarks: impl IntoIterator<Item = (String, &'static str)>) -> Self {
        self.remarks.extend(remarks);
        self
    }

    /// The same where all names of layers and tags have this before them, with a slash between.
    #[must_use]
    pub fn within(&self, name: &str) -> Self {
        let within = |tag: &String| format!("{name}/{tag}");
        let operation = |operation: &Arc<Operation>| {
            let name = if operation.name.is_empty() { String::new() } else { within(&operation.name) };
            Arc::new(Operation { name, ..Operation::clone(operation) })
        };
        let tensors = self.tensors.iter().map(|(tag, traced)| (within(tag), traced.clone())).collect();
        let remarks = self.remarks.iter().map(|(tag, remark)| (within(tag), *remark));
        Self::new(self.operations.iter().map(operation).collect(), tensors).with_remarks(remarks)
    }

    /// What a person has to know of a tag.
    #[must_use]
    pub fn remark(&self, tag: &str) -> Option<&'static str> {
        self.remarks.get(tag).copied()
    }

    /// The same with other names for the outputs of layers, by position: a wrapper's output has the wrapper's name.
    #[must_use]
    pub fn with_wrappers(mut self, wrappers: impl IntoIterator<Item = (String, usize)>) -> Self {
        self.wrappers.extend(wrappers.into_iter().map(|(name, at)| (layer_key(&name), at)));
        self
    }

    /// Layers with kernels, in the order in which data passes them.
    #[must_use]
    pub fn operations(&self) -> &[Arc<Operation>] {
        &self.operations
    }

    /// The layer with this name, or one that a layer of this name applies, or the only one where one name ends with the other.
    #[must_use]
    pub fn operation(&self, layer: &str) -> Option<(&Arc<Operation>, NameMatch)> {
        let wanted = layer_key(layer);
        if wanted.is_empty() {
            return None;
        }
        if let Some(same) = self.named(&wanted).next() {
            return Some((same, NameMatch::Same));
        }
        let ends = wanted.match_indices('/').map(|(at, _)| &wanted[at + 1..]).filter(|end| !end.is_empty());
        let mut wrapper =
            std::iter::once(&*wanted).chain(ends.clone()).filter_map(|name| self.wrappers.get(name));
        if let Some(at) = wrapper.next() {
            return Some((&self.operations[*at], NameMatch::Wrapper));
        }
        let mut like = ends.flat_map(|end| self.named(end)).chain(self.longer(&wanted));
        let only = like.next()?;
        like.next().is_none().then_some((only, NameMatch::End))
    }

    /// The layers with exactly this key.
    fn named<'n>(&'n self, key: &str) -> impl Iterator<Item = &'n Arc<Operation>> + use<'n> {
        let from = self.from(key);
        let n_same = from.partition_point(|(own, _)| own == key);
        from[..n_same].iter().map(|(_, at)| &self.operations[*at])
    }

    /// The layers whose keys end in this key as their last part or parts.
    fn longer<'n>(&'n self, key: &str) -> impl Iterator<Item = &'n Arc<Operation>> + use<'n> {
        let end = format!("/{key}");
        let from = self.from(&end).iter();
        from.take_while(move |(own, _)| own.ends_with(&end)).map(|(_, at)| &self.operations[*at])
    }

    /// The keys from this one on.
    fn from(&self, key: &str) -> &[(String, usize)] {
        let is_before = |own: &str| from_end(own.as_bytes(), key.as_bytes()) == Ordering::Less;
        &self.keys[self.keys.partition_point(|(own, _)| is_before(own))..]
    }

    /// What is known about a tag, with or without the number of an output after it.
    #[must_use]
    pub fn traced(&self, tag: &str) -> Option<&Traced> {
        self.tensors.get(tag).or_else(|| self.tensors.get(tag.strip_suffix(":0")?))
    }
}

/// The most parts of paths that are compared; people do not write deeper names.
pub(super) const MOST_PARTS: usize = 8;

/// The last part or parts of a path, but not the whole of it.
pub(super) fn ends(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('/').take(MOST_PARTS).map(|(at, _)| &path[at + 1..]).filter(|end| !end.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{super::visits, *};

    #[test]
    fn kinds_have_the_names_of_keras() {
        for (name, kind) in [
            ("Conv2D", OperationKind::Conv(2)),
            ("DepthwiseConv2D", OperationKind::Depthwise(2)),
            ("SeparableConv1D", OperationKind::Separable(1)),
            ("Conv3DTranspose", OperationKind::Transposed(3)),
            ("Dense", OperationKind::Dense),
        ] {
            assert_eq!(OperationKind::from_name(name), Some(kind));
        }
        assert_eq!(OperationKind::from_name("Flatten"), None);
    }

    fn network(names: impl IntoIterator<Item = String>) -> Network {
        let operation = |(position, name): (usize, String)| {
            Arc::new(Operation {
                kind: OperationKind::Dense,
                name,
                position,
                window: Vec::new(),
                outputs: None,
                strides: Vec::new(),
                dilations: Vec::new(),
                padding: None,
                channels_first: None,
                activation: None,
                normalization: None,
                receptive_field: None,
                origin: Origin::Keras,
            })
        };
        Network::new(names.into_iter().enumerate().map(operation).collect(), HashMap::new())
    }

    #[test]
    fn a_layer_is_found_by_its_name_or_by_the_only_one_that_is_alike() {
        let names = ["a/conv", "b.conv", "conv1", "deep/x/out", "b/conv", "x/out", ""];
        let network = network(names.map(str::to_owned));
        let check = |layer: &str, expected: Option<(usize, NameMatch)>| {
            let found = network.operation(layer).map(|(operation, found)| (operation.position, found));
            assert_eq!(found, expected, "{layer}");
        };
        check("a/conv", Some((0, NameMatch::Same)));
        check("b/conv", Some((1, NameMatch::Same)));
        check("net/a.conv", Some((0, NameMatch::End)));
        check("net/conv1", Some((2, NameMatch::End)));
        check("net/b/conv", None);
        check("conv", None);
        check("my_conv1", None);
        check("out", None);
        check("deep/x/out", Some((3, NameMatch::Same)));
        check("net/deep/x/out", None);
        check("net/x/out", Some((5, NameMatch::End)));
        check("/conv1/", None);
        check("", None);
    }

    #[test]
    fn a_layer_is_found_in_few_looks_among_many_of_one_last_part() {
        let looks = |count: usize| {
            let names = || (0..count).map(|at| format!("block{at}/conv"));
            let network = network(names());
            visits::of(|| {
                for name in names() {
                    assert!(network.operation(&format!("net/{name}")).is_some());
                }
            })
        };
        assert!(looks(2_000) < 3 * looks(1_000));
    }
}
