//! The writer's own names -> the tags of a checkpoint's tensors, without what the training wrapped around them.
//!
//! A checkpoint of PyTorch is a dictionary: `state_dict` holds the weights, `optimizer` its slots, `state_dict_ema` an average.
//! `DistributedDataParallel` and `torch.compile` put `module.` and `_orig_mod.` before each name. These are taken off, so that a layer
//! has the same name as in the events of its run.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::contents::{Contents, Format, StoredTensor};

/// A tensor's tag, and to what it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The tag.
    pub tag: String,
    /// Whether it belongs to the optimizer and not to the network.
    pub is_optimizers: bool,
}

/// Keys of dictionaries that hold the weights of the network, the most common first.
const OF_NETWORK: [&str; 12] = [
    "state_dict",
    "model_state_dict",
    "model",
    "model_state",
    "network_weights",
    "net",
    "network",
    "module",
    "weights",
    "model_weights",
    "params",
    "parameters",
];
/// Keys of dictionaries that hold what the training needs beside the weights, apart from those of optimizers and schedulers.
const OF_TRAINING: [&str; 8] =
    ["scaler", "grad_scaler", "amp", "callbacks", "loops", "rng_state", "rng_states", "random_state"];
/// What wrapping modules put before the names.
const WRAPPERS: [&str; 3] = ["_orig_mod", "module", "_forward_module"];
/// How TensorFlow ends the names of slots.
const SLOTS: [&str; 14] = [
    "Momentum",
    "Adam",
    "Adam_1",
    "RMSProp",
    "RMSProp_1",
    "RMSProp_2",
    "Adagrad",
    "Adadelta",
    "Adadelta_1",
    "Ftrl",
    "Ftrl_1",
    "Adamax",
    "Adamax_1",
    "LARS",
];

/// The tags of all tensors of a checkpoint, in its order. No two are the same.
#[must_use]
pub fn tags(contents: &Contents) -> Vec<Named> {
    if contents.format == Format::Shelf {
        // Of a part of a checkpoint, less could be known than what was known of all of it.
        return contents.tensors.iter().map(kept_name).collect();
    }
    let mut named: Vec<Named> = Vec::with_capacity(contents.tensors.len());
    let main = main_container(&contents.tensors);
    let wrapped = wrapped_containers(&contents.tensors);
    let mut seen = BTreeSet::new();
    // All tensors of a file may have the same name, so that each goes on counting where the last one stopped.
    let mut last_numbers: HashMap<String, usize> = HashMap::new();
    for tensor in &contents.tensors {
        let mut one = name(tensor, main.as_deref(), &wrapped);
        if !seen.insert(one.tag.clone()) {
            one.tag = tensor.name.join("/");
            let stem = one.tag.clone();
            let mut is_new = seen.insert(one.tag.clone());
            while !is_new {
                let number = last_numbers.entry(stem.clone()).or_insert(1);
                *number += 1;
                one.tag = format!("{stem} ({number})");
                is_new = seen.insert(one.tag.clone());
            }
        }
        named.push(one);
    }
    named
}

/// The tag of a tensor on the shelf, which was found when it was kept.
fn kept_name(tensor: &StoredTensor) -> Named {
    let tag = tensor.better_name.as_ref().map_or_else(|| tensor.name.join("/"), ToString::to_string);
    Named { tag, is_optimizers: false }
}

/// All parts of a name but the last.
fn container(tensor: &StoredTensor) -> String {
    tensor.name.split_last().map_or_else(String::new, |(_, before)| before.join("/"))
}

fn is_optimizers(tensor: &StoredTensor) -> bool {
    // Keras's optimizers also hold the network's variables, so a better name decides.
    let name = tensor.better_name.as_slice();
    let name = if name.is_empty() { &tensor.name } else { name };
    let first_of_path = name.len() > 1 || name.first().is_some_and(|name| name.contains('/'));
    let first = name.first().map(|name| name.split('/').next().unwrap_or_default().to_lowercase());
    let is_container = first_of_path
        && first.is_some_and(|first| {
            first.contains("optimizer")
                || first.starts_with("optim")
                || first.contains("scheduler")
                || OF_TRAINING.contains(&first.as_str())
        });
    let last = name.last().map_or("", |name| name);
    // Optax keeps its state beside the parameters: `opt_state/0/mu/conv1/kernel`.
    let of_optax =
        last.rsplit_once('/').is_some_and(|(before, _)| before.split('/').any(|part| part == "opt_state"));
    let is_slot = last.contains(".OPTIMIZER_SLOT")
        || last.rsplit_once('/').is_some_and(|(_, slot)| SLOTS.contains(&slot));
    is_container || is_slot || of_optax
}

/// The container of the network's weights: the only one, or the one with the most common name.
fn main_container(tensors: &[StoredTensor]) -> Option<String> {
    let of_network = tensors.iter().filter(|tensor| !is_optimizers(tensor));
    let containers: BTreeSet<String> = of_network.map(container).collect();
    if containers.len() == 1 {
        return containers.into_iter().next();
    }
    let rank = |container: &String| OF_NETWORK.iter().position(|name| name == container);
    containers.into_iter().filter(|container| rank(container).is_some()).min_by_key(rank)
}

