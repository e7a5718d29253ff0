//! A file's name and first bytes -> the reader of its format.

use std::path::Path;

use super::{
    contents::{Contents, OpenError},
    input::Files,
};

/// The most bytes that are needed to know a format.
const FIRST_BYTES: u64 = 16;

/// Reads the head of a checkpoint of any format.
///
/// # Errors
/// See [`OpenError`].
pub fn open(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let first = {
        let input = files.open(path)?;
        input.bytes(0, input.len().min(FIRST_BYTES))?
    };
    #[cfg(feature = "safetensors")]
    if name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json") {
        return super::safetensors::open(files, path);
    }
    #[cfg(feature = "pytorch")]
    if is_pytorchs(&name, &first) {
        return super::pytorch::open(files, path);
    }
    #[cfg(feature = "tensorflow")]
    if super::tensorflow::is_index(path) || super::tensorflow::begins_as_table(&first) {
        return super::tensorflow::open(files, path);
    }
    if let Some(kind) = super::not_read::kind_of(&first) {
        return Err(OpenError::NotRead(kind.to_owned()));
    }
    Err(OpenError::Unknown)
}

/// Zip archives that are not those of Keras, and pickles.
#[cfg(feature = "pytorch")]
fn is_pytorchs(name: &str, first: &[u8]) -> bool {
    // Protocols 0 and 1 write PyTorch's magic number as a text.
    let is_pickle = matches!(first, [0x80, 2..=5, ..]) || first.starts_with(b"L119547037146038");
    let is_keras = Path::new(name).extension().is_some_and(|ending| ending == "keras");
    (first.starts_with(b"PK") && !is_keras) || is_pickle
}
