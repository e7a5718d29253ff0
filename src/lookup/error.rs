//! Why a request cannot be answered, and what to do about it.

use crate::{load::LoadError, render::choices::ChoiceError};

/// Why a request about a log cannot be answered.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum AnswerError {
    /// An option has a value that is not allowed.
    #[error("{0}")]
    BadOption(String),
    /// A run, tag, step or path does not exist.
    #[error("{message}")]
    Unknown {
        /// For programs: `unknown_run` and the like.
        code: &'static str,
        /// What was looked for, and which existing names or numbers are similar.
        message: String,
    },
    /// It was logged, but as something that cannot be drawn or downloaded.
    #[error("{0}")]
    NotDrawable(String),
    /// Text has no numbers.
    #[error("{0}")]
    Text(String),
    /// The log is damaged where the tensor is stored.
    #[error("{0}")]
    Damaged(String),
    /// There are too many requests at once, or a file cannot be read at the moment. Trying again later may help.
    #[error("{0}")]
    Busy(String),
    /// It needs more memory than the program may ever use.
    #[error("{0}")]
    NoMemory(String),
    /// A defect of this program.
    #[error("{0}")]
    Internal(String),
}

impl AnswerError {
    /// An option whose value is not allowed, and why.
    pub(crate) fn bad(option: &str, value: &str, why: &str) -> Self {
        Self::BadOption(format!("{option}: {value:?} {why}"))
    }
}

impl From<ChoiceError> for AnswerError {
    fn from(error: ChoiceError) -> Self {
        Self::BadOption(error.to_string())
    }
}

impl From<&LoadError> for AnswerError {
    fn from(error: &LoadError) -> Self {
        match error {
            LoadError::Io(_) | LoadError::Changed | LoadError::NoMemory { .. } => {
                Self::Busy(error.to_string())
            }
            LoadError::Damaged { .. } | LoadError::Checkpoint(_) | LoadError::Undecodable(_) => {
                Self::Damaged(error.to_string())
            }
        }
    }
}
