//! The directory of a database -> its keys.

use std::path::Path;

use super::{
    database::Database,
    manifest::{Root, root},
    walk::Walk,
};
use crate::reader::{contents::OpenError, opened::OpenedFiles};

/// Adds the keys of the database in a directory. Returns whether there is one.
///
/// # Errors
/// `NotWhole` if a file ends too early or is not there, `Damaged` if its bytes contradict the format, `NotRead` if it is too large.
pub fn add(dir: &Path, files: &mut OpenedFiles<'_>, database: &mut Database) -> Result<bool, OpenError> {
    match root(dir, files)? {
        Root::At(root) => Walk::new(dir, files).leaves(root, database)?,
        Root::Empty => {}
        Root::NoDatabase | Root::InNumbered => return Ok(false),
    }
    Ok(true)
}
