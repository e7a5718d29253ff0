//! Why a question has no answer, with what to do about it.

use crate::{load::LoadError, render::choices::ChoiceError};

/// Why a question about a log has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum AnswerError {
    /// An option has a value that is not allowed.
    #[error("{0}")]
    BadOption(String),
    /// A run, tag, step or path is not there.
    #[error("{message}")]
    Unknown {
        /// For programs: `unknown_run` and the like.
        code: &'static str,
        /// What was looked for, and what is near.
        message: String,
    },
    /// It was logged, but as something that cannot be drawn or handed out.
    #[error("{0}")]
    NotDrawable(String),
    /// Text has no numbers.
    #[error("{0}")]
    Text(String),
    /// The log is damaged at that place.
    #[error("{0}")]
    Damaged(String),
    /// Too much is asked for at once, or a file cannot be read just now.
    #[error("{0}")]
    Busy(String),
    /// It needs more memory than there ever is here.
    #[error("{0}")]
    NoMemory(String),
    /// A defect of ours.
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
            LoadError::Damaged { .. } | LoadError::Undecodable(_) => Self::Damaged(error.to_string()),
        }
    }
}
