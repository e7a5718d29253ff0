//! The text of a file `checkpoint` -> which of the checkpoints that it names are gone.
//!
//! TensorFlow keeps a list of its checkpoints as text (`CheckpointState`, `python/training/checkpoint_state.proto`). Its paths are
//! often absolute, and wrong once the directory was moved, so only their last parts are taken then. The file holds no tensor itself.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

use crate::reader::{
    contents::{Contents, Format, OpenError},
    input::Files,
};

/// The name that TensorFlow gives the file.
pub const NAME: &str = "checkpoint";
/// The longest file that is read, in bytes.
const LONGEST: u64 = 4 << 20;
/// At most so many checkpoints are looked for.
const MOST_CHECKPOINTS: usize = 1_000;
/// How many are named in a remark.
const NAMED: usize = 3;

/// Reads the list. Each checkpoint that is gone is in [`Contents::missing`], so that the list is read again when one comes.
///
/// # Errors
/// `Unknown` if nothing that it names is gone, or if it is no such list; see [`OpenError`] for the others.
pub fn open(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    let bytes = {
        let input = files.open(path)?;
        if input.len() > LONGEST {
            return Err(OpenError::Unknown);
        }
        input.bytes(0, input.len())?
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| OpenError::Unknown)?;
    let dir = path.parent().unwrap_or(path);
    let gone: Vec<PathBuf> =
        named(text).into_iter().map(|name| dir.join(name)).filter(|name| !is_there(files, name)).collect();
    let Some(remark) = remark(&gone) else { return Err(OpenError::Unknown) };
    let missing = gone.into_iter().map(|name| with_index(&name)).collect();
    Ok(Contents {
        files: vec![path.to_owned()],
        missing,
        remarks: vec![remark],
        ..Contents::empty(Format::TensorFlow)
    })
}

/// The paths of the checkpoints, relative to the file's directory and each once, in the order of the file.
fn named(text: &str) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let names = text.lines().filter_map(|line| {
        let (field, value) = line.trim().split_once(':')?;
        let is_path = matches!(field, "model_checkpoint_path" | "all_model_checkpoint_paths");
        let quoted = value.trim().strip_prefix('"')?.strip_suffix('"')?;
        // Shards of the format before bundles are named by a pattern.
        let name = PathBuf::from(quoted.replace("?????", "00000"));
        let is_below = name.components().all(|part| matches!(part, Component::Normal(_)));
        let name = if is_below { name } else { PathBuf::from(name.file_name()?) };
        (is_path && !name.as_os_str().is_empty()).then_some(name)
    });
    names.filter(|name| seen.insert(name.clone())).take(MOST_CHECKPOINTS).collect()
}

fn with_index(name: &Path) -> PathBuf {
    let mut with_index = name.as_os_str().to_owned();
    with_index.push(".index");
    PathBuf::from(with_index)
}

/// Whether there is a bundle of this name, or the file of the format before bundles.
fn is_there(files: &dyn Files, name: &Path) -> bool {
    files.open(&with_index(name)).is_ok() || files.open(name).is_ok()
}

fn remark(gone: &[PathBuf]) -> Option<String> {
    let names = gone.iter().take(NAMED).filter_map(|name| name.file_name()?.to_str());
    let names: Vec<&str> = names.collect();
    let (what, others) = match gone.len() {
        0 => return None,
        1 => ("a checkpoint that is", String::new()),
        n if n > NAMED => ("checkpoints that are", format!(" and {} more", n - NAMED)),
        _ => ("checkpoints that are", String::new()),
    };
    Some(format!(
        "it names {what} not beside it: {}{others}; those that are here are shown",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::input::InMemory;

    const TEXT: &str = "model_checkpoint_path: \"/somewhere/else/model.ckpt-20\"\n\
        all_model_checkpoint_paths: \"../../model.ckpt-10\"\nall_model_checkpoint_paths: \"sub/model.ckpt-5\"\n\
        all_model_checkpoint_paths: \"old-?????-of-00002\"\n\
        all_model_checkpoint_paths: \"..\"\nall_model_checkpoint_timestamps: 1.5\nmodel_checkpoint_path: \"x";

    fn files(names: &[&str]) -> InMemory {
        let mut files = InMemory::default();
        files.0.insert("run/checkpoint".into(), TEXT.as_bytes().to_vec());
        files.0.extend(names.iter().map(|name| (Path::new("run").join(name), Vec::new())));
        files
    }

    #[test]
    fn checkpoints_that_are_gone_are_named() {
        let open = |names: &[&str]| open(&files(names), Path::new("run/checkpoint"));
        let all = ["model.ckpt-20.index", "model.ckpt-10", "sub/model.ckpt-5.index", "old-00000-of-00002"];
        assert!(matches!(open(&all), Err(OpenError::Unknown)));
        let one = open(&all[1..]).unwrap();
        assert!(one.remarks[0].contains("a checkpoint that is not beside it: model.ckpt-20;"), "{one:?}");
        assert_eq!(one.missing, [Path::new("run/model.ckpt-20.index")]);
        assert!(open(&[]).unwrap().remarks[0].contains("model.ckpt-5 and 1 more"));
    }

    #[test]
    fn other_files_of_this_name_are_no_lists() {
        let mut files = files(&[]);
        for other in [&b"\xff\xfe"[..], b"", b"{\"model\": 1}"] {
            files.0.insert("run/checkpoint".into(), other.to_vec());
            assert!(matches!(open(&files, Path::new("run/checkpoint")), Err(OpenError::Unknown)));
        }
    }
}
