//! Writers that compute no CRCs and write zeros in their place, as some writers outside of TensorFlow do.
//!
//! In such a file, no CRC shows that a length is wrong. But bytes are almost certainly a header if an event of that length
//! follows, then zeros, and then another header or nothing. Nobody can check that an event is undamaged.

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

/// Whether the first record of a file has zeros in the place of its payload's CRC, and is an event nevertheless. Only the file's
/// beginning shows what zeros in other places mean: they may also be data that a disk has lost.
///
/// # Errors
/// Errors of the source.
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

/// Whether the second record has CRCs, if it is short and whole: then its writer computes CRCs, and the first record was damaged.
/// If its length has no CRC, or a wrong one, nobody can tell where it ends.
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

/// Whether the file may have no CRCs, and its first record, which shows this, is not complete yet.
pub(super) fn is_begun(bytes: &[u8; HEADER_BYTES], file_len: u64) -> bool {
    bare_length(bytes).is_some_and(|length| {
        length <= LONGEST_FIRST && file_len < HEADER_BYTES as u64 + length + FOOTER_BYTES as u64
    })
}

/// The bytes of a header and of what an event has before its content: its time, its step, and the content's length.
pub(super) const HEAD_BYTES: usize = HEADER_BYTES + 9 + 11 + 11;
/// The step: field 2, a number.
const STEP: u8 = 0x10;
/// The keys of an event's possible contents, all length-delimited: fields 3 to 10.
const CONTENTS: [u8; 8] = [0x1a, 0x22, 0x2a, 0x32, 0x3a, 0x42, 0x4a, 0x52];
/// The most bytes of a varint.
const LONGEST_NUMBER: usize = 10;

/// The payload's length in a header that has zeros in the place of its CRC; `None` if it has none there, or if the length is 0.
pub(super) fn bare_length(bytes: &[u8; HEADER_BYTES]) -> Option<u64> {
    let [l0, l1, l2, l3, l4, l5, l6, l7, 0, 0, 0, 0] = *bytes else { return None };
    Some(u64::from_le_bytes([l0, l1, l2, l3, l4, l5, l6, l7])).filter(|length| *length > 0)
}

/// The positions in `bytes` of headers without a CRC, each followed by an event of the length that it says, with that length.
pub(super) fn bare_headers(bytes: &[u8], max_payload: u64) -> Vec<(usize, u64)> {
    let marked = bytes.windows(HEADER_BYTES + 1).enumerate();
    // Most positions fail here, at the speed of memory.
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

/// A varint, and how many bytes it takes.
fn number(bytes: &[u8]) -> Option<(u64, usize)> {
    let n = 1 + bytes.iter().take(LONGEST_NUMBER).position(|byte| byte & 0x80 == 0)?;
    let digits = bytes[..n].iter().rev();
    Some((digits.fold(0, |number: u64, byte| number.wrapping_shl(7) | u64::from(byte & 0x7f)), n))
}

/// Whether the length of a record without a CRC is that of the event that begins there, or a record ends after that length.
///
/// # Errors
/// Errors of the source.
pub(super) fn has_end(file: &mut impl Peek, place: Place, max_payload: u64) -> io::Result<bool> {
    let head = file.peek(place.payload(), HEAD_BYTES - HEADER_BYTES)?;
    let is_one = head.first() == Some(&WALL_TIME) && is_event(head, place.len);
    Ok(is_one || ends_well(file, place, max_payload)?)
}

/// Whether zeros follow a payload, and a header or nothing follows these.
///
/// # Errors
/// Errors of the source.
pub(super) fn ends_well(file: &mut impl Peek, place: Place, max_payload: u64) -> io::Result<bool> {
    let end = file.peek(place.end() - FOOTER_BYTES as u64, FOOTER_BYTES + HEADER_BYTES)?;
    let Some(([0, 0, 0, 0], next)) = end.split_first_chunk::<FOOTER_BYTES>() else { return Ok(false) };
    // The next header may not be written completely.
    let Some(next) = next.first_chunk() else { return Ok(true) };
    let is_bare = || bare_length(next).is_some_and(|length| length <= max_payload);
    Ok(matches!(header(next, max_payload), Header::Payload(_) | Header::Hole) || is_bare())
}
