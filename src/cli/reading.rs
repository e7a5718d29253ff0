//! What was typed -> what lies there, and how it is read.

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use super::{
    exit::{USAGE, failure},
    places::{Existence, Typed, absolute},
    shelf::ShelfPlace,
};
use crate::{
    catalog::{
        ingest::{self, index_once},
        rules_files,
        snapshot::Snapshot,
    },
    source::Source,
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
    /// Checkpoints of a run that lie elsewhere: RUN=DIR or RUN=FILE, in the logdir or outside of it
    #[arg(long, value_name = "RUN=DIR")]
    checkpoints: Vec<String>,
    #[command(flatten)]
    pub(super) shelf: ShelfPlace,
}

impl Reading {
    /// What was typed with these paths.
    pub(super) fn typed<'a>(&'a self, paths: &'a [PathBuf]) -> Typed<'a> {
        Typed { paths, checkpoints: &self.checkpoints }
    }

    /// How a source is read once, with what is on its shelf.
    pub(super) fn options_once(&self, source: &dyn Source) -> anyhow::Result<ingest::Options> {
        let kept = self.shelf.saves(source.root())?;
        Ok(ingest::Options { kept, ..self.options()? })
    }

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

/// The index of what was typed as it is now.
pub(super) fn index(paths: &[PathBuf], reading: &Reading) -> anyhow::Result<(Snapshot, Arc<dyn Source>)> {
    let source: Arc<dyn Source> = Arc::new(reading.typed(paths).source(Existence::Needed)?);
    let options = reading.options_once(&*source)?;
    Ok((index_once(Arc::clone(&source), options), source))
}
