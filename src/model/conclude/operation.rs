//! A layer of a graph or model + a tensor's axes -> whether the tensor can be the layer's.

use super::super::{
    layout::Layout,
    network::{Operation, OperationKind},
    role::Role,
};

/// Whether an operation says enough about shapes to distinguish layouts.
pub(super) fn is_checked(operation: &Operation, role: Role) -> bool {
    operation.outputs.is_some() || (role == Role::Kernel && !operation.window.is_empty())
}

/// Whether a kernel or an activation with these axes can belong to the operation.
pub(super) fn fits(operation: &Operation, layout: Layout, role: Role, axes: &[usize]) -> bool {
    if layout.rank() != axes.len() {
        return false;
    }
    // The window of a separable convolution is that of its depthwise kernel; its outputs are those of its pointwise kernel.
    let is_separable = matches!(operation.kind, OperationKind::Separable(_));
    let is_depthwise = layout.is_depthwise();
    let window = if is_separable && !is_depthwise {
        vec![1; operation.window.len()]
    } else {
        operation.window.clone()
    };
    let has_window = role != Role::Kernel || window.is_empty() || layout.extent(axes) == window;
    let has_outputs = (is_separable && is_depthwise)
        || operation.outputs.is_none_or(|outputs| layout.outputs(axes) == Some(outputs));
    has_window && has_outputs
}

pub(super) fn asked_for(operation: &Operation, layout: Layout) -> String {
    let window = operation.window.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    let window = if window.is_empty() || layout.is_activation() {
        String::new()
    } else {
        format!(", a window of {window}")
    };
    let outputs = operation.outputs.map(|outputs| format!(", {outputs} outputs")).unwrap_or_default();
    format!("{}{window}{outputs}, which the shape has not", layout.name())
}
