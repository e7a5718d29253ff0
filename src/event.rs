//! A record's payload -> what it logs: step, wall time, and the tag, the writer and the form of each value.
//!
//! `outline` reads only the outer messages and skips the contents; `summary` says what a value is, in any of the forms of
//! TensorFlow 1, TensorFlow 2, Keras or PyTorch.

pub mod frames;
pub mod graph;
pub mod outline;
pub mod picture;
pub mod retime;
pub mod scalar;
pub mod summary;
pub mod value;
pub mod wire;
