//! The JSON of a Keras model -> its layers in order, with what each says about its kernel and its output.
//!
//! As `model.to_json()` of Keras 2 and 3 writes it: `{"class_name", "config": {"layers": [{"class_name", "config", ...}]}}`.
//! Layers of nested models are included; their names are those of the innermost layers, as in the names of variables.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;

use super::{
    network::{Network, Operation, OperationKind, Origin},
    receptive_field::{ReceptiveField, SlidingWindow},
};

/// Longer JSON is not read.
pub const LONGEST_MODEL: usize = 8 << 20;
/// Each entry of the JSON takes memory while it is read; a large network has a tenth of this number.
const MOST_ENTRIES: usize = 1_000_000;
const MOST_LAYERS: usize = 20_000;
const DEEPEST_MODEL: usize = 16;

/// Reads a model.
///
/// # Errors
/// A phrase, if it is not the JSON of a model.
pub fn network(json: &[u8]) -> Result<Network, String> {
    let entries = json.iter().filter(|byte| matches!(byte, b',' | b':')).count();
    if entries > MOST_ENTRIES {
        return Err(format!("it has {entries} entries, of which more than {MOST_ENTRIES} are not read"));
    }
    let model: Value = serde_json::from_slice(json).map_err(|error| format!("no JSON: {error}"))?;
    let layers = layers_of(&model).ok_or("the JSON has no list of layers")?;
    let mut walk = ModelWalk::default();
    walk.model(layers, None, 0);
    Ok(Network::new(walk.operations, HashMap::new()).with_wrappers(walk.wrappers))
}

fn layers_of(model: &Value) -> Option<&Vec<Value>> {
    // In the oldest sequential models, the config is the list itself.
    let config = model.get("config")?;
    config.get("layers").or(Some(config))?.as_array()
}

/// The class, the configuration and the name of a layer.
fn parts(layer: &Value) -> (&str, &Value, &str) {
    let class = layer.get("class_name").and_then(Value::as_str).unwrap_or_default();
    let config = layer.get("config").unwrap_or(&Value::Null);
    let name = config.get("name").or(layer.get("name")).and_then(Value::as_str).unwrap_or_default();
    (class, config, name)
}

#[derive(Default)]
struct ModelWalk {
    operations: Vec<Arc<Operation>>,
    /// Names of layers that only apply another one, with the positions of the applied layers.
    wrappers: Vec<(String, usize)>,
    seen: usize,
}

/// The receptive field in the input; `None` where it cannot be followed.
type InputField = Option<ReceptiveField>;

impl ModelWalk {
    /// Walks through the layers of a model in order. Returns the receptive field of the last one.
    fn model(&mut self, layers: &[Value], input: Option<InputField>, depth: usize) -> InputField {
        let mut by_name: HashMap<&str, InputField> = HashMap::new();
        let mut before: Option<InputField> = input;
        let mut name_before = "";
        for layer in layers {
            self.seen += 1;
            if self.seen > MOST_LAYERS || depth > DEEPEST_MODEL {
                return None;
            }
            let (class, config, name) = parts(layer);
            let inbound = inbound(layer);
            let sees = if class == "InputLayer" {
                before.clone().filter(|_| depth > 0).unwrap_or_else(|| of_input_layer(config))
            } else if inbound.is_empty() {
                before.clone().unwrap_or_else(|| of_build_config(layer))
            } else {
                let inputs: Vec<InputField> =
                    inbound.iter().map(|name| by_name.get(name.as_str()).cloned().flatten()).collect();
                joined(&inputs)
            };
            let sees = self.any(layer, name, sees, depth);
            if class == "BatchNormalization" {
                self.normalized(inbound.first().map_or(name_before, String::as_str), name);
            }
            name_before = name;
            by_name.insert(name, sees.clone());
            before = Some(sees);
        }
        before.flatten()
    }

    /// Notes that a batch normalization is applied to the output of a layer.
    fn normalized(&mut self, layer: &str, by: &str) {
        let convolution = self.operations.iter_mut().rev().find(|operation| operation.name == layer);
        if let Some(convolution) = convolution.and_then(Arc::get_mut) {
            convolution.normalization.get_or_insert_with(|| by.to_owned());
        }
    }

