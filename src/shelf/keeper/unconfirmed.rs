//! Copies of checkpoints that may still have been written -> which of them are right.
//!
//! A format without checksums looks whole while a program writes over the old bytes of a file of the same length. Then the file
//! changes again soon after it was copied, and has neither another length nor another identity.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    reader::{checkpoint::Checkpoint, files::Stamp},
    source::Source,
};

/// A file that does not change for this time after it was copied was whole.
const CONFIRMED_AFTER: Duration = Duration::from_millis(250);

/// Copies that are not yet confirmed.
#[derive(Default)]
pub(super) struct Unconfirmed(Vec<Copy>);

/// A copy of a checkpoint.
pub(super) struct Copy {
    /// The file on the shelf.
    pub(super) path: PathBuf,
    /// What it is a copy of, for a person.
    pub(super) what: String,
    stamps: Vec<Stamp>,
    since: Instant,
}

impl Unconfirmed {
    /// Adds a copy, unless checksums say that what was read is right.
    pub(super) fn add(&mut self, path: PathBuf, what: String, checkpoint: &Checkpoint) {
        let pieces = || checkpoint.contents.tensors.iter().flat_map(|tensor| &tensor.pieces);
        if !pieces().all(|piece| piece.checksum.is_some()) {
            self.0.push(Copy { path, what, stamps: checkpoint.stamps.clone(), since: Instant::now() });
        }
    }

    /// Takes out the copies whose time has come, and returns those that may be torn.
    pub(super) fn take_torn(&mut self, source: &dyn Source, now: Instant) -> Vec<Copy> {
        let is_due = |copy: &mut Copy| now.saturating_duration_since(copy.since) >= CONFIRMED_AFTER;
        let due: Vec<Copy> = self.0.extract_if(.., is_due).collect();
        due.into_iter()
            .filter(|copy| copy.stamps.iter().any(|stamp| is_written_over(stamp, source)))
            .collect()
    }

    /// After which time to look again.
    pub(super) fn due_after(&self) -> Option<Duration> {
        self.0.iter().map(|copy| CONFIRMED_AFTER.saturating_sub(copy.since.elapsed())).min()
    }
}

/// Whether a file was changed without having become another one or having been emptied.
fn is_written_over(stamp: &Stamp, source: &dyn Source) -> bool {
    source.state(&stamp.path).is_ok_and(|now| {
        (now.identity, now.len) == (stamp.identity, stamp.len) && now.mtime_ns != stamp.mtime_ns
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        reader::contents::{Checksum, Contents, Format, Piece, StoredTensor, Sum},
        source::memory::Memory,
        tensor::dtype::DType,
    };

    fn checkpoint(memory: &Memory, checksum: bool) -> Checkpoint {
        let checksum = checksum.then_some(Checksum { offset: 0, len: 1, expected: Sum::Crc32(0) });
        let mut contents = Contents::empty(Format::Safetensors);
        contents.tensors.push(StoredTensor {
            name: vec!["a".into()],
            better_name: None,
            dtype: Ok(DType::UInt8),
            shape: vec![1],
            pieces: vec![Piece {
                file: 0,
                offset: 0,
                strides: None,
                region: None,
                is_big_endian: false,
                checksum,
                packing: None,
            }],
        });
        let stat = memory.state(&memory.path("a")).unwrap();
        Checkpoint { contents, stamps: vec![Stamp::of(&stat)] }
    }

    #[test]
    fn a_file_that_changes_soon_in_place_was_still_being_written() {
        let check = |has_checksum: bool, change: fn(&Memory), n_torn: usize| {
            let (memory, mut unconfirmed) = (Memory::default(), Unconfirmed::default());
            memory.write("a", b"123");
            unconfirmed.add("copy".into(), "what".to_owned(), &checkpoint(&memory, has_checksum));
            change(&memory);
            let now = Instant::now();
            assert!(unconfirmed.take_torn(&memory, now).is_empty(), "it is too early");
            assert_eq!(unconfirmed.due_after().is_some(), !has_checksum);
            assert_eq!(unconfirmed.take_torn(&memory, now + CONFIRMED_AFTER).len(), n_torn);
            assert_eq!(unconfirmed.due_after(), None);
        };
        // Only its time changes.
        check(false, |memory| memory.append("a", b""), 1);
        check(true, |memory| memory.append("a", b""), 0);
        check(false, |_| {}, 0);
        check(false, |memory| memory.append("a", b"4"), 0);
        check(false, |memory| memory.remove("a"), 0);
    }
}
