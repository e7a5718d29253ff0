//! A file whose values are read by their spots.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{checkpoint::Checkpoint, spot::Spot};

/// A file whose values are read by their spots.
#[derive(Clone, Debug)]
pub struct ReadableFile {
    /// Its path.
    pub path: PathBuf,
    /// How its spots are understood.
    pub kind: FileKind,
}

/// A kind of file.
#[derive(Clone, Debug)]
pub enum FileKind {
    /// Records of events.
    Events,
    /// Tensors of one moment.
    Checkpoint(Arc<Checkpoint>),
}

impl ReadableFile {
    /// The file in which the bytes of a value begin, and the first byte: that of its record in an event file.
    #[must_use]
    pub fn place_of(&self, spot: Spot) -> (&Path, u64) {
        let FileKind::Checkpoint(checkpoint) = &self.kind else { return (&self.path, spot.record().offset) };
        let contents = &checkpoint.contents;
        let piece = contents.tensors.get(spot.tensor()).and_then(|tensor| tensor.pieces.first());
        let path = piece.and_then(|piece| contents.files.get(piece.file as usize));
        (path.unwrap_or(&self.path), piece.map_or(0, |piece| piece.offset))
    }

    /// An event file.
    #[must_use]
    pub fn of_events(path: PathBuf) -> Self {
        Self { path, kind: FileKind::Events }
    }
}
