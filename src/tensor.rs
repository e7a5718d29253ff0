//! Logged numbers: element types, shapes, decoding from the message in the log, reading as floats, NPY.

mod animation;
pub mod decode;
pub mod dtype;
pub mod frame_reader;
pub mod frames;
pub mod minifloat;
pub mod npy;
pub mod picture;
pub mod shape;
pub(crate) mod still;
pub mod values;

use bytes::Bytes;

use self::{dtype::DType, frames::Frames, shape::Shape};

/// A tensor as logged: its elements little-endian, row by row (the last axis fastest).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// The element type.
    pub dtype: DType,
    /// The length of each axis.
    pub shape: Shape,
    /// Exactly `shape.elements() * dtype.bytes()` bytes.
    pub bytes: Bytes,
    /// Which frames its first axis has, if it is made from animated pictures.
    pub frames: Frames,
}
