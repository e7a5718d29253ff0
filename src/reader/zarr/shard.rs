//! The index of a shard -> where its smaller chunks are.

use super::{
    array::Index,
    refusal::{Refusal, damaged, not_read},
};
use crate::reader::{input::Input, packing::Stored};

/// Offset and length.
const ENTRY: u64 = 16;
const CHECKSUM: u64 = 4;
/// Both numbers of a chunk that was not written.
const NOTHING: u64 = u64::MAX;
/// The most smaller chunks of a shard.
const MOST_CHUNKS: u64 = 1 << 17;

/// Where a smaller chunk is in the shard's bytes: offset and length; `None` if it was not written.
pub(super) type Inner = Option<(u64, u64)>;

/// Reads the index of a shard with `count` smaller chunks. `offset` is the first byte of the shard in its file.
pub(super) fn entries(
    index: Index,
    count: u64,
    (input, offset, stored): (&dyn Input, u64, &Stored),
) -> Result<Vec<Inner>, Refusal> {
    if count > MOST_CHUNKS {
        return Err(not_read(format!("a shard has more than {MOST_CHUNKS} chunks")));
    }
    let entries_len = count * ENTRY;
    let index_len = entries_len + if index.has_checksum { CHECKSUM } else { 0 };
    let len = match stored {
        Stored::InFile(len) => *len,
        Stored::Held(bytes) => bytes.len() as u64,
    };
    let last = len.checked_sub(index_len).ok_or_else(|| damaged("a shard is shorter than its index"))?;
    let at = if index.is_first { 0 } else { last };
    let bytes = match stored {
        Stored::InFile(_) => input.bytes(offset.saturating_add(at), index_len)?,
        // Both are within the bytes, which are held.
        Stored::Held(bytes) => bytes[at as usize..(at + index_len) as usize].to_vec(),
    };
    let (listed, checksum) = bytes.split_at(entries_len as usize);
    // A fuzzer does not guess CRCs.
    if index.has_checksum && crc32c::crc32c(listed).to_le_bytes() != checksum && !cfg!(fuzzing) {
        return Err(damaged("the checksum of the index of a shard is wrong"));
    }
    let number = |bytes: &[u8]| {
        let bytes = bytes.try_into().unwrap_or_default();
        if index.is_big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) }
    };
    let entry = |bytes: &[u8]| match (number(&bytes[..8]), number(&bytes[8..])) {
        (NOTHING, NOTHING) => Ok(None),
        (at, inner) if at.checked_add(inner).is_some_and(|end| end <= len) => Ok(Some((at, inner))),
        _ => Err(damaged("a chunk would lie outside of its shard")),
    };
    listed.chunks_exact(ENTRY as usize).map(entry).collect()
}
