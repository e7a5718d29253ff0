//! A checkpoint of TensorFlow -> what it holds.
//!
//! Since TensorFlow 0.12 it is a bundle: `NAME.index`, a sorted table of entries, and `NAME.data-00000-of-0000N` with the numbers.
//! A `SavedModel` has one as `variables/variables.index`. Before, and with `Saver(write_version=V1)`, it is one table with the numbers
//! in it.

pub mod bundle;
pub mod names;
pub mod object_graph;
mod remark;
pub mod shape;
pub mod slice;
pub mod state;
pub mod step;
pub mod table;
pub mod v1;

use std::path::Path;

use super::{
    contents::{Contents, OpenError},
    input::Files,
};

/// Reads a bundle by the path of its `.index`, the single file of the format before bundles (or the first of its shards,
/// `NAME-00000-of-0000N`), or the list of checkpoints in a file `checkpoint`.
///
/// # Errors
/// See [`OpenError`].
pub fn open(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    match () {
        () if is_index(path) => bundle::open(files, path),
        () if is_list(path) => state::open(files, path),
        () => v1::open(files, path),
    }
}

/// Whether a bundle is opened with a file of this name.
#[must_use]
pub fn is_index(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b".index")
}

/// Whether this is the name of the list that TensorFlow keeps of its checkpoints.
#[must_use]
pub fn is_list(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == state::NAME)
}

/// Whether these are the first bytes of a table of the format before bundles: an empty key, and a `SavedTensorSlices` that begins
/// with its description.
#[must_use]
pub fn begins_as_table(first: &[u8]) -> bool {
    let Some(rest) = first.strip_prefix(&[0, 0]) else { return false };
    let len = rest.iter().take_while(|byte| **byte >= 0x80).count() + 1;
    rest.get(len) == Some(&0x0a)
}

#[cfg(test)]
mod tests;
