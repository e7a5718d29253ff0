//! A serialised graph -> its layers in order, and what its variables, outputs and logged tags are.
//!
//! TensorFlow's `GraphDef` (`core/framework/graph.proto`), its function library, `MetaGraphDef` and `RunMetadata`. `nodes` skips
//! everything large, `flat` replaces calls by the called functions; then edges are followed: from a convolution
//! through reads and casts back to its variable, forward through bias and activation, and from the operation that logs a tag
//! back to what it logs.
//!
//! Edges are followed, names are not matched: only what a logging operation really received is sure. TensorFlow 2's graphs
//! contain no names of variables, and Keras 3 renumbers scopes when it traces a model, so there a scope's name connects nothing.
//! Weights that two layers use, as in a tied autoencoder, belong to the first layer, and this is "likely" at most. The receptive
//! field is given only where every layer on the way is understood.

mod attributes;
mod bytes;
mod computed;
mod field;
mod flat;
mod logged;
mod nodes;
mod ops;
mod trace;
mod walk;

pub use self::trace::network;
