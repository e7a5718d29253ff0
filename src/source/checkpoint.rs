//! A file's name and first bytes -> the checkpoint to which it seems to belong.
//!
//! Other data in HDF5 and `TorchScript` modules look the same, so the program only says that these files look like checkpoints.
//!
//! TensorFlow writes a checkpoint as `NAME.index` and `NAME.data-00000-of-00001`; others are recognized by the file extension.
//! Large ones have parts, such as `model-00001-of-00004.safetensors`. All files in a directory such as `checkpoint-500` are one
//! checkpoint.

use std::path::{Path, PathBuf};

/// The most checkpoints of a logdir that are named.
pub const MOST_CHECKPOINTS: usize = 10_000;

/// PyTorch and Lightning; safetensors; Flax; `PaddlePaddle`; Keras, including HDF5 files with weights; ONNX.
const ENDINGS: [(&str, Start); 11] = [
    (".pt", Start::ZipOrPickle),
    (".pth", Start::ZipOrPickle),
    (".pth.tar", Start::ZipOrPickle),
    (".ckpt", Start::ZipOrPickle),
    (".safetensors", Start::Any),
    (".msgpack", Start::Any),
    (".pdparams", Start::Any),
    (".keras", Start::Any),
    (".onnx", Start::Any),
    (".h5", Start::Hdf5),
    (".hdf5", Start::Hdf5),
];

/// How a checkpoint with a certain extension begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// As `torch.save` writes it, now and before PyTorch 1.6.
    ZipOrPickle,
    /// The signature of HDF5.
    Hdf5,
    /// Any bytes: the name alone is sufficient.
    Any,
}

/// The most bytes that are read.
pub const LONGEST_START: usize = HDF5.len();

const HDF5: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

impl Start {
    /// How a file with this name begins if it is a checkpoint.
    #[must_use]
    pub fn of(file: &Path) -> Self {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let known = ENDINGS.iter().find(|(ending, _)| ends_with(name, ending));
        known.map_or(Self::Any, |(_, start)| *start)
    }

    /// Whether a file with these first bytes begins in this way.
    #[must_use]
    pub fn is_of(self, first: &[u8]) -> bool {
        match self {
            // A pickle begins with a certain opcode and the number of its protocol.
            Self::ZipOrPickle => first.starts_with(b"PK\x03\x04") || matches!(first, [0x80, 2..=5, ..]),
            Self::Hdf5 => first.starts_with(HDF5),
            Self::Any => true,
        }
    }
}

/// The checkpoint to which a file belongs by its name: its path without what differs between parts.
#[must_use]
pub fn checkpoint_of(file: &Path) -> Option<PathBuf> {
    let name = file.file_name()?.to_str()?;
    let one = match name.rsplit_once(".data-00000-of-") {
        Some((bundle, parts)) if is_number(parts) => file.with_file_name(bundle),
        _ if is_later_part(name) || !ENDINGS.iter().any(|(ending, _)| ends_with(name, ending)) => {
            return None;
        }
        _ => file.to_owned(),
    };
    let dir = file.parent()?;
    Some(if is_checkpoint_directory(dir) { dir.to_owned() } else { one })
}

/// Whether a name ends with this ending and is longer than it.
fn ends_with(name: &str, ending: &str) -> bool {
    name.len() > ending.len() && name.ends_with(ending)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_digit())
}

/// Names such as `model-00002-of-00004.safetensors`, but not that of the first part.
fn is_later_part(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let Some((before, parts)) = stem.rsplit_once("-of-") else { return false };
    let number = before.rsplit('-').next().unwrap_or_default();
    is_number(parts) && number.parse::<u64>().is_ok_and(|number| number > 1)
}

/// Whether a directory is one checkpoint: its name is one such as `checkpoint-500`, which the trainers of Hugging Face and others use.
#[must_use]
pub fn is_checkpoint_directory(dir: &Path) -> bool {
    let name = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_prefix("checkpoint").and_then(|rest| rest.strip_prefix(['-', '_'])).is_some_and(is_number)
}

/// Beginnings of the names of directories before the number of a step or of a save.
const NUMBERED: [&str; 8] = ["checkpoint", "ckpt", "step", "epoch", "iter", "global_step", "save", "model"];

/// Whether the name of a directory is a number, or such a word and a number: `1000`, `ckpt_20`, `step=5`.
#[must_use]
pub fn is_numbered(name: &str) -> bool {
    let name = name.to_lowercase();
    let is_after_word = |word: &str| {
        name.strip_prefix(word).is_some_and(|rest| is_number(rest.trim_start_matches(['-', '_', '=', '.'])))
    };
    is_number(&name) || NUMBERED.iter().any(|word| is_after_word(word))
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
            "r/flax.msgpack",
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
    fn a_file_begins_as_its_ending_says() {
        let check = |file: &str, first: &[u8], expected: bool| {
            assert_eq!(Start::of(Path::new(file)).is_of(first), expected, "{file} {first:?}");
        };
        // As torch.save writes them, with and without `_use_new_zipfile_serialization`, and h5py.
        let (zip, pickle) = (b"PK\x03\x04\x00\x00\x08\x08", b"\x80\x02\x8a\nl\xfc\x9cF");
        let hdf5 = b"\x89HDF\r\n\x1a\n";
        for name in ["a.pt", "a.pth", "a.pth.tar", "a.ckpt"] {
            check(name, zip, true);
            check(name, pickle, true);
            check(name, hdf5, false);
            check(name, b"step,los", false);
            check(name, b"", false);
        }
        for name in ["a.h5", "a.weights.h5", "a.hdf5"] {
            check(name, hdf5, true);
            check(name, zip, false);
        }
        for name in ["a.keras", "a.safetensors", "a.msgpack", "model-3.data-00000-of-00001"] {
            check(name, b"", true);
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
