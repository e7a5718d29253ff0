//! The path of a layer in a file of weights -> its name and its class.

use std::collections::HashMap;

use super::config::Config;

/// Lists of the layers of a model; the second is that of `tf.keras`.
const LISTS: [&str; 2] = ["layers", "_layer_checkpoint_dependencies"];
/// Attributes of layers that apply one other layer.
const APPLIED: [&str; 2] = ["layer", CELL];
/// The attribute of a recurrent layer that has its variables.
const CELL: &str = "cell";
/// Classes of Keras with variables. Keras calls a layer without a name of its own by its class and a number.
const CLASSES: [&str; 21] = [
    "batch_normalization",
    "conv1d",
    "conv1d_transpose",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "dense",
    "depthwise_conv1d",
    "depthwise_conv2d",
    "einsum_dense",
    "embedding",
    "functional",
    "group_normalization",
    "gru_cell",
    "layer_normalization",
    "lstm_cell",
    "rms_normalization",
    "separable_conv1d",
    "separable_conv2d",
    "sequential",
];

/// Longer names are not used: a layer has those of all layers around it.
const LONGEST: usize = 1_024;

/// What is known of a layer.
pub(super) struct LayerName {
    /// Its path as Keras 3 writes it.
    pub(super) path: String,
    /// Its name after those of the models and layers that contain it.
    pub(super) name: String,
    /// Its class as it stands in paths.
    pub(super) class: Option<String>,
}

impl LayerName {
    /// Finds the name of each part of a path. `said` is what attributes call the layers.
    pub(super) fn of(parts: &[Box<str>], said: &HashMap<String, &str>, config: Option<&Config>) -> Self {
        let mut names: Vec<&str> = Vec::new();
        let (mut stored, mut path) = (String::new(), String::new());
        let mut class = None;
        for (at, part) in parts.iter().enumerate() {
            let is_list = LISTS.contains(&&**part);
            add(&mut stored, part);
            add(&mut path, if is_list { LISTS[0] } else { part });
            let said = said.get(&stored).copied().filter(|name| name.len() <= LONGEST);
            let configured = config.and_then(|config| config.layer(&path));
            let is_in_list = at > 0 && LISTS.contains(&&*parts[at - 1]);
            let by_attribute = said.and_then(class_of);
            class = match configured {
                Some(layer) => Some(layer.class.clone()),
                None if is_in_list => Some(without_number(part).to_owned()),
                None if &**part == CELL => {
                    // Of a layer `lstm`, the cell is an `lstm_cell`.
                    by_attribute.map(ToOwned::to_owned).or(class.map(|outer| format!("{outer}_{CELL}")))
                }
                None => by_attribute.or_else(|| class_of(part)).map(ToOwned::to_owned),
            };
            if is_list && said.is_none() {
                continue;
            }
            let is_named = is_in_list || APPLIED.contains(&&**part) || by_attribute.is_none();
            let of_config = configured.map(|layer| &*layer.name);
            let of_config = of_config.filter(|name| !name.is_empty() && name.len() <= LONGEST);
            names.push(said.or(of_config).filter(|_| is_named).unwrap_or(part));
        }
        Self { path, name: names.join("/"), class }
    }
}

fn add(path: &mut String, part: &str) {
    if !path.is_empty() {
        path.push('/');
    }
    path.push_str(part);
}

/// The class in a name that Keras made: `conv2d` in `conv2d_3`.
fn class_of(name: &str) -> Option<&str> {
    let class = without_number(name);
    CLASSES.contains(&class).then_some(class)
}

fn without_number(name: &str) -> &str {
    match name.rsplit_once('_') {
        Some((class, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            class
        }
        _ => name,
    }
}
