//! A file that Keras wrote, or another HDF5 file -> what it holds, under the names that the layers have.
//!
//! Keras 3 writes `.keras`, a zip archive with `config.json` and `model.weights.h5`, and such weights alone (`.weights.h5`, or in
//! several files that a `.weights.json` lists). Both call a layer by its class and a number (`layers/conv2d_1/vars/0`). The older
//! `.h5` calls it by its name. Source: `keras/src/saving/saving_lib.py` and `keras/src/legacy/saving/legacy_h5_format.py` of Keras
//! 3.15. Nothing of a model is built.

mod archive;
mod config;
mod counter;
mod layer_name;
mod legacy;
mod naming;
mod shards;
mod stored;
mod tensors;
#[cfg(test)]
mod tests;
mod variable;

use std::path::Path;

use self::stored::Stored;
use super::{
    contents::{Contents, Format, OpenError},
    hdf5::tree,
    input::Files,
};

/// The first bytes of a zip archive.
const ZIP: &[u8] = b"PK";

/// Reads the head of a checkpoint.
///
/// # Errors
/// See [`OpenError`].
pub fn open(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    let input = files.open(path)?;
    let first = input.bytes(0, input.len().min(ZIP.len() as u64))?;
    let mut contents = if is_index(path) {
        shards::open(files, path, &*input)?
    } else if first == ZIP || is_archive(path) {
        archive::open(path, &*input)?
    } else {
        let mut stored = Stored::default();
        stored.add(tree::read(&*input)?, 0, 0)?;
        let mut contents = Contents { files: vec![path.to_owned()], ..Contents::empty(Format::Hdf5) };
        tensors::add(stored, None, &mut contents);
        contents
    };
    counter::find(files, path, &mut contents);
    Ok(contents)
}

/// Whether a path has the ending of a list of files with weights.
#[must_use]
pub fn is_index(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b".weights.json")
}

/// Whether a path has the ending of an archive.
#[must_use]
pub fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "keras")
}

/// Whether a path has an ending of HDF5 files.
#[must_use]
pub fn is_hdf5(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "h5" || ending == "hdf5")
}
