//! A tag -> what it says about the role, and the path of the layer among its parts.

mod convolution;
mod words;

use std::borrow::Cow;

pub(super) use self::words::SLASHES;

use self::words::{
    SLASHES_AND_DOT, end_or_beginning, is_copy, is_like_layer, is_number, is_of_layer_before,
    is_of_one_tensor, is_of_training, is_wrapper, is_wrapping_module, meaning, meaning_in_the_middle,
};
pub use self::{
    convolution::{Convolution, convolution, is_of_attention, is_of_table, is_up},
    words::Hint,
};

/// A tag, split into its meaning and its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// What it says about the role, and the part that says it.
    pub hint: Option<(Hint, &'a str)>,
    /// The layer's name as it stands in the tag.
    pub layer: Cow<'a, str>,
    /// The whole name, read as a layer's name, for layers that have such words as names.
    pub whole: Cow<'a, str>,
    /// Whether it follows PyTorch's convention for names: parts joined by dots, `weight` in the singular.
    pub is_pytorchs: bool,
    /// Whether it is the name that a PyTorch module gives its kernel: dots, then `weight`.
    pub is_module_weight: bool,
}

impl<'a> Name<'a> {
    /// Analyses a tag. The last part counts first (`conv1/weights`), then the first (`activations/conv1`), then those between
    /// (`train/activations/conv1`), then the end or the beginning of the last (`conv1_kernel`, `W_conv1`).
    #[must_use]
    pub fn of(tag: &'a str) -> Self {
        Self::within(tag, &|_| false)
    }

    /// The same in a run in which some first parts only wrap all others, and say nothing about a single tensor.
    #[must_use]
    pub fn within(tag: &'a str, is_wrapper: &dyn Fn(&str) -> bool) -> Self {
        let all = parts(tag);
        if let Some((_, word)) = all.iter().find(|(_, part)| is_of_training(part)) {
            let others: Vec<TagPart<'a>> =
                all.iter().filter(|(_, part)| !is_of_training(part)).copied().collect();
            let whole = joined(tag, &all);
            return Self {
                hint: Some((Hint::Other, *word)),
                whole,
                ..Self::of_parts(tag, &others, is_wrapper)
            };
        }
        Self::of_parts(tag, &all, is_wrapper)
    }

    /// Analyses the tag of pictures. People choose these names freely: `output_HWD` is not a layer `HWD`.
    #[must_use]
    pub fn of_picture(tag: &'a str) -> Self {
        let name = Self::of(tag);
        let is_part_of_word =
            !parts(tag).iter().any(|(_, part)| *part == name.layer) && !tag.contains(SLASHES);
        if is_part_of_word && !is_like_layer(&name.layer) {
            return Self { layer: name.whole.clone(), ..name };
        }
        name
    }

    fn of_parts(tag: &'a str, all: &[TagPart<'a>], is_wrapper: &dyn Fn(&str) -> bool) -> Self {
        let parts = without_copies(without_wrappers(all));
        let (hint, layer) = hint_and_layer(parts, is_wrapper);
        let is_dotted = tag.contains('.') && !tag.contains(SLASHES);
        let is_pytorchs = is_dotted || matches!(hint, Some((_, "weight")));
        let is_module_weight = is_dotted && matches!(hint, Some((_, "weight")));
        let layer = if layer.is_empty() { parts.to_vec() } else { layer };
        Self { hint, layer: joined(tag, &layer), whole: joined(tag, parts), is_pytorchs, is_module_weight }
    }

    /// The key that is the same for all tensors of a layer, whichever way their writer joins names.
    #[must_use]
    pub fn layer_key(&self) -> String {
        layer_key(&self.layer)
    }
}

/// A first part of a tag that is a word for weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning<'a> {
    /// The word itself.
    pub word: &'a str,
    /// Whether the last part has its own word for what the tensor is: `weights/conv1/bias`. Then the first part only says where
    /// all of them were stored.
    pub is_wrapper: bool,
}

impl<'a> Beginning<'a> {
    /// For a tag that does not belong to a gradient or an optimizer; `None` where it begins with anything else.
    #[must_use]
    pub fn of(tag: &'a str) -> Option<Self> {
        let all = parts(tag);
        if all.iter().any(|(_, part)| is_of_training(part)) {
            return None;
        }
        let [(_, word), between @ .., (_, last)] = without_copies(without_wrappers(&all)) else {
            return None;
        };
        let is_wrapper = !between.is_empty() && is_of_one_tensor(last);
        (meaning(word) == Some(Hint::Kernel)).then_some(Self { word, is_wrapper })
    }
}

