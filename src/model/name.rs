//! Tags -> words: what the tag says about the role, and the path of the layer among its parts.

use std::{borrow::Cow, ops::Range};

/// What a part of a tag says about a tensor's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// A convolution's or dense layer's weights.
    Kernel,
    /// A bias.
    Bias,
    /// The output of a layer.
    Activation,
    /// What the network is fed.
    Input,
    /// Something of a layer that is none of these: statistics, scales, embeddings.
    Other,
}

const WORDS: [(Hint, &[&str]); 5] = [
    (
        Hint::Kernel,
        &[
            "kernel",
            "kernels",
            "weight",
            "weights",
            "w",
            "filter",
            "filters",
            "pointwise_kernel",
            "pointwise_weights",
            "depthwise_kernel",
            "depthwise_weights",
        ],
    ),
    (Hint::Bias, &["bias", "biases", "b"]),
    (
        Hint::Activation,
        &[
            "activation",
            "activations",
            "act",
            "output",
            "outputs",
            "out",
            "feature_map",
            "feature_maps",
            "features_out",
            "maps",
            "relu",
            "relu6",
            "leakyrelu",
            "leaky_relu",
            "elu",
            "selu",
            "gelu",
            "silu",
            "swish",
            "tanh",
            "sigmoid",
            "softmax",
            "biasadd",
            "conv2d_out",
            "maxpool",
            "avgpool",
            "max_pool",
            "avg_pool",
            "__call__",
        ],
    ),
    (
        Hint::Input,
        &["input", "inputs", "image", "images", "input_image", "input_images", "probe", "photo", "x"],
    ),
    (
        Hint::Other,
        &[
            "gamma",
            "beta",
            "scale",
            "moving_mean",
            "moving_variance",
            "running_mean",
            "running_var",
            "num_batches_tracked",
            "embedding",
            "embeddings",
        ],
    ),
];

/// Names of TensorFlow's operations, which stand behind the layer's scope. Their case tells them from names of layers.
const OPERATIONS: [&str; 18] = [
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "DepthwiseConv2dNative",
    "depthwise",
    "separable_conv2d",
    "Conv2DBackpropInput",
    "conv2d_transpose",
    "convolution",
    "BiasAdd",
    "MatMul",
    "Relu",
    "Relu6",
    "Elu",
    "Add",
    "AddV2",
    "FusedBatchNorm",
    "FusedBatchNormV3",
];

/// First parts that say where a value was kept and nothing about the network.
const WRAPPERS: [&str; 3] = ["params", "intermediates", "batch_stats"];
/// Last parts that say how a value was had and nothing about what it is.
const COPIES: [&str; 3] = ["ExponentialMovingAverage", "read", "value"];

const TYPE_SUFFIXES: [&str; 10] =
    ["f16", "f32", "f64", "bf16", "fp16", "fp32", "float16", "float32", "float64", "bfloat16"];

/// Ends and beginnings of a part that say what a tensor is where no slash or dot does: `conv1_kernel`, `W_conv1`.
const ENDS: [(Hint, &[&str]); 3] = [
    (Hint::Kernel, &["_kernel", "_kernels", "_weight", "_weights", "_filters"]),
    (Hint::Bias, &["_bias", "_biases"]),
    (
        Hint::Activation,
        &["_activation", "_activations", "_act", "_output", "_outputs", "_out", "_maps", "_feature_maps"],
    ),
];
const BEGINNINGS: [(Hint, &[&str]); 3] = [
    (Hint::Kernel, &["W_", "w_", "kernel_", "weights_", "weight_", "filters_"]),
    (Hint::Bias, &["b_", "bias_", "biases_"]),
    (Hint::Activation, &["h_", "act_", "activation_", "activations_", "output_"]),
];

/// A tag, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// What it says about the role, and the part that says it.
    pub hint: Option<(Hint, &'a str)>,
    /// The layer's name as it stands in the tag.
    pub layer: Cow<'a, str>,
    /// The whole name as a layer's would be, for layers that are called by such words.
    pub whole: Cow<'a, str>,
    /// Whether it is built as PyTorch builds names: parts joined by dots, `weight` in the singular.
    pub is_pytorchs: bool,
}

