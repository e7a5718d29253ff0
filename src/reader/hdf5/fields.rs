//! The bytes of a structure -> its fields, one after the other. All of them are little-endian.

use super::fault::{Read, damaged};

/// How many bytes an address and a length have; the superblock says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Bytes of an address.
    pub address: usize,
    /// Bytes of a length.
    pub length: usize,
}

/// What is left of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
    widths: Widths,
}

impl<'a> Fields<'a> {
    /// All of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8], widths: Widths) -> Self {
        Self { rest: bytes, widths }
    }

    /// How many bytes are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// `Damaged` if there are fewer.
    pub fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or_else(|| damaged("a structure in it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number of up to 8 bytes.
    ///
    /// # Errors
    /// `Damaged` if there are fewer bytes.
    pub fn number(&mut self, width: usize) -> Read<u64> {
        let taken = self.take(width)?;
        if taken.len() > 8 {
            return Err(damaged("a number in it has more than 8 bytes"));
        }
        Ok(taken.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A byte.
    ///
    /// # Errors
    /// `Damaged` if there is none.
    pub fn byte(&mut self) -> Read<u8> {
        Ok(self.take(1)?[0])
    }

    /// A number of 2 bytes.
    ///
    /// # Errors
    /// `Damaged` if there are fewer bytes.
    pub fn u16(&mut self) -> Read<u16> {
        Ok(self.number(2)? as u16)
    }

    /// A number of 4 bytes.
    ///
    /// # Errors
    /// `Damaged` if there are fewer bytes.
    pub fn u32(&mut self) -> Read<u32> {
        Ok(self.number(4)? as u32)
    }

    /// A length.
    ///
    /// # Errors
    /// `Damaged` if there are fewer bytes.
    pub fn length(&mut self) -> Read<u64> {
        self.number(self.widths.length)
    }

    /// An address; `None` if all of its bits are set, which says that there is nothing.
    ///
    /// # Errors
    /// `Damaged` if there are fewer bytes.
    pub fn address(&mut self) -> Read<Option<u64>> {
        let taken = self.take(self.widths.address)?;
        let is_none = taken.iter().all(|byte| *byte == 0xff);
        let address = Fields::new(taken, self.widths).number(self.widths.address)?;
        Ok((!is_none).then_some(address))
    }

    /// Passes the four letters with which a structure begins, and checks them.
    ///
    /// # Errors
    /// `Damaged` if it begins with others.
    pub fn signature(&mut self, expected: &str) -> Read<()> {
        let found = self.take(4)?;
        if found == expected.as_bytes() {
            Ok(())
        } else {
            Err(damaged(format!("where a structure `{expected}` should be is something else")))
        }
    }
}
