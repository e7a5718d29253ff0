//! The name of a convolution -> the tensors of the batch normalization behind it, and how sure that is.
//!
//! A Keras model names the layer. Otherwise it is found by the names that frameworks and people give such pairs (`conv1` and `bn1`, `0`
//! and `1` in a sequence, `conv1/BatchNorm`), if it has statistics of as many channels as the convolution has outputs. A network
//! that normalizes before it convolves uses the same names, so the order in which the tensors are saved decides, where it is that of
//! the network.

use super::reason::Reason;

/// A tensor with one axis, as far as it is evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vector {
    /// The length of its axis.
    pub length: usize,
    /// Whether it is saved after the kernel; `None` where the order says nothing.
    pub is_after: Option<bool>,
}

/// A kernel, as far as it says what follows it.
#[derive(Clone, Copy, Debug)]
pub struct Convolution<'a> {
    /// The tag of the kernel.
    pub tag: &'a str,
    /// The number of its output channels.
    pub outputs: usize,
    /// The layer that a model names as the batch normalization behind it.
    pub named: Option<&'a str>,
}

/// A batch normalization: `scale * (x - mean) / sqrt(variance + epsilon) + shift`, for each channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalization {
    /// The name of its layer.
    pub layer: String,
    /// The tag of the scale (gamma), if it has one.
    pub scale: Option<String>,
    /// The tag of the shift (beta), if it has one.
    pub shift: Option<String>,
    /// The tag of the moving mean.
    pub mean: String,
    /// The tag of the moving variance.
    pub variance: String,
    /// Why it is the one.
    pub reason: Reason,
}

/// Names of the four tensors, by framework: PyTorch; Keras and TensorFlow; Flax, which keeps the statistics apart.
const MEMBERS: [Members; 3] = [
    Members { scale: "weight", shift: "bias", mean: "running_mean", variance: "running_var" },
    Members { scale: "gamma", shift: "beta", mean: "moving_mean", variance: "moving_variance" },
    Members { scale: "scale", shift: "bias", mean: "mean", variance: "var" },
];

struct Members {
    scale: &'static str,
    shift: &'static str,
    mean: &'static str,
    variance: &'static str,
}

/// Words for convolutions in names of layers, the longest first, and words for normalizations that stand in their place.
const CONVOLUTIONS: [&str; 8] =
    ["convolution", "conv1d", "conv2d", "conv3d", "dwconv", "conv", "Conv2D", "Conv"];
const NORMALIZATIONS: [&str; 8] =
    ["bn", "norm", "batch_norm", "batchnorm", "BatchNorm", "BN", "batch_normalization", "normalization"];
/// Pairs of names of which the numbers are counted for each class on its own, so that equal numbers are by chance.
const COUNTED: [&str; 2] = ["batch_normalization", "BatchNorm"];

/// Finds the batch normalization behind a convolution. `vector` gives what is known of a tensor with one axis by its tag.
#[must_use]
pub fn behind(
    convolution: &Convolution<'_>,
    vector: &dyn Fn(&str) -> Option<Vector>,
) -> Option<Normalization> {
    let Convolution { tag, outputs, named } = *convolution;
    let search = Search { outputs, vector };
    let at = tag.rfind(['/', '.'])?;
    let (layer, separator) = (&tag[..at], &tag[at..=at]);
    let (parent, own) = layer.split_at(layer.rfind(['/', '.']).map_or(0, |at| at + 1));
    let beside = |name: &str| format!("{parent}{name}");
    if let Some(name) = named {
        let found = [name.to_owned(), beside(name)].iter().find_map(|layer| search.layer(layer, separator));
        if let Some((found, _)) = found {
            let evidence = format!("the model applies \"{name}\" to its output");
            return Some(Normalization { reason: Reason::sure(evidence), ..found });
        }
    }
    let block = |name: &str| search.layer(&beside(name), separator).is_some();
    let names = candidates(own, &block).into_iter().map(|name| beside(&name));
    let children =
        ["BatchNorm", "bn", "norm", "batch_norm"].map(|child| format!("{layer}{separator}{child}"));
    names.chain(children).find_map(|name| {
        let (found, mean) = search.layer(&name, separator)?;
        let own_name = found.layer.rsplit(['/', '.']).next().unwrap_or_default();
        let is_counted = COUNTED.iter().any(|word| own_name.starts_with(word)) && own_name.ends_with(digit);
        let evidence = format!("the names are a pair, and it has {outputs} channels too");
        let reason = match mean.is_after {
            Some(false) => return None,
            Some(true) if !is_counted => {
                Reason::likely(format!("{evidence}; it is saved behind the convolution"))
            }
            _ => Reason::guess(evidence),
        };
        Some(Normalization { reason, ..found })
    })
}

