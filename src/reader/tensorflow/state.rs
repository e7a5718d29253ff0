//! The text of a file `checkpoint` -> the checkpoints beside it that it names.
//!
//! TensorFlow keeps a list of its checkpoints as text (`CheckpointState`, `python/training/checkpoint_state.proto`). Its paths are
//! often absolute, and wrong once the directory was moved, so only their last parts are taken.

use std::{collections::BTreeSet, ffi::OsString};

/// At most so many names are read.
const MOST_NAMES: usize = 10_000;

/// The names of the checkpoints, without directory and each once, in the order of the file.
#[must_use]
pub fn named(text: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let names = text.lines().filter_map(|line| {
        let (field, value) = line.trim().split_once(':')?;
        let is_path = matches!(field, "model_checkpoint_path" | "all_model_checkpoint_paths");
        let quoted = value.trim().strip_prefix('"')?.strip_suffix('"')?;
        let name = quoted.rsplit(['/', '\\']).next()?;
        (is_path && !matches!(name, "" | "." | "..")).then(|| name.to_owned())
    });
    names.filter(|name| seen.insert(name.clone())).take(MOST_NAMES).collect()
}

/// Those of the names of which no file is in the directory that has these entries.
#[must_use]
pub fn gone(named: &[String], entries: &[OsString]) -> Vec<String> {
    let there: BTreeSet<&[u8]> =
        entries.iter().map(|entry| checkpoint_of(entry.as_encoded_bytes())).collect();
    named.iter().filter(|name| !there.contains(name.as_bytes())).cloned().collect()
}

/// The name of the checkpoint that a file belongs to: its own without `.index`, or without the number of a shard.
fn checkpoint_of(file: &[u8]) -> &[u8] {
    const SHARD: usize = "-00000-of-00000".len();
    let is_shard = |end: &[u8]| {
        end.starts_with(b"-")
            && end.get(6..10) == Some(b"-of-".as_slice())
            && end[10..].iter().all(u8::is_ascii_digit)
    };
    if let Some(name) = file.strip_suffix(b".index") {
        return name;
    }
    match file.len().checked_sub(SHARD).map(|at| file.split_at(at)) {
        Some((name, end)) if is_shard(end) => name.strip_suffix(b".data").unwrap_or(name),
        _ => file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_beside_the_file() {
        let text = "model_checkpoint_path: \"/somewhere/else/model.ckpt-20\"\n\
            all_model_checkpoint_paths: \"../../model.ckpt-10\"\n\
            all_model_checkpoint_paths: \"/somewhere/else/model.ckpt-20\"\n\
            all_model_checkpoint_paths: \"..\"\nall_model_checkpoint_timestamps: 1.5\nmodel_checkpoint_path: \"x";
        let named = named(text);
        assert_eq!(named, ["model.ckpt-20", "model.ckpt-10"]);
        let gone = |entries: &[&str]| {
            let entries: Vec<OsString> = entries.iter().map(OsString::from).collect();
            super::gone(&named, &entries)
        };
        assert!(gone(&["model.ckpt-20.index", "model.ckpt-10"]).is_empty());
        assert_eq!(gone(&["model.ckpt-20-00000-of-00002", "model.ckpt-1"]), ["model.ckpt-10"]);
        assert_eq!(gone(&["model.ckpt-10.meta"]).len(), 2);
    }
}
