//! A file of Flax's `msgpack_serialize`: `flax.serialization.to_bytes`, `save_checkpoint` without Orbax, `flax_model.msgpack`.
//!
//! Nested maps with arrays: extension 1 holds a shape, the name of a type and the bytes. Source: `flax/serialization.py` of Flax 0.12.
//! Nothing in it says how long the file is, so it is whole if its last value ends where the file ends.

pub mod array;
pub mod chunked;
pub mod tree;

use std::path::Path;

use crate::source::stored::is_flax_save;

/// The ending of such files.
const ENDING: &str = "msgpack";
/// What Orbax called such a file in its directories, before `_METADATA`.
pub const AGGREGATE: &str = "checkpoint";

/// Whether a file has a name that Flax, or Orbax, gives such files.
#[must_use]
pub fn is_named(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    path.extension().is_some_and(|ending| ending == ENDING) || name == AGGREGATE || is_flax_save(name)
}
