//! Names of TensorFlow's operations -> what they mean for a network.

use super::super::network::OperationKind;

/// An operation that is a layer with a kernel.
pub(super) struct LayerOp {
    pub(super) kind: OperationKind,
    /// Which of its inputs is the kernel.
    pub(super) kernel_input: usize,
    /// Which of its inputs is the data.
    pub(super) data_input: usize,
}

/// The layer that an operation with this name is; `None` if it has no kernel.
pub(super) fn layer_of(op: &str) -> Option<LayerOp> {
    let (kind, kernel_input, data_input) = match op {
        "Conv2D" => (OperationKind::Conv(2), 1, 0),
        "Conv3D" => (OperationKind::Conv(3), 1, 0),
        "DepthwiseConv2dNative" => (OperationKind::Depthwise(2), 1, 0),
        "Conv2DBackpropInput" => (OperationKind::Transposed(2), 1, 2),
        "Conv3DBackpropInputV2" => (OperationKind::Transposed(3), 1, 2),
        "MatMul" => (OperationKind::Dense, 1, 0),
        _ => return None,
    };
    Some(LayerOp { kind, kernel_input, data_input })
}

pub(super) fn is_variable(op: &str) -> bool {
    matches!(op, "Variable" | "VariableV2" | "VarHandleOp" | "AutoReloadVariable")
}

/// Operations that return their input, perhaps with another type.
pub(super) fn is_passing(op: &str) -> bool {
    matches!(
        op,
        "Identity"
            | "ReadVariableOp"
            | "Cast"
            | "Enter"
            | "StopGradient"
            | "Switch"
            | "CheckNumerics"
            | "Snapshot"
            | "_Arg"
    )
}

/// Operations on data before it is logged as pictures.
pub(super) fn is_of_pictures(op: &str) -> bool {
    let of_numbers =
        matches!(op, "Mul" | "Sub" | "Add" | "AddV2" | "Div" | "RealDiv" | "Maximum" | "Minimum");
    of_numbers
        || matches!(
            op,
            "Reshape" | "StridedSlice" | "Slice" | "Transpose" | "ExpandDims" | "Squeeze" | "ReverseV2"
        )
        || op.starts_with("Resize")
}

/// Operations that reduce several elements to one of them or to their mean.
pub(super) fn is_pool(op: &str) -> bool {
    matches!(op, "MaxPool" | "AvgPool" | "MaxPool3D" | "AvgPool3D")
}

/// Operations through which data enters a graph.
pub(super) fn is_source(op: &str) -> bool {
    matches!(
        op,
        "Placeholder"
            | "PlaceholderWithDefault"
            | "_Arg"
            | "IteratorGetNext"
            | "QueueDequeueV2"
            | "QueueDequeueManyV2"
            | "QueueDequeueUpToV2"
    )
}

pub(super) fn is_activation_function(op: &str) -> bool {
    matches!(
        op,
        "Relu"
            | "Relu6"
            | "Elu"
            | "Selu"
            | "LeakyRelu"
            | "Sigmoid"
            | "Tanh"
            | "Softplus"
            | "Softmax"
            | "Swish"
    )
}

pub(super) fn is_elementwise(op: &str) -> bool {
    is_activation_function(op)
        || is_passing(op)
        || op.starts_with("FusedBatchNorm")
        || matches!(
            op,
            "BiasAdd"
                | "Add"
                | "AddV2"
                | "Sub"
                | "Mul"
                | "Maximum"
                | "ConcatV2"
                | "Concat"
                | "Pad"
                | "PadV2"
                | "MirrorPad"
                | "Minimum"
                | "RealDiv"
                | "LRN"
        )
}

/// The backward pass also contains convolutions, but they are not layers.
pub(super) fn is_of_gradients(name: &str) -> bool {
    name.split('/').any(|part| {
        part.starts_with("gradient") || part.ends_with("_grad") || part == "Gradients" || part == "Optimizer"
    })
}
