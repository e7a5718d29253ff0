//! A leaf of a tree -> its name in the checkpoint, and its array.

use super::{arrays::Arrays, item::Item};
use crate::reader::{
    contents::{Contents, MOST_TENSORS, OpenError, Piece, StoredTensor},
    key_path,
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
    /// The name of its array.
    pub(super) stored: String,
    /// Whether it is an array or a number, and no text and no empty dictionary.
    pub(super) is_array: bool,
}

/// Adds the arrays of all leaves. Returns whether all of them are there.
pub(super) fn add(
    leaves: &[Leaf],
    item: &Item,
    mut arrays: Arrays<'_, '_>,
    contents: &mut Contents,
) -> Result<bool, OpenError> {
    let (mut n_pieces, mut is_all_there) = (0, true);
    for leaf in leaves.iter().filter(|leaf| leaf.is_array) {
        let (stored, name) = (&leaf.stored, key_path::name(&leaf.keys, item.name.as_deref()));
        let array = match arrays.array(stored) {
            Ok(Some(array)) => array,
            Ok(None) => {
                is_all_there = false;
                contents.remarks.push(format!("{name} is named in `_METADATA`, and its array is not there"));
                continue;
            }
            Err(refusal) => {
                tell(refusal, &name, contents)?;
                continue;
            }
        };
        let pieces = of_array(&array, &mut arrays, (stored, MOST_PIECES - n_pieces));
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
    Ok(is_all_there && contents.missing.is_empty())
}

/// Why no array is read: `Unknown` if there is only text, such as the item `model_config` of Keras, or if files are still to come.
pub(super) fn nothing(is_all_there: bool, remarks: Vec<String>) -> OpenError {
    if !is_all_there {
        return OpenError::Unknown;
    }
    let n_more = remarks.len().saturating_sub(1);
    match remarks.into_iter().next() {
        None => OpenError::Unknown,
        Some(first) if n_more == 0 => OpenError::NotRead(first),
        Some(first) => OpenError::NotRead(format!("{first}; and {n_more} more of this kind")),
    }
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
