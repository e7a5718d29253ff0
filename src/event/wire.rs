//! Protocol Buffers' wire format -> fields by position, without reading the contents of long ones.
//!
//! Follows the encoding as published (`protobuf.dev/programming-guides/encoding`) and agrees with prost on what is
//! malformed, because prost decodes the same bytes again when a tensor is loaded.
//!
//! Text is read as bytes: real logs hold tags that are not UTF-8, for which prost would refuse the whole event.

use std::io;

use crate::source::window::Peek;

const LONGEST_VARINT: usize = 10;
const DEEPEST_GROUP: usize = 100;

/// Why a message could not be read.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The bytes could not be read; the caller may try again.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The bytes are no message, and trying again does not help.
    #[error("no valid message: {0}")]
    Malformed(&'static str),
}

/// A range of bytes that holds a message or the content of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first byte.
    pub at: u64,
    /// The byte after it.
    pub end: u64,
}

impl Span {
    /// Its length in bytes.
    #[must_use]
    pub fn len(self) -> u64 {
        self.end - self.at
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.at == self.end
    }

    /// Its bytes, if they are at most `longest`.
    ///
    /// # Errors
    /// Malformed if it is longer, or if the bytes end within it.
    pub fn bytes<P: Peek>(self, source: &mut P, longest: usize) -> Result<&[u8], WireError> {
        let len = usize::try_from(self.len()).unwrap_or(usize::MAX);
        if len > longest {
            return Err(WireError::Malformed("a name is longer than any writer's"));
        }
        let bytes = source.peek(self.at, len)?;
        if bytes.len() < len { Err(WireError::Malformed(ENDS_EARLY)) } else { Ok(bytes) }
    }
}

/// The reason for a message that ends before a field does, as one that is being written.
pub const ENDS_EARLY: &str = "it ends within a field";

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2: text, bytes, a message or a packed list.
    Bytes(Span),
    /// Wire type 5.
    Fixed32(u32),
    /// Wire types 3 and 4, which none of our messages has; skipped as a whole.
    Group,
}

impl FieldValue {
    /// The number of a field that must be a varint.
    ///
    /// # Errors
    /// Malformed if it has another wire type.
    pub fn varint(self) -> Result<u64, WireError> {
        if let Self::Varint(number) = self { Ok(number) } else { Err(WRONG_TYPE) }
    }

    /// The range of bytes of a field that must be length-delimited.
    ///
    /// # Errors
    /// Malformed if it has another wire type.
    pub fn span(self) -> Result<Span, WireError> {
        if let Self::Bytes(span) = self { Ok(span) } else { Err(WRONG_TYPE) }
    }
}

const WRONG_TYPE: WireError = WireError::Malformed("a field has the wrong wire type");

/// Returns the next field of the message in `span` and moves `span.at` past it; `None` at the message's end.
///
/// # Errors
/// Malformed if the bytes are no field, or if the field goes beyond the message.
#[inline]
pub fn next_field<P: Peek>(source: &mut P, span: &mut Span) -> Result<Option<(u32, FieldValue)>, WireError> {
    if span.is_empty() {
        return Ok(None);
    }
    let (number, wire_type) = key(source, span)?;
    let value = match wire_type {
        0 => FieldValue::Varint(varint(source, span)?),
        1 => FieldValue::Fixed64(u64::from_le_bytes(fixed(source, span)?)),
        2 => FieldValue::Bytes(delimited(source, span)?),
        3 => skip_group(source, span, number)?,
        5 => FieldValue::Fixed32(u32::from_le_bytes(fixed(source, span)?)),
        _ => return Err(WireError::Malformed("a field has no known wire type")),
    };
    Ok(Some((number, value)))
}

#[inline]
fn key<P: Peek>(source: &mut P, span: &mut Span) -> Result<(u32, u8), WireError> {
    let key = u32::try_from(varint(source, span)?)
        .map_err(|_| WireError::Malformed("a field's number is too large"))?;
    if key >> 3 == 0 {
        return Err(WireError::Malformed("a field has number 0"));
    }
    Ok((key >> 3, (key & 7) as u8))
}

