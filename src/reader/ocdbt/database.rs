//! Keys of one or more databases, within bounds.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use bytes::Bytes;

use crate::reader::contents::OpenError;

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredValue {
    /// A small one, which stands beside its key.
    Held(Bytes),
    /// Bytes of a file.
    InFile {
        /// The number of the file.
        file: u32,
        /// The first byte.
        offset: u64,
        /// The number of bytes.
        len: u64,
    },
    /// It lies in this file, which is not there.
    Missing(Arc<Path>),
}

/// All keys of one database, or of several that belong together.
#[derive(Debug, Default)]
pub struct Database {
    values: BTreeMap<Box<[u8]>, StoredValue>,
    /// Bytes of all keys.
    key_bytes: usize,
    /// Bytes of all values that are held.
    held_bytes: usize,
}

/// The most keys of all databases of a checkpoint. Each tensor has one, and each of its chunks.
const MOST_KEYS: usize = 400_000;
/// The most bytes of all keys.
const MOST_KEY_BYTES: usize = 32 << 20;
/// The most bytes of all values that stand beside their keys.
const MOST_HELD_BYTES: usize = 64 << 20;

impl Database {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&StoredValue> {
        self.values.get(key.as_bytes())
    }

    /// Adds a key.
    ///
    /// # Errors
    /// `NotRead` if there are too many.
    pub(super) fn insert(&mut self, key: Vec<u8>, value: StoredValue) -> Result<(), OpenError> {
        self.key_bytes += key.len();
        if let StoredValue::Held(bytes) = &value {
            self.held_bytes += bytes.len();
        }
        self.values.insert(key.into(), value);
        let is_too_large = self.values.len() > MOST_KEYS
            || self.key_bytes > MOST_KEY_BYTES
            || self.held_bytes > MOST_HELD_BYTES;
        if is_too_large {
            return Err(OpenError::NotRead(format!(
                "its database has more than {MOST_KEYS} keys, or more than {} MiB of names or {} MiB of small values",
                MOST_KEY_BYTES >> 20,
                MOST_HELD_BYTES >> 20
            )));
        }
        Ok(())
    }
}
