//! Bytes of a file by position, and files by path: all that a reader of a format sees of the disk.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

/// A file, or a part of one, that is read by position.
pub trait Input {
    /// Its length in bytes when it was opened.
    fn len(&self) -> u64;

    /// Whether it has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads from `offset` until `buf` is full or the file ends, and returns the number of bytes read.
    ///
    /// # Errors
    /// Errors of the system.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Reads `len` bytes from `offset`. Memory is taken only for what the file has.
    ///
    /// # Errors
    /// `UnexpectedEof` if the file ends before; errors of the system.
    fn bytes(&self, offset: u64, len: u64) -> io::Result<Vec<u8>> {
        let end = offset.checked_add(len).filter(|end| *end <= self.len());
        let (Some(_), Ok(len)) = (end, usize::try_from(len)) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        bytes.resize(len, 0);
        let read = self.read_at(offset, &mut bytes)?;
        if read < len { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
    }
}

impl Input for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(<[u8]>::len(self));
        let count = buf.len().min(<[u8]>::len(self) - start);
        buf[..count].copy_from_slice(&self[start..start + count]);
        Ok(count)
    }
}

/// A part of a file, such as a member of an archive that is stored without compression.
pub struct Part<'a> {
    whole: &'a dyn Input,
    start: u64,
    len: u64,
}

impl<'a> Part<'a> {
    /// The `len` bytes from `start`; fewer if the file ends before.
    #[must_use]
    pub fn new(whole: &'a dyn Input, start: u64, len: u64) -> Self {
        let start = start.min(whole.len());
        Self { whole, start, len: len.min(whole.len() - start) }
    }
}

impl Input for Part<'_> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.len.saturating_sub(offset);
        let count = buf.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.whole.read_at(self.start.saturating_add(offset), &mut buf[..count])
    }
}

/// Files by path. A format that has several files opens the others beside the first.
pub trait Files {
    /// Opens a regular file.
    ///
    /// # Errors
    /// `NotFound` if there is none; `InvalidInput` if it is no regular file; errors of the system.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Input + '_>>;
}

/// Files in memory, for tests.
#[derive(Clone, Debug, Default)]
pub struct InMemory(pub BTreeMap<PathBuf, Vec<u8>>);

impl Files for InMemory {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Input + '_>> {
        let bytes = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(bytes.as_slice()))
    }
}