fn digit(letter: char) -> bool {
    letter.is_ascii_digit()
}

struct Search<'a> {
    outputs: usize,
    vector: &'a dyn Fn(&str) -> Option<Vector>,
}

impl Search<'_> {
    /// The normalization that a layer of this name is, with what is known of its mean.
    fn layer(&self, layer: &str, separator: &str) -> Option<(Normalization, Vector)> {
        MEMBERS.iter().find_map(|members| {
            let tag = |place: &str, member: &str| format!("{place}{separator}{member}");
            let statistics = [
                layer.to_owned(),
                layer.replacen("params/", "batch_stats/", 1),
                format!("batch_stats/{layer}"),
            ];
            statistics.iter().find_map(|place| {
                let (mean, variance) = (tag(place, members.mean), tag(place, members.variance));
                let vector = self.vector_of(&mean)?;
                self.vector_of(&variance)?;
                let known =
                    |member: &str| Some(tag(layer, member)).filter(|tag| self.vector_of(tag).is_some());
                let (scale, shift) = (known(members.scale), known(members.shift));
                let reason = Reason::guess(String::new());
                Some((
                    Normalization { layer: layer.to_owned(), scale, shift, mean, variance, reason },
                    vector,
                ))
            })
        })
    }

    fn vector_of(&self, tag: &str) -> Option<Vector> {
        (self.vector)(tag).filter(|vector| vector.length == self.outputs)
    }
}

