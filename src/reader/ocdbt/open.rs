//! The directory of a database -> its keys.

use std::path::Path;

use super::{database::Database, manifest::root, walk::Walk};
use crate::reader::{contents::OpenError, opened::OpenedFiles};

/// Adds the keys of the database in a directory. Returns whether there is one.
///
/// # Errors
/// `NotWhole` if a file ends too early or is not there, `Damaged` if its bytes contradict the format, `NotRead` if it is too large.
pub fn add(dir: &Path, files: &mut OpenedFiles<'_>, database: &mut Database) -> Result<bool, OpenError> {
    let Some(root) = root(dir, files)? else { return Ok(false) };
    if let Some(root) = root {
        Walk::new(dir, files).leaves(root, database)?;
    }
    Ok(true)
}
