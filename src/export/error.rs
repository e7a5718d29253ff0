//! Why an export cannot start or go on.

use std::{io, path::PathBuf};

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