impl<'a> Name<'a> {
    /// Takes a tag apart. The last part counts first (`conv1/weights`), then the first (`activations/conv1`).
    #[must_use]
    pub fn of(tag: &'a str) -> Self {
        let all = parts(tag);
        let parts = without_copies(without_wrappers(&all));
        let hint_of = |part: Option<&(usize, &'a str)>| {
            part.and_then(|(_, word)| meaning(word).map(|hint| (hint, *word)))
        };
        let (hint, layer) = match (hint_of(parts.last()), hint_of(parts.first())) {
            (Some(hint), _) => (Some(hint), &parts[..parts.len() - 1]),
            // `embedding/table` is no layer "table".
            (None, Some((hint, word))) if hint != Hint::Other => (Some((hint, word)), &parts[1..]),
            (None, _) => (None, parts),
        };
        let whole = joined(tag, parts);
        let is_dotted = tag.contains('.') && !tag.contains('/');
        let is_pytorchs = is_dotted || matches!(hint, Some((_, "weight")));
        if let (None, Some((start, last))) = (hint, parts.last())
            && let Some((hint, rest)) = end_or_beginning(last)
        {
            let at = start + rest.start;
            let before: Vec<(usize, &str)> = parts[..parts.len() - 1].to_vec();
            let parts = [before, vec![(at, &last[rest])]].concat();
            return Self { hint: Some((hint, last)), layer: joined(tag, &parts), whole, is_pytorchs };
        }
        let layer = if layer.is_empty() { parts } else { layer };
        Self { hint, layer: joined(tag, layer), whole, is_pytorchs }
    }

    /// What is the same for all tensors of a layer, however their writer joins names.
    #[must_use]
    pub fn layer_key(&self) -> String {
        layer_key(&self.layer)
    }
}

/// A layer's name with its parts joined in one way.
#[must_use]
pub fn layer_key(layer: &str) -> String {
    layer.replace('.', "/")
}

type Parts<'p, 'a> = &'p [(usize, &'a str)];

fn without_wrappers<'p, 'a>(mut parts: Parts<'p, 'a>) -> Parts<'p, 'a> {
    while let [(_, first), rest @ ..] = parts
        && WRAPPERS.contains(first)
        && !rest.is_empty()
    {
        parts = rest;
    }
    parts
}

fn without_copies<'p, 'a>(mut parts: Parts<'p, 'a>) -> Parts<'p, 'a> {
    while let [rest @ .., (_, last)] = parts
        && !rest.is_empty()
        && (COPIES.contains(&stem(last)) || is_number_of_call(rest, last))
    {
        parts = rest;
    }
    parts
}

/// Flax numbers what a module gave at each of its calls: `Conv_0/__call__/0`, `conv1/__call__/value/0`.
fn is_number_of_call(before: Parts<'_, '_>, last: &str) -> bool {
    is_number(last) && before.iter().rev().take(2).any(|(_, part)| *part == "__call__")
}

fn end_or_beginning(part: &str) -> Option<(Hint, Range<usize>)> {
    let stem = stem(part);
    let ends = ENDS.iter().find_map(|(hint, ends)| {
        let rest = ends.iter().find_map(|end| stem.strip_suffix(end))?;
        Some((*hint, 0..rest.len()))
    });
    let beginnings = || {
        BEGINNINGS.iter().find_map(|(hint, beginnings)| {
            let rest = beginnings.iter().find_map(|beginning| part.strip_prefix(beginning))?;
            Some((*hint, part.len() - rest.len()..part.len()))
        })
    };
    ends.or_else(beginnings).filter(|(_, rest)| !rest.is_empty())
}

/// The stretch of the tag from the first part to the last; where brackets stand between parts, the parts with slashes.
fn joined<'a>(tag: &'a str, parts: &[(usize, &str)]) -> Cow<'a, str> {
    match (parts.first(), parts.last()) {
        (Some(_), Some(_)) if is_bracketed(tag) => {
            Cow::Owned(parts.iter().map(|(_, part)| *part).collect::<Vec<_>>().join("/"))
        }
        (Some((start, _)), Some((last, part))) => Cow::Borrowed(&tag[*start..last + part.len()]),
        _ => Cow::Borrowed(tag),
    }
}

/// The keys of nested dictionaries, as JAX writes them: `['params']['Conv_0']['kernel']`.
fn is_bracketed(tag: &str) -> bool {
    tag.contains("['") || tag.contains("[\"")
}

