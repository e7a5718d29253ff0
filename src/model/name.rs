//! Tags -> words, and the name of the layer among them.

/// What a part of a tag says about a tensor's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// A convolution's or dense layer's weights.
    Kernel,
    /// Weights of a depthwise convolution.
    DepthwiseKernel,
    /// A bias.
    Bias,
    /// The output of a layer.
    Activation,
    /// What the network is fed.
    Input,
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
        ],
    ),
    (Hint::DepthwiseKernel, &["depthwise_kernel", "depthwise_weights"]),
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

/// The meaning of one part, not minding case and the `_1` of a repeated name.
fn meaning(part: &str) -> Option<Hint> {
    let lower = part.to_lowercase();
    let base = match lower.rsplit_once('_') {
        Some((base, number)) if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) => base,
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

/// Whether the name is built as PyTorch builds them: parts joined by dots.
#[must_use]
pub fn is_dotted(tag: &str) -> bool {
    tag.contains('.') && !tag.contains('/')
}
