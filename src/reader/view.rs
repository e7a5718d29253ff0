//! A file's bytes by position -> short borrowed slices, through one small buffer.

use std::io;

use crate::{reader::input::Input, source::window::Peek};

/// So many bytes are read at once.
const AT_ONCE: usize = 4 << 10;

/// A file seen through a buffer. Callers bound what they ask for.
pub struct View<'a> {
    input: &'a dyn Input,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a> View<'a> {
    /// A view of a file; reads nothing yet.
    #[must_use]
    pub fn new(input: &'a dyn Input) -> Self {
        Self { input, start: 0, bytes: Vec::new() }
    }
}

impl Peek for View<'_> {
    fn peek(&mut self, at: u64, want: usize) -> io::Result<&[u8]> {
        let end = at.saturating_add(want as u64).min(self.input.len());
        if at < self.start || end > self.start + self.bytes.len() as u64 {
            self.bytes.resize(want.max(AT_ONCE), 0);
            let read = self.input.read_at(at, &mut self.bytes)?;
            self.bytes.truncate(read);
            self.start = at;
        }
        // Within the buffer: the lines above have seen to that.
        let first = usize::try_from(at - self.start).unwrap_or(usize::MAX).min(self.bytes.len());
        Ok(&self.bytes[first..self.bytes.len().min(first.saturating_add(want))])
    }
}
