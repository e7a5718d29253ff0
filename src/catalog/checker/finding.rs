//! What the background check reports of a file.

use crate::{
    catalog::{damage::DamagedRecord, logged_value::FileId},
    types::RunName,
};

/// What the background check reports of a file.
#[derive(Clone, Debug)]
pub enum Finding {
    /// A record is damaged.
    Damaged(DamagedRecord),
    /// A record on which this program failed, and the message of the failure.
    Defect(DamagedRecord, String),
    /// A file that cannot be read, and why.
    Unreadable {
        /// Its run.
        run: RunName,
        /// The file.
        file: FileId,
        /// Why, and when it is tried again.
        message: String,
    },
    /// A file that could not be read can be read again.
    Readable {
        /// Its run.
        run: RunName,
        /// The file.
        file: FileId,
    },
    /// A file was overwritten: at an offset where a record began, none begins now.
    Rewritten {
        /// Its run.
        run: RunName,
        /// The file.
        file: FileId,
    },
}

impl Finding {
    pub(in crate::catalog) fn file(&self) -> FileId {
        match self {
            Self::Damaged(record) | Self::Defect(record, _) => record.file,
            Self::Unreadable { file, .. } | Self::Readable { file, .. } | Self::Rewritten { file, .. } => {
                *file
            }
        }
    }
}