    /// The receptive field after a layer of this name, which may be a model, or a wrapper of a layer or a model.
    fn any(&mut self, layer: &Value, name: &str, sees: InputField, depth: usize) -> InputField {
        if depth > DEEPEST_MODEL {
            return None;
        }
        let (class, config, _) = parts(layer);
        match (layers_of(layer), config.get("layer")) {
            (Some(inner), _) => self.model(inner, Some(sees), depth + 1),
            (None, Some(inner)) => {
                // A layer that is applied to each step does not see the axis of steps.
                let (steps, sees) = match sees {
                    Some(sees) if class == "TimeDistributed" => sees.split_first().unzip(),
                    sees => (None, sees),
                };
                let after = self.wrapped(name, inner, sees, depth)?;
                Some(steps.map_or(after.clone(), |steps| steps.and(&after)))
            }
            (None, None) => self.layer(class, name, config, sees),
        }
    }

    /// A layer within another one, such as `TimeDistributed(Conv2D(...))`. Variables have both names, one after the other, and
    /// the output has the outer name. Layers of a model within a wrapper have their own names, as in any model.
    fn wrapped(&mut self, outer: &str, inner: &Value, sees: InputField, depth: usize) -> InputField {
        let position = self.operations.len();
        let after = self.any(inner, &format!("{outer}/{}", parts(inner).2), sees, depth + 1);
        if self.operations.len() > position && layers_of(inner).is_none() {
            self.wrappers.push((outer.to_owned(), position));
        }
        after
    }

    fn layer(&mut self, class: &str, name: &str, config: &Value, sees: InputField) -> InputField {
        let kind = OperationKind::from_name(class);
        let Some(kind) = kind else { return through_other(class, config, sees) };
        let axes = kind.spatial_axes();
        let step = step(config, "kernel_size", axes);
        let transposed = matches!(kind, OperationKind::Transposed(_) | OperationKind::Dense);
        let after = if transposed { None } else { sees.and_then(|sees| sees.through(&step)) };
        let number =
            |key: &str| config.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let outputs = match kind {
            OperationKind::Dense => number("units"),
            // A depthwise layer has as many outputs as inputs times its multiplier, and does not say the number of inputs.
            OperationKind::Depthwise(_) => None,
            _ => number("filters"),
        };
        self.operations.push(Arc::new(Operation {
            kind,
            name: name.to_owned(),
            position: self.operations.len(),
            window: step.window,
            outputs,
            strides: step.strides,
            dilations: step.dilations,
            padding: config.get("padding").and_then(Value::as_str).map(str::to_owned),
            channels_first: channels_first(config, axes),
            activation: activation(config),
            normalization: None,
            receptive_field: after.as_ref().map(|sees| sees.field().to_vec()),
            origin: Origin::Keras,
        }));
        after
    }
}

fn of_input_layer(config: &Value) -> InputField {
    let shape = config.get("batch_shape").or(config.get("batch_input_shape"))?.as_array()?;
    Some(ReceptiveField::of_input(shape.len().checked_sub(2).filter(|axes| (1..=3).contains(axes))?))
}

/// The first layer of a model without an input layer stores its input's shape from when it was built.
fn of_build_config(layer: &Value) -> InputField {
    let shape = layer.get("build_config").and_then(|config| config.get("input_shape"));
    let shape =
        shape.or(layer.get("config").and_then(|config| config.get("batch_input_shape")))?.as_array()?;
    Some(ReceptiveField::of_input(shape.len().checked_sub(2).filter(|axes| (1..=3).contains(axes))?))
}

fn joined(inputs: &[InputField]) -> InputField {
    let mut inputs = inputs.iter().cloned();
    let first = inputs.next()??;
    inputs.try_fold(first, |joined, input| joined.joined(&input?))
}

/// The names of the layers that feed this one: in Keras 3 the `keras_history` of tensors, in Keras 2 `[[name, 0, 0, {}]]`.
fn inbound(layer: &Value) -> Vec<String> {
    let mut names = Vec::new();
    if let Some(nodes) = layer.get("inbound_nodes").and_then(Value::as_array)
        && let Some(node) = nodes.first()
    {
        collect_inbound(node, &mut names, 0);
    }
    names
}

fn collect_inbound(node: &Value, names: &mut Vec<String>, depth: usize) {
    if depth > DEEPEST_MODEL {
        return;
    }
    match node {
        Value::Object(object) => match object.get("keras_history").and_then(|history| history.get(0)) {
            Some(Value::String(name)) => names.push(name.clone()),
            _ => object.values().for_each(|value| collect_inbound(value, names, depth + 1)),
        },
        Value::Array(list) => match list.as_slice() {
            [Value::String(name), Value::Number(_), Value::Number(_), ..] => names.push(name.clone()),
            list => list.iter().for_each(|value| collect_inbound(value, names, depth + 1)),
        },
        _ => {}
    }
}

