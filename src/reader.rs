//! A checkpoint's files -> what they hold, and each tensor of it.
//!
//! A reader of a format reads the head of a file (a header, an index, a pickle) and returns [`contents::Contents`]: names, element
//! types, shapes, and where the numbers are. It reads no tensor. [`pieces`] reads the numbers of one tensor, for all formats.

#[cfg(any(feature = "pytorch", feature = "onnx"))]
pub mod beside;
pub mod checkpoint;
pub mod contents;
#[cfg(feature = "jax")]
pub mod counters;
#[cfg(feature = "jax")]
pub mod element;
pub mod events;
pub mod file;
pub mod files;
#[cfg(feature = "jax")]
pub mod flax;
#[cfg(feature = "hdf5")]
pub mod hdf5;
pub mod input;
#[cfg(any(feature = "hdf5", feature = "jax"))]
pub mod json;
#[cfg(feature = "hdf5")]
pub mod keras;
#[cfg(feature = "jax")]
pub mod key_path;
pub mod kinds;
pub mod moment;
#[cfg(feature = "jax")]
pub mod msgpack;
pub mod naming;
pub mod not_read;
#[cfg(feature = "npz")]
pub mod npz;
#[cfg(feature = "jax")]
pub mod ocdbt;
#[cfg(feature = "onnx")]
pub mod onnx;
#[cfg(feature = "jax")]
pub mod opened;
#[cfg(feature = "jax")]
pub mod orbax;
pub mod packing;
pub mod pieces;
#[cfg(feature = "pytorch")]
pub mod pytorch;
pub mod read_error;
#[cfg(feature = "safetensors")]
pub mod safetensors;
pub mod shelf;
pub mod spot;
#[cfg(feature = "tensorflow")]
pub mod tensorflow;
#[cfg(all(
    test,
    any(
        feature = "hdf5",
        feature = "tensorflow",
        feature = "jax",
        feature = "npz",
        feature = "pytorch",
        feature = "onnx"
    )
))]
mod truth_tests;
#[cfg(any(feature = "tensorflow", feature = "onnx", feature = "jax"))]
pub mod view;
#[cfg(feature = "jax")]
pub mod zarr;
#[cfg(any(feature = "pytorch", feature = "hdf5", feature = "npz"))]
pub mod zip;
