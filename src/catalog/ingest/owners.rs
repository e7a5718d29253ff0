//! Where a checkpoint lies -> the run to which it belongs.
//!
//! It is the run of the nearest directory above it that has event files. Where there is none, it is the first directory above that is
//! not named as a container of checkpoints, unless the events lie elsewhere: below it in exactly one run (`MMEngine`), or in its
//! directory `train` (Keras).

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::source::{
    NamedPlace, Source,
    checkpoint::{is_checkpoint_directory, is_numbered},
};

/// The run of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// The directory of the run, relative to the logdir; empty for the logdir itself.
    pub(super) dir: PathBuf,
    /// Why this run is likely, where the checkpoint does not lie in it.
    pub(super) likely: Option<Arc<str>>,
}

/// Names of directories that hold checkpoints and are not runs.
const CONTAINERS: [&str; 14] = [
    "checkpoints",
    "checkpoint",
    "weights",
    "ckpt",
    "ckpts",
    "models",
    "model",
    "default",
    "variables",
    "state",
    "pytree",
    "saved_model",
    "backup",
    "snapshots",
];
/// The run of a checkpoint: what the user says, or where it lies. It is opened with the file at `path`, and `place` is what it is.
pub(super) fn owner_in(
    source: &dyn Source,
    (path, place): (&Path, &Path),
    with_events: &BTreeSet<PathBuf>,
) -> Owner {
    let below = |path: &Path| path.strip_prefix(source.root()).unwrap_or(path).to_owned();
    let by_place = || owner(&below(path), &below(place), with_events);
    match source.named_place(path) {
        Some(NamedPlace::File(run)) => Owner { dir: PathBuf::from(run.as_str()), likely: None },
        Some(NamedPlace::OfRun(run, place)) => {
            // A run with events below the named place keeps its own checkpoints.
            let (found, root) = (by_place(), source.root());
            let dir = root.join(&found.dir);
            let is_nearer = path.starts_with(root) && dir.starts_with(&place) && dir != place;
            if is_nearer && found.likely.is_none() && with_events.contains(&found.dir) {
                found
            } else {
                Owner {
                    dir: if run.as_str() == "." { PathBuf::new() } else { run.as_str().into() },
                    likely: None,
                }
            }
        }
        Some(NamedPlace::Directory(place)) => {
            let found = by_place();
            if found.dir.starts_with(&place) { found } else { Owner { dir: place, likely: None } }
        }
        None => by_place(),
    }
}

/// The run of a checkpoint that is opened with the file at `path`, and is the file or the directory at `place`. Paths are relative to the
/// logdir; `with_events` are the directories of event files.
fn owner(path: &Path, place: &Path, with_events: &BTreeSet<PathBuf>) -> Owner {
    let sure = |dir: &Path| Owner { dir: dir.to_owned(), likely: None };
    if let Some(dir) = path.ancestors().skip(1).find(|dir| with_events.contains(*dir)) {
        return sure(dir);
    }
    let dirs: Vec<&Path> = place.ancestors().skip(1).collect();
    // Whatever lies in `checkpoint-500` is a part of that checkpoint, such as `checkpoint-500/unet`.
    let of_save = dirs.iter().rposition(|dir| is_checkpoint_directory(dir));
    let above = &dirs[of_save.map_or(0, |at| at + 1)..];
    let base = above.iter().find(|dir| !is_container(dir)).copied().unwrap_or(Path::new(""));
    let below: Vec<&PathBuf> = with_events.iter().filter(|dir| dir.starts_with(base)).collect();
    let likely = |dir: &Path, reason: String| Owner { dir: dir.to_owned(), likely: Some(reason.into()) };
    match below.as_slice() {
        [] => sure(base),
        [only] => likely(only, format!("{} is the only run with events beside it", only.display())),
        _ => {
            let train = base.join("train");
            if with_events.contains(&train) && below.iter().all(|dir| is_part_of_keras_run(dir, base)) {
                return likely(
                    &train,
                    format!("{} holds the events of the training beside it", train.display()),
                );
            }
            sure(base)
        }
    }
}

/// Whether a directory is one of those into which Keras divides the events of a run.
fn is_part_of_keras_run(dir: &Path, base: &Path) -> bool {
    const PARTS: [&str; 4] = ["train", "validation", "eval", "test"];
    dir.strip_prefix(base).is_ok_and(|rest| PARTS.iter().any(|part| rest == Path::new(part)))
}

/// Whether a directory is named as a container of checkpoints.
fn is_container(dir: &Path) -> bool {
    let Some(name) = dir.file_name() else { return false };
    let name = name.to_string_lossy().to_lowercase();
    CONTAINERS.contains(&name.as_str()) || is_numbered(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, with_events: &[&str], expected: &str, is_likely: bool) {
        let with_events = with_events.iter().map(PathBuf::from).collect();
        let found = owner(Path::new(path), Path::new(path), &with_events);
        assert_eq!((found.dir.to_str().unwrap(), found.likely.is_some()), (expected, is_likely), "{path}");
    }

    #[test]
    fn the_nearest_directory_above_with_events_is_the_run() {
        check(
            "lightning_logs/version_0/checkpoints/e.ckpt",
            &["lightning_logs/version_0"],
            "lightning_logs/version_0",
            false,
        );
        check("runs/a/weights/last.pt", &["runs/a", "runs/b"], "runs/a", false);
        check("model.ckpt-10.index", &[""], "", false);
    }

    #[test]
    fn without_events_it_is_the_first_directory_that_is_no_container() {
        check("out/checkpoint-500/model.safetensors", &[], "out", false);
        check("out/checkpoints/1000/default/x.index", &[], "out", false);
        check("a/variables/variables.index", &[], "a", false);
        check("out/checkpoint-500/unet/x.safetensors", &[], "out", false);
        check("out/checkpoint-500/unet/x.safetensors", &["out/logs/t2i"], "out/logs/t2i", true);
        check("checkpoints/a.pt", &[], "", false);
        check("a.pt", &[], "", false);
        check("other/a.pt", &["run"], "other", false);
    }

    #[test]
    fn a_directory_that_is_a_checkpoint_is_no_run() {
        let check = |path: &str, place: &str, with_events: &[&str], expected: &str| {
            let with_events = with_events.iter().map(PathBuf::from).collect();
            let found = owner(Path::new(path), Path::new(place), &with_events);
            assert_eq!(found.dir.to_str(), Some(expected), "{path}");
        };
        check("w/checkpoints/1000/default/_METADATA", "w/checkpoints/1000", &[], "w");
        check("w/ckpt_20/params/_METADATA", "w/ckpt_20", &[], "w");
        check("w/final/_METADATA", "w/final", &[], "w");
        check("w/e=1-step=10.ckpt/.metadata", "w/e=1-step=10.ckpt", &[], "w");
        check("w/checkpoints/1000/default/_METADATA", "w/checkpoints/1000", &["w/logs"], "w/logs");
        check("w/checkpoints/1000/default/_METADATA", "w/checkpoints/1000", &["w", "w/eval"], "w");
        check("_METADATA", "", &[], "");
    }

    #[test]
    fn events_beside_the_checkpoints_are_likely_theirs() {
        check("work/epoch_1.pth", &["work/2026/vis_data"], "work/2026/vis_data", true);
        check("work/epoch_1.pth", &["work/2026/vis_data", "work/2027/vis_data"], "work", false);
        check("weights/m.keras", &["train", "validation"], "train", true);
        check("weights/m.keras", &["train", "other"], "", false);
    }
}
