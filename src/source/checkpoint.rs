//! A file's name -> the checkpoint that it is a part of. Nothing is opened: what is known is known by names alone.
//!
//! TensorFlow writes a checkpoint as `NAME.index` and `NAME.data-00000-of-00001`, others in files by their ending, and large ones in
//! parts, as `model-00001-of-00004.safetensors`. All files in a directory as `checkpoint-500` are one checkpoint.

use std::path::{Path, PathBuf};

/// So many checkpoints are told of one logdir.
pub const MOST_CHECKPOINTS: usize = 10_000;

/// PyTorch and Lightning; safetensors; Keras, HDF5 files with weights among them.
const ENDINGS: [&str; 8] = [".pt", ".pth", ".pth.tar", ".ckpt", ".safetensors", ".keras", ".h5", ".hdf5"];

/// The checkpoint that a file belongs to: its path without what differs between parts.
#[must_use]
pub fn checkpoint_of(file: &Path) -> Option<PathBuf> {
    let name = file.file_name()?.to_str()?;
    let one = match name.rsplit_once(".data-00000-of-") {
        Some((bundle, parts)) if is_number(parts) => file.with_file_name(bundle),
        _ if is_later_part(name) || !ENDINGS.iter().any(|ending| ends_with(name, ending)) => return None,
        _ => file.to_owned(),
    };
    let dir = file.parent()?;
    Some(if is_checkpoint_directory(dir) { dir.to_owned() } else { one })
}

/// Whether there is more to the name than the ending.
fn ends_with(name: &str, ending: &str) -> bool {
    name.len() > ending.len() && name.ends_with(ending)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_digit())
}

/// `model-00002-of-00004.safetensors`, but not its first part.
fn is_later_part(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let Some((before, parts)) = stem.rsplit_once("-of-") else { return false };
    let number = before.rsplit('-').next().unwrap_or_default();
    is_number(parts) && number.parse::<u64>().is_ok_and(|number| number > 1)
}

/// `checkpoint-500`, as the trainers of Hugging Face and others name them.
fn is_checkpoint_directory(dir: &Path) -> bool {
    let name = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_prefix("checkpoint").and_then(|rest| rest.strip_prefix(['-', '_'])).is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, expected: Option<&str>) {
        assert_eq!(checkpoint_of(Path::new(file)).as_deref(), expected.map(Path::new), "{file}");
    }

    #[test]
    fn files_with_a_known_ending_are_checkpoints() {
        for file in [
            "r/model.pt",
            "r/best.pth",
            "r/best.pth.tar",
            "r/epoch=3-step=40.ckpt",
            "r/model.safetensors",
            "r/m.keras",
            "r/m.weights.h5",
            "r/m.hdf5",
        ] {
            check(file, Some(file));
        }
        for file in
            ["r/.pt", "r/notes.txt", "r/events.out.tfevents.1", "r/checkpoint", "r/a.pt.trace.json", "r/ckpt"]
        {
            check(file, None);
        }
    }

    #[test]
    fn the_two_files_of_a_tensorflow_bundle_are_one() {
        check("r/model.ckpt-10.data-00000-of-00001", Some("r/model.ckpt-10"));
        check("r/model.ckpt-10.data-00000-of-00003", Some("r/model.ckpt-10"));
        check("r/model.ckpt-10.data-00001-of-00003", None);
        check("r/model.ckpt-10.index", None);
        check("r/model.ckpt-10.meta", None);
    }

    #[test]
    fn parts_of_a_file_are_one() {
        check("r/model-00001-of-00004.safetensors", Some("r/model-00001-of-00004.safetensors"));
        check("r/model-00002-of-00004.safetensors", None);
        check("r/best-of-5.pt", Some("r/best-of-5.pt"));
    }

    #[test]
    fn a_directory_of_a_checkpoint_is_one() {
        check("r/checkpoint-500/model.safetensors", Some("r/checkpoint-500"));
        check("r/checkpoint-500/optimizer.pt", Some("r/checkpoint-500"));
        check("r/checkpoint_7/model.ckpt.data-00000-of-00001", Some("r/checkpoint_7"));
        check("r/checkpoint-500/trainer_state.json", None);
        check("r/checkpoints/a.pt", Some("r/checkpoints/a.pt"));
    }
}
