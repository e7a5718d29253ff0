//! `_METADATA` -> the leaves of the tree that was saved.

use std::{fmt, path::Path};

use serde::{
    Deserialize,
    de::{IgnoredAny, MapAccess, Visitor},
};

use super::leaf::Leaf;
use crate::reader::{
    contents::{MOST_TENSORS, OpenError},
    json::entries_of_json,
    opened::OpenedFiles,
};

/// The longest such file. A leaf has about 250 bytes.
const LONGEST: u64 = 32 << 20;
/// A leaf has about 20 entries, and each takes memory while the JSON is read.
const MOST_ENTRIES: usize = 40 * MOST_TENSORS;

/// What a `_METADATA` says.
#[derive(Debug)]
pub(super) struct Tree {
    /// Its leaves, in the order of the file.
    pub(super) leaves: Vec<Leaf>,
    /// Whether the arrays are in databases; unknown before Orbax 0.5.
    pub(super) use_ocdbt: Option<bool>,
    /// Whether each chunk of an array is written, also if all its elements have the fill value.
    pub(super) is_each_chunk_written: bool,
}

/// Reads a `_METADATA`.
pub(super) fn read(opened: &mut OpenedFiles<'_>, path: &Path) -> Result<Tree, OpenError> {
    let json = opened.read(path, LONGEST)?.ok_or(OpenError::Unknown)?;
    if entries_of_json(&json) > MOST_ENTRIES {
        return Err(OpenError::NotRead(format!("it names more than {MOST_TENSORS} arrays")));
    }
    let parsed: Result<Metadata, _> = serde_json::from_slice(&json);
    let metadata = parsed.map_err(|error| match error.classify() {
        _ if json.iter().all(|byte| *byte == 0) => OpenError::NotWhole("it has no content yet".to_owned()),
        serde_json::error::Category::Eof => OpenError::NotWhole("its `_METADATA` ends too early".to_owned()),
        serde_json::error::Category::Syntax if json.first() == Some(&b'{') => {
            OpenError::Damaged(format!("its `_METADATA` is not understood: {error}"))
        }
        _ => OpenError::Unknown,
    })?;
    if metadata.tree_metadata.0.len() > MOST_TENSORS {
        return Err(OpenError::NotRead(format!("it names more than {MOST_TENSORS} arrays")));
    }
    Ok(Tree {
        leaves: metadata.tree_metadata.0,
        use_ocdbt: metadata.use_ocdbt,
        is_each_chunk_written: metadata.store_array_data_equal_to_fill_value.unwrap_or(false),
    })
}

#[derive(Deserialize)]
struct Metadata {
    tree_metadata: Leaves,
    use_ocdbt: Option<bool>,
    store_array_data_equal_to_fill_value: Option<bool>,
}

#[derive(Deserialize)]
struct Entry {
    key_metadata: Vec<Key>,
    value_metadata: ValueMetadata,
}

#[derive(Deserialize)]
struct Key {
    key: serde_json::Value,
}

#[derive(Deserialize)]
struct ValueMetadata {
    #[serde(default)]
    value_type: String,
    #[serde(default)]
    skip_deserialize: bool,
}

struct Leaves(Vec<Leaf>);

impl<'de> Deserialize<'de> for Leaves {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LeavesVisitor)
    }
}

struct LeavesVisitor;

impl<'de> Visitor<'de> for LeavesVisitor {
    type Value = Leaves;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of leaves")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Leaves, A::Error> {
        let mut leaves = Vec::new();
        while let Some((_, entry)) = map.next_entry::<IgnoredAny, Entry>()? {
            let keys = entry.key_metadata.into_iter().map(|key| match key.key {
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            });
            let keys: Vec<String> = keys.collect();
            let ValueMetadata { value_type, skip_deserialize } = entry.value_metadata;
            let is_array = !skip_deserialize && value_type != "string" && !keys.is_empty();
            leaves.push(Leaf { stored: keys.join("."), keys, is_array });
        }
        Ok(Leaves(leaves))
    }
}
