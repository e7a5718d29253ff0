//! A file of `MessagePack` -> its values in turn, without the bytes of the long ones.
//!
//! Source: <https://github.com/msgpack/msgpack/blob/master/spec.md>.

use std::io;

use super::{contents::OpenError, input::Input, view::View};
use crate::source::window::Peek as _;

/// A value, or how long one is that comes next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Item {
    /// Nil, a boolean, or a float.
    Other,
    /// A whole number, if it fits.
    Whole(Option<i64>),
    /// A text of so many bytes.
    Text(u64),
    /// So many bytes.
    Bytes(u64),
    /// So many values.
    Array(u64),
    /// So many keys, each with a value.
    Map(u64),
    /// So many bytes of a type that the writer knows.
    Extension(i8, u64),
}

/// Whether a file that begins with these bytes begins with a map that is not empty.
#[must_use]
pub fn begins_as_map(first: &[u8]) -> bool {
    matches!(first.first(), Some(0x81..=0x8f | 0xde | 0xdf))
}

/// A file that is read from the start on.
pub struct Reader<'a> {
    view: View<'a>,
    at: u64,
    end: u64,
}

impl<'a> Reader<'a> {
    /// Before the first value.
    #[must_use]
    pub fn new(input: &'a dyn Input) -> Self {
        Self { view: View::new(input), at: 0, end: input.len() }
    }

    /// Where the next value begins.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Whether there is nothing more.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.at == self.end
    }

    /// Reads a value, of a long one only its length.
    ///
    /// # Errors
    /// `NotWhole` if the file ends too early, `Damaged` for the one byte that no value begins with.
    pub fn item(&mut self) -> Result<Item, OpenError> {
        let first = self.number(1)? as u8;
        Ok(match first {
            0x00..=0x7f => Item::Whole(Some(i64::from(first))),
            0x80..=0x8f => Item::Map(u64::from(first & 0x0f)),
            0x90..=0x9f => Item::Array(u64::from(first & 0x0f)),
            0xa0..=0xbf => Item::Text(u64::from(first & 0x1f)),
            0xc0 | 0xc2 | 0xc3 => Item::Other,
            0xc1 => return Err(OpenError::Damaged(format!("no value begins as byte {}", self.at - 1))),
            0xc4..=0xc6 => Item::Bytes(self.number(1 << (first - 0xc4))?),
            0xc7..=0xc9 => {
                let len = self.number(1 << (first - 0xc7))?;
                Item::Extension(self.number(1)? as i8, len)
            }
            0xca | 0xcb => {
                self.skip(if first == 0xca { 4 } else { 8 })?;
                Item::Other
            }
            0xcc..=0xcf => Item::Whole(i64::try_from(self.number(1 << (first - 0xcc))?).ok()),
            0xd0 => Item::Whole(Some(i64::from(self.number(1)? as i8))),
            0xd1 => Item::Whole(Some(i64::from(self.number(2)? as i16))),
            0xd2 => Item::Whole(Some(i64::from(self.number(4)? as i32))),
            0xd3 => Item::Whole(Some(self.number(8)? as i64)),
            0xd4..=0xd8 => Item::Extension(self.number(1)? as i8, 1 << (first - 0xd4)),
            0xd9..=0xdb => Item::Text(self.number(1 << (first - 0xd9))?),
            0xdc | 0xdd => Item::Array(self.number(2 << (first - 0xdc))?),
            0xde | 0xdf => Item::Map(self.number(2 << (first - 0xde))?),
            0xe0..=0xff => Item::Whole(Some(i64::from(first as i8))),
        })
    }

    /// Reads the bytes of a text that comes next, if it has at most `longest`.
    ///
    /// # Errors
    /// `NotWhole` if the file ends too early, `Damaged` if it is longer or no text.
    pub fn text(&mut self, len: u64, longest: u64) -> Result<String, OpenError> {
        if len > longest {
            return Err(OpenError::Damaged(format!("a name in it has {len} bytes")));
        }
        let bytes = self.bytes(len)?.to_vec();
        String::from_utf8(bytes).map_err(|_| OpenError::Damaged("a name in it is no text".to_owned()))
    }

    /// Goes on after the next `len` bytes.
    ///
    /// # Errors
    /// `NotWhole` if the file ends before.
    pub fn skip(&mut self, len: u64) -> Result<(), OpenError> {
        let after = self.at.checked_add(len).filter(|after| *after <= self.end);
        self.at = after.ok_or_else(cut)?;
        Ok(())
    }

    /// A number of so many bytes, the most significant first.
    fn number(&mut self, len: u64) -> Result<u64, OpenError> {
        let bytes = self.bytes(len)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn bytes(&mut self, len: u64) -> Result<&[u8], OpenError> {
        let at = self.at;
        self.skip(len)?;
        let len = usize::try_from(len).map_err(|_| cut())?;
        let bytes = self.view.peek(at, len)?;
        if bytes.len() < len { Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()) } else { Ok(bytes) }
    }
}

fn cut() -> OpenError {
    OpenError::NotWhole("it ends before its last value does".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_that_python_packed() {
        // As `msgpack.packb` of msgpack 1.2 packs them.
        let check = |bytes: &[u8], expected: Item| {
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.item().unwrap(), expected, "{bytes:x?}");
        };
        check(b"\x05", Item::Whole(Some(5)));
        check(b"\xff", Item::Whole(Some(-1)));
        check(b"\xcd\x03\xe8", Item::Whole(Some(1000)));
        check(b"\xce\x00\x01\x11p", Item::Whole(Some(70_000)));
        check(b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", Item::Whole(None));
        check(b"\xd1\xfc\x18", Item::Whole(Some(-1000)));
        check(b"\xd3\xff\xff\xff\x17+Z\xf0\x00", Item::Whole(Some(-1_000_000_000_000)));
        check(b"\xcb?\xf8\x00\x00\x00\x00\x00\x00", Item::Other);
        check(b"\xa5conv1", Item::Text(5));
        check(b"\xd9\x28", Item::Text(40));
        check(b"\xc4\x03", Item::Bytes(3));
        check(b"\xc6\x00\x01\x00\x00", Item::Bytes(65_536));
        check(b"\x93", Item::Array(3));
        check(b"\xde\x00\x10", Item::Map(16));
        check(b"\xc7\x05\x01", Item::Extension(1, 5));
        check(b"\xd6\x03", Item::Extension(3, 4));
        check(b"\xc8\x01\x00\x01", Item::Extension(1, 256));
    }
}
