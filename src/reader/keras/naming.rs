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

/// A better name for each dataset, where there is one.
pub(super) fn names(stored: &Stored, config: Option<&Config>) -> Vec<Option<Box<str>>> {
    let mut names = vec![None; stored.datasets.len()];
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
            names[number] = Some(name.into());
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
