//! A file's bytes by position -> short borrowed slices, with as few and as small reads as possible.
//!
//! A reader that skips (header, skip, header) gets small reads; one that reads without gaps gets large ones. The
//! size depends on the last requests, so a file of a million scalars is read in 256 KiB pieces and a file of large
//! tensors in pieces of half a kilobyte.

use std::{io, ops::Range, path::Path};

use super::Source;

const SMALLEST_READ: usize = 512;
const LARGEST_READ: usize = 256 << 10;
/// A part of a file up to this length is read with one call.
pub const SHORT_PART: u64 = 32 << 10;

/// Bytes that can be read by position. Implementations: a slice in memory and a [`Window`] on a file.
pub trait Peek {
    /// Up to `want` bytes from `at`; fewer only where the bytes end.
    ///
    /// # Errors
    /// Errors of the source.
    fn peek(&mut self, at: u64, want: usize) -> io::Result<&[u8]>;

    /// The byte at `at`; `None` after the last byte.
    ///
    /// # Errors
    /// Those of [`Peek::peek`].
    #[inline]
    fn byte(&mut self, at: u64) -> io::Result<Option<u8>> {
        Ok(self.peek(at, 1)?.first().copied())
    }
}

impl Peek for &[u8] {
    fn peek(&mut self, at: u64, want: usize) -> io::Result<&[u8]> {
        let start = usize::try_from(at).unwrap_or(usize::MAX).min(self.len());
        Ok(&self[start..self.len().min(start.saturating_add(want))])
    }

    #[inline]
    fn byte(&mut self, at: u64) -> io::Result<Option<u8>> {
        Ok(usize::try_from(at).ok().and_then(|at| self.get(at)).copied())
    }
}

/// A file seen through a buffer that moves with the reader.
pub struct Window<'a> {
    source: &'a dyn Source,
    path: &'a Path,
    start: u64,
    bytes: Vec<u8>,
    read_size: usize,
    /// Nothing is read from this position on.
    limit: u64,
}

impl<'a> Window<'a> {
    /// A window on the file at `path`; reads nothing yet.
    #[must_use]
    pub fn new(source: &'a dyn Source, path: &'a Path) -> Self {
        Self { source, path, start: 0, bytes: Vec::new(), read_size: 8 * SMALLEST_READ, limit: u64::MAX }
    }

    /// A window on a part of the file; for the reader, the bytes end where the part ends.
    #[must_use]
    pub fn of_part(source: &'a dyn Source, path: &'a Path, part: Range<u64>) -> Self {
        let is_short = part.end.saturating_sub(part.start) <= SHORT_PART;
        let read_size = if is_short { LARGEST_READ } else { 8 * SMALLEST_READ };
        Self { read_size, limit: part.end, ..Self::new(source, path) }
    }

    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Moves the window so that it begins at `at`, keeping what it holds from there on.
    #[cold]
    fn refill(&mut self, at: u64, want: usize) -> io::Result<()> {
        let goes_on = (self.start..=self.end()).contains(&at);
        self.read_size = if goes_on {
            (self.read_size * 4).min(LARGEST_READ)
        } else {
            (self.read_size / 4).max(SMALLEST_READ)
        };
        let keep_from = if goes_on {
            usize::try_from(at - self.start).expect("the window is in memory")
        } else {
            self.bytes.len()
        };
        self.bytes.drain(..keep_from);
        self.start = at;
        let kept = self.bytes.len();
        let room = usize::try_from(self.limit.saturating_sub(at)).unwrap_or(usize::MAX);
        self.bytes.resize(self.read_size.max(want).min(room).max(kept), 0);
        let read = self.source.read_at(self.path, at + kept as u64, &mut self.bytes[kept..]);
        self.bytes.truncate(kept + read.as_ref().copied().unwrap_or(0));
        read.map(|_| ())
    }
}

impl Peek for Window<'_> {
    #[inline]
    fn peek(&mut self, at: u64, want: usize) -> io::Result<&[u8]> {
        // One subtraction finds positions before the window and after it.
        let from = at.wrapping_sub(self.start);
        let is_held = from.checked_add(want as u64).is_some_and(|end| end <= self.bytes.len() as u64);
        if !is_held {
            self.refill(at, want)?;
        }
        let from = (at - self.start) as usize;
        Ok(&self.bytes[from..self.bytes.len().min(from + want)])
    }

    #[inline]
    fn byte(&mut self, at: u64) -> io::Result<Option<u8>> {
        match usize::try_from(at.wrapping_sub(self.start)).ok().and_then(|from| self.bytes.get(from)) {
            Some(byte) => Ok(Some(*byte)),
            None => Ok(self.peek(at, 1)?.first().copied()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::memory::Memory;

    proptest! {
        #[test]
        fn any_way_of_asking_gives_the_files_bytes(
            asks in prop::collection::vec((0_u64..40_000, 0_usize..9_000), 1..40),
        ) {
            let content: Vec<u8> = (0..30_000_u32).map(|i| (i % 251) as u8).collect();
            let memory = Memory::default();
            memory.write("a.tfevents", &content);
            let path = memory.path("a.tfevents");
            let part = 5_000..25_000;
            let mut whole = Window::new(&memory, &path);
            let mut parts = [part.clone(), 5_000..50_000].map(|part| Window::of_part(&memory, &path, part));
            for (at, want) in asks {
                let expected = |end: usize| {
                    let start = end.min(usize::try_from(at).unwrap());
                    &content[start..end.min(start + want)]
                };
                prop_assert_eq!(whole.peek(at, want).unwrap(), expected(content.len()));
                prop_assert_eq!(parts[0].peek(at, want).unwrap(), expected(part.end as usize));
                prop_assert_eq!(parts[1].peek(at, want).unwrap(), expected(content.len()));
            }
        }
    }
}
