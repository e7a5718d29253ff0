//! What the catalog is told of the shelf, where copies of kernels are kept.

use std::{path::PathBuf, sync::Arc};

use imbl::OrdMap;

use crate::{model::Facts, reader::shelf::KeptSave, types::Tag};

/// News of the shelf.
#[derive(Debug)]
pub enum ShelfNews {
    /// Saves came or went.
    Change(KeptChange),
    /// How it is.
    State(ShelfState),
}

/// A change of the shelf.
#[derive(Debug, Default)]
pub struct KeptChange {
    /// Saves that are there now, with the paths of their files.
    pub added: Vec<(PathBuf, Arc<KeptSave>)>,
    /// Files that are there no longer.
    pub removed: Vec<PathBuf>,
}

/// How the shelf is, where copies of kernels are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShelfState {
    /// Its directory for this logdir; none if nothing is kept.
    pub dir: Option<PathBuf>,
    /// The most bytes that it takes.
    pub most_bytes: u64,
    /// The bytes that it takes.
    pub bytes: u64,
    /// How many saves are on it, also those that still lie in the logdir.
    pub saves: u64,
    /// Saves that were overwritten before they were copied: run and name, the newest last, at most 100.
    pub lost: Vec<String>,
    /// How many saves were lost.
    pub lost_count: u64,
    /// Why nothing is kept at the moment.
    pub trouble: Option<String>,
}

/// A kernel that is not on the shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotOnShelf {
    /// How many saves on the shelf are without it.
    pub saves: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// Why, as a phrase.
    pub why: Arc<str>,
}

/// What is known of a run's saves on the shelf.
#[derive(Clone, Debug, Default)]
pub struct OnShelf {
    /// What was concluded about their tensors while the whole checkpoint was there, by tag.
    pub facts: OrdMap<Tag, Arc<Facts>>,
    /// Kernels that they do not have, by tag.
    pub missing: OrdMap<Tag, NotOnShelf>,
}
