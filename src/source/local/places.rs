//! What is shown of a machine beside one whole directory: single files and directories, and checkpoints that belong to a run.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use super::{
    files::{LocalFiles, identity},
    walk::{Bounds, DirWalk},
};
use crate::{
    source::{
        FileStat, Listing,
        checkpoint::is_numbered,
        is_source_name,
        stored::{OF_DIRECTORIES, index_of_part, is_offered_name},
    },
    types::RunName,
};

/// What is shown beside the root, or in its place.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// If there are any, only these files and directories below the root are shown.
    pub only: Vec<PathBuf>,
    /// Directories and files with checkpoints of a run, in the root or elsewhere.
    pub checkpoints: Vec<CheckpointsOfRun>,
    /// Whether the names of checkpoints beside the root may be told.
    pub beside: bool,
}

/// The most names in a directory beside the root that are looked at.
const MOST_NAMES: usize = 10_000;

/// Where checkpoints of a run are.
#[derive(Clone, Debug)]
pub struct CheckpointsOfRun {
    /// The run.
    pub run: RunName,
    /// A directory or a file.
    pub path: PathBuf,
}

impl Places {
    /// Whether a file is shown.
    pub(super) fn shows(&self, path: &Path) -> bool {
        self.only.is_empty()
            || self.only.iter().any(|only| path.starts_with(only))
            || self.of_run(path).is_some()
    }

    /// Where a file lies of which the user says to which run it belongs: the nearest such place.
    pub(super) fn of_run(&self, path: &Path) -> Option<&CheckpointsOfRun> {
        let places = self.checkpoints.iter().filter(|place| path.starts_with(&place.path));
        places.max_by_key(|place| place.path.components().count())
    }

    /// The names of the checkpoints in a directory outside of the root.
    pub(super) fn names_beside(&self, dir: &Path) -> Vec<String> {
        let Some(entries) = fs::read_dir(dir).ok().filter(|_| self.beside) else { return Vec::new() };
        let names = entries.take(MOST_NAMES).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let names: BTreeSet<String> = names.collect();
        let is_part = |name: &str| index_of_part(name).is_some_and(|index| names.contains(&index));
        let is_one = |name: &&String| {
            (is_offered_name(name) && !is_part(name)) || (is_numbered(name) && is_checkpoint(&dir.join(name)))
        };
        names.iter().filter(is_one).cloned().collect()
    }

    /// What is in the places that are shown in the root's place.
    pub(super) fn list_only(&self, files: &LocalFiles, stop: &AtomicBool) -> io::Result<Listing> {
        let mut listing = Listing { root: identity(&files.root.metadata()?), ..Listing::default() };
        for path in &self.only {
            if path.is_dir() {
                match DirWalk::new(files, stop, Bounds::default()).below(path) {
                    Ok(found) => listing.add(found),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                    Err(error) => listing.troubles.push((path.clone(), error.to_string())),
                }
            } else {
                add_file(files, path, &mut listing);
            }
        }
        listing.leads_out = false;
        Ok(listing)
    }

    /// Adds the checkpoints that belong to runs.
    pub(super) fn add_checkpoints(
        &self,
        files: &LocalFiles,
        listing: &mut Listing,
        stop: &AtomicBool,
    ) -> io::Result<()> {
        for CheckpointsOfRun { path, .. } in &self.checkpoints {
            if !path.is_dir() {
                add_file(files, path, listing);
                continue;
            }
            let there = LocalFiles::new(path.clone());
            match DirWalk::new(&there, stop, Bounds::default()).all() {
                Ok(found) => listing.add(Listing {
                    stored: found.stored.into_iter().map(|file| self.named(file)).collect(),
                    dirs: found.dirs,
                    troubles: found.troubles,
                    left_out: found.left_out,
                    checkpoints: found.checkpoints,
                    ..Listing::default()
                }),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => listing.troubles.push((path.clone(), error.to_string())),
            }
        }
        Ok(())
    }

    fn named(&self, file: FileStat) -> FileStat {
        let run = self.of_run(&file.path).map_or_else(|| file.run.clone(), |place| place.run.clone());
        FileStat { run, ..file }
    }
}

/// Whether a directory is a checkpoint, by the names in it.
fn is_checkpoint(dir: &Path) -> bool {
    OF_DIRECTORIES.iter().any(|name| dir.join(name).is_file())
}

fn add_file(files: &LocalFiles, path: &Path, listing: &mut Listing) {
    let found = path.metadata().map(|meta| (meta.is_file(), files.stat(path, &meta)));
    match found {
        Ok((true, stat)) => {
            let name = path.file_name().unwrap_or_default().as_bytes();
            if is_source_name(name) { &mut listing.files } else { &mut listing.stored }.push(stat);
        }
        Ok((false, _)) => listing.troubles.push((path.to_owned(), "it is no regular file".to_owned())),
        Err(error) => listing.troubles.push((path.to_owned(), error.to_string())),
    }
    if let Some((dir, meta)) = path.parent().and_then(|dir| Some((dir, dir.metadata().ok()?))) {
        listing.dirs.insert(dir.to_owned(), identity(&meta));
    }
}
