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
    let _ = first;
    Err(OpenError::Unknown)
}
