//! What is wrong with a pickle, as an error of the checkpoint.

use crate::reader::contents::OpenError;

use super::pickle::Fault;

/// The error if the pickle is a member of an archive, which is whole.
pub(super) fn in_archive(fault: &Fault) -> OpenError {
    match fault {
        Fault::EndsEarly => OpenError::Damaged("its pickle ends too early".to_owned()),
        Fault::Damaged(message) => OpenError::Damaged(format!("its pickle is not one: {message}")),
        Fault::TooMany(what) => too_many(what),
    }
}

/// The error if the pickle stands in the file itself, which may still be written.
pub(super) fn in_file(fault: &Fault) -> OpenError {
    match fault {
        Fault::EndsEarly => OpenError::NotWhole("it ends within a pickle".to_owned()),
        other => in_archive(other),
    }
}

/// The error if there is more of something than is read.
pub(super) fn too_many(what: &'static str) -> OpenError {
    OpenError::NotRead(format!(
        "it has too many {what} to be read: save the state dictionary of the model alone"
    ))
}
