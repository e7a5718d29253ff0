//! A directory that Orbax wrote -> what it holds.
//!
//! `_METADATA` (JSON) names the leaves of the tree. Each array is one of Zarr: in an OCDBT database beside it, in one for each process
//! of the training, or in a directory of its own. Facts: `orbax-checkpoint` 0.12 and what it writes. A step of a training is a
//! directory, mostly with one such directory for each of its items in it.

pub mod aggregate;
mod arrays;
mod item;
mod keras;
mod leaf;
#[cfg(test)]
mod tests;
mod tree;

use std::path::Path;

use self::{arrays::Arrays, item::Item};
use super::{
    contents::{Contents, Format, OpenError},
    counters,
    input::Files,
    opened::OpenedFiles,
};

/// The file that says what is in a directory.
pub const METADATA: &str = "_METADATA";

/// Reads the directory of a `_METADATA`.
///
/// # Errors
/// See [`OpenError`]; `Unknown` if there is no array.
pub fn open(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    let mut opened = OpenedFiles::new(files);
    let dir = path.parent().unwrap_or(Path::new(""));
    item::check_name(dir)?;
    let tree = tree::read(&mut opened, path)?;
    let item = Item::of(dir, &mut opened)?;
    let mut contents = Contents::empty(Format::Orbax);
    let mut is_all_there = true;
    if tree.leaves.iter().any(|leaf| leaf.is_array) {
        let arrays = Arrays::open(dir, (tree.use_ocdbt, tree.is_each_chunk_written), &mut opened)?;
        is_all_there = leaf::add(&tree.leaves, &item, arrays, &mut contents)?;
    }
    if contents.tensors.is_empty() {
        return Err(leaf::nothing(is_all_there, contents.remarks));
    }
    keras::add_model(&item, &mut opened, &mut contents)?;
    contents.directory = Some(item.checkpoint);
    contents.files = opened.into_paths();
    counters::find(files, &mut contents, &[]);
    Ok(contents)
}

/// Whether a directory is opened with a file of this name.
#[must_use]
pub fn is_metadata(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == METADATA)
}