/// Reads a number of up to ten bytes at `span.at` and moves past it.
///
/// # Errors
/// Malformed if it does not end within the span.
#[inline]
pub fn varint<P: Peek>(source: &mut P, span: &mut Span) -> Result<u64, WireError> {
    // Most keys, lengths and numbers are small and take one byte.
    match source.byte(span.at)? {
        Some(byte @ 0..0x80) if !span.is_empty() => {
            span.at += 1;
            Ok(byte.into())
        }
        _ => long_varint(source, span),
    }
}

fn long_varint<P: Peek>(source: &mut P, span: &mut Span) -> Result<u64, WireError> {
    let longest = LONGEST_VARINT.min(usize::try_from(span.len()).unwrap_or(LONGEST_VARINT));
    let bytes = source.peek(span.at, longest)?;
    let mut number = 0_u64;
    for (i, byte) in bytes.iter().enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            if i == LONGEST_VARINT - 1 && *byte > 1 {
                break;
            }
            span.at += i as u64 + 1;
            return Ok(number);
        }
    }
    Err(WireError::Malformed("a number does not end"))
}

#[inline]
fn fixed<P: Peek, const N: usize>(source: &mut P, span: &mut Span) -> Result<[u8; N], WireError> {
    if span.len() < N as u64 {
        return Err(WireError::Malformed(ENDS_EARLY));
    }
    let bytes = source.peek(span.at, N)?.try_into().map_err(|_| WireError::Malformed(ENDS_EARLY))?;
    span.at += N as u64;
    Ok(bytes)
}

fn delimited<P: Peek>(source: &mut P, span: &mut Span) -> Result<Span, WireError> {
    let len = varint(source, span)?;
    if len > span.len() {
        return Err(WireError::Malformed(ENDS_EARLY));
    }
    let content = Span { at: span.at, end: span.at + len };
    span.at = content.end;
    Ok(content)
}

fn skip_group<P: Peek>(source: &mut P, span: &mut Span, number: u32) -> Result<FieldValue, WireError> {
    let mut open = vec![number];
    while let Some(innermost) = open.last().copied() {
        let (number, wire_type) = key(source, span)?;
        match wire_type {
            0 => drop(varint(source, span)?),
            1 => drop(fixed::<P, 8>(source, span)?),
            2 => drop(delimited(source, span)?),
            3 if open.len() < DEEPEST_GROUP => open.push(number),
            4 if number == innermost => drop(open.pop()),
            5 => drop(fixed::<P, 4>(source, span)?),
            _ => return Err(WireError::Malformed("a group does not close")),
        }
    }
    Ok(FieldValue::Group)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mut bytes: &[u8], expected: Option<FieldValue>) {
        let mut span = Span { at: 0, end: bytes.len() as u64 };
        assert_eq!(next_field(&mut bytes, &mut span).ok().flatten().map(|(_, value)| value), expected);
    }

    #[test]
    fn fields_of_every_wire_type() {
        check(&[0x08, 0x96, 0x01], Some(FieldValue::Varint(150)));
        check(&[0x09, 1, 0, 0, 0, 0, 0, 0, 0], Some(FieldValue::Fixed64(1)));
        check(&[0x0a, 2, 7, 7], Some(FieldValue::Bytes(Span { at: 2, end: 4 })));
        check(&[0x0d, 1, 0, 0, 0], Some(FieldValue::Fixed32(1)));
        check(&[0x0b, 0x13, 0x14, 0x0c], Some(FieldValue::Group));
    }

    #[test]
    fn broken_fields_are_errors() {
        check(&[0x0a, 3, 7, 7], None);
        check(&[0x09, 1, 0], None);
        check(&[0x08, 0xff], None);
        check(&[0x00, 0x00], None);
        check(&[0x0e], None);
        check(&[0x0b, 0x14], None);
        check(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], None);
    }
}
