//! What is wrong with a file, as an error.

use crate::reader::contents::OpenError;

/// What was read, or why it could not be.
pub type Read<T> = Result<T, OpenError>;

/// Its bytes contradict the format.
pub fn damaged(message: impl Into<String>) -> OpenError {
    OpenError::Damaged(message.into())
}

/// It is of a kind that is not read.
pub fn not_read(message: impl Into<String>) -> OpenError {
    OpenError::NotRead(message.into())
}
