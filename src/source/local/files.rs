//! A path below the root -> the run to which it belongs, and the state of a file; and what is kept about these files.

use std::{
    fs::Metadata,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Component, Path, PathBuf},
};

use super::{first_bytes::FirstBytes, open::OpenFiles};
use crate::{
    source::{FileStat, Identity},
    types::{RunName, text_of_bytes},
};

/// The files below a directory of this machine.
pub(super) struct LocalFiles {
    pub(super) root: PathBuf,
    pub(super) open: OpenFiles,
    pub(super) first_bytes: FirstBytes,
}

impl LocalFiles {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, open: OpenFiles::default(), first_bytes: FirstBytes::default() }
    }

    pub(super) fn run_of(&self, path: &Path) -> RunName {
        self.own_run(path.parent().unwrap_or(path))
    }

    /// The run with the name of a directory or a file.
    pub(super) fn own_run(&self, dir: &Path) -> RunName {
        let relative = dir.strip_prefix(&self.root).unwrap_or(dir);
        let parts: Vec<String> = relative
            .components()
            .filter(|part| matches!(part, Component::Normal(_)))
            .map(|part| text_of_bytes(part.as_os_str().as_bytes()))
            .collect();
        if parts.is_empty() { RunName::from(".") } else { RunName::from(parts.join("/")) }
    }

    pub(super) fn stat(&self, path: &Path, meta: &Metadata) -> FileStat {
        FileStat {
            path: path.to_owned(),
            run: self.run_of(path),
            identity: identity(meta),
            len: meta.len(),
            mtime_ns: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
        }
    }
}

/// Which file or directory it is, independent of its name.
pub(super) fn identity(meta: &Metadata) -> Identity {
    (meta.dev(), meta.ino())
}
