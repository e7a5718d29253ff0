//! What a catalog lists -> files of pictures and numbers that other programs read.
//!
//! `selection` says which tensors, `naming` under which names, `drawing` makes the pictures, `round` sees to it that each is
//! made once, in order, on all cores. Where they go is one of three writers: event files that TensorBoard reads (`events`),
//! a tree of PNG files (`pictures`), or NPZ files (`arrays`). A writer knows what it wrote before, so an export that was
//! stopped at any moment goes on: nothing twice, nothing left out.

pub mod arrays;
pub mod classic;
pub mod drawing;
pub mod events;
pub mod in_order;
pub mod manifest;
pub mod naming;
pub mod paths;
pub mod pictures;
pub mod place;
pub mod product;
pub mod round;
pub mod selection;
pub mod summaries;
pub mod zip;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use self::drawing::Picture;
use crate::{
    catalog::snapshot::{Logged, Series},
    render::range::Interval,
    types::{RunName, Step, WallTime},
};

/// Why an export cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The place is full, gone or may not be written.
    #[error("{path} cannot be written: {error}")]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Something in the way that must not be touched.
    #[error("{0}")]
    Refused(String),
}

impl ExportError {
    /// For `map_err`: an error at `path`.
    pub fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Write { path, error }
    }
}

/// A series and the name under which it is exported.
#[derive(Clone, Debug)]
pub struct Named {
    /// The series.
    pub series: Arc<Series>,
    /// The name: a tag, or the beginning of several.
    pub name: String,
    /// The tag by which a writer finds again what it wrote.
    pub key: String,
    /// The range over all of its steps, once a picture wanted it; or why it cannot be had.
    pub run: OnceLock<Result<Interval, String>>,
}

/// One tensor that is to be exported.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its series.
    pub named: Arc<Named>,
    /// Its step.
    pub step: Step,
    /// What was logged; at least one value.
    pub parts: Vec<Logged>,
    /// The file of the first of these.
    pub file: Arc<PathBuf>,
}

impl Job {
    /// When it was logged, in seconds since 1970; 0 where its writer did not know.
    #[must_use]
    pub fn wall_time(&self) -> f64 {
        wall_time(&self.parts)
    }
}

/// When the newest of these was logged, in seconds since 1970; 0 where no writer knew.
#[must_use]
pub fn wall_time(parts: &[Logged]) -> f64 {
    let seconds = parts.iter().filter_map(|logged| logged.wall_time.map(WallTime::seconds));
    seconds.reduce(f64::max).unwrap_or(0.0)
}

/// What was made of one tensor.
#[derive(Debug)]
pub enum Made {
    /// A record of an event file, CRCs included, with so many pictures.
    Record(Vec<u8>, usize),
    /// Pictures for files of their own.
    Pictures(Vec<Picture>),
    /// An NPY file and its CRC-32.
    Array(Vec<u8>, u32),
}

impl Made {
    /// How many pictures or arrays it is.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Record(_, n) => *n,
            Self::Pictures(pictures) => pictures.len(),
            Self::Array(..) => 1,
        }
    }
}

/// What a writer holds of one run: by key, each step with the wall time of its tensor.
pub type Held = HashMap<String, BTreeMap<Step, f64>>;

/// Where exports go.
pub trait Writer {
    /// What is there of a run, from this export and those before.
    ///
    /// # Errors
    /// Files that cannot be read, and files that are not ours.
    fn held(&mut self, run: &RunName) -> Result<Held, ExportError>;

    /// Writes what was made of a tensor, whole or not at all.
    ///
    /// # Errors
    /// [`ExportError::Write`]; what was written before stays whole.
    fn write(&mut self, job: &Job, made: Made) -> Result<(), ExportError>;

    /// Finishes what is open, so that all that was written can be read.
    ///
    /// # Errors
    /// [`ExportError::Write`].
    fn finish(&mut self) -> Result<(), ExportError>;

    /// Gives up what is not whole and keeps the rest, because the export stops here.
    ///
    /// # Errors
    /// [`ExportError::Write`].
    fn interrupt(&mut self) -> Result<(), ExportError> {
        self.finish()
    }

    /// How far what it writes can be taken up again.
    fn grain(&self) -> Grain;
}

/// The least that a writer adds to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// A step, behind all others of its series.
    Step,
    /// A step, anywhere.
    AnyStep,
    /// All chosen steps of a series, one series after the other.
    Series,
}
