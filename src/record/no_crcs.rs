//! Writers that compute no CRCs and leave zeros in their places, as some of those outside of TensorFlow do.
//!
//! Where a length is wrong in such a file, no CRC tells. But a header is hardly ever anything else where its length is that of an
//! event, zeros follow this, and then another header or nothing. That an event is whole nobody can tell.

use std::io;

use super::{
    crc::masked,
    frame::{FOOTER_BYTES, HEADER_BYTES, Header, header},
    place::Place,
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

/// Whether the second record has CRCs, where it is short and whole: then its writer computes them, and the first was damaged. Where
/// its length has none, or a wrong one, nobody can tell where it ends.
fn second_has_one(file: &mut impl Peek, at: u64) -> io::Result<bool> {
    let Ok(header) = <[u8; HEADER_BYTES]>::try_from(file.peek(at, HEADER_BYTES)?) else { return Ok(false) };
    let [l0, l1, l2, l3, l4, l5, l6, l7, crc @ ..] = header;
    let length = [l0, l1, l2, l3, l4, l5, l6, l7];
    if masked(&length) != u32::from_le_bytes(crc) || u64::from_le_bytes(length) > LONGEST_FIRST {
        return Ok(false);
    }
    let footer = file.peek(at + HEADER_BYTES as u64 + u64::from_le_bytes(length), FOOTER_BYTES)?;
    Ok(footer.len() == FOOTER_BYTES && footer != [0; FOOTER_BYTES])
}

/// Whether the file may have no CRCs, and its first record, which tells, is not all there yet.
pub(super) fn is_begun(bytes: &[u8; HEADER_BYTES], file_len: u64) -> bool {
    bare_length(bytes).is_some_and(|length| {
        length <= LONGEST_FIRST && file_len < HEADER_BYTES as u64 + length + FOOTER_BYTES as u64
    })
}

/// A header and what an event has in front of its content: its time, its step, and the content's length.
pub(super) const HEAD_BYTES: usize = HEADER_BYTES + 9 + 11 + 11;
/// The step: field 2, a number.
const STEP: u8 = 0x10;
/// What an event may hold, each of a length: fields 3 to 10.
const CONTENTS: [u8; 8] = [0x1a, 0x22, 0x2a, 0x32, 0x3a, 0x42, 0x4a, 0x52];
/// Lengths are numbers of so many bytes at most.
const LONGEST_NUMBER: usize = 10;

/// The payload's length by a header that has zeros in the place of its CRC; `None` where it has not, or claims none.
pub(super) fn bare_length(bytes: &[u8; HEADER_BYTES]) -> Option<u64> {
    let [l0, l1, l2, l3, l4, l5, l6, l7, 0, 0, 0, 0] = *bytes else { return None };
    Some(u64::from_le_bytes([l0, l1, l2, l3, l4, l5, l6, l7])).filter(|length| *length > 0)
}

/// Where in `bytes` headers without a CRC stand, each in front of an event that is as long as it says, with that length.
pub(super) fn bare_headers(bytes: &[u8], max_payload: u64) -> Vec<(usize, u64)> {
    let marked = bytes.windows(HEADER_BYTES + 1).enumerate();
    // Most places fail here, at the speed of memory.
    let marked = marked.filter(|(_, place)| place[4..] == [0, 0, 0, 0, 0, 0, 0, 0, WALL_TIME]);
    let lengths = marked.filter_map(|(at, place)| Some((at, bare_length(place.first_chunk()?)?)));
    let believable = lengths.filter(|(_, length)| *length <= max_payload);
    believable.filter(|(at, length)| is_event(&bytes[at + HEADER_BYTES..], *length)).collect()
}

/// Whether bytes begin with an event of this length: a time, perhaps a step, and one content up to its end.
fn is_event(bytes: &[u8], length: u64) -> bool {
    let mut at = 9;
    if bytes.get(at) == Some(&STEP) && length > at as u64 {
        let Some((_, n)) = number(bytes.get(at + 1..).unwrap_or_default()) else { return false };
        at += 1 + n;
    }
    if at as u64 == length {
        return true;
    }
    let has_content = bytes.get(at).is_some_and(|key| CONTENTS.contains(key));
    let content = number(bytes.get(at + 1..).unwrap_or_default()).filter(|_| has_content);
    content.is_some_and(|(content, n)| content.checked_add((at + 1 + n) as u64) == Some(length))
}

/// A number of protobuf's, and how many bytes it takes.
fn number(bytes: &[u8]) -> Option<(u64, usize)> {
    let n = 1 + bytes.iter().take(LONGEST_NUMBER).position(|byte| byte & 0x80 == 0)?;
    let digits = bytes[..n].iter().rev();
    Some((digits.fold(0, |number: u64, byte| number.wrapping_shl(7) | u64::from(byte & 0x7f)), n))
}

/// Whether the length of a record without a CRC is that of the event which begins there, or a record ends after it.
///
/// # Errors
/// As the source's.
pub(super) fn has_end(file: &mut impl Peek, place: Place, max_payload: u64) -> io::Result<bool> {
    let head = file.peek(place.payload(), HEAD_BYTES - HEADER_BYTES)?;
    let is_one = head.first() == Some(&WALL_TIME) && is_event(head, place.len);
    Ok(is_one || ends_well(file, place, max_payload)?)
}

/// Whether zeros follow a payload, and a header or nothing follows these.
///
/// # Errors
/// As the source's.
pub(super) fn ends_well(file: &mut impl Peek, place: Place, max_payload: u64) -> io::Result<bool> {
    let end = file.peek(place.end() - FOOTER_BYTES as u64, FOOTER_BYTES + HEADER_BYTES)?;
    let Some(([0, 0, 0, 0], next)) = end.split_first_chunk::<FOOTER_BYTES>() else { return Ok(false) };
    // The next one may have been written in part.
    let Some(next) = next.first_chunk() else { return Ok(true) };
    let is_bare = || bare_length(next).is_some_and(|length| length <= max_payload);
    Ok(matches!(header(next, max_payload), Header::Payload(_) | Header::Hole) || is_bare())
}
