//! A serialised graph -> its layers in order, and what its variables, outputs and logged tags are.
//!
//! TensorFlow's `GraphDef` (`core/framework/graph.proto`), its function library, `MetaGraphDef` and `RunMetadata`. `nodes` hops
//! over everything that is large, `flat` puts functions in the place of their calls; here edges are followed: from a convolution
//! through reads and casts back to its variable, on through bias and activation, and from the operation that logs a tag back to
//! what it logs.

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
