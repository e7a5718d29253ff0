//! A file's name -> whether it is the file with which a checkpoint of a format that is read is opened.
//!
//! The name alone decides what is listed; the first bytes decide later, when it is opened, whether it is a checkpoint.

use std::path::Path;

use super::checkpoint::is_checkpoint_directory;

/// What the formats that are read call the files with which they are opened.
struct Names {
    is_read: bool,
    /// How the names end.
    endings: &'static [&'static str],
}

const NAMES: [Names; 7] = [
    Names { is_read: cfg!(feature = "safetensors"), endings: &[".safetensors", ".safetensors.index.json"] },
    Names {
        is_read: cfg!(feature = "pytorch"),
        endings: &[".pt", ".pth", ".pth.tar", ".ckpt", ".pt2", "model.bin", "weights.bin"],
    },
    Names { is_read: cfg!(feature = "hdf5"), endings: &[".keras", ".h5", ".hdf5", ".weights.json"] },
    Names { is_read: cfg!(feature = "tensorflow"), endings: &[".index", ".ckpt"] },
    Names { is_read: cfg!(feature = "jax"), endings: &[".msgpack"] },
    Names { is_read: cfg!(feature = "npz"), endings: &[".npz"] },
    Names { is_read: cfg!(feature = "onnx"), endings: &[".onnx"] },
];

/// How the names of weights end that are opened only to say what would mend that they are not read.
const NOT_READ: [&str; 2] = [".gguf", ".tflite"];

/// The whole name of the file with which a directory of `torch.distributed.checkpoint` is opened.
pub const DISTRIBUTED: &str = ".metadata";

/// The whole name of TensorFlow's list of its checkpoints.
const LIST: &str = "checkpoint";

/// Beginnings of the names of files that trainers write beside the weights, without weights.
const WITHOUT_WEIGHTS: [&str; 6] =
    ["optimizer", "scheduler", "rng_state", "training_args", "random_states", OF_LIGHTNING];

/// What Lightning writes beside a directory of `torch.distributed.checkpoint`.
const OF_LIGHTNING: &str = "meta.pt";

/// Whether a base name is that of the file with which a checkpoint is opened.
#[must_use]
pub fn is_stored_name(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let has = |ending: &str| name.len() > ending.len() && name.ends_with(ending);
    let is_orbax = cfg!(feature = "jax") && (name == ORBAX || name == LIST || is_flax_save(name));
    let is_named = NAMES.iter().any(|names| {
        names.is_read && names.endings.iter().any(|ending| has(ending) || is_whole_name(name, ending))
    });
    let is_v1 = cfg!(feature = "tensorflow") && (is_numbered_save(name) || name == LIST);
    let is_shard = cfg!(feature = "pytorch") && name.starts_with("pytorch_model-") && has(".bin");
    let is_distributed = cfg!(feature = "pytorch") && name == DISTRIBUTED;
    (is_named || is_orbax || is_distributed || is_v1 || is_shard || is_not_read(name))
        && !is_without_weights(name)
}

/// Whether a base name is that of a file without weights, such as `optimizer.pt`.
#[must_use]
pub fn is_without_weights(name: &str) -> bool {
    WITHOUT_WEIGHTS.iter().any(|word| name.starts_with(word))
}

fn is_not_read(name: &str) -> bool {
    NOT_READ.iter().any(|ending| name.ends_with(ending))
}

/// Whether a name alone, of a file or a directory, tells a checkpoint: one of a file, or a directory such as `checkpoint-500`.
#[must_use]
pub fn is_offered_name(name: &str) -> bool {
    // Archives of NumPy are more often data.
    let is_vague = [LIST, ORBAX, DISTRIBUTED].contains(&name)
        || Path::new(name).extension().is_some_and(|ending| ending == "npz")
        || is_not_read(name);
    (is_stored_name(name.as_bytes()) && !is_vague) || is_checkpoint_directory(Path::new(name))
}

/// `pytorch_model.bin` and `model.bin` both end with a name that says what they are.
fn is_whole_name(name: &str, ending: &str) -> bool {
    !ending.starts_with('.') && name == ending
}

/// Names such as `model.ckpt-10`, or `model.ckpt-10-00000-of-00002`, as TensorFlow wrote them before the tensor bundle.
fn is_numbered_save(name: &str) -> bool {
    let name = match name.rsplit_once("-of-") {
        Some((before, parts)) if is_number(parts) => before.rsplit_once('-').map_or(name, |(stem, _)| stem),
        _ => name,
    };
    name.rsplit_once("ckpt-").is_some_and(|(_, number)| is_number(number))
}

/// Whether a base name is one such as `checkpoint_10`: Flax calls a file so where it does not use Orbax.
#[must_use]
pub fn is_flax_save(name: &str) -> bool {
    name.strip_prefix("checkpoint_").is_some_and(is_number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_digit())
}

