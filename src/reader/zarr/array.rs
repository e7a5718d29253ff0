//! What the metadata of an array say.

use crate::{reader::packing::Codec, tensor::dtype::DType};

/// An array in chunks of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// The element type, or its name if it is none that is read.
    pub dtype: Result<DType, Box<str>>,
    /// The length of each axis.
    pub shape: Vec<u64>,
    /// The length of each axis of a chunk; at least 1. A chunk at the end of an axis is stored in full.
    pub chunk: Vec<u64>,
    /// How the keys of chunks are made.
    pub keys: Keys,
    /// An element of a chunk that was not written, little-endian.
    pub fill: Box<[u8]>,
    /// How chunks are stored.
    pub stored: Form,
}

/// How the keys of chunks are made of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Whether they begin with `c`.
    pub has_prefix: bool,
    /// What stands between the numbers.
    pub separator: char,
}

impl Keys {
    /// The key of a chunk, below that of its array.
    #[must_use]
    pub fn key(self, number: &[u64]) -> String {
        let mut parts: Vec<String> = Vec::new();
        if self.has_prefix {
            parts.push("c".to_owned());
        }
        parts.extend(number.iter().map(u64::to_string));
        if parts.is_empty() { "0".to_owned() } else { parts.join(&self.separator.to_string()) }
    }
}

/// How a chunk is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The axis of the array that each stored axis is: `[0, 1, 2]` if they are stored as they are.
    pub order: Vec<usize>,
    /// What the chunk is then.
    pub content: Content,
}

/// What a chunk is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Elements, row by row.
    Elements {
        /// Whether the most significant byte is first.
        is_big_endian: bool,
        /// What has to be undone, in the order in which it is undone.
        codecs: Vec<Codec>,
    },
    /// Smaller chunks, and an index of them.
    Shard(Box<Shard>),
}

/// A chunk of smaller chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// The length of each stored axis of a smaller chunk; each divides that of the shard.
    pub chunk: Vec<u64>,
    /// The axis of the shard that each stored axis of a smaller chunk is.
    pub order: Vec<usize>,
    /// Whether the most significant byte of an element is first.
    pub is_big_endian: bool,
    /// What has to be undone of a smaller chunk.
    pub codecs: Vec<Codec>,
    /// How the index is stored.
    pub index: Index,
}

/// The index of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    /// Whether it stands before the smaller chunks.
    pub is_first: bool,
    /// Whether the most significant byte of a number is first.
    pub is_big_endian: bool,
    /// Whether it ends with its CRC32C.
    pub has_checksum: bool,
}
