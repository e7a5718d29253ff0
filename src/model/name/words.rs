//! The words that writers use in tags, and what each means.

use std::ops::Range;

/// What separates parts besides dots. Windows' separator occurs in names that are made from paths.
pub(crate) const SLASHES: [char; 2] = ['/', '\\'];
pub(super) const SLASHES_AND_DOT: [char; 3] = ['/', '\\', '.'];

/// What a part of a tag says about a tensor's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// A convolution's or dense layer's weights.
    Kernel,
    /// A bias.
    Bias,
    /// The output of a layer.
    Activation,
    /// The input of the network.
    Input,
    /// A layer's other tensor: statistics, scales, gradients, slots of optimizers.
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
            "recurrent_kernel",
            "weight_orig",
            "weight_v",
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
            "offset",
            "moving_mean",
            "moving_variance",
            "running_mean",
            "running_var",
            "num_batches_tracked",
            "embedding",
            "embeddings",
            "alpha",
            "weight_g",
            "weight_mask",
            "kernel_mask",
            "weight_u",
        ],
    ),
];

/// Names of TensorFlow's operations, which come after the layer's scope. Their upper and lower case differs from layers' names.
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

/// Words for tensors that are computed from weights but are not weights, in any position.
const OF_TRAINING: [&str; 26] = [
    "grad",
    "grads",
    "gradient",
    "gradients",
    "adam",
    "adamw",
    "adamax",
    "nadam",
    "rmsprop",
    "adagrad",
    "adadelta",
    "momentum",
    "momentum_buffer",
    "velocity",
    "ftrl",
    "lamb",
    "lion",
    "exp_avg",
    "exp_avg_sq",
    "max_exp_avg_sq",
    "optimizer",
    "optimizers",
    "optimizer_state",
    "opt_state",
    "optimizer_slot",
    "slots",
];
const ENDS_OF_TRAINING: [&str; 6] = ["_grad", "_grads", "_gradient", "_gradients", "_momentum", "_exp_avg"];

/// Words that say what a tensor is even in the middle of a tag.
const IN_THE_MIDDLE: [&str; 12] = [
    "kernel",
    "kernels",
    "weight",
    "weights",
    "bias",
    "biases",
    "activation",
    "activations",
    "output",
    "outputs",
    "feature_maps",
    "inputs",
];

/// First parts that say when a value was taken or where it was stored, and nothing about the network.
const WRAPPERS: [&str; 10] = [
    "params",
    "intermediates",
    "batch_stats",
    "train",
    "training",
    "val",
    "valid",
    "validation",
    "test",
    "eval",
];
/// The same with a number after them: `epoch_3`, `rank0`.
const NUMBERED_WRAPPERS: [&str; 5] = ["epoch", "step", "rank", "iter", "iteration"];
/// Parts that wrap a module but are not modules of the network.
const WRAPPING_MODULES: [&str; 3] = ["parametrizations", "base_layer", "_fsdp_wrapped_module"];
/// Last parts that say how a value was obtained, and nothing about what it is.
const COPIES: [&str; 16] = [
    "ExponentialMovingAverage",
    "read",
    "value",
    "values",
    "data",
    "hist",
    "forward",
    "Variable",
    "ATTRIBUTES",
    "VARIABLE_VALUE",
    "original",
    "original0",
    "original1",
    "replica",
    "epoch",
    "step",
];

const TYPE_SUFFIXES: [&str; 10] =
    ["f16", "f32", "f64", "bf16", "fp16", "fp32", "float16", "float32", "float64", "bfloat16"];

/// Ends and beginnings of a part that say what a tensor is, without a slash or a dot: `conv1_kernel`, `W_conv1`.
const ENDS: [(Hint, &[&str]); 3] = [
    (
        Hint::Kernel,
        &["_kernel", "_kernels", "_weight", "_weights", "_filters", "_w", "_W", "Kernel", "Weights"],
    ),
    (Hint::Bias, &["_bias", "_biases", "_b", "Bias", "Biases"]),
    (
        Hint::Activation,
        &[
            "_activation",
            "_activations",
            "_act",
            "_output",
            "_outputs",
            "_out",
            "_maps",
            "_feature_maps",
            "Activation",
            "Output",
        ],
    ),
];
const BEGINNINGS: [(Hint, &[&str]); 3] = [
    (Hint::Kernel, &["W_", "w_", "kernel_", "weights_", "weight_", "filters_"]),
    (Hint::Bias, &["b_", "bias_", "biases_"]),
    (Hint::Activation, &["h_", "act_", "activation_", "activations_", "output_"]),
];

/// Words beside a word for weights that say how the weights were obtained, and not which layer they belong to.
const VARIANTS: [&str; 20] = [
    "quant",
    "quantized",
    "quantised",
    "dequant",
    "dequantized",
    "deq",
    "fake_quant",
    "int8",
    "binary",
    "binarized",
    "ternary",
    "normed",
    "normalized",
    "normalised",
    "masked",
    "pruned",
    "clipped",
    "effective",
    "eff",
    "ema",
];
/// The same, but only after such a word; before it they are names of layers.
const VARIANTS_BEHIND: [&str; 6] = ["norm", "bar", "sn", "hat", "scaled", "raw"];
/// A part that ends in one of these, without numbers, is the name of one layer and not of several.
const LAYERS: [&str; 7] = ["conv", "conv1d", "conv2d", "conv3d", "dense", "linear", "fc"];
/// Words for weights that are written in full, unlike the letter `W_`.
const LONG_WORDS: [&str; 4] = ["weights_", "weight_", "kernel_", "filters_"];

