//! Why a command ends -> one line, and the exit code.

use crate::{daemon::CannotBind, export::ExportError, lookup::error::AnswerError};

/// An error that has an exit code of its own.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Failure {
    code: u8,
    /// One line.
    message: String,
    /// Lines that are printed after it.
    pub(super) more: Vec<String>,
}

pub(super) const FAULTS: u8 = 1;
pub(super) const USAGE: u8 = 2;
pub(super) const UNREADABLE: u8 = 3;
const CANNOT_BIND: u8 = 4;
/// 128 and the number of SIGINT, as shells have it.
pub(super) const STOPPED: u8 = 130;

pub(super) fn failure(code: u8, message: impl Into<String>) -> anyhow::Error {
    failure_with(code, message, "")
}

/// The failure of a question that has no answer.
pub(super) fn answer_failure(error: &AnswerError) -> anyhow::Error {
    let code = match error {
        AnswerError::BadOption(_)
        | AnswerError::Unknown { .. }
        | AnswerError::NotDrawable(_)
        | AnswerError::Text(_)
        | AnswerError::NoMemory(_) => USAGE,
        AnswerError::Damaged(_) | AnswerError::Internal(_) => FAULTS,
        AnswerError::Busy(_) => UNREADABLE,
    };
    failure(code, error.to_string())
}

/// A failure with more lines, which are printed after its message. A name from a log stands in a line of its own.
pub(super) fn failure_with(code: u8, message: impl Into<String>, more: &str) -> anyhow::Error {
    Failure { code, message: message.into(), more: more.lines().map(str::to_owned).collect() }.into()
}

/// The exit code of an error.
pub(super) fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<CannotBind>() {
        return CANNOT_BIND;
    }
    error.downcast_ref::<Failure>().map_or(FAULTS, |failure| failure.code)
}

/// The failure of an export that cannot go on.
pub(super) fn export_failure(error: &ExportError) -> anyhow::Error {
    let code = if matches!(error, ExportError::Write { .. }) { FAULTS } else { USAGE };
    failure(code, error.to_string())
}
