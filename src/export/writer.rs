//! Where exports go: what a writer takes, and what it holds already.

use std::collections::{BTreeMap, HashMap};

use super::{drawing::Picture, error::ExportError, job::Job};
use crate::types::{RunName, Step};

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
    /// A step, after all others of its series.
    Step,
    /// A step, anywhere.
    AnyStep,
    /// All chosen steps of a series, one series after the other.
    Series,
}
