//! The position of a record in its file.

use super::frame::{FOOTER_BYTES, HEADER_BYTES};

/// The position of a record in its file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The first byte of the header.
    pub offset: u64,
    /// The payload's length.
    pub len: u64,
}

impl Place {
    /// The first byte of the payload.
    #[must_use]
    pub fn payload(self) -> u64 {
        self.offset + HEADER_BYTES as u64
    }

    /// The byte after the record.
    #[must_use]
    pub fn end(self) -> u64 {
        self.payload() + self.len + FOOTER_BYTES as u64
    }
}
