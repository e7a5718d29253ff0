//! A record's payload -> what it logs: step, wall time, and for each value its tag, its writer and its form.
//!
//! `outline` reads only the outer messages and hops over the contents; `summary` says what a value is, whichever of
//! the forms of TensorFlow 1, TensorFlow 2, Keras or PyTorch it has.

pub mod frames;
pub mod graph;
pub mod outline;
pub mod picture;
pub mod retime;
pub mod scalar;
pub mod summary;
pub mod value;
pub mod wire;
