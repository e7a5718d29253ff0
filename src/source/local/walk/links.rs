//! A link -> whether it leads into the logdir, out of it, or to a directory that contains the logdir.

use std::path::{Path, PathBuf};

pub(super) const LEADS_ABOVE: &str = "this link leads to a directory that the logdir lies in, and is left out: link to the directory that holds the runs";

/// The logdir, in the form with which links are compared.
pub(super) struct Links<'a> {
    root: &'a Path,
    /// The path of the logdir with all links resolved.
    real_root: Option<PathBuf>,
}

impl<'a> Links<'a> {
    pub(super) fn of(root: &'a Path) -> Self {
        Self { root, real_root: root.canonicalize().ok() }
    }

    /// Whether it leads to a directory that contains the logdir.
    pub(super) fn leads_above(&self, link: &Path) -> bool {
        let target = link.canonicalize();
        self.real_root
            .as_ref()
            .zip(target.ok())
            .is_some_and(|(root, target)| root.starts_with(&target) && *root != target)
    }

    /// The directory of the logdir to which a link leads, by its real name.
    pub(super) fn within(&self, link: &Path) -> Option<PathBuf> {
        let target = link.canonicalize().ok()?;
        Some(self.root.join(target.strip_prefix(self.real_root.as_ref()?).ok()?))
    }
}
