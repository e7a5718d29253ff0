//! The decoded bytes of a node -> its numbers and texts, each checked against the end.

use crate::reader::contents::OpenError;

/// Bytes that are read from the start on.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

/// Bytes that contradict the format, for this reason.
pub(super) fn damaged(reason: &str) -> OpenError {
    OpenError::Damaged(format!("its database is impossible: {reason}"))
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn take(&mut self, len: u64) -> Result<&'a [u8], OpenError> {
        let split = usize::try_from(len).ok().and_then(|len| self.rest.split_at_checked(len));
        let (taken, rest) = split.ok_or_else(|| damaged("a node ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, OpenError> {
        Ok(self.take(1)?[0])
    }

    /// A number with seven bits a byte, the lowest first.
    pub(super) fn varint(&mut self) -> Result<u64, OpenError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(damaged("a number has more than 64 bits"))
    }

    /// `count` numbers. Each has a byte, so no memory is taken for more than there are.
    pub(super) fn varints(&mut self, count: usize) -> Result<Vec<u64>, OpenError> {
        if count > self.left() {
            return Err(damaged("a node has fewer entries than it says"));
        }
        (0..count).map(|_| self.varint()).collect()
    }

    /// The number of entries that follow, of which each has `bytes` bytes at least.
    pub(super) fn count(&mut self, bytes: usize) -> Result<usize, OpenError> {
        let count = usize::try_from(self.varint()?).ok().filter(|count| *count <= self.left() / bytes);
        count.ok_or_else(|| damaged("a node has fewer entries than it says"))
    }
}
