//! What a reader of a format returned -> whether it holds: what is listed is in the files and is read, without more memory than
//! was allowed.

use std::collections::HashSet;

use convscope::reader::{
    contents::{Contents, Piece, StoredTensor},
    input::{Files, InMemory},
    naming,
    packing::Stored,
    pieces::{Wanted, form, read},
    read_error::ReadError,
};

/// The most bytes of a tensor that is read.
const LIMIT: u64 = 1 << 16;
/// So many tensors are read.
const MOST_READ: usize = 16;

/// Checks what was read of these files.
pub fn check(files: &InMemory, contents: &Contents) {
    assert!(contents.files.iter().all(|path| files.0.contains_key(path)), "{:?}", contents.files);
    let named = naming::tags(contents);
    let tags: HashSet<&str> = named.iter().map(|named| named.tag.as_str()).collect();
    assert_eq!(tags.len(), contents.tensors.len(), "two tensors have one tag");
    for (number, tensor) in contents.tensors.iter().enumerate().take(MOST_READ) {
        assert!(!tensor.name.is_empty());
        for piece in &tensor.pieces {
            let file = files.open(&contents.files[piece.file as usize]).expect("it was opened before");
            let end = end(tensor, piece).expect("the end of a piece is a number");
            assert!(end <= file.len(), "{tensor:?} ends at {end} of {}", file.len());
        }
        check_numbers(files, &Wanted { contents, number, limit: LIMIT });
    }
}

/// The byte after a piece; its first byte if it has no elements.
fn end(tensor: &StoredTensor, piece: &Piece) -> Option<u64> {
    match piece.packing.as_ref().map(|packing| &packing.stored) {
        Some(Stored::InFile(len)) => return piece.offset.checked_add(*len),
        Some(Stored::Held(_)) => return Some(0),
        None => {}
    }
    let shape = piece.region.as_ref().map_or(&tensor.shape, |region| &region.shape);
    let Ok(dtype) = tensor.dtype else { return Some(piece.offset) };
    if shape.contains(&0) {
        return Some(piece.offset);
    }
    let last = match &piece.strides {
        Some(strides) => shape
            .iter()
            .zip(strides)
            .try_fold(0_u64, |last, (length, stride)| last.checked_add((length - 1).checked_mul(*stride)?))?,
        None => shape.iter().try_fold(1_u64, |count, length| count.checked_mul(*length))? - 1,
    };
    last.checked_add(1)?.checked_mul(dtype.bytes() as u64)?.checked_add(piece.offset)
}

/// A tensor is read in the form that is listed, or there is a reason.
fn check_numbers(files: &InMemory, wanted: &Wanted<'_>) {
    let stored = &wanted.contents.tensors[wanted.number];
    match read(files, wanted) {
        Ok(tensor) => {
            assert!(tensor.bytes.len() as u64 <= LIMIT);
            let (dtype, shape) = form(stored).expect("it was read");
            assert_eq!(tensor.bytes.len(), shape.elements() * dtype.bytes());
        }
        Err(ReadError::TooLarge { needed, limit }) => assert!(needed > limit),
        // What is listed lies in the file, so it cannot end before.
        Err(error @ (ReadError::Cut(_) | ReadError::NoMemory(_) | ReadError::Io(_))) => {
            panic!("{error} of {stored:?}")
        }
        Err(ReadError::Damaged { .. } | ReadError::NotRead(_)) => {}
    }
}
