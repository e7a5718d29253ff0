//! A file that is named like a checkpoint -> whether it begins like one. A file that does is read only once.

use std::{
    collections::HashMap,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::open::open_regular;
use crate::source::checkpoint::{LONGEST_START, MOST_CHECKPOINTS, Start};

/// Paths of files that begin like checkpoints, with their inode numbers.
#[derive(Default)]
pub(super) struct FirstBytes {
    right: Mutex<HashMap<PathBuf, u64>>,
}

impl FirstBytes {
    /// Whether a file is known to begin like a checkpoint.
    pub(super) fn knows(&self, path: &Path, inode: u64) -> bool {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.get(path) == Some(&inode)
    }

    /// Checks whether a file begins like a checkpoint.
    pub(super) fn look(&self, path: &Path, inode: u64, start: Start) -> bool {
        let is_right = first_bytes(path).is_some_and(|first| start.is_of(&first));
        if is_right {
            let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
            if right.len() >= MOST_CHECKPOINTS {
                right.clear();
            }
            right.insert(path.to_owned(), inode);
        }
        is_right
    }
}

fn first_bytes(path: &Path) -> Option<Vec<u8>> {
    let mut first = Vec::with_capacity(LONGEST_START);
    open_regular(path).ok()?.take(LONGEST_START as u64).read_to_end(&mut first).ok()?;
    Some(first)
}
