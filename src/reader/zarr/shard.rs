//! The index of a shard -> where its smaller chunks are.

use super::{
    array::Shard,
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
pub(super) fn index(
    shard: &Shard,
    count: u64,
    (input, offset, stored): (&dyn Input, u64, &Stored),
) -> Result<Vec<Inner>, Refusal> {
    if count > MOST_CHUNKS {
        return Err(not_read(format!("a shard has more than {MOST_CHUNKS} chunks")));
    }
    let entries_len = count * ENTRY;
    let index_len = entries_len + if shard.has_checksum { CHECKSUM } else { 0 };
    let len = match stored {
        Stored::InFile(len) => *len,
        Stored::Held(bytes) => bytes.len() as u64,
    };
    let last = len.checked_sub(index_len).ok_or_else(|| damaged("a shard is shorter than its index"))?;
    let at = if shard.is_index_first { 0 } else { last };
    let bytes = match stored {
        Stored::InFile(_) => input.bytes(offset.saturating_add(at), index_len)?,
        // Both are within the bytes, which are held.
        Stored::Held(bytes) => bytes[at as usize..(at + index_len) as usize].to_vec(),
    };
    let (entries, checksum) = bytes.split_at(entries_len as usize);
    // A fuzzer does not guess CRCs.
    if shard.has_checksum && crc32c::crc32c(entries).to_le_bytes() != checksum && !cfg!(fuzzing) {
        return Err(damaged("the checksum of the index of a shard is wrong"));
    }
    let number = |bytes: &[u8]| {
        let bytes = bytes.try_into().unwrap_or_default();
        if shard.is_index_big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) }
    };
    let entry = |bytes: &[u8]| match (number(&bytes[..8]), number(&bytes[8..])) {
        (NOTHING, NOTHING) => Ok(None),
        (at, inner) if at.checked_add(inner).is_some_and(|end| end <= len) => Ok(Some((at, inner))),
        _ => Err(damaged("a chunk would lie outside of its shard")),
    };
    entries.chunks_exact(ENTRY as usize).map(entry).collect()
}
