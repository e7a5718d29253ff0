//! What the files of a checkpoint hold, put together.

use crate::reader::{
    contents::{MOST_TENSORS, OpenError},
    hdf5::{
        dataset::{Dataset, MOST_PIECES},
        tree::{Group, Tree},
    },
};

/// The groups and datasets of all files of a checkpoint.
#[derive(Default)]
pub(super) struct Stored {
    /// Groups of the same path are several if they are in several files.
    pub(super) groups: Vec<Group>,
    pub(super) datasets: Vec<Dataset>,
    /// How many links were not followed.
    pub(super) n_links: usize,
    n_pieces: usize,
}

impl Stored {
    /// Adds a file: the `number`th of the checkpoint, in which the HDF5 file begins at `offset`.
    ///
    /// # Errors
    /// `NotRead` if there are too many datasets now.
    pub(super) fn add(&mut self, tree: Tree, number: u32, offset: u64) -> Result<(), OpenError> {
        self.n_links += tree.n_links;
        self.groups.extend(tree.groups);
        for mut dataset in tree.datasets {
            for piece in &mut dataset.pieces {
                (piece.file, piece.offset) = (number, piece.offset + offset);
            }
            self.n_pieces += dataset.pieces.len();
            self.datasets.push(dataset);
        }
        if self.datasets.len() > MOST_TENSORS || self.n_pieces > 2 * MOST_PIECES {
            return Err(OpenError::NotRead(format!(
                "its files have more than {MOST_TENSORS} datasets or too many chunks, which is not read"
            )));
        }
        Ok(())
    }

    /// Bytes of all numbers; `None` if there are some of a type that is not read.
    pub(super) fn bytes(&self) -> Option<u64> {
        let of = |dataset: &Dataset| {
            let size = dataset.dtype.as_ref().ok()?.bytes() as u64;
            dataset.shape.iter().try_fold(size, |bytes, length| bytes.checked_mul(*length))
        };
        self.datasets.iter().try_fold(0_u64, |sum, dataset| sum.checked_add(of(dataset)?))
    }
}
