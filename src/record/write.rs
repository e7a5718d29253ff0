//! Payloads -> records.

use super::crc::masked;

/// Appends `payload` to `out` as one record.
pub fn append_record(out: &mut Vec<u8>, payload: &[u8]) {
    let length = (payload.len() as u64).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&masked(&length).to_le_bytes());
    out.extend_from_slice(payload);
    out.extend_from_slice(&masked(payload).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_record_has_the_published_bytes() {
        let mut out = Vec::new();
        append_record(&mut out, b"");
        assert_eq!(out[..12], [0, 0, 0, 0, 0, 0, 0, 0, 0x29, 0x03, 0x98, 0x07]);
        assert_eq!(out[12..], 0xa282_ead8_u32.to_le_bytes());
    }
}
