//! The masked CRC-32C of a record's parts, computed with the processor's CRC instruction if it has one.

const MASK_DELTA: u32 = 0xa282_ead8;

/// CRC-32C (Castagnoli) of `bytes`, rotated right by 15 bits and offset by a constant, so that the CRC of data
/// that holds CRCs stays meaningful (TensorFlow, `core/lib/hash/crc32c.h`).
#[must_use]
pub fn masked(bytes: &[u8]) -> u32 {
    let mut digest = Digest::default();
    digest.add(bytes);
    digest.masked()
}

/// The CRC that [`masked`] was made from.
#[must_use]
pub fn unmasked(masked: u32) -> u32 {
    masked.wrapping_sub(MASK_DELTA).rotate_left(15)
}

/// The CRC of bytes that are given in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub struct Digest(u32);

impl Digest {
    /// Adds the next piece.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0 = crc32c::crc32c_append(self.0, bytes);
    }

    /// The masked CRC of all pieces so far.
    #[must_use]
    pub fn masked(self) -> u32 {
        self.0.rotate_right(15).wrapping_add(MASK_DELTA)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors_hold() {
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(masked(&[0; 8]), 0x0798_0329);
        assert_eq!(unmasked(masked(&[0; 32])), 0x8a91_36aa);
    }
}
