//! A file from front to back -> long borrowed slices, for a reader that reads every byte.
//!
//! One buffer is filled again and again and stays in the processor's cache: bytes are used before they leave the cache, and
//! none is cleared before it is overwritten.

use std::{io, path::Path};

use super::{Source, window::Peek};

const BUFFER_BYTES: usize = 512 << 10;

/// A file seen through a buffer that only moves forward.
pub struct Stream<'a> {
    source: &'a dyn Source,
    path: &'a Path,
    start: u64,
    filled: usize,
    buffer: Vec<u8>,
}

impl<'a> Stream<'a> {
    /// A stream of the file at `path`; reads nothing yet.
    #[must_use]
    pub fn new(source: &'a dyn Source, path: &'a Path) -> Self {
        Self { source, path, start: 0, filled: 0, buffer: vec![0; BUFFER_BYTES] }
    }

    /// Moves the buffer so that it begins at `at`, keeping what it holds from there on.
    #[cold]
    fn refill(&mut self, at: u64) -> io::Result<()> {
        let from = usize::try_from(at.wrapping_sub(self.start)).unwrap_or(usize::MAX);
        let kept = self.filled.saturating_sub(from);
        if kept > 0 {
            self.buffer.copy_within(from..self.filled, 0);
        }
        (self.start, self.filled) = (at, kept);
        self.filled += self.source.read_at(self.path, at + kept as u64, &mut self.buffer[kept..])?;
        Ok(())
    }
}

impl Peek for Stream<'_> {
    /// Returns at most as much as the buffer holds, half a MiB.
    fn peek(&mut self, at: u64, want: usize) -> io::Result<&[u8]> {
        let want = want.min(BUFFER_BYTES);
        let from = at.wrapping_sub(self.start);
        let is_held = from.checked_add(want as u64).is_some_and(|end| end <= self.filled as u64);
        if !is_held {
            self.refill(at)?;
        }
        let from = (at - self.start) as usize;
        Ok(&self.buffer[from..self.filled.min(from + want)])
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
            asks in prop::collection::vec((0_u64..900_000, 0_usize..90_000), 1..40),
        ) {
            let content: Vec<u8> = (0..800_000_u32).map(|i| (i % 251) as u8).collect();
            let memory = Memory::default();
            memory.write("a.tfevents", &content);
            let path = memory.path("a.tfevents");
            let mut stream = Stream::new(&memory, &path);
            for (at, want) in asks {
                let start = content.len().min(usize::try_from(at).unwrap());
                let end = content.len().min(start + want);
                prop_assert_eq!(stream.peek(at, want).unwrap(), &content[start..end]);
            }
        }
    }
}
