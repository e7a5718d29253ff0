//! The masked CRC-32C of a record's parts, computed by the processor's own instruction where there is one.

const MASK_DELTA: u32 = 0xa282_ead8;

/// CRC-32C (Castagnoli) of `bytes`, rotated right by 15 bits and offset by a constant, so that the CRC of data
/// that holds CRCs stays meaningful (TensorFlow, `core/lib/hash/crc32c.h`).
#[must_use]
pub fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(MASK_DELTA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors_hold() {
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(masked(&[0; 8]), 0x0798_0329);
    }
}
