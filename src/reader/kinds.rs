//! A file's name and first bytes -> the reader of its format.

use std::path::Path;

use serde::Deserialize;

use super::{
    contents::{Contents, Counter, OpenError},
    input::Files,
};
#[cfg(feature = "pytorch")]
use crate::source::stored::DISTRIBUTED;
use crate::source::stored::{TRAINER_STATE, is_stored_name};

/// The most bytes that are needed to know a format.
const FIRST_BYTES: u64 = 16;

/// Reads the head of a checkpoint of any format.
///
/// # Errors
/// See [`OpenError`].
pub fn open(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    let mut contents = open_format(files, path)?;
    if contents.step.is_none() {
        contents.step = trainers_step(files, path);
    }
    Ok(contents)
}

/// The longest file of a trainer that is read, in bytes.
const LONGEST_STATE: u64 = 16 << 20;

/// The step in the file that the trainer of Hugging Face writes beside the weights.
fn trainers_step(files: &dyn Files, path: &Path) -> Option<Counter> {
    let input = files.open(&path.with_file_name(TRAINER_STATE)).ok()?;
    let bytes = input.bytes(0, input.len().min(LONGEST_STATE)).ok()?;
    let state: TrainerState = serde_json::from_slice(&bytes).ok()?;
    Some(Counter { value: state.global_step, found_in: "trainer_state.json: global_step".to_owned() })
}

#[derive(Deserialize)]
struct TrainerState {
    global_step: i64,
}

fn open_format(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    let first = {
        let input = files.open(path)?;
        input.bytes(0, input.len().min(FIRST_BYTES))?
    };
    // Whatever its name says: no format that is read begins so.
    if let Some(kind) = super::not_read::kind_of(&first) {
        return Err(OpenError::NotRead(kind.to_owned()));
    }
    #[cfg(feature = "safetensors")]
    if is_safetensors(path) {
        return super::safetensors::open(files, path);
    }
    #[cfg(feature = "jax")]
    if super::orbax::is_metadata(path) {
        return super::orbax::open(files, path);
    }
    #[cfg(feature = "jax")]
    if super::flax::is_named(path) && super::msgpack::begins_as_map(&first) {
        return super::orbax::aggregate::open(files, path);
    }
    #[cfg(feature = "onnx")]
    if path.extension().is_some_and(|ending| ending == "onnx") {
        return super::onnx::open(files, path);
    }
    #[cfg(feature = "npz")]
    if first.starts_with(b"PK") && path.extension().is_some_and(|ending| ending == "npz") {
        return super::npz::open(files, path);
    }
    #[cfg(feature = "hdf5")]
    if is_keras(path, &first) {
        return super::keras::open(files, path);
    }
    #[cfg(feature = "pytorch")]
    if path.file_name().is_some_and(|name| name == DISTRIBUTED)
        && matches!(first.as_slice(), [0x80, 2..=5, ..])
    {
        return super::pytorch::distributed::open(files, path);
    }
    #[cfg(feature = "pytorch")]
    if is_pytorchs(path, &first) {
        return super::pytorch::open(files, path);
    }
    #[cfg(feature = "tensorflow")]
    if is_tensorflows(path, &first) {
        return super::tensorflow::open(files, path);
    }
    if is_stored(path) && first.iter().all(|byte| *byte == 0) {
        return Err(OpenError::NotWhole("it has no content yet".to_owned()));
    }
    Err(OpenError::Unknown)
}

/// Whether the name is that of a checkpoint.
fn is_stored(path: &Path) -> bool {
    path.file_name().is_some_and(|name| is_stored_name(name.as_encoded_bytes()))
}

#[cfg(feature = "safetensors")]
fn is_safetensors(path: &Path) -> bool {
    let name = path.as_os_str().as_encoded_bytes();
    name.ends_with(b".safetensors") || name.ends_with(b".safetensors.index.json")
}

/// HDF5 files, and those that have the endings of Keras.
#[cfg(feature = "hdf5")]
fn is_keras(path: &Path, first: &[u8]) -> bool {
    use super::{hdf5::superblock::SIGNATURE, keras};
    let is_named = keras::is_archive(path) || keras::is_index(path) || keras::is_hdf5(path);
    first.starts_with(SIGNATURE) || is_named
}

/// Zip archives that are not those of Keras, and pickles.
#[cfg(feature = "pytorch")]
fn is_pytorchs(path: &Path, first: &[u8]) -> bool {
    // Protocols 0 and 1 write PyTorch's magic number as a text.
    let is_pickle = matches!(first, [0x80, 2..=5, ..]) || first.starts_with(b"L119547037146038");
    let is_keras = path.extension().is_some_and(|ending| ending == "keras");
    (first.starts_with(b"PK") && !is_keras) || is_pickle
}

#[cfg(feature = "tensorflow")]
fn is_tensorflows(path: &Path, first: &[u8]) -> bool {
    use super::tensorflow::{begins_as_table, is_index, is_list};
    is_index(path) || begins_as_table(first) || is_list(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::input::InMemory;

    #[test]
    #[cfg(feature = "safetensors")]
    fn the_step_of_the_trainer_is_that_of_its_checkpoint() {
        let path = Path::new("checkpoint-500/model.safetensors");
        let mut files = InMemory::default();
        files.0.insert(path.to_owned(), b"\x02\0\0\0\0\0\0\0{}".to_vec());
        let step = |files: &InMemory| open(files, path).unwrap().step.map(|step| step.value);
        assert_eq!(step(&files), None);
        let state = br#"{"epoch": 0.5, "global_step": 480, "log_history": []}"#.to_vec();
        files.0.insert(path.with_file_name("trainer_state.json"), state);
        assert_eq!(step(&files), Some(480));
    }

    #[test]
    #[cfg(feature = "pytorch")]
    fn a_file_without_content_is_not_whole() {
        let opened = |name: &str, bytes: &[u8]| {
            open(&InMemory([(name.into(), bytes.to_vec())].into_iter().collect()), Path::new(name))
                .unwrap_err()
        };
        for bytes in [&b""[..], &[0; 9], &[0; 99]] {
            assert!(matches!(opened("a.pt", bytes), OpenError::NotWhole(_)));
            assert!(matches!(opened("a.txt", bytes), OpenError::Unknown));
        }
        assert!(matches!(opened("a.pt", b"\0\0a"), OpenError::Unknown));
    }
}