/// Names that the normalization behind a layer of this name may have, the most likely first. `is_one` says whether a name beside it is
/// that of a normalization.
fn candidates(own: &str, is_one: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    // Blocks of timm number their normalizations in the order of their convolutions, which have words.
    let is_inverted = || is_one("bn3");
    let of_timm = match own {
        "conv_stem" => Some("bn1"),
        "conv_head" => Some("bn2"),
        "conv_dw" => Some(if is_inverted() { "bn2" } else { "bn1" }),
        "conv_pw" => Some(if is_inverted() { "bn1" } else { "bn2" }),
        "conv_pwl" => Some("bn3"),
        _ => None,
    };
    names.extend(of_timm.map(str::to_owned));
    for word in CONVOLUTIONS {
        for at in [own.rfind(word), own.find(word)].into_iter().flatten() {
            let (before, after) = (&own[..at], &own[at + word.len()..]);
            names.extend(NORMALIZATIONS.iter().map(|norm| format!("{before}{norm}{after}")));
        }
    }
    names.extend(["_bn", "_BN", "_norm", "_batchnorm", "_batch_norm"].map(|end| format!("{own}{end}")));
    names.push(format!("bn_{own}"));
    if let Ok(number) = own.parse::<u32>() {
        names.push(format!("{}", number.saturating_add(1)));
    }
    names
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::Confidence;

    /// The layer that is found behind the kernel among these statistics, each with its place in the order of saving; the kernel is
    /// at place 10.
    fn found(
        kernel: &str,
        named: Option<&str>,
        means: &[(&str, usize, usize)],
    ) -> Option<(String, Confidence)> {
        let variance = |mean: &str| mean.replace("mean", "var").replace("moving_var", "moving_variance");
        let mut vectors: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for (mean, length, place) in means {
            vectors.insert((*mean).to_owned(), (*length, *place));
            vectors.insert(variance(mean), (*length, *place));
        }
        let vector = |tag: &str| {
            let (length, place) = *vectors.get(tag)?;
            Some(Vector { length, is_after: Some(place > 10) })
        };
        let found = behind(&Convolution { tag: kernel, outputs: 64, named }, &vector)?;
        Some((found.layer, found.reason.confidence))
    }

    fn check(kernel: &str, mean: &str, layer: &str, confidence: Confidence) {
        assert_eq!(found(kernel, None, &[(mean, 64, 11)]), Some((layer.to_owned(), confidence)), "{kernel}");
    }

    #[test]
    fn pairs_of_names_of_all_frameworks() {
        use Confidence::{Guess, Likely};
        // torchvision, Sequential, mmcv, detectron2, timm, YOLO.
        check("layer1.0.conv1.weight", "layer1.0.bn1.running_mean", "layer1.0.bn1", Likely);
        check("features.0.weight", "features.1.running_mean", "features.1", Likely);
        check(
            "features.3.conv.0.0.weight",
            "features.3.conv.0.1.running_mean",
            "features.3.conv.0.1",
            Likely,
        );
        check("stem.conv1.weight", "stem.conv1.norm.running_mean", "stem.conv1.norm", Likely);
        check("ema/conv1.weight", "ema/bn1.running_mean", "ema/bn1", Likely);
        check("e.convolution.weight", "e.normalization.running_mean", "e.normalization", Likely);
        check("conv_stem.weight", "bn1.running_mean", "bn1", Likely);
        check("model.0.conv.weight", "model.0.bn.running_mean", "model.0.bn", Likely);
        // Keras's applications, TF-Slim, Flax.
        check("conv1_conv/kernel", "conv1_bn/moving_mean", "conv1_bn", Likely);
        check("block1a_dwconv/depthwise_kernel", "block1a_bn/moving_mean", "block1a_bn", Likely);
        check("Conv1/kernel", "bn_Conv1/moving_mean", "bn_Conv1", Likely);
        check("resnet/conv1/weights", "resnet/conv1/BatchNorm/moving_mean", "resnet/conv1/BatchNorm", Likely);
        check("params/conv_init/kernel", "batch_stats/bn_init/mean", "params/bn_init", Likely);
        check("params/Conv_0/kernel", "batch_stats/BatchNorm_0/mean", "params/BatchNorm_0", Guess);
        check("conv2d_3/kernel", "batch_normalization_3/moving_mean", "batch_normalization_3", Guess);
    }

    #[test]
    fn a_model_that_names_it_is_sure() {
        let means =
            [("batch_normalization_1/moving_mean", 64, 11), ("batch_normalization/moving_mean", 64, 9)];
        let found = found("conv2d_1/kernel", Some("batch_normalization"), &means);
        assert_eq!(found, Some(("batch_normalization".to_owned(), Confidence::Sure)));
    }

    #[test]
    fn what_normalizes_before_or_has_other_channels_is_not_behind() {
        assert_eq!(found("b.conv1.weight", None, &[("b.bn1.running_mean", 64, 9)]), None);
        assert_eq!(found("b.conv1.weight", None, &[("b.bn1.running_mean", 32, 11)]), None);
        assert_eq!(found("b.conv1.weight", None, &[("b.bn2.running_mean", 64, 11)]), None);
        assert_eq!(found("weight", None, &[("running_mean", 64, 11)]), None);
    }

    #[test]
    fn blocks_of_timm_number_their_normalizations_in_order() {
        let block =
            ["b.bn1.running_mean", "b.bn2.running_mean", "b.bn3.running_mean"].map(|mean| (mean, 64, 11));
        let of = |kernel: &str, n: usize| {
            found(kernel, None, &block[..n]).map(|(layer, _)| layer).unwrap_or_default()
        };
        assert_eq!(
            ["b.conv_pw.weight", "b.conv_dw.weight", "b.conv_pwl.weight"].map(|kernel| of(kernel, 3)),
            ["b.bn1", "b.bn2", "b.bn3"]
        );
        assert_eq!(["b.conv_dw.weight", "b.conv_pw.weight"].map(|kernel| of(kernel, 2)), ["b.bn1", "b.bn2"]);
    }
}