/// The name of the index to which a part belongs, if it is named as a part: `model.safetensors.index.json` for
/// `model-00001-of-00003.safetensors`, `a.weights.json` for `a_00000.weights.h5`, `a.index` for `a.data-00000-of-00001`, and `.metadata`
/// for `__0_0.distcp`.
#[must_use]
pub fn index_of_part(name: &str) -> Option<String> {
    if OF_ORBAX.contains(&name) {
        return cfg!(feature = "jax").then(|| ORBAX.to_owned());
    }
    if name.ends_with(".distcp") || name == OF_LIGHTNING {
        return Some(DISTRIBUTED.to_owned());
    }
    // What PyTorch's exporter and others call the numbers of a model of ONNX.
    if let Some(stem) = name.strip_suffix(".onnx.data").or(name.strip_suffix(".onnx_data")) {
        return Some(format!("{stem}.onnx"));
    }
    if let Some((stem, parts)) = name.rsplit_once(".data-") {
        let (part, of) = parts.split_once("-of-")?;
        return (is_number(part) && is_number(of)).then(|| format!("{stem}.index"));
    }
    if let Some(stem) = name.strip_suffix(".weights.h5") {
        let (stem, part) = stem.rsplit_once('_')?;
        return is_number(part).then(|| format!("{stem}.weights.json"));
    }
    let stem = name.strip_suffix(".safetensors")?;
    let (before, of) = stem.rsplit_once("-of-")?;
    let (stem, part) = before.rsplit_once('-')?;
    (is_number(part) && is_number(of)).then(|| format!("{stem}.safetensors.index.json"))
}

/// Files of a directory of Orbax, or of the directory of its items, that say something about all of it.
const OF_ORBAX: [&str; 4] = ["_CHECKPOINT_METADATA", "commit_success.txt", "manifest.ocdbt", LIST];

/// The file with which a directory of Orbax is opened.
pub const ORBAX: &str = "_METADATA";

/// Files by which a directory is known to be a checkpoint.
pub const OF_DIRECTORIES: [&str; 3] = [OF_ORBAX[0], ORBAX, ".metadata"];

/// What the trainer of Hugging Face writes beside the weights.
pub const TRAINER_STATE: &str = "trainer_state.json";

/// Whether writing to a file with this name may change a checkpoint: its own file, a part of it, or what its trainer writes beside it.
#[must_use]
pub fn is_part_of_checkpoint(name: &[u8]) -> bool {
    is_stored_name(name)
        || name == TRAINER_STATE.as_bytes()
        || std::str::from_utf8(name).is_ok_and(|name| index_of_part(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(
        feature = "safetensors",
        feature = "pytorch",
        feature = "hdf5",
        feature = "tensorflow",
        feature = "jax"
    ))]
    fn checkpoints_are_opened_with_files_of_certain_names() {
        for name in [
            "model.safetensors",
            "model.safetensors.index.json",
            "best.pth.tar",
            "epoch=3-step=40.ckpt",
            "pytorch_model.bin",
            "pytorch_model-00001-of-00002.bin",
            "m.keras",
            "m.weights.h5",
            "m.weights.json",
            "ckpt-1.index",
            "model.ckpt-10",
            "model.ckpt-10-00000-of-00002",
            "checkpoint",
            "model.gguf",
            "net.tflite",
            "_METADATA",
            "checkpoint_10",
            "flax_model.msgpack",
            "arrays.npz",
            "net.onnx",
            ".metadata",
        ] {
            assert!(is_stored_name(name.as_bytes()), "{name}");
        }
        for name in [
            "optimizer.pt",
            "rng_state.pth",
            "training_args.bin",
            "notes.txt",
            "events.out.tfevents.1",
            "my_checkpoint",
            "a.pt.trace.json",
            ".pt",
            "model.ckpt-10.meta",
            "ckpt-1.data-00000-of-00001",
            "data.bin",
            "_CHECKPOINT_METADATA",
            "checkpoint_a",
            "meta.pt",
            "__0_0.distcp",
            "a.metadata",
        ] {
            assert!(!is_stored_name(name.as_bytes()), "{name}");
        }
    }

    #[test]
    #[cfg(feature = "pytorch")]
    fn a_directory_of_one_checkpoint_is_offered_too() {
        let is_offered = ["epoch_1.pth", "checkpoint-500", "checkpoint", "data.npz", "notes.txt"];
        assert_eq!(is_offered.map(is_offered_name), [true, true, false, false, false]);
    }

    #[test]
    #[cfg(feature = "jax")]
    fn parts_belong_to_their_index() {
        let index = |name: &str| index_of_part(name).unwrap_or_default();
        assert_eq!(index("model-00001-of-00003.safetensors"), "model.safetensors.index.json");
        assert_eq!(index("a_00000.weights.h5"), "a.weights.json");
        assert_eq!(index("a.data-00000-of-00001"), "a.index");
        assert_eq!(index("commit_success.txt"), "_METADATA");
        assert_eq!(index("__1_0.distcp"), ".metadata");
        assert_eq!(index("net.onnx.data"), "net.onnx");
        assert_eq!(index("model.safetensors"), "");
        assert_eq!(index("best-of-5.safetensors"), "");
    }
}
