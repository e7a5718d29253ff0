//! What the check met.

use crate::{
    catalog::{damage::DamagedRecord, logged::FileId},
    types::RunName,
};

/// What the check met.
#[derive(Clone, Debug)]
pub enum Finding {
    /// A record is not what was written.
    Damaged(DamagedRecord),
    /// A record at which this program showed a defect, and its words.
    Defect(DamagedRecord, String),
    /// A file that cannot be read, and why.
    Unreadable {
        /// Its run.
        run: RunName,
        /// The file.
        file: FileId,
        /// What is told of it.
        message: String,
    },
    /// It can be read again.
    Readable {
        /// Its run.
        run: RunName,
        /// The file.
        file: FileId,
    },
    /// Where a file that was written over had a record, none begins any more.
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