/// Layers that keep the positions of elements.
const ELEMENTWISE: [&str; 22] = [
    "Activation",
    "ReLU",
    "LeakyReLU",
    "PReLU",
    "ELU",
    "Softmax",
    "BatchNormalization",
    "LayerNormalization",
    "GroupNormalization",
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "Add",
    "Concatenate",
    "Multiply",
    "Maximum",
    "Average",
    "Subtract",
    "Rescaling",
    "Normalization",
    "GaussianNoise",
];

fn through_other(class: &str, config: &Value, sees: InputField) -> InputField {
    let sees = sees?;
    let axes = sees.field().len();
    let is_pool =
        (class.starts_with("MaxPooling") || class.starts_with("AveragePooling")) && class.ends_with('D');
    if is_pool {
        return sees.through(&step(config, "pool_size", axes));
    }
    let is_like_before = ELEMENTWISE.contains(&class)
        || class == "InputLayer"
        || class.starts_with("ZeroPadding")
        || class.starts_with("Cropping");
    is_like_before.then_some(sees)
}

fn step(config: &Value, window: &str, axes: usize) -> SlidingWindow {
    let lengths = |key: &str| config.get(key).map(|value| numbers(value, axes)).unwrap_or_default();
    let window = lengths(window);
    let strides = match config.get("strides") {
        // A pool without strides moves by its own length.
        Some(Value::Null) => window.clone(),
        _ => lengths("strides"),
    };
    SlidingWindow { window, strides, dilations: lengths("dilation_rate") }
}

/// A list of numbers, or one number for all axes.
fn numbers(value: &Value, axes: usize) -> Vec<usize> {
    let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
    match value {
        Value::Array(list) => list.iter().filter_map(number).collect(),
        value => number(value).map(|n| vec![n; axes]).unwrap_or_default(),
    }
}

fn channels_first(config: &Value, axes: usize) -> Option<bool> {
    match config.get("data_format").and_then(Value::as_str) {
        Some(format) => Some(format == "channels_first"),
        None => (axes == 0).then_some(false),
    }
}

