//! A serialised graph -> its layers in order, and what its variables, outputs and logged tags are.
//!
//! TensorFlow's `GraphDef` (`core/framework/graph.proto`), its function library, `MetaGraphDef` and `RunMetadata`. `nodes` hops
//! over everything that is large, `flat` puts functions in the place of their calls; here edges are followed: from a convolution
//! through reads and casts back to its variable, on through bias and activation, and from the operation that logs a tag back to
//! what it logs.
//!
//! Names are not matched, edges are followed: only what a logging operation was really given is sure. TensorFlow 2's graphs hold no names
//! of variables, and Keras 3 numbers scopes anew when it traces a model, so there a scope's name joins nothing. Weights that
//! two layers use, as the halves of a tied autoencoder do, belong to the first, and likely at most. The receptive field is given only
//! where every layer on the way is understood.

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
