//! Paths that were typed -> the source of what lies there, or why it cannot be read.

use std::{
    fs, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use super::{
    exit::{UNREADABLE, USAGE, failure},
    logdir,
};
use crate::{
    reader::{contents::OpenError, files::SourceFiles, kinds},
    recipes,
    source::{
        is_event_file_name,
        local::{CheckpointsOfRun, Local, Places},
    },
    types::RunName,
};

/// The paths that were typed: one logdir, or files and directories that are shown beside one another.
#[derive(Clone, Copy)]
pub(super) struct Typed<'a> {
    /// At least one.
    pub(super) paths: &'a [PathBuf],
    /// `RUN=DIR` of `--checkpoints`.
    pub(super) checkpoints: &'a [String],
}

/// Whether a path has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existence {
    Needed,
    /// A single directory may be created later.
    Awaited,
}

impl Typed<'_> {
    /// The source of what was typed.
    pub(super) fn source(self, existence: Existence) -> anyhow::Result<Local> {
        let checkpoints =
            self.checkpoints.iter().map(|typed| checkpoints_of_run(typed)).collect::<Result<_, _>>()?;
        let paths: Vec<PathBuf> =
            self.paths.iter().map(|path| absolute(&with_index(path))).collect::<Result<_, _>>()?;
        if let ([path], [typed]) = (paths.as_slice(), self.paths)
            && !path.is_file()
        {
            match fs::read_dir(path) {
                Err(error) if existence == Existence::Awaited && is_awaited(typed, &error) => {}
                // Only listing it tests links, permissions and mounts together.
                listed => drop(listed.map_err(|error| cannot_read(typed, &error))?),
            }
            return Ok(Local::with(path.clone(), Places { beside: true, checkpoints, ..Places::default() }));
        }
        for (path, typed) in paths.iter().zip(self.paths) {
            let meta = path.metadata().map_err(|error| cannot_read(typed, &error))?;
            if meta.is_file() && is_unknown(path) {
                let path = typed.display();
                return Err(failure(
                    UNREADABLE,
                    format!(
                        "{path} is neither a logdir nor a checkpoint of a kind that is read nor an event file"
                    ),
                ));
            }
        }
        let root = common_directory(&paths);
        Ok(Local::with(root, Places { only: paths, checkpoints, ..Places::default() }))
    }

    /// What was typed, for a person.
    pub(super) fn name(self) -> String {
        let names: Vec<String> = self.paths.iter().map(|path| path.display().to_string()).collect();
        names.join(", ")
    }

    /// The logdir, or the directory of the first file.
    pub(super) fn directory(self) -> PathBuf {
        let first = self.paths.first().map_or(Path::new("."), PathBuf::as_path);
        let dir = if first.is_file() { first.parent().unwrap_or(first) } else { first };
        if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir.to_owned() }
    }

    /// The directory that recipes log into: the logdir, or the first that is linked in one of links.
    pub(super) fn log_into(self) -> String {
        let logdir = self.directory();
        let first =
            recipes::is_of_links(&logdir).then(|| Local::new(logdir.clone()).first_linked()).flatten();
        first.unwrap_or(logdir).display().to_string()
    }
}

/// Whether a file is neither an event file, by its name, nor a checkpoint, by its first bytes.
fn is_unknown(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let local = Local::new(PathBuf::from("/"));
    !is_event_file_name(name)
        && matches!(kinds::open(&SourceFiles::new(&local), path), Err(OpenError::Unknown))
}

/// `RUN=DIR`, whose directory or file must be there.
fn checkpoints_of_run(typed: &str) -> anyhow::Result<CheckpointsOfRun> {
    let named = typed.split_once('=').filter(|(run, path)| !run.is_empty() && !path.is_empty());
    let Some((run, path)) = named else {
        let words = format!("--checkpoints {typed}: write RUN=DIR, as in --checkpoints train=weights");
        return Err(failure(USAGE, words));
    };
    let path = absolute(&with_index(Path::new(path)))?;
    path.metadata().map_err(|error| cannot_read(&path, &error))?;
    Ok(CheckpointsOfRun { run: RunName::from(run.trim_matches('/')), path })
}

/// A checkpoint of TensorFlow is often named without the ending of its index.
fn with_index(path: &Path) -> PathBuf {
    let with_index = |name: &str| path.with_file_name(format!("{name}.index"));
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = name.split_once(".data-").map_or(name, |(stem, _)| stem);
    let index = with_index(stem);
    if (!path.exists() || stem != name) && index.is_file() { index } else { path.to_owned() }
}

/// The nearest directory above all paths.
fn common_directory(paths: &[PathBuf]) -> PathBuf {
    let mut common = paths.first().and_then(|path| path.parent()).unwrap_or(Path::new("/")).to_owned();
    while !paths.iter().all(|path| path.parent().is_some_and(|dir| dir.starts_with(&common))) && common.pop()
    {
    }
    common
}

/// Whether a logdir that does not exist may be created later.
fn is_awaited(logdir: &Path, error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound && logdir::why_not_local(logdir).is_none()
}

fn cannot_read(typed: &Path, error: &io::Error) -> anyhow::Error {
    if let Some(words) = logdir::why_not_local(typed) {
        return failure(USAGE, words);
    }
    let path = typed.display();
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("{path} does not exist"),
        io::ErrorKind::NotADirectory => {
            format!("{path} is neither a directory nor a file: name a logdir, a checkpoint or an event file")
        }
        io::ErrorKind::PermissionDenied => format!("{path} cannot be read: this user lacks the permission"),
        _ => format!("{path} cannot be read: {error}"),
    };
    failure(UNREADABLE, message)
}

/// A relative path stays the same if the process changes its directory.
pub(super) fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path)
        .map_err(|error| failure(UNREADABLE, format!("{} cannot be found: {error}", path.display())))
}
