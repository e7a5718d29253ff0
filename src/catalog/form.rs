//! The element type and the shape of a tensor, or why it cannot be read.

use crate::tensor::{Tensor, dtype::DType, frames::Frames, shape::Shape};

/// Element type and shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The element type.
    pub dtype: DType,
    /// The lengths of the axes.
    pub shape: Shape,
    /// Whether the elements are in a protobuf list of their type, which has to be copied, and not in bytes that are used directly.
    pub is_listed: bool,
    /// Which frames the first axis has, if the pictures are animated.
    pub frames: Frames,
}

impl Form {
    /// The form of a tensor that was read.
    #[must_use]
    pub fn of(tensor: &Tensor) -> Self {
        let (shape, frames) = (tensor.shape.clone(), tensor.frames.clone());
        Self { dtype: tensor.dtype, shape, is_listed: false, frames }
    }
}

/// Why a logged tensor cannot be read, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormError {
    /// The type's number in the log.
    pub dtype_number: i32,
    /// The lengths as logged.
    pub dims: Vec<i64>,
    /// The reason, and what the user can do about it.
    pub reason: String,
}
