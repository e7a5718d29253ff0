//! Checkpoints of several networks in one run -> tags that tell the networks apart.
//!
//! A generator and its discriminator are often saved side by side (`netG_epoch_1.pth`, `netD_epoch_1.pth`), and their tensors have the
//! same names. What differs in the names of the files, apart from numbers and words such as `epoch` and `best`, is then put before the
//! tags of both. `checkpoint-500/unet/` names its network by the directory.

use std::{borrow::Cow, path::Path, sync::Arc};

use super::{
    namesakes::rename,
    snapshot::{Run, Series},
};
use crate::{
    reader::moment::{Axis, Moment, counts, stem},
    source::checkpoint::{is_checkpoint_directory, is_numbered},
    types::Tag,
};

/// Words in the names of files that name no network, beside those that count something.
const GENERIC: [&str; 27] = [
    "acc",
    "accuracy",
    "adapter",
    "best",
    "bin",
    "checkpoints",
    "consolidated",
    "diffusion",
    "final",
    "flax",
    "fp16",
    "fp32",
    "global",
    "last",
    "latest",
    "loss",
    "map",
    "metadata",
    "metric",
    "network",
    "of",
    "pytorch",
    "score",
    "train",
    "val",
    "valid",
    "validation",
];
/// Directories in which Orbax puts the only item of a checkpoint.
const ITEMS: [&str; 3] = ["default", "state", "pytree"];
/// Words for averages of a network, which are another network than the one without the word.
const AVERAGES: [&str; 5] = ["ema", "swa", "avg", "average", "averaged"];

/// What the path of a checkpoint, relative to its run, says about which network it holds; empty if nothing.
pub(super) fn network_of(path: &Path) -> Arc<str> {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let parts = without_item(&parts);
    let Some((file, dirs)) = parts.split_last() else { return "".into() };
    let of_save = dirs.iter().position(|dir| is_checkpoint_directory(Path::new(&**dir)));
    let dirs = of_save.map_or(&[][..], |at| &dirs[at + 1..]);
    let words = stem(file).split(|letter: char| !letter.is_alphanumeric()).filter(|word| names_network(word));
    let file = words.collect::<Vec<_>>().join("_");
    let names = dirs.iter().map(|dir| &**dir).chain([file.as_str()]).filter(|name| !name.is_empty());
    names.collect::<Vec<_>>().join("/").into()
}

/// The path of a checkpoint that is a directory, without the name of its item: `1000` for `1000/default` and `1000/params`.
fn without_item<'p, 't>(parts: &'p [Cow<'t, str>]) -> &'p [Cow<'t, str>] {
    match parts {
        [before @ .., dir, item]
            if !item.contains('.')
                && (ITEMS.contains(&&**item) || is_numbered(dir))
                && !is_numbered(item) =>
        {
            &parts[..=before.len()]
        }
        all => all,
    }
}

/// Whether a word of a file's name is neither a number nor generic, also with a number behind it.
fn names_network(word: &str) -> bool {
    let lower = word.to_lowercase();
    let letters = lower.trim_end_matches(|letter: char| letter.is_ascii_digit());
    !letters.is_empty() && !counts(letters) && !GENERIC.contains(&letters) && !GENERIC.contains(&&*lower)
}

/// A checkpoint that is added to a run.
pub(super) struct Newcomer<'a> {
    /// Its network.
    pub(super) network: &'a Arc<str>,
    /// When it was saved.
    pub(super) moment: &'a Moment,
    /// Its tags with the lengths of their axes.
    pub(super) tensors: Vec<(&'a str, &'a [u64])>,
}

/// Tells the networks of a run apart if a new checkpoint is of another one than those that are there. Returns the tags that changed.
pub(super) fn tell_apart(run: &mut Run, new: &Newcomer<'_>, revision: u64) -> Vec<Tag> {
    let mut changed = Vec::new();
    run.networks_saved.insert(Arc::clone(new.network));
    if run.networks_saved.len() == 1 {
        return changed;
    }
    while let Some(other) = other_network(run, new) {
        for network in [&other, new.network].into_iter().filter(|network| !network.is_empty()) {
            run.networks_apart.insert(Arc::clone(network));
        }
        let before = changed.len();
        let is_others = |series: &Series| {
            series.saved_in.as_ref().is_some_and(|saved_in| saved_in.network == other)
                && tag_of(run, &other, series.tag.to_string()) != series.tag.as_str()
        };
        let renamed: Vec<(Tag, Tag)> = (run.series.values().filter(|series| is_others(series)))
            .map(|series| (series.tag.clone(), Tag::from(tag_of(run, &other, series.tag.to_string()))))
            .filter(|(_, to)| !run.series.contains_key(to))
            .collect();
        for (from, to) in renamed {
            rename(run, &from, &to, revision);
            changed.extend([from, to]);
        }
        if changed.len() == before {
            break;
        }
    }
    changed
}

