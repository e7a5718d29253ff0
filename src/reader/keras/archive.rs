//! A `.keras` archive -> the model's configuration and the weights in it.

use std::path::Path;

use super::{config::Config, stored::Stored, tensors};
use crate::reader::{
    contents::{Contents, Format, OpenError},
    hdf5::tree,
    input::{Input, Part},
    zip,
};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.weights.h5";
/// The longest configuration that is read.
const LONGEST_CONFIG: u64 = 8 << 20;

/// Reads the heads of the members.
///
/// # Errors
/// See [`OpenError`].
pub(super) fn open(path: &Path, input: &dyn Input) -> Result<Contents, OpenError> {
    let archive = zip::open(input)?;
    let Some(member) = archive.members.get(WEIGHTS) else { return Err(without_weights(&archive)) };
    let offset = member.offset(input)?;
    let tree = tree::read(&Part::new(input, offset, member.len)).map_err(|error| match error {
        // The archive is whole, so a member that is cut stays so.
        OpenError::NotWhole(message) | OpenError::Damaged(message) => {
            OpenError::Damaged(format!("`{WEIGHTS}` in it: {message}"))
        }
        error => error,
    })?;
    let mut contents = Contents { files: vec![path.to_owned()], ..Contents::empty(Format::Keras) };
    let config = if archive.members.contains_key(CONFIG) {
        match archive.read(input, CONFIG, LONGEST_CONFIG) {
            Ok(bytes) => Some(Config::read(&bytes)),
            Err(error) => {
                contents.remarks.push(format!(
                    "the names of layers may be missing, because {CONFIG} in it cannot be read: {error}"
                ));
                None
            }
        }
    } else {
        None
    };
    let mut stored = Stored::default();
    stored.add(tree, 0, offset)?;
    tensors::add(stored, config, &mut contents);
    Ok(contents)
}

fn without_weights(archive: &zip::Archive) -> OpenError {
    let has = |name: &str| archive.members.contains_key(name);
    if has("model.weights.npz") || has("model.weights.json") {
        let advice = "save the model again with `model.save(\"NAME.keras\")`";
        return OpenError::NotRead(format!(
            "its weights are not in `{WEIGHTS}`, and others are not read: {advice}"
        ));
    }
    OpenError::NotRead(format!("the archive has no `{WEIGHTS}`, so it is not one that Keras saved"))
}
