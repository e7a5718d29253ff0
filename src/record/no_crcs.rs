//! Writers that compute no CRCs and leave zeros in their places, as some of those outside of TensorFlow do.

use std::io;

use super::{
    crc::masked,
    frame::{FOOTER_BYTES, HEADER_BYTES},
};
use crate::source::window::Peek;

/// The first record of an event file names the version of the format and is short.
const LONGEST_FIRST: u64 = 4 << 10;
/// The first byte of an event with a time: field 1, eight bytes.
const WALL_TIME: u8 = 0x09;

/// Whether the first record of a file has zeros where the CRC of its payload belongs, and is an event all the same. What zeros in
/// other places mean only the file's beginning can tell: they may as well be what a disk has lost.
///
/// # Errors
/// As the source's.
pub fn has_no_crcs(file: &mut impl Peek) -> io::Result<bool> {
    let Ok(header) = <[u8; HEADER_BYTES]>::try_from(file.peek(0, HEADER_BYTES)?) else { return Ok(false) };
    let [l0, l1, l2, l3, l4, l5, l6, l7, crc @ ..] = header;
    let length = [l0, l1, l2, l3, l4, l5, l6, l7];
    let is_header = crc == [0; 4] || masked(&length) == u32::from_le_bytes(crc);
    let length = u64::from_le_bytes(length);
    if !is_header || length == 0 || length > LONGEST_FIRST {
        return Ok(false);
    }
    let payload_bytes = length as usize;
    let bytes = file.peek(HEADER_BYTES as u64, payload_bytes + FOOTER_BYTES)?;
    let Some((payload, footer)) = bytes.split_at_checked(payload_bytes) else { return Ok(false) };
    let has_none = payload.first() == Some(&WALL_TIME) && footer == [0; FOOTER_BYTES] && masked(payload) != 0;
    Ok(has_none && !second_has_one(file, HEADER_BYTES as u64 + length + FOOTER_BYTES as u64)?)
}

/// Whether the second record has a CRC, where it is short and whole: then its writer computes them, and the first was damaged.
fn second_has_one(file: &mut impl Peek, at: u64) -> io::Result<bool> {
    let header = file.peek(at, HEADER_BYTES)?;
    let Some(length) = header.first_chunk().copied().map(u64::from_le_bytes) else { return Ok(false) };
    if length > LONGEST_FIRST {
        return Ok(false);
    }
    let footer = file.peek(at + HEADER_BYTES as u64 + length, FOOTER_BYTES)?;
    Ok(footer.len() == FOOTER_BYTES && footer != [0; FOOTER_BYTES])
}
