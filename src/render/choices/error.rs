//! A choice that is not allowed.

/// A value that cannot be chosen, and which values can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option}: {message}")]
pub struct ChoiceError {
    /// The option's name.
    pub option: &'static str,
    /// What is wrong with the value and which values are allowed.
    pub message: String,
}

impl ChoiceError {
    /// An error about `option`.
    #[must_use]
    pub fn new(option: &'static str, message: impl Into<String>) -> Self {
        Self { option, message: message.into() }
    }
}