/// The parts between slashes and dots, or within brackets, each behind the byte at which it begins.
fn parts(tag: &str) -> Vec<(usize, &str)> {
    let without_output_number = match tag.rsplit_once(':') {
        Some((name, number)) if number.chars().all(|c| c.is_ascii_digit()) => name,
        _ => tag,
    };
    let brackets: &[char] = if is_bracketed(tag) { &['[', ']', '\'', '"', '/', '.'] } else { &['/', '.'] };
    let mut start = 0;
    let mut parts = Vec::new();
    for part in without_output_number.split(brackets) {
        if !part.is_empty() {
            parts.push((start, part));
        }
        start += part.len() + 1;
    }
    parts
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

/// A part without the `_1` of a repeated name and the `_f16` of a type.
fn stem(part: &str) -> &str {
    match part.rsplit_once('_') {
        Some((base, suffix)) if is_number(suffix) || TYPE_SUFFIXES.contains(&&*suffix.to_lowercase()) => base,
        _ => part,
    }
}

fn meaning(part: &str) -> Option<Hint> {
    let stem = stem(part);
    if OPERATIONS.contains(&stem) && stem.starts_with(char::is_uppercase) {
        return Some(Hint::Activation);
    }
    let lower = stem.to_lowercase();
    WORDS.iter().find(|(_, words)| words.contains(&&*lower)).map(|(hint, _)| *hint)
}

/// Convolutions whose kernels have other axes than the ordinary one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convolution {
    /// Each input channel has filters of its own.
    Depthwise,
    /// Its output is larger than its input; input and output channels have changed places.
    Transposed,
}

const CONVOLUTIONS: [(Convolution, &[&str]); 2] = [
    (Convolution::Depthwise, &["depthwise", "dwconv", "dw_conv"]),
    (Convolution::Transposed, &["transpose", "deconv", "upsample", "upconv", "up_conv"]),
];

/// What kind of convolution a tag names, and the word that does.
#[must_use]
pub fn convolution(tag: &str) -> Option<(Convolution, &'static str)> {
    let lower = tag.to_lowercase();
    let named = |words: &[&'static str]| words.iter().copied().find(|word| lower.contains(word));
    // A separable convolution's second kernel is an ordinary one.
    if lower.contains("pointwise") {
        return None;
    }
    CONVOLUTIONS.iter().find_map(|(kind, words)| Some((*kind, named(words)?)))
}

const ATTENTION: [&str; 3] = ["attention", "attn", "mha"];
const HEADS: [&str; 9] = ["query", "key", "value", "out", "output", "q", "k", "v", "qkv"];

/// Whether a layer projects to or from the heads of an attention, whose axes are no maps.
#[must_use]
pub fn is_of_attention(layer: &str) -> bool {
    let lower = layer.to_lowercase();
    let parts: Vec<&str> = lower.split(['/', '.']).collect();
    let is_head = parts.last().is_some_and(|last| HEADS.contains(&stem(last)));
    is_head && parts.iter().any(|part| ATTENTION.iter().any(|word| part.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tag: &str, layer: &str, hint: Option<Hint>) {
        let name = Name::of(tag);
        assert_eq!((&*name.layer, name.hint.map(|(hint, _)| hint)), (layer, hint), "{tag}");
    }

    #[test]
    fn layers_and_words_of_all_writers() {
        use Hint::{Activation, Bias, Kernel, Other};
        check("conv1/weights:0", "conv1", Some(Kernel));
        check("tower_0/conv1/weights", "tower_0/conv1", Some(Kernel));
        check("conv1/weights/ExponentialMovingAverage", "conv1", Some(Kernel));
        check("conv1/Relu_1:0", "conv1", Some(Activation));
        check("conv1/Conv2D", "conv1", Some(Activation));
        check("block1/conv2d", "block1/conv2d", None);
        check("sequential/conv2d_3/bias:0", "sequential/conv2d_3", Some(Bias));
        check("layer1.0.conv2.weight", "layer1.0.conv2", Some(Kernel));
        check("layer1.0.conv2", "layer1.0.conv2", None);
        check("params/Conv_0/kernel", "Conv_0", Some(Kernel));
        check("Conv_0/__call__/0", "Conv_0", Some(Activation));
        check("params/BatchNorm_0/scale", "BatchNorm_0", Some(Other));
        check("activations/features.0", "features.0", Some(Activation));
        check("conv1/kernel_bf16", "conv1", Some(Kernel));
        check("conv1/weights/ExponentialMovingAverage_1", "conv1", Some(Kernel));
        check("conv1/__call__/value/0", "conv1", Some(Activation));
        check("['params']['Block_1']['Conv_0']['kernel']", "Block_1/Conv_0", Some(Kernel));
        check("['intermediates']['Conv_0']['__call__'][0]", "Conv_0", Some(Activation));
        check("model/conv1_kernel", "model/conv1", Some(Kernel));
        check("W_conv1", "conv1", Some(Kernel));
        check("h_conv1_1", "conv1_1", Some(Activation));
        check("block5_conv3", "block5_conv3", None);
        check("weight", "weight", Some(Kernel));
        check("", "", None);
        check("//", "//", None);
    }
}
