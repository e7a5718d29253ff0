//! The bytes of a pickle, from the first to the last.

use crate::reader::pytorch::value::Span;

/// Why a pickle cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reader::pytorch) enum Fault {
    /// It goes on after the last byte.
    EndsEarly,
    /// It contradicts itself.
    Damaged(&'static str),
    /// It has too many of these.
    TooMany(&'static str),
}

pub(super) type Outcome<T> = Result<T, Fault>;

pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    /// How many bytes were taken.
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn take(&mut self, len: usize) -> Outcome<&'a [u8]> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (taken, _) = rest.split_at_checked(len).ok_or(Fault::EndsEarly)?;
        self.at += len;
        Ok(taken)
    }

    /// What was taken before.
    pub(super) fn slice(&self, span: Span) -> &'a [u8] {
        let start = span.start as usize;
        self.bytes.get(start..start + span.len as usize).unwrap_or_default()
    }

    /// A little-endian number of so many bytes.
    pub(super) fn size(&mut self, n_bytes: usize) -> Outcome<u64> {
        Ok(self.take(n_bytes)?.iter().rev().fold(0, |size, byte| size << 8 | u64::from(*byte)))
    }

    /// As many bytes as the number before them says, which has `n_bytes`.
    pub(super) fn sized(&mut self, n_bytes: usize) -> Outcome<Span> {
        let len = usize::try_from(self.size(n_bytes)?).map_err(|_| Fault::EndsEarly)?;
        let start = self.at as u32;
        self.take(len)?;
        Ok(Span { start, len: len as u32 })
    }

    /// What stands before the next end of a line.
    pub(super) fn line(&mut self) -> Outcome<Span> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let len = rest.iter().position(|byte| *byte == b'\n').ok_or(Fault::EndsEarly)?;
        let span = Span { start: self.at as u32, len: len as u32 };
        self.at += len + 1;
        Ok(span)
    }
}