/// Containers of which all names begin with a wrapper.
fn wrapped_containers(tensors: &[StoredTensor]) -> BTreeMap<String, &'static str> {
    let mut found: BTreeMap<String, Option<&'static str>> = BTreeMap::new();
    for tensor in tensors.iter().filter(|tensor| !is_optimizers(tensor)) {
        let first = tensor.name.last().and_then(|name| name.split_once('.')).map_or("", |(first, _)| first);
        let wrapper = WRAPPERS.into_iter().find(|wrapper| *wrapper == first);
        let known = found.entry(container(tensor)).or_insert(wrapper);
        *known = known.filter(|known| Some(*known) == wrapper);
    }
    found.into_iter().filter_map(|(container, wrapper)| Some((container, wrapper?))).collect()
}

fn name(tensor: &StoredTensor, main: Option<&str>, wrapped: &BTreeMap<String, &'static str>) -> Named {
    let is_optimizers = is_optimizers(tensor);
    if let Some(better) = &tensor.better_name {
        return Named { tag: better.to_string(), is_optimizers };
    }
    let container = container(tensor);
    let own = tensor.name.last().map_or("", |name| name);
    let own = own.strip_suffix("/.ATTRIBUTES/VARIABLE_VALUE").unwrap_or(own);
    let own = wrapped.get(&container).map_or(own, |wrapper| &own[wrapper.len() + 1..]);
    let parts: Vec<&str> = own.split('.').filter(|part| *part != "_orig_mod").collect();
    let own = parts.join(".");
    let is_main = container.is_empty() || main == Some(container.as_str());
    Named { tag: if is_main { own } else { format!("{container}/{own}") }, is_optimizers }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::{
        reader::contents::{Format, MOST_TENSORS},
        tensor::dtype::DType,
    };

    fn stored(name: &[&str]) -> StoredTensor {
        StoredTensor {
            name: name.iter().map(|part| (*part).into()).collect(),
            better_name: None,
            dtype: Ok(DType::Float32),
            shape: vec![1],
            pieces: Vec::new(),
        }
    }

    fn tags_of(names: &[&[&str]]) -> Vec<String> {
        let mut contents = Contents::empty(Format::PyTorch);
        contents.tensors = names.iter().map(|name| stored(name)).collect();
        tags(&contents).into_iter().map(|named| named.tag).collect()
    }

    #[test]
    fn what_the_training_wrapped_around_names_is_taken_off() {
        assert_eq!(tags_of(&[&["conv1.weight"]]), ["conv1.weight"]);
        assert_eq!(tags_of(&[&["state_dict", "net.conv1.weight"]]), ["net.conv1.weight"]);
        assert_eq!(tags_of(&[&["ema", "model.0.conv.weight"]]), ["model.0.conv.weight"]);
        assert_eq!(
            tags_of(&[&["module.conv1.weight"], &["module.fc.weight"]]),
            ["conv1.weight", "fc.weight"]
        );
        assert_eq!(tags_of(&[&["module.weight"], &["fc.weight"]]), ["module.weight", "fc.weight"]);
        assert_eq!(tags_of(&[&["_orig_mod.conv1.weight"]]), ["conv1.weight"]);
        assert_eq!(tags_of(&[&["net._orig_mod.conv1.weight"]]), ["net.conv1.weight"]);
    }

    #[test]
    fn what_belongs_to_the_optimizer_is_told_by_whole_words() {
        let check = |name: &[&str], expected: bool| {
            assert_eq!(is_optimizers(&stored(name)), expected, "{name:?}");
        };
        check(&["optimizer_states", "0", "exp_avg"], true);
        check(&["discriminator_optimizer", "state"], true);
        check(&["lr_scheduler", "base"], true);
        check(&["conv1/weights/Momentum"], true);
        check(&["optimizer/vars/1"], true);
        check(&["state/opt_state/0/mu/conv1/kernel"], true);
        check(&["ema_params/conv1/kernel"], false);
        for name in ["upsample/weights", "example/conv1", "clamp/kernel", "grad_cam/conv/kernel", "optimizer"]
        {
            check(&[name], false);
        }
        check(&["upsample", "conv1.weight"], false);
    }

    #[test]
    fn averages_and_several_networks_keep_what_tells_them_apart() {
        assert_eq!(
            tags_of(&[&["state_dict", "conv1.weight"], &["state_dict_ema", "conv1.weight"]]),
            ["conv1.weight", "state_dict_ema/conv1.weight"]
        );
        assert_eq!(
            tags_of(&[&["G", "conv1.weight"], &["D", "conv1.weight"]]),
            ["G/conv1.weight", "D/conv1.weight"]
        );
        assert_eq!(
            tags_of(&[&["model", "conv1.weight"], &["optimizer", "state", "0", "exp_avg"]]),
            ["conv1.weight", "optimizer/state/0/exp_avg"]
        );
        assert_eq!(tags_of(&[&["a", "x"], &["b", "x"]]), ["a/x", "b/x"]);
        assert_eq!(tags_of(&[&["a"], &["a"], &["a"]]), ["a", "a (2)", "a (3)"]);
        assert_eq!(tags_of(&[&["a (2)"], &["a"], &["a"], &["a"]]), ["a (2)", "a", "a (3)", "a (4)"]);
    }

    #[test]
    fn one_name_of_all_tensors_takes_no_longer_than_many() {
        let mut contents = Contents::empty(Format::PyTorch);
        contents.tensors = vec![stored(&["a"]); MOST_TENSORS];
        let last = tags(&contents).pop().unwrap();
        assert_eq!(last.tag, format!("a ({MOST_TENSORS})"));
        // Counting from 1 for each of them would make five billion names.
    }
}
