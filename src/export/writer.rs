//! Where exports go: what a writer takes, and what it holds already.

use std::collections::{BTreeMap, HashMap};

use super::{drawing::Picture, error::ExportError, job::Job};
use crate::types::{RunName, Step};

/// What was made of one tensor.
#[derive(Debug)]
pub enum Made {
    /// A record of an event file, including its CRCs, and its number of pictures.
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
    /// What this export and earlier ones wrote of a run.
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

    /// Drops what is incomplete and keeps the rest, because the export stops here.
    ///
    /// # Errors
    /// [`ExportError::Write`].
    fn interrupt(&mut self) -> Result<(), ExportError> {
        self.finish()
    }

    /// The least that it can add to what it wrote.
    fn granularity(&self) -> Granularity;
}

/// The least that a writer adds to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// A step, only after all earlier ones of its series.
    Step,
    /// A step, in any order.
    AnyStep,
    /// All chosen steps of a series, one series after the other.
    Series,
}
