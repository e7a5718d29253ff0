//! The twelve bytes before a payload -> its length, or what is wrong with them.

use super::crc::masked;

/// Bytes before a payload: its length and the CRC of the length.
pub const HEADER_BYTES: usize = 12;
/// Bytes after a payload: its CRC.
pub const FOOTER_BYTES: usize = 4;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// A payload of this many bytes follows.
    Payload(u64),
    /// Twelve zero bytes: a part of the file that a network file system has not filled yet.
    Hole,
    /// The CRC is not that of the length: this is no header.
    BadCrc,
    /// The CRC is right, and the length is above the limit.
    TooLong(u64),
}

/// Reads a header; lengths above `max_payload` bytes are not accepted.
#[must_use]
pub fn header(bytes: &[u8; HEADER_BYTES], max_payload: u64) -> Header {
    let [l0, l1, l2, l3, l4, l5, l6, l7, crc @ ..] = *bytes;
    let length_bytes = [l0, l1, l2, l3, l4, l5, l6, l7];
    if *bytes == [0; HEADER_BYTES] {
        return Header::Hole;
    }
    if masked(&length_bytes) != u32::from_le_bytes(crc) {
        return Header::BadCrc;
    }
    match u64::from_le_bytes(length_bytes) {
        length if length > max_payload => Header::TooLong(length),
        length => Header::Payload(length),
    }
}

/// The payload's length in bytes that were read as a header before; its CRC may be missing. `None` if they are no header any
/// more, or say more than `max_payload` bytes.
#[must_use]
pub fn known_length(bytes: &[u8; HEADER_BYTES], max_payload: u64) -> Option<u64> {
    match (header(bytes, max_payload), bytes) {
        (Header::Payload(length), _) => Some(length),
        (Header::BadCrc, [l0, l1, l2, l3, l4, l5, l6, l7, 0, 0, 0, 0]) => {
            let length = u64::from_le_bytes([*l0, *l1, *l2, *l3, *l4, *l5, *l6, *l7]);
            (length <= max_payload).then_some(length)
        }
        _ => None,
    }
}

/// Whether the four bytes after a payload are its CRC.
#[must_use]
pub fn payload_holds(payload: &[u8], footer: [u8; FOOTER_BYTES]) -> bool {
    masked(payload) == u32::from_le_bytes(footer)
}

/// The first position in `bytes` of a header with a right CRC and an acceptable length.
#[must_use]
pub fn find_header(bytes: &[u8], max_payload: u64) -> Option<usize> {
    bytes.windows(HEADER_BYTES).position(|place| {
        let place: &[u8; HEADER_BYTES] = place.try_into().expect("windows have this size");
        // Most positions fail here, at the speed of memory: the upper bytes of acceptable lengths are zeros.
        let length = u64::from_le_bytes(place[..8].try_into().expect("eight of twelve bytes"));
        length <= max_payload && matches!(header(place, max_payload), Header::Payload(_))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_of(length: u64) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        bytes[8..].copy_from_slice(&masked(&length.to_le_bytes()).to_le_bytes());
        bytes
    }

    fn check(bytes: [u8; HEADER_BYTES], expected: Header) {
        assert_eq!(header(&bytes, 1 << 30), expected);
    }

    #[test]
    fn every_fault_has_its_name() {
        check(header_of(17), Header::Payload(17));
        check(header_of(0), Header::Payload(0));
        check([0; 12], Header::Hole);
        check([1; 12], Header::BadCrc);
        check(header_of(1 << 60), Header::TooLong(1 << 60));
        check(header_of(u64::MAX), Header::TooLong(u64::MAX));
        check(header_of(1 << 30), Header::Payload(1 << 30));
        check(header_of((1 << 30) + 1), Header::TooLong((1 << 30) + 1));
    }

    #[test]
    fn a_header_is_found_behind_noise_and_false_ones() {
        let mut bytes = vec![0; 40];
        bytes.extend(header_of(1 << 40));
        bytes.extend([7; 5]);
        bytes.extend(header_of(99));
        assert_eq!(find_header(&bytes, 1 << 30), Some(57));
        assert_eq!(find_header(&bytes[..68], 1 << 30), None);
    }
}
