//! Where one value is in a file: opaque to everybody except the reader of the file.

use crate::record::place::Place;

/// Where one value is in a file. Spots of a file are ordered as its values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// In an event file, the first byte of the record; in a checkpoint, the number of the tensor.
    at: u64,
    /// Bytes of the record's payload or of the tensor.
    len: u64,
    /// In an event file, the position of the value in the record's summary.
    value_idx: u32,
}

impl Spot {
    /// A value of a record of an event file.
    #[must_use]
    pub fn in_record(place: Place, value_idx: u32) -> Self {
        Self { at: place.offset, len: place.len, value_idx }
    }

    /// A tensor of a checkpoint, by its number, with its size in bytes.
    #[must_use]
    pub fn of_tensor(number: usize, bytes: u64) -> Self {
        Self { at: number as u64, len: bytes, value_idx: 0 }
    }

    /// At most so many bytes are read to get the value.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.len
    }

    /// Whether both are read with the same bytes, as pictures that were logged together are.
    #[must_use]
    pub fn shares_bytes_with(self, other: Self) -> bool {
        (self.at, self.len) == (other.at, other.len)
    }

    /// The record of an event file.
    #[must_use]
    pub fn record(self) -> Place {
        Place { offset: self.at, len: self.len }
    }

    /// The position in the record's summary.
    #[must_use]
    pub fn value_idx(self) -> usize {
        self.value_idx as usize
    }

    /// The number of the tensor in a checkpoint.
    #[must_use]
    pub fn tensor(self) -> usize {
        usize::try_from(self.at).unwrap_or(usize::MAX)
    }
}
