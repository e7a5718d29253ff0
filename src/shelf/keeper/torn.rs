//! Three copies of one file in a row -> whether the one in the middle was taken while the file was written over in place.
//!
//! A format without checksums looks whole while a program writes over the old bytes of a file of the same length. Then each number of
//! the copy is that of the save before or of the one after, and both are among them. Two saves of a training that differ have hardly a
//! number in common.

use crate::{
    reader::{
        files::SourceFiles,
        pieces::{Wanted, read},
        shelf::KeptSave,
    },
    source::Source,
};

/// Formats whose numbers have no checksums.
const WITHOUT_CHECKSUMS: [&str; 4] = ["safetensors", "hdf5", "flax", "onnx"];

/// Whether a copy of this format may be torn at all.
pub(super) fn may_be(save: &KeptSave) -> bool {
    WITHOUT_CHECKSUMS.contains(&&*save.format)
}

/// Whether `middle` is a mixture of the other two. What cannot be read or has other tensors is none.
pub(super) fn is_mixture(
    source: &dyn Source,
    before: &KeptSave,
    middle: &KeptSave,
    after: &KeptSave,
) -> bool {
    let bytes = |save: &KeptSave| bytes_of(source, save);
    let (Some(before), Some(middle), Some(after)) = (bytes(before), bytes(middle), bytes(after)) else {
        return false;
    };
    is_mixed(&before, &middle, &after)
}

/// The numbers of all tensors of a save, one after the other.
fn bytes_of(source: &dyn Source, save: &KeptSave) -> Option<Vec<u8>> {
    let files = SourceFiles::new(source);
    let contents = &save.checkpoint.contents;
    let tensor = |number| read(&files, &Wanted { contents, number, limit: save.bytes }).ok();
    let tensors = (0..contents.tensors.len()).map(tensor).collect::<Option<Vec<_>>>()?;
    Some(tensors.iter().flat_map(|tensor| tensor.bytes.iter().copied()).collect())
}

/// Compares eight bytes at once: a number or two, and never a part of one.
fn is_mixed(before: &[u8], middle: &[u8], after: &[u8]) -> bool {
    const AT_ONCE: usize = 8;
    if before.len() != middle.len() || after.len() != middle.len() || middle == before || middle == after {
        return false;
    }
    let numbers = || before.chunks(AT_ONCE).zip(middle.chunks(AT_ONCE)).zip(after.chunks(AT_ONCE));
    // If a training changes few numbers at a time, a save of its own looks the same.
    let n_changed = numbers().filter(|((before, _), after)| before != after).count();
    if n_changed * 2 < numbers().count() {
        return false;
    }
    // The place at which the writer had come may lie between two numbers.
    numbers().filter(|((before, middle), after)| middle != before && middle != after).count() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_new_numbers_over_the_old_ones_is_a_mixture() {
        let numbers = |seed: u32| {
            (0..100_u32).flat_map(|at| (at * 7919 + seed * 104_729).to_le_bytes()).collect::<Vec<u8>>()
        };
        let (before, after, other) = (numbers(1), numbers(2), numbers(3));
        for cut in [4, 100, 204, 396] {
            let torn = [&after[..cut], &before[cut..]].concat();
            assert!(is_mixed(&before, &torn, &after), "{cut}");
        }
        assert!(!is_mixed(&before, &other, &after), "a save of its own");
        assert!(!is_mixed(&before, &before, &after) && !is_mixed(&before, &after, &after));
        assert!(!is_mixed(&before, &before[..8], &after));
        let one = |at: usize| [&before[..at], &after[at..at + 8], &before[at + 8..]].concat();
        let two = [&before[..8], &after[8..24], &before[24..]].concat();
        assert!(!is_mixed(&before, &one(8), &two), "few numbers change");
        // A layer that is not trained is the same in all, and another one is new in each.
        let with = |own: &[u8]| [&before[..], own].concat();
        assert!(!is_mixed(&with(&before), &with(&other), &with(&after)));
    }
}
