//! A `.weights.json` -> the weights in the files that it lists, as `save_weights(max_shard_size=…)` writes them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path},
};

use serde::Deserialize;

use super::{stored::Stored, tensors};
use crate::reader::{
    contents::{Contents, Format, OpenError},
    hdf5::tree,
    input::{Files, Input},
    json::entries_of_json,
};

/// The longest list that is read.
const LONGEST_INDEX: u64 = 16 << 20;
/// The most separators of its JSON.
const MOST_ENTRIES: usize = 500_000;
/// The most files that a list may name.
const MOST_FILES: usize = 1_000;

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    metadata: Metadata,
    weight_map: BTreeMap<String, InFiles>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    /// Bytes of all numbers.
    #[serde(default)]
    total_size: f64,
}

/// Where the variables of a layer are.
#[derive(Deserialize)]
#[serde(untagged)]
enum InFiles {
    One(String),
    Several(Vec<String>),
}

/// Reads the list and the heads of the files that it names.
///
/// # Errors
/// See [`OpenError`].
pub(super) fn open(files: &dyn Files, path: &Path, input: &dyn Input) -> Result<Contents, OpenError> {
    if input.len() > LONGEST_INDEX {
        return Err(OpenError::NotRead(format!("it has more than {LONGEST_INDEX} bytes, which is not read")));
    }
    let bytes = input.bytes(0, input.len())?;
    if entries_of_json(&bytes) > MOST_ENTRIES {
        return Err(OpenError::NotRead("it lists more layers and files than are read".to_owned()));
    }
    let parsed: Result<Index, _> = serde_json::from_slice(&bytes);
    let index = parsed.map_err(|error| {
        let reason = format!("the list of files is not understood: {error}");
        if error.is_eof() { OpenError::NotWhole(reason) } else { OpenError::Damaged(reason) }
    })?;
    let names: BTreeSet<&str> = index.weight_map.values().flat_map(InFiles::names).collect();
    if names.len() > MOST_FILES {
        return Err(OpenError::NotRead(format!("it names more than {MOST_FILES} files, which is not read")));
    }
    let mut contents = Contents { files: vec![path.to_owned()], ..Contents::empty(Format::Hdf5) };
    let mut stored = Stored::default();
    for name in names {
        if !is_plain_name(name) {
            contents.remarks.push(format!("it names {name:?}, which is not beside it: it is not opened"));
            continue;
        }
        let beside = path.with_file_name(name);
        match files.open(&beside) {
            Ok(shard) => {
                let number = u32::try_from(contents.files.len()).unwrap_or(u32::MAX);
                contents.files.push(beside);
                stored.add(tree::read(&*shard).map_err(|error| within(name, error))?, number, 0)?;
            }
            Err(error) => {
                contents
                    .remarks
                    .push(format!("{name} cannot be opened, which holds some of its layers: {error}"));
            }
        }
    }
    // Keras writes the list each time that a file is full, with the size of all numbers so far and of the next ones.
    let is_there = contents.remarks.is_empty();
    if is_there && stored.bytes().is_some_and(|bytes| (bytes as f64) < index.metadata.total_size) {
        return Err(OpenError::NotWhole("its files have fewer numbers than it says".to_owned()));
    }
    tensors::add(stored, None, &mut contents);
    Ok(contents)
}

impl InFiles {
    fn names(&self) -> impl Iterator<Item = &str> {
        let names = match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        };
        names.iter().map(String::as_str)
    }
}

/// Whether a name is that of a file beside the one that names it.
fn is_plain_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name)
}

/// Says which file an error is about.
fn within(name: &str, error: OpenError) -> OpenError {
    match error {
        OpenError::NotWhole(message) => OpenError::NotWhole(format!("{name}: {message}")),
        OpenError::Damaged(message) => OpenError::Damaged(format!("{name}: {message}")),
        OpenError::NotRead(message) => OpenError::NotRead(format!("{name}: {message}")),
        error => error,
    }
}