/// A layer's name with its parts joined in a uniform way.
#[must_use]
pub fn layer_key(layer: &str) -> String {
    #[cfg(test)]
    super::visits::count();
    layer.replace(['.', '\\'], "/")
}

/// A part of a tag, with the byte position at which it begins before it.
type TagPart<'a> = (usize, &'a str);

fn hint_and_layer<'a>(
    parts: &[TagPart<'a>],
    is_wrapper: &dyn Fn(&str) -> bool,
) -> (Option<(Hint, &'a str)>, Vec<TagPart<'a>>) {
    let [before @ .., last] = parts else { return (None, Vec::new()) };
    if let Some(hint) = meaning(last.1) {
        return (Some((hint, last.1)), before.to_vec());
    }
    // `embedding/table` is not a layer "table".
    let first = parts.first().filter(|(_, word)| !is_wrapper(word));
    let first = first.and_then(|(_, word)| Some((meaning(word).filter(|hint| *hint != Hint::Other)?, *word)));
    if let Some(hint) = first {
        return (Some(hint), parts[1..].to_vec());
    }
    let n_wrapping = usize::from(parts.first().is_some_and(|(_, word)| is_wrapper(word)));
    let of_middle = before.get(n_wrapping..).unwrap_or(&[]);
    let middle = of_middle.iter().rposition(|(_, word)| meaning_in_the_middle(word).is_some());
    let middle = middle.map(|middle| middle + n_wrapping);
    if let Some(middle) = middle {
        let word = parts[middle].1;
        return (meaning(word).map(|hint| (hint, word)), [&parts[..middle], &parts[middle + 1..]].concat());
    }
    if let Some((hint, rest)) = end_or_beginning(last.1) {
        let rest = (last.0 + rest.start, &last.1[rest]);
        let is_of_layer_before = hint != Hint::Bias
            && before.last().is_some_and(|(_, before)| is_of_layer_before(before, last.1, rest.1));
        let layer = if is_of_layer_before { before.to_vec() } else { [before, &[rest]].concat() };
        return (Some((hint, last.1)), layer);
    }
    (None, parts.to_vec())
}

fn without_wrappers<'p, 'a>(mut parts: &'p [TagPart<'a>]) -> &'p [TagPart<'a>] {
    while let [(_, first), rest @ ..] = parts
        && is_wrapper(first)
        && !rest.is_empty()
    {
        parts = rest;
    }
    parts
}

fn without_copies<'p, 'a>(mut parts: &'p [TagPart<'a>]) -> &'p [TagPart<'a>] {
    while let [rest @ .., (_, last)] = parts
        && !rest.is_empty()
        && (is_copy(last) || is_number_of_call(rest, last))
    {
        parts = rest;
    }
    parts
}