fn activation(config: &Value) -> Option<String> {
    let value = config.get("activation")?;
    let name = value.as_str().or_else(|| value.get("class_name")?.as_str());
    name.filter(|name| *name != "linear").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_no_models_are_errors() {
        assert!(network(b"{").unwrap_err().contains("no JSON"));
        assert!(network(b"{}").unwrap_err().contains("list of layers"));
        assert_eq!(network(br#"{"config": []}"#).unwrap(), Network::default());
        let deep = format!("{}{}", r#"{"config":{"layers":["#.repeat(20), "]}}".repeat(20));
        assert_eq!(network(deep.as_bytes()).unwrap(), Network::default());
    }

    #[test]
    fn a_layer_says_what_its_config_says() {
        let json = br#"{"class_name": "Sequential", "config": {"layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [null, 32, 32, 3], "name": "in"}},
            {"class_name": "Conv2D", "config": {"name": "c1", "filters": 8, "kernel_size": [3, 3], "strides": [2, 2],
             "padding": "same", "data_format": "channels_last", "dilation_rate": [1, 1], "activation": "relu"}},
            {"class_name": "MaxPooling2D", "config": {"name": "p", "pool_size": [2, 2], "strides": null}},
            {"class_name": "DepthwiseConv2D", "config": {"name": "d", "kernel_size": [5, 5], "strides": [1, 1],
             "data_format": "channels_first", "activation": "linear"}},
            {"class_name": "Flatten", "config": {"name": "f"}},
            {"class_name": "Dense", "config": {"name": "out", "units": 10, "activation": {"class_name": "MyAct"}}}
        ]}}"#;
        let network = network(json).unwrap();
        let operations = network.operations();
        let told: Vec<_> = operations
            .iter()
            .map(|o| {
                (
                    o.kind.name(),
                    o.outputs,
                    o.receptive_field.clone(),
                    o.activation.as_deref(),
                    o.channels_first,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("Conv2D".to_owned(), Some(8), Some(vec![3, 3]), Some("relu"), Some(false)),
                ("DepthwiseConv2D".to_owned(), None, Some(vec![21, 21]), None, Some(true)),
                ("Dense".to_owned(), Some(10), None, Some("MyAct"), Some(false)),
            ]
        );
        assert_eq!(operations[0].strides, [2, 2]);
    }

    /// As Keras 3.15 writes `TimeDistributed(Sequential([Conv2D, ReLU, SpectralNormalization(Conv2D)]))` on pictures of 5 steps,
    /// without initialisers and regularisers.
    const MODEL_IN_WRAPPER: &[u8] = br#"{"class_name": "Sequential", "config": {"name": "sequential", "layers": [
        {"class_name": "InputLayer", "config": {"batch_shape": [null, 5, 16, 16, 2], "name": "input_layer"}},
        {"class_name": "TimeDistributed", "config": {"name": "td", "layer": {"class_name": "Sequential", "config": {
            "name": "inner", "layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [null, 16, 16, 2], "name": "input_layer_1"}},
            {"class_name": "Conv2D", "config": {"name": "c1", "filters": 4, "kernel_size": [3, 3], "strides": [2, 2],
             "padding": "same", "data_format": "channels_last", "dilation_rate": [1, 1], "activation": "linear"}},
            {"class_name": "ReLU", "config": {"name": "re_lu"}},
            {"class_name": "SpectralNormalization", "config": {"name": "sn", "layer": {"class_name": "Conv2D", "config": {
             "name": "c2", "filters": 6, "kernel_size": [5, 5], "strides": [1, 1], "padding": "valid",
             "data_format": "channels_last", "dilation_rate": [1, 1], "activation": "linear"}}}}],
            "build_input_shape": [null, 16, 16, 2]}}},
         "build_config": {"input_shape": [null, 5, 16, 16, 2]}},
        {"class_name": "Flatten", "config": {"name": "flatten"}},
        {"class_name": "Dense", "config": {"name": "out", "units": 1, "activation": "linear"}}]}}"#;

    #[test]
    fn a_convolution_names_the_normalization_that_is_applied_to_it() {
        let functional = br#"{"class_name": "Functional", "config": {"layers": [
            {"class_name": "Conv2D", "name": "a", "config": {"name": "a"}, "inbound_nodes": []},
            {"class_name": "Conv2D", "name": "b", "config": {"name": "b"}, "inbound_nodes": [[["a", 0, 0, {}]]]},
            {"class_name": "BatchNormalization", "name": "n", "config": {"name": "n"}, "inbound_nodes": [[["a", 0, 0, {}]]]}
        ]}}"#;
        let sequential = br#"{"class_name": "Sequential", "config": {"layers": [
            {"class_name": "Conv2D", "config": {"name": "a"}},
            {"class_name": "BatchNormalization", "config": {"name": "n"}},
            {"class_name": "Conv2D", "config": {"name": "b"}}
        ]}}"#;
        for json in [&functional[..], sequential] {
            let network = network(json).unwrap();
            let named =
                network.operations().iter().map(|one| (one.name.as_str(), one.normalization.as_deref()));
            assert_eq!(named.collect::<Vec<_>>(), [("a", Some("n")), ("b", None)]);
        }
    }

    #[test]
    fn layers_of_a_model_within_a_wrapper_have_their_operations() {
        let network = network(MODEL_IN_WRAPPER).unwrap();
        let told: Vec<_> = network
            .operations()
            .iter()
            .map(|o| (&*o.name, o.kind.name(), o.outputs, o.strides.clone(), o.receptive_field.clone()))
            .collect();
        assert_eq!(
            told,
            [
                ("c1", "Conv2D".to_owned(), Some(4), vec![2, 2], Some(vec![3, 3])),
                // (5 - 1) * 2 + 3 pixels of a picture.
                ("sn/c2", "Conv2D".to_owned(), Some(6), vec![1, 1], Some(vec![11, 11])),
                ("out", "Dense".to_owned(), Some(1), vec![], None),
            ]
        );
        // By the names of variables in Keras 3, and by the name of the output.
        for (layer, expected) in
            [("sequential/td/inner/c1", "c1"), ("td/inner/sn/c2", "sn/c2"), ("sn", "sn/c2")]
        {
            assert_eq!(network.operation(layer).unwrap().0.name, expected, "{layer}");
        }
        assert!(network.operation("td").is_none());
    }
}
