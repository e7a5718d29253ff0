//! The table of files in a node -> their paths.

use std::sync::Arc;

use super::fields::{Fields, damaged};
use crate::reader::{
    contents::OpenError,
    opened::{MOST_FILES, is_below},
};

/// The longest path of a file, as the format says.
const LONGEST_PATH: usize = 65_535;
/// The most bytes of all paths of one table: each may begin with the path before it.
const MOST_BYTES: usize = 4 << 20;

/// A file of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DataFile {
    /// Its path, relative to the directory of the database.
    pub(super) path: Arc<str>,
    /// How much of it stands before the paths in its own nodes.
    pub(super) base_len: usize,
}

/// Reads a table. `base` stands before all of its paths.
pub(super) fn read(fields: &mut Fields<'_>, base: &str) -> Result<Vec<DataFile>, OpenError> {
    let count = fields.count(2)?;
    if count > MOST_FILES {
        return Err(OpenError::NotRead(format!("a node of its database names more than {MOST_FILES} files")));
    }
    let prefixes = fields.varints(count.saturating_sub(1))?;
    let suffixes = fields.varints(count)?;
    let bases = fields.varints(count)?;
    let mut files: Vec<DataFile> = Vec::new();
    let (mut last, mut n_bytes) = (Vec::new(), 0);
    for idx in 0..count {
        let shared = if idx == 0 { 0 } else { usize::try_from(prefixes[idx - 1]).unwrap_or(usize::MAX) };
        if shared > last.len() {
            return Err(damaged("a path goes on from more than the one before it"));
        }
        last.truncate(shared);
        last.extend_from_slice(fields.take(suffixes[idx])?);
        n_bytes += last.len() + base.len();
        if last.len() + base.len() > LONGEST_PATH || n_bytes > MOST_BYTES {
            return Err(damaged("its paths are too long"));
        }
        let own = std::str::from_utf8(&last).map_err(|_| damaged("a path is no text"))?;
        let own_base = usize::try_from(bases[idx]).ok().filter(|len| own.is_char_boundary(*len));
        let own_base = own_base.ok_or_else(|| damaged("a path is shorter than its base"))?;
        let path = format!("{base}{own}");
        // What is in no file has a path without letters.
        if !path.is_empty() && !is_below(&path) {
            return Err(damaged(&format!("{path:?} is not below its directory")));
        }
        files.push(DataFile { path: path.into(), base_len: base.len() + own_base });
    }
    Ok(files)
}
