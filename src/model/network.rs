//! What a logged graph or model says of a network: its layers in order, and which tensor is whose.

use std::{collections::HashMap, sync::Arc};

use super::{layout::Layout, name::layer_key, role::Role};

/// Kinds of layers that have kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// Convolution over this many axes: 1, 2 or 3.
    Conv(u8),
    /// Convolution of each input channel by itself, over 1 or 2 axes.
    Depthwise(u8),
    /// Depthwise, then 1x1, over 1 or 2 axes.
    Separable(u8),
    /// Transposed convolution over 1, 2 or 3 axes.
    Transposed(u8),
    /// Every input with every output.
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

    /// The layout of its kernel in TensorFlow; of a separable one, that of the kernel that `word` names.
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
    /// The window's lengths: depth, height, width, as far as there; empty where they are not said.
    pub window: Vec<usize>,
    /// Output channels.
    pub outputs: Option<usize>,
    /// Steps of the window, as the window's lengths.
    pub strides: Vec<usize>,
    /// Distances of the window's elements, as the window's lengths.
    pub dilations: Vec<usize>,
    /// `same`, `valid`, `causal` or `explicit`.
    pub padding: Option<String>,
    /// Whether activations have their channels before the axes of the map.
    pub channels_first: Option<bool>,
    /// The function that its output goes through, as in `relu`.
    pub activation: Option<String>,
    /// How many elements of the network's input one element of its output sees, as the window's lengths.
    pub receptive_field: Option<Vec<usize>>,
    /// Who says so.
    pub origin: Origin,
}

impl Operation {
    /// What it is and who says so, as a phrase.
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

/// What a graph says of a tag or of the variable of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// What it does.
    pub role: Role,
    /// Its layer, as a position in the network's list.
    pub operation: Option<usize>,
    /// The layout that the operation beside it asks for; `None` where something on the way changes axes.
    pub layout: Option<Layout>,
    /// Another layout that the same variable has where another layer uses it, as the halves of a tied autoencoder do.
    pub contested: Option<Layout>,
    /// Whether the operation that logged this very tag was followed to it, and not only a name that is the same.
    pub is_exact: bool,
}

/// How a layer's name is found among those of a graph or model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// It is the same.
    Same,
    /// One is the last part or parts of the other.
    End,
}

/// All that one graph or model says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    operations: Vec<Arc<Operation>>,
    tensors: HashMap<String, Traced>,
    /// Positions of layers by the last part of their name's key.
    by_last_part: HashMap<String, Vec<usize>>,
}

impl Network {
    /// Of layers with kernels, in the order in which data passes them, and of what is known of tags and of names of variables.
    #[must_use]
    pub fn new(operations: Vec<Arc<Operation>>, tensors: HashMap<String, Traced>) -> Self {
        let mut by_last_part: HashMap<String, Vec<usize>> = HashMap::new();
        for (position, operation) in operations.iter().enumerate() {
            let key = layer_key(&operation.name);
            by_last_part.entry(last_part(&key).to_owned()).or_default().push(position);
        }
        Self { operations, tensors, by_last_part }
    }

    /// Layers with kernels, in the order in which data passes them.
    #[must_use]
    pub fn operations(&self) -> &[Arc<Operation>] {
        &self.operations
    }

    /// The layer of this name: the same, or the only one of which one name is the end of the other.
    #[must_use]
    pub fn operation(&self, layer: &str) -> Option<(&Arc<Operation>, Match)> {
        let wanted = layer_key(layer);
        let near = self.by_last_part.get(last_part(&wanted)).filter(|_| !wanted.is_empty())?;
        let keys = || near.iter().map(|at| &self.operations[*at]).map(|one| (layer_key(&one.name), one));
        if let Some((_, same)) = keys().find(|(key, _)| *key == wanted) {
            return Some((same, Match::Same));
        }
        let mut like = keys().filter(|(key, _)| is_end_of(key, &wanted) || is_end_of(&wanted, key));
        let only = like.next()?.1;
        like.next().is_none().then_some((only, Match::End))
    }

    /// What is known of a tag, with or without the number of an output behind it.
    #[must_use]
    pub fn traced(&self, tag: &str) -> Option<&Traced> {
        self.tensors.get(tag).or_else(|| self.tensors.get(tag.strip_suffix(":0")?))
    }
}

/// The last part of a key.
pub(super) fn last_part(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// Paths are compared by so many of their parts; what is deeper is no name that people give.
pub(super) const MOST_PARTS: usize = 8;

/// The last part or parts of a path, but not the whole of it.
pub(super) fn ends(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('/').take(MOST_PARTS).map(|(at, _)| &path[at + 1..]).filter(|end| !end.is_empty())
}

/// Whether `end` is the last part or parts of `path`.
pub(super) fn is_end_of(end: &str, path: &str) -> bool {
    path.strip_suffix(end).is_some_and(|before| before.ends_with('/')) && !end.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn ends_of_paths_are_whole_parts() {
        assert!(is_end_of("conv2d", "sequential/conv2d"));
        assert!(!is_end_of("conv2d", "sequential/my_conv2d"));
        assert!(!is_end_of("", "a/"));
    }
}