/// Names of layers contain one of these.
const LIKE_LAYERS: [&str; 5] = ["conv", "dense", "linear", "embed", "lstm"];
/// Or they are this word with a number.
const NUMBERED_LAYER: &str = "fc";

/// Words in names of the network's input. A name needs at least one word of the first list.
const FED: [&str; 4] = ["input", "inputs", "image", "images"];
const BESIDE_FED: [&str; 12] =
    ["x", "batch", "sample", "samples", "network", "net", "model", "rgb", "left", "right", "photo", "probe"];

/// What a whole part means.
pub(super) fn meaning(part: &str) -> Option<Hint> {
    let stem = stem(part);
    if OPERATIONS.contains(&stem) && stem.starts_with(char::is_uppercase) {
        return Some(Hint::Activation);
    }
    let lower = stem.to_lowercase();
    let word = WORDS.iter().find(|(_, words)| words.contains(&&*lower)).map(|(hint, _)| *hint);
    word.or_else(|| is_of_what_is_fed(part).then_some(Hint::Input))
}

/// Whether a last part says which of its layer's parameters a tensor is. Words for tables do not: layers have such names too.
pub(super) fn is_of_one_tensor(last: &str) -> bool {
    match meaning(last) {
        Some(Hint::Kernel) => true,
        Some(Hint::Bias) => last.len() > 1,
        Some(Hint::Other) => !last.starts_with("embedding"),
        _ => false,
    }
}

/// `input_batch`, `left_input`, `1. input image`: only such words and numbers.
fn is_of_what_is_fed(part: &str) -> bool {
    let lower = part.to_lowercase();
    let tokens = || lower.split(['_', '-', ' ']).filter(|token| !token.is_empty());
    let is_known = |token: &str| FED.contains(&token) || BESIDE_FED.contains(&token) || is_number(token);
    tokens().any(|token| FED.contains(&token)) && tokens().all(is_known)
}

/// What a part in the middle of a tag means.
pub(super) fn meaning_in_the_middle(part: &str) -> Option<Hint> {
    IN_THE_MIDDLE.contains(&&*part.to_lowercase()).then(|| meaning(part)).flatten()
}

/// Whether a part says that this is a gradient or belongs to an optimizer.
pub(super) fn is_of_training(part: &str) -> bool {
    let lower = stem(part).to_lowercase();
    OF_TRAINING.contains(&&*lower) || ENDS_OF_TRAINING.iter().any(|end| lower.ends_with(end))
}

/// Whether a first part only says where a value was stored.
pub(super) fn is_wrapper(part: &str) -> bool {
    let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_numbered = word.len() < part.len() && NUMBERED_WRAPPERS.contains(&word.trim_end_matches('_'));
    WRAPPERS.contains(&part) || is_numbered
}

/// Whether a part stands for a module that only wraps another.
pub(super) fn is_wrapping_module(part: &str) -> bool {
    WRAPPING_MODULES.contains(&part)
}

/// Whether a last part only says how a value was obtained.
pub(super) fn is_copy(part: &str) -> bool {
    COPIES.contains(&stem(part))
}

/// What the end or the beginning of a part means, and the range of the rest of the part.
pub(super) fn end_or_beginning(part: &str) -> Option<(Hint, Range<usize>)> {
    let stem = stem(part).replace(['-', ' '], "_");
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

/// Whether the text beside a word in the last part does not name the layer, because the part before does: `conv1/weights_quant`.
pub(super) fn is_of_layer_before(before: &str, last: &str, rest: &str) -> bool {
    let lower = rest.trim_matches('_').to_lowercase();
    let is_behind = last.ends_with(rest);
    let is_variant = VARIANTS.contains(&&*lower) || (is_behind && VARIANTS_BEHIND.contains(&&*lower));
    let is_layer = || {
        let before = before.to_lowercase();
        let word = before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
        LAYERS.iter().any(|layer| word.ends_with(layer) || before.ends_with(layer))
    };
    let is_after_long = LONG_WORDS.iter().any(|word| last.starts_with(word));
    is_variant || (is_behind && is_after_long && is_layer() && !is_like_layer(rest) && !is_number(rest))
}

/// Whether a part looks like a layer's name.
pub(super) fn is_like_layer(part: &str) -> bool {
    let lower = part.to_lowercase();
    let word = lower.trim_end_matches(|c: char| c.is_ascii_digit());
    LIKE_LAYERS.iter().any(|like| lower.contains(like)) || word.trim_end_matches('_') == NUMBERED_LAYER
}

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

/// A part without the `_1` of a repeated name and the `_f16` of a type.
pub(super) fn stem(part: &str) -> &str {
    match part.rsplit_once('_') {
        Some((base, suffix)) if is_number(suffix) || TYPE_SUFFIXES.contains(&&*suffix.to_lowercase()) => base,
        _ => part,
    }
}
