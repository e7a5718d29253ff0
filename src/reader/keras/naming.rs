//! The paths of Keras 3 -> the names of layers and of their variables: `layers/conv2d_1/vars/0` is `stem/kernel`.
//!
//! The attribute `name` of each `vars` says what the layer is called; before Keras 3.9 there was none, and the configuration says
//! it. Where neither does, the path stays.

use std::collections::{BTreeMap, HashMap};

use super::{
    config::Config,
    layer_name::LayerName,
    stored::Stored,
    variable::{self, Variable},
};
use crate::{reader::hdf5::dataset::Dataset, tensor::dtype::DType};

/// The group that holds the variables of a layer.
const VARS: &str = "vars";
/// The most bytes of all names. Variables after that keep their paths.
const MOST_BYTES: usize = 32 << 20;

/// A better name for each dataset, where there is one.
pub(super) fn names(stored: &Stored, config: Option<&Config>) -> Vec<Option<Box<str>>> {
    let mut names = vec![None; stored.datasets.len()];
    let mut n_bytes = 0;
    let said = said_names(stored);
    for (path, numbers) in by_layer(&stored.datasets) {
        // The first part alone: the variables of optimizers keep their names.
        let is_optimizers = path.first().is_some_and(|first| first.contains("optimizer"));
        if path.is_empty() || is_optimizers {
            continue;
        }
        let layer = LayerName::of(path, &said, config);
        let variables: Vec<Variable<'_>> =
            numbers.iter().map(|number| variable(&stored.datasets[*number])).collect();
        let configured = config.and_then(|config| config.layer(&layer.path));
        let known = variable::names(layer.class.as_deref(), configured, &variables);
        for (number, known) in numbers.into_iter().zip(known) {
            let own = stored.datasets[number].path.last().map_or("", |own| own);
            let is_number = own.bytes().all(|byte| byte.is_ascii_digit());
            let name = match known {
                Some(known) if is_number => format!("{}/{known}", layer.name),
                _ if is_number => format!("{}/{VARS}/{own}", layer.name),
                _ => format!("{}/{own}", layer.name),
            };
            n_bytes += name.len();
            names[number] = (n_bytes <= MOST_BYTES).then(|| name.into());
        }
    }
    names
}

/// What the attributes call the layers, by path.
fn said_names(stored: &Stored) -> HashMap<String, &str> {
    let groups = stored.groups.iter().filter_map(|group| {
        let (last, path) = group.path.split_last()?;
        let name = group.text("name").filter(|name| !name.is_empty() && **last == *VARS)?;
        Some((path.join("/"), name))
    });
    groups.collect()
}

/// The datasets in `vars` of each layer, by their numbers: `10` after `9`.
fn by_layer(datasets: &[Dataset]) -> BTreeMap<&[Box<str>], Vec<usize>> {
    let mut layers: BTreeMap<&[Box<str>], Vec<usize>> = BTreeMap::new();
    for (number, dataset) in datasets.iter().enumerate() {
        if let [path @ .., vars, _] = dataset.path.as_slice()
            && &**vars == VARS
        {
            layers.entry(path).or_default().push(number);
        }
    }
    for numbers in layers.values_mut() {
        numbers.sort_by_key(|number| {
            let own = datasets[*number].path.last();
            own.and_then(|own| own.parse::<usize>().ok()).unwrap_or(usize::MAX)
        });
    }
    layers
}

fn variable(dataset: &Dataset) -> Variable<'_> {
    let is_float =
        matches!(dataset.dtype, Ok(DType::Float16 | DType::BFloat16 | DType::Float32 | DType::Float64));
    Variable { shape: &dataset.shape, is_integer: !is_float }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::hdf5::{
        attribute::{Attributes, Value},
        tree::Group,
    };

    /// A group with variables, whose layer has this name, and its only variable.
    fn layer(path: &[&str], name: &str) -> (Group, Dataset) {
        let mut path: Vec<Box<str>> = path.iter().map(|part| (*part).into()).collect();
        let value = Value::Texts(vec![name.into()]);
        let group = Group { path: path.clone(), attributes: Attributes::from([("name".into(), value)]) };
        path.push("0".into());
        let (pieces, shape) = (Vec::new(), vec![3, 3]);
        (group, Dataset { path, dtype: Ok(DType::Float32), shape, pieces, unread: None })
    }

    #[test]
    fn a_long_name_around_many_layers_does_not_multiply() {
        let numbers: Vec<String> = (0..40_000).map(|number| number.to_string()).collect();
        let n_bytes = |name: &str| {
            let mut stored = Stored::default();
            let outer = std::iter::once(layer(&["a", VARS], name));
            let inner = numbers.iter().map(|number| layer(&["a", number, VARS], ""));
            (stored.groups, stored.datasets) = outer.chain(inner).unzip();
            let names = names(&stored, None);
            assert!(names[1].is_some());
            names.into_iter().flatten().map(|name| name.len()).sum::<usize>()
        };
        assert!(n_bytes(&"n".repeat(1_000)) <= MOST_BYTES);
        // Not used at all: `a/0/kernel` to `a/39999/kernel`.
        assert!(n_bytes(&"n".repeat(1 << 20)) < 40_000 * 20);
    }
}
