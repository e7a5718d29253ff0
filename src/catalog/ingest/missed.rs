//! Checkpoints that were overwritten before they were whole when they were looked at -> their names.

use std::path::Path;

use crate::{reader::moment::Axis, source::FileStat, types::text_of_bytes};

/// Writes of checkpoints that were overwritten before they were whole when they were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Missed {
    /// How many.
    pub(super) count: u64,
    /// The last of them, as phrases.
    pub(super) named: Vec<String>,
}

/// The most of them that are named.
const MOST_MISSED: usize = 100;

/// Whether a file that was being written is another one now: it became shorter, or has its name by renaming.
fn is_begun_anew(before: &FileStat, now: &FileStat) -> bool {
    now.len < before.len || now.identity != before.identity
}

impl Missed {
    /// Compares a file that was not whole with its state now.
    pub(super) fn compare(&mut self, before: &FileStat, now: &FileStat, root: &Path) {
        if is_begun_anew(before, now) {
            self.note(before, root);
        }
    }

    fn note(&mut self, stat: &FileStat, root: &Path) {
        let name = stat.path.strip_prefix(root).unwrap_or(&stat.path);
        let name = text_of_bytes(name.as_os_str().as_encoded_bytes());
        let time = Axis::Time.number(i64::try_from(stat.mtime_ns / 1_000_000).unwrap_or_default());
        self.count += 1;
        self.named.push(format!("{name}, written at {time}: it was never whole when it was looked at"));
        if self.named.len() > MOST_MISSED {
            self.named.remove(0);
        }
    }
}
