//! What a logged graph, model or writer says about a layer, as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::network::{self, Origin};

/// A layer, as a logged graph or model or the writer tells of it. Lists have one number an axis: depth, height, width, as far as there.
#[derive(Serialize, ToSchema)]
#[schema(as = Operation)]
pub(crate) struct OperationJson {
    /// As Keras names it: `Conv2D`, `DepthwiseConv2D`, `Conv2DTranspose`, `Dense` and so on.
    kind: String,
    name: String,
    /// Its place in the order in which data passes the network, from 0.
    position: usize,
    /// The window's lengths; empty where they are not said.
    window: Vec<usize>,
    outputs: Option<usize>,
    strides: Vec<usize>,
    dilations: Vec<usize>,
    /// `same`, `valid`, `causal` or `explicit`.
    padding: Option<String>,
    /// `channels_first` or `channels_last`.
    data_format: Option<&'static str>,
    /// The function that its output goes through.
    activation: Option<String>,
    /// How many elements of the network's input one element of its output sees.
    receptive_field: Option<Vec<usize>>,
    /// `graph`, `keras`, `onnx`, or `writer` where the recorder itself says so.
    origin: &'static str,
}

impl OperationJson {
    pub(crate) fn of(operation: &network::Operation) -> Self {
        let data_format = |first| if first { "channels_first" } else { "channels_last" };
        Self {
            kind: operation.kind.name(),
            name: operation.name.clone(),
            position: operation.position,
            window: operation.window.clone(),
            outputs: operation.outputs,
            strides: operation.strides.clone(),
            dilations: operation.dilations.clone(),
            padding: operation.padding.clone(),
            data_format: operation.channels_first.map(data_format),
            activation: operation.activation.clone(),
            receptive_field: operation.receptive_field.clone(),
            origin: match operation.origin {
                Origin::Graph => "graph",
                Origin::Keras => "keras",
                Origin::Onnx => "onnx",
                Origin::Writer => "writer",
            },
        }
    }
}