/// Flax numbers the outputs of a module at each of its calls: `Conv_0/__call__/0`, `conv1/__call__/value/0`.
fn is_number_of_call(before: &[TagPart<'_>], last: &str) -> bool {
    is_number(last) && before.iter().rev().take(2).any(|(_, part)| *part == "__call__")
}

/// The text of the tag from the first part to the last. Where other text is between them, the parts are joined with slashes,
/// or with dots in a tag without slashes.
fn joined<'a>(tag: &'a str, parts: &[TagPart<'a>]) -> Cow<'a, str> {
    let (Some((start, _)), Some((last, part))) = (parts.first(), parts.last()) else {
        return Cow::Borrowed(tag);
    };
    let is_whole = parts.windows(2).all(|pair| pair[0].0 + pair[0].1.len() + 1 == pair[1].0);
    if is_whole {
        return Cow::Borrowed(&tag[*start..last + part.len()]);
    }
    let between = if tag.contains('.') && !tag.contains(SLASHES) && !is_bracketed(tag) { "." } else { "/" };
    Cow::Owned(parts.iter().map(|(_, part)| *part).collect::<Vec<_>>().join(between))
}

/// The keys of nested dictionaries, as JAX writes them: `['params']['Conv_0']['kernel']`.
fn is_bracketed(tag: &str) -> bool {
    tag.contains("['") || tag.contains("[\"")
}

/// The parts between slashes and dots, or within brackets, without those that only wrap a module.
fn parts(tag: &str) -> Vec<TagPart<'_>> {
    let without_remark = match tag.split_once(" (") {
        Some((name, remark)) if remark.ends_with(')') && !name.is_empty() => name,
        _ => tag,
    };
    let without_output_number = match without_remark.rsplit_once(':') {
        Some((name, number)) if number.chars().all(|c| c.is_ascii_digit()) => name,
        _ => without_remark,
    };
    let brackets: &[char] =
        if is_bracketed(tag) { &['[', ']', '\'', '"', '/', '\\', '.'] } else { &SLASHES_AND_DOT };
    let mut start = 0;
    let mut parts = Vec::new();
    for part in without_output_number.split(brackets) {
        if !part.is_empty() && !is_wrapping_module(part) {
            parts.push((start, part));
        }
        start += part.len() + 1;
    }
    parts
}

/// Whether this is how Keras' own callback, `TensorBoard(write_images=True)`, names a picture of a kernel:
/// `conv2d/kernel_0/image` in Keras 2, `model/conv2d/kernel/image` in Keras 3.
#[must_use]
pub fn is_kernel_drawn_by_keras(tag: &str) -> bool {
    let Some((_, variable)) = tag.strip_suffix("/image").and_then(|variable| variable.rsplit_once('/'))
    else {
        return false;
    };
    let word = match variable.rsplit_once('_') {
        Some((word, number)) if is_number(number) => word,
        _ => variable,
    };
    word == "kernel" || word.ends_with("_kernel")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tag: &str, layer: &str, hint: Option<Hint>) {
        let name = Name::of(tag);
        assert_eq!((&*name.layer, name.hint.map(|(hint, _)| hint)), (layer, hint), "{tag}");
    }

    #[test]
    fn pictures_of_kernels_are_known_by_the_tags_of_keras() {
        // From `TensorBoard(write_images=True)` in tf_keras 2 and Keras 3.
        for tag in
            ["conv2d/kernel_0/image", "digits_net/conv1/kernel/image", "separable/depthwise_kernel_0/image"]
        {
            assert!(is_kernel_drawn_by_keras(tag), "{tag}");
        }
        for tag in
            ["conv2d/bias_0/image", "kernel/image", "conv1/filters/image", "conv1/kernel", "a/kernels/image"]
        {
            assert!(!is_kernel_drawn_by_keras(tag), "{tag}");
        }
    }

    #[test]
    fn layers_and_words_of_all_writers() {
        use Hint::{Activation, Bias, Input, Kernel, Other};
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
        check("gradients/conv1/kernel", "conv1", Some(Other));
        check("conv1.weight.grad", "conv1", Some(Other));
        check("conv1/kernel/Adam_1", "conv1", Some(Other));
        check("conv1/kernel_gradient", "conv1", Some(Other));
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
        check("net/activations/conv1", "net/conv1", Some(Activation));
        check("net/bias/c", "net/c", Some(Bias));
        check("conv.weight (float32)", "conv", Some(Kernel));
        check("conv1/kernel/replica_1", "conv1", Some(Kernel));
        check("conv1/kernel/.ATTRIBUTES/VARIABLE_VALUE", "conv1", Some(Kernel));
        check("c.parametrizations.weight.original1", "c", Some(Kernel));
        check("conv1/Variable_1", "conv1", None);
        check("conv1Kernel", "conv1", Some(Kernel));
        check("conv1/weights_quant", "conv1", Some(Kernel));
        check("conv1.weight_deq", "conv1", Some(Kernel));
        check("d_conv1/w_bar", "d_conv1", Some(Kernel));
        check("conv1/act_quant", "conv1", Some(Activation));
        check("stem/masked_weight", "stem", Some(Kernel));
        check("net/W_conv1", "net/conv1", Some(Kernel));
        check("conv_block/W_conv1", "conv_block/conv1", Some(Kernel));
        check("conv_block/proj_weight", "conv_block/proj", Some(Kernel));
        check("convnet/layer1_weights", "convnet/layer1", Some(Kernel));
        check("block1.conv.norm_weight", "block1.conv.norm", Some(Kernel));
        check("block1/conv/norm_bias", "block1/conv/norm", Some(Bias));
        check("conv1/weights_ref", "conv1", Some(Kernel));
        check("attn/W_q", "attn/q", Some(Kernel));
        check("net\\conv1\\kernel", "net\\conv1", Some(Kernel));
        check("layer1.0 output", "layer1.0", Some(Activation));
        check("val/activations/conv1", "conv1", Some(Activation));
        check("epoch_3/conv1.weight", "conv1", Some(Kernel));
        check("left_input", "left_input", Some(Input));
        check("input_conv", "input_conv", None);
        check("", "", None);
        assert_eq!(Name::of_picture("output_HWD").layer, "output_HWD");
        assert_eq!(Name::of_picture("conv1/weights_norm").layer, "conv1");
        assert_eq!(Name::of_picture("conv1_weights").layer, "conv1");
        check("//", "//", None);
    }
}
