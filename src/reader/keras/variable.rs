//! The number of a variable in its layer -> the name that Keras gives it.
//!
//! Keras saves the variables of a layer as `0`, `1` and so on, in the order in which the layer made them: those that are trained
//! first. The names are those in `keras/src/layers` of Keras 3.15.

use super::config::Layer;

/// A variable of a layer as it is saved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variable<'a> {
    /// The length of each axis.
    pub(super) shape: &'a [u64],
    /// Whether its elements are whole numbers.
    pub(super) is_integer: bool,
}

/// The names of the variables of a layer; `None` for one whose name is not known. `class` is the layer's class as it stands in
/// paths, and `layer` what its configuration says.
pub(super) fn names(
    class: Option<&str>,
    layer: Option<&Layer>,
    variables: &[Variable<'_>],
) -> Vec<Option<&'static str>> {
    let flag = |name: &str| layer.and_then(|layer| layer.flag(name));
    // A quantized layer has scales and whole numbers that are no weights.
    let is_quantized = variables.iter().any(|variable| variable.is_integer);
    let count = variables.len();
    let names = match class {
        _ if is_quantized => Vec::new(),
        Some(class) if is_convolution(class) => with_bias(&["kernel"], count),
        Some("dense" | "einsum_dense") => with_bias(&["kernel"], count),
        Some("separable_conv1d" | "separable_conv2d") => {
            with_bias(&["depthwise_kernel", "pointwise_kernel"], count)
        }
        Some(class) if is_recurrent(class) => with_bias(&["kernel", "recurrent_kernel"], count),
        Some("embedding") if count == 1 => vec![Some("embeddings")],
        Some("batch_normalization") => batch_normalization(flag("scale"), flag("center"), count),
        Some("layer_normalization" | "group_normalization") => {
            affine(flag("scale"), flag("center"), count).unwrap_or_default()
        }
        Some("rms_normalization") if count == 1 => vec![Some("scale")],
        Some(_) | None => by_shape(variables),
    };
    let mut names = if names.len() == count { names } else { Vec::new() };
    names.resize(count, None);
    names
}

/// Whether layers of a class have one kernel, which is their first variable.
fn is_convolution(class: &str) -> bool {
    let class = class.strip_suffix("_transpose").unwrap_or(class);
    let class = class.strip_prefix("depthwise_").unwrap_or(class);
    matches!(class, "conv1d" | "conv2d" | "conv3d")
}

fn is_recurrent(class: &str) -> bool {
    class.strip_suffix("_cell").is_some_and(|class| {
        matches!(
            class,
            "lstm" | "gru" | "simple_rnn" | "conv_lstm" | "conv_lstm1d" | "conv_lstm2d" | "conv_lstm3d"
        )
    })
}

/// These names, and `bias` if there is one variable more.
fn with_bias(names: &[&'static str], count: usize) -> Vec<Option<&'static str>> {
    names.iter().copied().chain(["bias"]).take(count.max(names.len())).map(Some).collect()
}

/// The names of what scales and shifts; `None` if it is not known which of the two there is.
fn affine(scale: Option<bool>, center: Option<bool>, count: usize) -> Option<Vec<Option<&'static str>>> {
    let names: &[&'static str] = match (count, scale, center) {
        (0, ..) => &[],
        (1, Some(false), _) | (1, _, Some(false)) => {
            if scale == Some(false) {
                &["beta"]
            } else {
                &["gamma"]
            }
        }
        (2, ..) => &["gamma", "beta"],
        _ => return None,
    };
    Some(names.iter().copied().map(Some).collect())
}

fn batch_normalization(scale: Option<bool>, center: Option<bool>, count: usize) -> Vec<Option<&'static str>> {
    let Some(before) = count.checked_sub(2) else { return Vec::new() };
    if before > 2 {
        // With renormalisation it has three more.
        return Vec::new();
    }
    let mut names = affine(scale, center, before).unwrap_or_else(|| vec![None; before]);
    names.extend([Some("moving_mean"), Some("moving_variance")]);
    names
}

/// What the shapes alone say, for layers of a class that is not known.
fn by_shape(variables: &[Variable<'_>]) -> Vec<Option<&'static str>> {
    let rank = |at: usize| variables.get(at).map(|variable| variable.shape.len());
    let length = |at: usize| variables.get(at).and_then(|variable| variable.shape.last()).copied();
    let is_kernel = rank(0).is_some_and(|rank| (2..=5).contains(&rank));
    match variables.len() {
        // A matrix alone may be a table as well.
        1 if rank(0).is_some_and(|rank| (3..=5).contains(&rank)) => vec![Some("kernel")],
        2 if is_kernel && rank(1) == Some(1) && is_bias(variables[0].shape, length(1)) => {
            vec![Some("kernel"), Some("bias")]
        }
        4 if (0..4).all(|at| rank(at) == Some(1) && length(at) == length(0)) => {
            ["gamma", "beta", "moving_mean", "moving_variance"].into_iter().map(Some).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a bias of this length fits a kernel: of a convolution, a transposed one or a depthwise one.
fn is_bias(kernel: &[u64], length: Option<u64>) -> bool {
    let [.., before, last] = kernel else { return false };
    let is_depthwise = kernel.len() > 2 && before.checked_mul(*last) == length;
    length == Some(*last) || (kernel.len() > 2 && length == Some(*before)) || is_depthwise
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(class: Option<&str>, shapes: &[&[u64]], expected: &[&str]) {
        let variables: Vec<_> = shapes.iter().map(|shape| Variable { shape, is_integer: false }).collect();
        let found: Vec<&str> =
            names(class, None, &variables).into_iter().map(|name| name.unwrap_or("?")).collect();
        assert_eq!(found, expected, "{class:?} {shapes:?}");
    }

    #[test]
    fn variables_have_the_names_that_keras_gives_them() {
        check(Some("conv2d"), &[&[3, 3, 1, 8], &[8]], &["kernel", "bias"]);
        check(Some("depthwise_conv2d"), &[&[3, 3, 8, 1]], &["kernel"]);
        check(Some("conv3d_transpose"), &[&[3, 3, 3, 4, 8], &[4]], &["kernel", "bias"]);
        let separable: [&[u64]; 3] = [&[3, 3, 8, 1], &[1, 1, 8, 4], &[4]];
        check(Some("separable_conv2d"), &separable, &["depthwise_kernel", "pointwise_kernel", "bias"]);
        let four: [&[u64]; 4] = [&[8], &[8], &[8], &[8]];
        check(Some("batch_normalization"), &four, &["gamma", "beta", "moving_mean", "moving_variance"]);
        check(Some("batch_normalization"), &four[..3], &["?", "moving_mean", "moving_variance"]);
        check(Some("layer_normalization"), &four[..1], &["?"]);
    }

    #[test]
    fn shapes_decide_where_the_class_is_not_known() {
        check(None, &[&[3, 3, 4, 8], &[8]], &["kernel", "bias"]);
        check(None, &[&[3, 3, 4, 8], &[4]], &["kernel", "bias"]);
        check(None, &[&[3, 3, 4, 2], &[8]], &["kernel", "bias"]);
        check(Some("my_block"), &[&[3, 3, 4, 2], &[5]], &["?", "?"]);
        check(None, &[&[100, 8]], &["?"]);
        check(None, &[&[8], &[8]], &["?", "?"]);
    }

    #[test]
    fn quantized_layers_keep_their_numbers() {
        let kernel = Variable { shape: &[4, 8], is_integer: true };
        let other = Variable { shape: &[8], is_integer: false };
        assert_eq!(names(Some("dense"), None, &[kernel, other, other]), [None, None, None]);
    }
}
