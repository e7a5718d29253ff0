//! Why a tensor of a checkpoint cannot be read.

use std::io;

/// Why a tensor of a checkpoint cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system did not let it be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file ends before the numbers do.
    #[error("the file ends before byte {0}, where the tensor ends")]
    Cut(u64),
    /// The checksum is wrong.
    #[error("the checksum of the {len} bytes from byte {offset} is wrong: these numbers are damaged")]
    Damaged {
        /// The first byte.
        offset: u64,
        /// How many bytes.
        len: u64,
    },
    /// It cannot be read at all.
    #[error("{0}")]
    NotRead(String),
    /// It takes more memory than allowed.
    #[error("the tensor has {needed} bytes, and {limit} are allowed")]
    TooLarge {
        /// Bytes.
        needed: u64,
        /// Bytes.
        limit: u64,
    },
    /// The system has no memory for it.
    #[error("{0} bytes of memory for this tensor are not to be had just now")]
    NoMemory(u64),
}
