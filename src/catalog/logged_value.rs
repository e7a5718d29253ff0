//! Where the value of a tensor is logged: the file, and the spot in it.

use crate::{reader::spot::Spot, types::WallTime};

/// The number of a file, in the order in which files were found. A file that is read from the start again gets a new number.
/// Therefore a number and a spot never mean another tensor later, and no cache has to forget anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// Where a value is among all values of the logdir, in the order in which files were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition {
    /// The file.
    pub file: FileId,
    /// Where in the file.
    pub spot: Spot,
}

/// Where one tensor, or one of the pictures of a step, is logged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoggedValue {
    /// When it was logged.
    pub wall_time: Option<WallTime>,
    /// The file.
    pub file: FileId,
    /// Where in the file.
    pub spot: Spot,
    /// The number of a picture among those that were logged together under numbered tags; otherwise 0.
    pub number: u32,
}

impl LoggedValue {
    /// Its position among all values.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        LogPosition { file: self.file, spot: self.spot }
    }
}