fn is_apart(tag: &str, network: &str) -> bool {
    tag.strip_prefix(network).is_some_and(|rest| rest.starts_with('/'))
}

/// The tag of a tensor of a network.
pub(super) fn tag_of(run: &Run, network: &Arc<str>, tag: String) -> String {
    if run.networks_apart.contains(network) && !is_apart(&tag, network) {
        format!("{network}/{tag}")
    } else {
        tag
    }
}

/// A network of the run with tensors of the same names, which is another one.
fn other_network(run: &Run, new: &Newcomer<'_>) -> Option<Arc<str>> {
    let is_average =
        |network: &str| network.split(['_', '/']).any(|word| AVERAGES.contains(&&*word.to_lowercase()));
    let mut found: Option<(Arc<str>, usize, bool)> = None;
    for (tag, shape) in &new.tensors {
        let tag = Tag::from(*tag);
        let by_axis = [Axis::Epoch, Axis::Time].map(|axis| Series::tag_apart(&tag, axis));
        for series in [tag].iter().chain(&by_axis).filter_map(|tag| run.series.get(tag)) {
            let Some(saved_in) = series.saved_in.as_ref().filter(|saved_in| saved_in.network != *new.network)
            else {
                continue;
            };
            let is_same_shape = series.form.as_ref().is_ok_and(|form| {
                form.shape.axes().iter().map(|length| *length as u64).eq(shape.iter().copied())
            });
            let is_same_step = series.axis == new.moment.axis && series.steps.contains_key(&new.moment.value);
            let differs = !is_same_shape || is_same_step;
            match &mut found {
                Some((network, count, known)) if *network == saved_in.network => {
                    *count += 1;
                    *known |= differs;
                }
                Some(_) => {}
                None => found = Some((Arc::clone(&saved_in.network), 1, differs)),
            }
        }
    }
    let (other, n_common, differs) = found?;
    let (one_named, both_named) =
        (!other.is_empty() || !new.network.is_empty(), !other.is_empty() && !new.network.is_empty());
    let n_of_other = || {
        let of_other = run
            .series
            .values()
            .filter(|series| series.saved_in.as_ref().is_some_and(|saved_in| saved_in.network == other));
        of_other.count()
    };
    let has_other_tensors = || n_common != new.tensors.len() || n_common != n_of_other();
    // Without a step or an epoch, only the names say what the files have to do with one another.
    let is_only_named = new.moment.axis == Axis::Time;
    let is_other = (both_named && (differs || is_only_named || has_other_tensors()))
        || (one_named && differs && (is_average(&other) || is_average(new.network)));
    is_other.then_some(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_name_their_network() {
        for (path, network) in [
            ("netG_epoch_12.pth", "netG"),
            ("5_net_G_A.pth", "G_A"),
            ("checkpoint-500/unet/diffusion_pytorch_model.safetensors", "unet"),
            ("checkpoint-500/model.safetensors", ""),
            ("weights/best.pt", ""),
            ("epoch=3-step=40.ckpt", ""),
            ("epoch05.weights.h5", ""),
            ("model_ema.pt", "ema"),
            ("checkpoints/1000/default", ""),
            ("40/ema_params", ""),
            ("ckpt_20", ""),
            ("generator_1000/default", "generator"),
            ("best", ""),
            ("flax_model.msgpack", ""),
            ("step_42.msgpack", ""),
            ("checkpoint-500/pytorch_model_fsdp_0", ""),
            ("model-00001-of-00003.safetensors", ""),
            ("resnet18-f37072fd.pth", "resnet18_f37072fd"),
        ] {
            assert_eq!(&*network_of(Path::new(path)), network, "{path}");
        }
    }
}
