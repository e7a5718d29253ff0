//! Tags -> words, and the name of the layer among them.

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
}

const WORDS: [(Hint, &[&str]); 4] = [
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
        ],
    ),
    (
        Hint::Input,
        &["input", "inputs", "image", "images", "input_image", "input_images", "probe", "photo", "x"],
    ),
];

fn parts(tag: &str) -> Vec<&str> {
    let without_output_number = match tag.rsplit_once(':') {
        Some((name, number)) if number.chars().all(|c| c.is_ascii_digit()) => name,
        _ => tag,
    };
    without_output_number.split(['/', '.']).filter(|part| !part.is_empty()).collect()
}

const TYPE_SUFFIXES: [&str; 10] =
    ["f16", "f32", "f64", "bf16", "fp16", "fp32", "float16", "float32", "float64", "bfloat16"];

/// The meaning of one part, not minding case, the `_1` of a repeated name and the `_f16` of a type.
fn meaning(part: &str) -> Option<Hint> {
    let lower = part.to_lowercase();
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let base = match lower.rsplit_once('_') {
        Some((base, suffix)) if is_number(suffix) || TYPE_SUFFIXES.contains(&suffix) => base,
        _ => &lower,
    };
    WORDS.iter().find(|(_, words)| words.contains(&base)).map(|(hint, _)| *hint)
}

/// What a tag says about the role, and the part that says it. The last part counts first (`conv1/weights`), then the
/// first (`activations/conv1`).
#[must_use]
pub fn hint(tag: &str) -> Option<(Hint, &str)> {
    let parts = parts(tag);
    let ends = [parts.last(), parts.first()];
    ends.into_iter().flatten().find_map(|part| meaning(part).map(|hint| (hint, *part)))
}

/// The name of the layer: the tag without the parts that name a role.
#[must_use]
pub fn layer(tag: &str) -> String {
    let parts = parts(tag);
    let separator = if tag.contains('/') { "/" } else { "." };
    let (first, last) =
        (parts.first().and_then(|part| meaning(part)), parts.last().and_then(|part| meaning(part)));
    let named: &[&str] = match parts.as_slice() {
        [rest @ .., _] if last.is_some() && !rest.is_empty() => rest,
        [_, rest @ ..] if first.is_some() && !rest.is_empty() => rest,
        all => all,
    };
    if named.is_empty() { tag.to_owned() } else { named.join(separator) }
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
    CONVOLUTIONS.iter().find_map(|(kind, words)| Some((*kind, named(words)?)))
}

/// Whether the name is built as PyTorch builds them: parts joined by dots.
#[must_use]
pub fn is_dotted(tag: &str) -> bool {
    tag.contains('.') && !tag.contains('/')
}
