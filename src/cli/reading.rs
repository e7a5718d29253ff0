//! A logdir that was typed -> what it holds, or why it cannot be read.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use super::{
    exit::{UNREADABLE, USAGE, failure},
    logdir,
};
use crate::{
    catalog::{
        ingest::{self, index_once},
        rules_files,
        snapshot::Snapshot,
    },
    recipes,
    source::{Source, local::Local},
};

/// How a logdir is read.
#[derive(Args)]
pub(super) struct Reading {
    /// The longest record that is read, in MiB; longer ones count as damaged
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    max_record_mb: u64,
    /// A TOML file of rules that say what tags are; it is used in addition to .convscope.toml in the logdir
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
}

impl Reading {
    pub(super) fn max_payload(&self) -> u64 {
        self.max_record_mb << 20
    }

    /// A rules file that was named must be there and right from the start.
    pub(super) fn options(&self) -> anyhow::Result<ingest::Options> {
        let rules = self.rules.as_deref().map(absolute).transpose()?;
        if let Some(path) = &rules {
            let bytes = std::fs::read(path).map_err(|error| {
                failure(USAGE, format!("--rules {} cannot be read: {error}", path.display()))
            })?;
            rules_files::parse(path, &bytes)
                .map_err(|error| failure(USAGE, format!("{}: {error}", path.display())))?;
        }
        Ok(ingest::Options { max_payload: self.max_payload(), rules, ..ingest::Options::default() })
    }
}

/// The index of the logdir as it is now.
pub(super) fn index(logdir: &Path, reading: &Reading) -> anyhow::Result<(Snapshot, Arc<dyn Source>)> {
    let source = source(logdir)?;
    Ok((index_once(Arc::clone(&source), reading.options()?), source))
}

/// The logdir, which must be there.
pub(super) fn source(logdir: &Path) -> anyhow::Result<Arc<dyn Source>> {
    readable(logdir).map_err(|error| cannot_read(logdir, &error))?;
    Ok(Arc::new(Local::new(logdir.to_owned())))
}

/// The directory that recipes log into: the logdir, or the first that is linked in one of links.
pub(super) fn log_into(logdir: &Path) -> String {
    let first = recipes::is_of_links(logdir).then(|| Local::new(logdir.to_owned()).first_linked()).flatten();
    first.as_deref().unwrap_or(logdir).display().to_string()
}

pub(super) fn readable(logdir: &Path) -> io::Result<()> {
    // Only listing it tests links, permissions and mounts together.
    std::fs::read_dir(logdir).map(drop)
}

/// Whether a logdir that does not exist may be created later.
pub(super) fn is_awaited(logdir: &Path, error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound && logdir::why_not_local(logdir).is_none()
}

pub(super) fn cannot_read(logdir: &Path, error: &io::Error) -> anyhow::Error {
    if let Some(words) = logdir::why_not_local(logdir) {
        return failure(USAGE, words);
    }
    let path = logdir.display();
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("{path} does not exist"),
        io::ErrorKind::NotADirectory => {
            format!(
                "{path} is no directory: name the one that holds the event files (names that contain \"tfevents\")"
            )
        }
        io::ErrorKind::PermissionDenied => format!("{path} cannot be read: this user lacks the permission"),
        _ => format!("{path} cannot be read: {error}"),
    };
    failure(UNREADABLE, message)
}

/// A relative logdir stays the same if the process changes its directory.
pub(super) fn absolute(logdir: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(logdir)
        .map_err(|error| failure(UNREADABLE, format!("{} cannot be found: {error}", logdir.display())))
}
