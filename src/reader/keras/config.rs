//! The JSON of a model -> its layers, under the paths that Keras gives them in a file of weights.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;

use crate::reader::json::entries_of_json;

/// Each entry of the JSON takes memory while it is read; a large network has a fifth of this number.
const MOST_ENTRIES: usize = 500_000;
/// The most layers.
const MOST_LAYERS: usize = 20_000;
/// The most bytes of the paths of all layers: each has the classes of those around it once more.
const MOST_PATH_BYTES: usize = 16 << 20;
/// The most models within one another.
const DEEPEST: usize = 16;

/// The configuration of a model.
pub(super) struct Config {
    json: Arc<[u8]>,
    layers: Layers,
    is_model: bool,
}

/// What the configuration says about a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layer {
    /// Its name.
    pub(super) name: String,
    /// Its class as Keras writes it in paths: `conv2d`.
    pub(super) class: String,
    flags: HashMap<&'static str, bool>,
}

/// What layers say about which variables they have.
const FLAGS: [&str; 3] = ["use_bias", "scale", "center"];

impl Layer {
    /// What it says about a variable.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.flags.get(name).copied()
    }
}

impl Config {
    /// Reads the JSON. One that is not understood says nothing.
    pub(super) fn read(json: &[u8]) -> Self {
        let parsed = if entries_of_json(json) > MOST_ENTRIES {
            None
        } else {
            serde_json::from_slice::<Value>(json).ok()
        };
        let mut layers = Layers::default();
        let mut is_model = false;
        if let Some(model) = parsed
            && let Some(list) = layers_of(&model)
        {
            is_model = true;
            layers.add(list, "", 0);
        }
        Self { json: json.into(), layers, is_model }
    }

    /// The layer with this path.
    pub(super) fn layer(&self, path: &str) -> Option<&Layer> {
        self.layers.by_path.get(path)
    }

    /// The JSON, if it is that of a model with a list of layers: a subclass of `Model` says nothing about its own.
    pub(super) fn into_model(self) -> Option<Arc<[u8]>> {
        self.is_model.then_some(self.json)
    }
}

fn layers_of(model: &Value) -> Option<&Vec<Value>> {
    let config = model.get("config")?;
    config.get("layers").or(Some(config))?.as_array()
}

#[derive(Default)]
struct Layers {
    /// Layers by their paths, such as `layers/sequential/layers/conv2d_1`.
    by_path: HashMap<String, Layer>,
    n_path_bytes: usize,
}

impl Layers {
    /// Adds the layers of a model. Keras numbers the layers of each class in their order.
    fn add(&mut self, list: &[Value], prefix: &str, depth: usize) {
        let mut numbers: HashMap<String, usize> = HashMap::new();
        for value in list {
            if self.is_full() {
                return;
            }
            let class = snake_case(value.get("class_name").and_then(Value::as_str).unwrap_or_default());
            let number = numbers.entry(class.clone()).and_modify(|number| *number += 1).or_default();
            let own = if *number == 0 { class } else { format!("{class}_{number}") };
            self.add_layer(value, format!("{prefix}layers/{own}"), depth);
        }
    }

    fn is_full(&self) -> bool {
        self.by_path.len() >= MOST_LAYERS || self.n_path_bytes > MOST_PATH_BYTES
    }

    fn add_layer(&mut self, value: &Value, path: String, depth: usize) {
        if depth > DEEPEST || self.is_full() {
            return;
        }
        self.n_path_bytes += path.len();
        let config = value.get("config").unwrap_or(&Value::Null);
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(inner) = layers_of(value) {
            self.add(inner, &format!("{path}/"), depth + 1);
        }
        if let Some(inner) = config.get("layer").filter(|inner| inner.is_object()) {
            self.add_layer(inner, format!("{path}/layer"), depth + 1);
        }
        let flags = FLAGS.iter().filter_map(|flag| Some((*flag, config.get(flag)?.as_bool()?)));
        let layer = Layer {
            name: text(config.get("name").or(value.get("name"))),
            class: snake_case(&text(value.get("class_name"))),
            flags: flags.collect(),
        };
        self.by_path.insert(path, layer);
    }
}

/// The name of a class in a path, as `keras.src.utils.naming.to_snake_case` makes it: `Conv2DTranspose` is `conv2d_transpose`.
pub(super) fn snake_case(class: &str) -> String {
    let letters: Vec<char> =
        class.chars().filter(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    let mut snake = String::with_capacity(class.len() + 4);
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let is_word = letter.is_ascii_uppercase()
            && (letters.get(at + 1).is_some_and(char::is_ascii_lowercase)
                || before.is_some_and(|before| before.is_ascii_lowercase()));
        if is_word && before.is_some_and(|before| before != '_') {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model in which one of this class contains so many layers.
    fn model(class: &str, n_layers: usize) -> Config {
        let layers = vec![r#"{"class_name":"Dense"}"#; n_layers].join(",");
        let inner = format!(r#"{{"class_name":"{class}","config":{{"name":"inner","layers":[{layers}]}}}}"#);
        Config::read(format!(r#"{{"config":{{"layers":[{inner}]}}}}"#).as_bytes())
    }

    #[test]
    fn layers_of_a_class_are_numbered_in_the_model_that_contains_them() {
        let config = model("Functional", 2);
        assert_eq!(config.layer("layers/functional").unwrap().name, "inner");
        assert_eq!(config.layer("layers/functional/layers/dense_1").unwrap().class, "dense");
        assert_eq!(config.layer("layers/functional/layers/dense_2"), None);
    }

    #[test]
    fn a_long_class_around_many_layers_does_not_multiply() {
        // 1 MB of JSON, and 10 GB of paths.
        let config = model(&"c".repeat(1 << 20), 10_000);
        let n_bytes: usize = config.layers.by_path.keys().map(String::len).sum();
        assert!(n_bytes <= MOST_PATH_BYTES + (4 << 20), "{n_bytes}");
        assert!(config.into_model().is_some());
    }
}
