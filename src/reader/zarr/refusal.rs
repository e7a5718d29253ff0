//! Why an array is not read.

use crate::reader::contents::OpenError;

/// Why an array is not read.
#[derive(Debug)]
pub enum Refusal {
    /// It is of a kind that is not read; what would mend it.
    NotRead(String),
    /// The whole checkpoint cannot be read.
    Open(OpenError),
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::Open(error.into())
    }
}

/// Bytes that contradict the format, for this reason.
pub(super) fn damaged(reason: impl Into<String>) -> Refusal {
    Refusal::Open(OpenError::Damaged(reason.into()))
}

/// Something that is not read.
pub(super) fn not_read(reason: impl Into<String>) -> Refusal {
    Refusal::NotRead(reason.into())
}
