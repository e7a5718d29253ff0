//! The bytes of a manifest or a node -> its decoded body.
//!
//! Both begin with a magic number (4 bytes, big-endian), the length of all (8 bytes, little-endian), a version and the kind of
//! compression, and end with the CRC32C of what is before.

use super::fields::{Fields, damaged};
use crate::reader::{contents::OpenError, packing::Codec};

/// What a file or a part of one begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Manifest,
    Node,
}

/// The magic number, the length, and the CRC at the end.
const SHORTEST: usize = 4 + 8 + 4;
/// The most bytes of a decoded body. Of a checkpoint with 2,000 tensors it has about 1 MB. Under a fuzzer, memory is short.
const LONGEST: u64 = if cfg!(fuzzing) { 4 << 20 } else { 64 << 20 };

impl Kind {
    fn magic(self) -> u32 {
        match self {
            Self::Manifest => 0x0cdb_3a2a,
            Self::Node => 0x0cdb_20de,
        }
    }
}

/// Decodes the body.
pub(super) fn body(bytes: &[u8], kind: Kind) -> Result<Vec<u8>, OpenError> {
    let what = if kind == Kind::Manifest { "manifest" } else { "node" };
    let cut = || OpenError::NotWhole(format!("a {what} of its database ends too early"));
    let (magic, rest) = bytes.split_first_chunk().ok_or_else(cut)?;
    if u32::from_be_bytes(*magic) != kind.magic() {
        return Err(if bytes.iter().all(|byte| *byte == 0) {
            cut()
        } else {
            damaged(&format!("a {what} does not begin as one"))
        });
    }
    let (len, _) = rest.split_first_chunk().ok_or_else(cut)?;
    let len = u64::from_le_bytes(*len);
    if len > bytes.len() as u64 {
        return Err(cut());
    }
    if len < bytes.len() as u64 || bytes.len() < SHORTEST {
        return Err(damaged(&format!("a {what} has {} bytes and says {len}", bytes.len())));
    }
    let (content, crc) = bytes.split_last_chunk().ok_or_else(cut)?;
    // A fuzzer does not guess CRCs.
    if crc32c::crc32c(content) != u32::from_le_bytes(*crc) && !cfg!(fuzzing) {
        return Err(OpenError::Damaged(format!("the checksum of a {what} of its database is wrong")));
    }
    let mut fields = Fields::new(&content[SHORTEST - 4..]);
    let (version, compression) = (fields.varint()?, fields.varint()?);
    let packed = fields.take(fields.left() as u64)?;
    match (version, compression) {
        (0, 0) if packed.len() as u64 <= LONGEST => Ok(packed.to_vec()),
        (0, 1) => Codec::Zstd.undo(packed, LONGEST).ok_or_else(|| {
            OpenError::Damaged(format!(
                "a {what} of its database cannot be decompressed, or has more than {} MiB",
                LONGEST >> 20
            ))
        }),
        _ => Err(OpenError::NotRead(format!(
            "a {what} of its database has the unknown version {version} or compression {compression}, or is too large"
        ))),
    }
}
