//! What the callback `OrbaxCheckpoint` of Keras saves beside the variables -> the model, and better names.
//!
//! It saves `trainable_variables/sequential/stem/kernel`, by the paths of the variables, and the model's JSON as the item
//! `model_config`. Source: `keras/src/callbacks/orbax_checkpoint.py` of Keras 3.15.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use serde_json::Value;

use super::item::Item;
use crate::reader::{
    contents::{Contents, OpenError},
    json::entries_of_json,
    opened::OpenedFiles,
};

/// Texts of an item.
const TEXTS: &str = "model_config/_strings.json";
const LONGEST: u64 = 16 << 20;
const MOST_ENTRIES: usize = 500_000;
/// Which variables of a model are saved together.
const COLLECTIONS: [&str; 2] = ["trainable_variables", "non_trainable_variables"];

/// Adds the model that is saved beside the variables, and gives them the names that they have in it.
pub(super) fn add_model(
    item: &Item,
    opened: &mut OpenedFiles<'_>,
    contents: &mut Contents,
) -> Result<(), OpenError> {
    if !item.is_part {
        return Ok(());
    }
    let texts = opened.read(&item.checkpoint.join(Path::new(TEXTS)), LONGEST)?;
    let texts = texts.and_then(|json| serde_json::from_slice::<BTreeMap<String, String>>(&json).ok());
    let Some(model) = texts.and_then(|mut texts| texts.remove("config")) else { return Ok(()) };
    let name = name_of(model.as_bytes());
    for tensor in &mut contents.tensors {
        tensor.better_name = better(&tensor.name[0], name.as_deref()).map(Into::into);
    }
    contents.keras_model = Some(model.into_bytes().into());
    Ok(())
}

#[derive(Deserialize)]
struct Model {
    config: Named,
}

#[derive(Deserialize)]
struct Named {
    name: Value,
}

fn name_of(json: &[u8]) -> Option<String> {
    let is_small = entries_of_json(json) <= MOST_ENTRIES;
    let model: Model = is_small.then(|| serde_json::from_slice(json).ok())??;
    model.config.name.as_str().map(str::to_owned)
}

/// The path of a variable in its model, without the model's own name.
fn better<'n>(name: &'n str, model: Option<&str>) -> Option<&'n str> {
    let (_, path) = name.split_once('/').filter(|(first, _)| COLLECTIONS.contains(first))?;
    match path.split_once('/') {
        Some((first, rest)) if model == Some(first) && rest.contains('/') => Some(rest),
        _ => Some(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_called_by_its_layer() {
        let check =
            |name: &str, expected: Option<&str>| assert_eq!(better(name, Some("net")), expected, "{name}");
        check("trainable_variables/net/stem/kernel", Some("stem/kernel"));
        check("non_trainable_variables/bn/moving_mean", Some("bn/moving_mean"));
        check("trainable_variables/net/scale", Some("net/scale"));
        check("optimizer_variables/adam/net_stem_kernel_momentum", None);
    }
}
