//! The older `.h5` of Keras -> the names of layers and of their variables.
//!
//! A group for each layer has the attribute `weight_names`, and a dataset for each of these names:
//! `model_weights/stem/sequential_2/stem/kernel`, or `stem/stem/kernel:0` in `tf.keras`. The name of the layer stands twice, and
//! before the second there may be the name of the model, with a number that changes from one run to the next.

use std::collections::HashMap;

use super::stored::Stored;

/// Variables that belong to the model and to no layer.
const OF_MODEL: &str = "top_level_model_weights";

/// A better name for each dataset, where there is one; `None` if the file is of another form.
pub(super) fn names(stored: &Stored) -> Option<Vec<Option<Box<str>>>> {
    let model = stored.groups.iter().find(|group| group.texts("layer_names").is_some())?;
    let depth = model.path.len();
    let mut layers: HashMap<String, String> = HashMap::new();
    for group in &stored.groups {
        let is_in_model = group.path.len() > depth && group.path.starts_with(&model.path);
        let Some(weights) = group.texts("weight_names").filter(|_| is_in_model) else { continue };
        let layer = group.path[depth..].join("/");
        for weight in weights {
            let path = format!("{}/{weight}", group.path.join("/"));
            layers.insert(path, better(&layer, weight));
        }
    }
    let better = |path: String| layers.get(&path).map(|name| name.as_str().into());
    Some(stored.datasets.iter().map(|dataset| better(dataset.path.join("/"))).collect())
}

/// The name of a layer and what follows it in the name of a variable.
fn better(layer: &str, weight: &str) -> String {
    let weight = weight.strip_suffix(":0").unwrap_or(weight);
    if layer == OF_MODEL {
        return weight.to_owned();
    }
    let begins = |at: &usize| {
        let rest = &weight[*at..];
        rest.strip_prefix(layer).is_some_and(|after| after.starts_with('/'))
    };
    let starts = std::iter::once(0).chain(weight.match_indices('/').map(|(at, _)| at + 1));
    match starts.into_iter().find(begins) {
        Some(at) => weight[at..].to_owned(),
        None => format!("{layer}/{weight}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_called_by_its_layer_once() {
        for (layer, weight, expected) in [
            ("stem", "sequential_2/stem/kernel", "stem/kernel"),
            ("stem", "stem/kernel:0", "stem/kernel"),
            ("inner", "inner/c1/kernel", "inner/c1/kernel"),
            ("inner", "c1/kernel:0", "inner/c1/kernel"),
            ("block/conv", "net/block/conv/bias", "block/conv/bias"),
            ("td", "c1/kernel", "td/c1/kernel"),
            (OF_MODEL, "net/scale", "net/scale"),
        ] {
            assert_eq!(better(layer, weight), expected);
        }
    }
}
