//! A leaf of a tree -> its name in the checkpoint, and its array.

use super::{arrays::Arrays, item::Item};
use crate::reader::{
    contents::{Contents, MOST_TENSORS, OpenError, Piece, StoredTensor},
    zarr::{
        array::Array,
        pieces::{MOST_PIECES, pieces},
        refusal::Refusal,
    },
};

/// A leaf of the tree that was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The keys that lead to it.
    pub(super) keys: Vec<String>,
    /// The type of the value, such as `jax.Array`.
    pub(super) kind: String,
    /// Whether nothing is stored, as for an empty dictionary.
    pub(super) is_skipped: bool,
}

impl Leaf {
    /// Whether it is an array or a number, and no text.
    pub(super) fn is_array(&self) -> bool {
        !self.is_skipped && self.kind != "string" && !self.keys.is_empty()
    }

    /// The name of its array.
    fn stored_name(&self) -> String {
        self.keys.join(".")
    }

    /// Its keys, without what `nnx` wraps around each value.
    fn name(&self, item: Option<&str>) -> String {
        let keys = match self.keys.as_slice() {
            [before @ .., last] if !before.is_empty() && last == "value" => before,
            keys => keys,
        };
        let item = item.filter(|item| keys.first().is_none_or(|first| first != item));
        item.into_iter().chain(keys.iter().map(String::as_str)).collect::<Vec<_>>().join("/")
    }
}

/// Adds the arrays of all leaves.
pub(super) fn add(
    leaves: &[Leaf],
    item: &Item,
    mut arrays: Arrays<'_, '_>,
    contents: &mut Contents,
) -> Result<(), OpenError> {
    let mut n_pieces = 0;
    for leaf in leaves.iter().filter(|leaf| leaf.is_array()) {
        let (stored, name) = (leaf.stored_name(), leaf.name(item.name.as_deref()));
        let array = match arrays.array(&stored) {
            Ok(Some(array)) => array,
            Ok(None) => {
                contents.remarks.push(format!("{name} is named in `_METADATA`, and its array is not there"));
                continue;
            }
            Err(refusal) => {
                tell(refusal, &name, contents)?;
                continue;
            }
        };
        let pieces = of_array(&array, &mut arrays, (&stored, MOST_PIECES - n_pieces));
        let pieces = match pieces {
            Ok(pieces) => pieces,
            Err(refusal) => {
                tell(refusal, &name, contents)?;
                Vec::new()
            }
        };
        n_pieces += pieces.len();
        let Array { dtype, shape, .. } = array;
        contents.tensors.push(StoredTensor {
            name: vec![name.into()],
            better_name: None,
            dtype,
            shape,
            pieces,
        });
        if contents.tensors.len() > MOST_TENSORS {
            return Err(OpenError::NotRead(format!("it has more than {MOST_TENSORS} arrays")));
        }
    }
    contents.missing.append(&mut arrays.missing);
    Ok(())
}

fn of_array(
    array: &Array,
    arrays: &mut Arrays<'_, '_>,
    (stored, left): (&str, usize),
) -> Result<Vec<Piece>, Refusal> {
    if array.dtype.is_err() {
        return Ok(Vec::new());
    }
    pieces(array, &mut arrays.chunks(stored), left)
}

/// What is not read of one array is told; what is wrong with the checkpoint ends it.
fn tell(refusal: Refusal, name: &str, contents: &mut Contents) -> Result<(), OpenError> {
    match refusal {
        Refusal::NotRead(reason) => {
            contents.remarks.push(format!("{name}: {reason}"));
            Ok(())
        }
        Refusal::Open(OpenError::Damaged(reason)) => Err(OpenError::Damaged(format!("{name}: {reason}"))),
        Refusal::Open(error) => Err(error),
    }
}
