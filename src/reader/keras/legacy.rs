//! The older `.h5` of Keras -> the names of layers and of their variables.
//!
//! A group for each layer has the attribute `weight_names`, and a dataset for each of these names:
//! `model_weights/stem/sequential_2/stem/kernel`, or `stem/stem/kernel:0` in `tf.keras`. The name of the layer stands twice, and
//! before the second there may be the name of the model, with a number that changes from one run to the next.

use std::collections::{HashMap, HashSet};

use super::stored::Stored;
use crate::reader::hdf5::dataset::Dataset;

/// Variables that belong to the model and to no layer.
const OF_MODEL: &str = "top_level_model_weights";

/// A better name for each dataset, where there is one; `None` if the file is of another form.
///
/// Only names of datasets are made: each attribute may name a hundred thousand, in a group with a long path.
pub(super) fn names(stored: &Stored) -> Option<Vec<Option<Box<str>>>> {
    let model = stored.groups.iter().find(|group| group.texts("layer_names").is_some())?;
    let depth = model.path.len();
    let mut layers: HashMap<&[Box<str>], HashSet<&str>> = HashMap::new();
    for group in &stored.groups {
        let is_in_model = group.path.len() > depth && group.path.starts_with(&model.path);
        if let Some(weights) = group.texts("weight_names").filter(|_| is_in_model) {
            layers.entry(&group.path).or_default().extend(weights);
        }
    }
    let name = |dataset: &Dataset| {
        let path = &dataset.path;
        // Of layers within one another, the innermost.
        (depth + 1..path.len()).rev().find_map(|own| {
            let weights = layers.get(&path[..own])?;
            let weight = path[own..].join("/");
            let is_named = weights.contains(weight.as_str());
            is_named.then(|| better(&path[depth..own].join("/"), &weight).into())
        })
    };
    Some(stored.datasets.iter().map(name).collect())
}

/// The name of a layer and what follows it in the name of a variable.
fn better(layer: &str, weight: &str) -> String {
    let weight = weight.strip_suffix(":0").unwrap_or(weight);
    if layer == OF_MODEL {
        return weight.to_owned();
    }
    // With a slash before it, the place of the slash is that of the name.
    match format!("/{weight}").find(&format!("/{layer}/")) {
        Some(at) => weight[at..].to_owned(),
        None => format!("{layer}/{weight}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::{
        reader::hdf5::{
            attribute::{Attributes, Value},
            tree::Group,
        },
        tensor::dtype::DType,
    };

    fn path(parts: &[&str]) -> Vec<Box<str>> {
        parts.iter().map(|part| (*part).into()).collect()
    }

    fn group(parts: &[&str], attribute: &str, texts: Vec<Box<str>>) -> Group {
        Group { path: path(parts), attributes: Attributes::from([(attribute.into(), Value::Texts(texts))]) }
    }

    fn stored(groups: Vec<Group>, datasets: Vec<Dataset>) -> Stored {
        let mut stored = Stored::default();
        (stored.groups, stored.datasets) = (groups, datasets);
        stored
    }

    fn dataset(parts: &[&str]) -> Dataset {
        let (pieces, shape) = (Vec::new(), Vec::new());
        Dataset { path: path(parts), dtype: Ok(DType::Float32), shape, pieces, unread: None }
    }

    #[test]
    fn the_innermost_layer_that_names_a_dataset_is_its_layer() {
        let stored = stored(
            vec![
                group(&["model"], "layer_names", vec!["a".into()]),
                group(&["model", "a"], "weight_names", vec!["a/kernel:0".into(), "b/c/bias".into()]),
                group(&["model", "a", "b"], "weight_names", vec!["c/bias".into()]),
                group(&["other"], "weight_names", vec!["kernel".into()]),
            ],
            vec![
                dataset(&["model", "a", "a", "kernel:0"]),
                dataset(&["model", "a", "b", "c", "bias"]),
                dataset(&["other", "kernel"]),
            ],
        );
        let names: Vec<Option<Box<str>>> = vec![Some("a/kernel".into()), Some("a/b/c/bias".into()), None];
        assert_eq!(super::names(&stored), Some(names));
    }

    #[test]
    fn names_of_what_is_not_there_and_long_names_cost_little() {
        let long = "a/".repeat(1 << 20);
        let weights = (0..100_000).map(|number| number.to_string().into()).collect();
        let stored = stored(
            vec![
                group(&[], "layer_names", Vec::new()),
                group(&[&long], "weight_names", weights),
                group(&[&long, "b"], "weight_names", vec![long.as_str().into()]),
            ],
            vec![dataset(&[&long, "b", &long]), dataset(&[&long, "5"])],
        );
        let started = Instant::now();
        let names = super::names(&stored).unwrap();
        assert_eq!(names[1].as_deref(), Some(format!("{long}/5").as_str()));
        assert_eq!(names[0].as_deref(), Some(format!("{long}/b/{long}").as_str()));
        // Otherwise 200 GB of names, or a comparison of the two at each of a million places.
        assert!(started.elapsed() < Duration::from_secs(30));
    }

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
