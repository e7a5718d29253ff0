//! A file -> its leaves: arrays, numbers, and texts.

use super::{
    array::{self, Array},
    chunked::regions,
};
use crate::reader::{
    contents::{MOST_TENSORS, OpenError, Piece},
    msgpack::{Item, Reader},
};

/// The most maps within one another.
const DEEPEST: usize = 64;
/// The longest key, and the longest text that is kept.
const LONGEST_TEXT: u64 = 4 << 10;
/// The most leaves.
const MOST_LEAVES: usize = 4 * MOST_TENSORS;
/// The most values of all kinds.
const MOST_VALUES: usize = 4_000_000;
/// The most bytes of all names.
const MOST_NAME_BYTES: usize = 32 << 20;
/// The key in a map that stands for an array in several chunks.
const CHUNKED: &str = "__msgpack_chunked_array__";
/// An array, and a number of NumPy, which is stored as an array is.
const ARRAYS: [i8; 2] = [1, 3];

/// A leaf.
#[derive(Clone, Debug, PartialEq)]
pub struct FileLeaf {
    /// The keys that lead to it.
    pub keys: Vec<String>,
    /// What it is.
    pub value: Value,
}

/// What a leaf is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An array, and where its parts are in the file.
    Array(Array, Vec<Piece>),
    /// A whole number.
    Whole(i64),
    /// A text.
    Text(String),
}

/// Reads all leaves of a file.
///
/// # Errors
/// `NotWhole` if it ends before its last value does, `Damaged` if it is no map or does not end there, `NotRead` if it has too many.
pub fn read(reader: &mut Reader<'_>) -> Result<Vec<FileLeaf>, OpenError> {
    let mut walk = Walk { reader, keys: Vec::new(), leaves: Vec::new(), n_values: 0, n_name_bytes: 0 };
    walk.value()?;
    let Walk { reader, leaves, .. } = walk;
    if !reader.is_at_end() {
        return Err(OpenError::Damaged(format!(
            "it goes on after its last value, which ends at byte {}",
            reader.at()
        )));
    }
    Ok(leaves)
}

struct Walk<'r, 'a> {
    reader: &'r mut Reader<'a>,
    keys: Vec<String>,
    leaves: Vec<FileLeaf>,
    n_values: usize,
    n_name_bytes: usize,
}

impl Walk<'_, '_> {
    fn value(&mut self) -> Result<(), OpenError> {
        self.n_values += 1;
        if self.keys.len() > DEEPEST || self.n_values > MOST_VALUES {
            return Err(OpenError::NotRead(format!(
                "it has more than {MOST_VALUES} values, or more than {DEEPEST} maps within one another"
            )));
        }
        match self.reader.item()? {
            Item::Map(count) => self.map(count),
            Item::Array(count) => self.list(count),
            Item::Text(len) if len <= LONGEST_TEXT => {
                let text = self.reader.text(len, LONGEST_TEXT)?;
                self.add(Value::Text(text))
            }
            Item::Extension(kind, len) if ARRAYS.contains(&kind) => {
                let array = array::read(self.reader, len)?;
                let piece = piece(array.offset);
                self.add(Value::Array(array, vec![piece]))
            }
            Item::Text(len) | Item::Bytes(len) | Item::Extension(_, len) => self.reader.skip(len),
            Item::Whole(Some(number)) => self.add(Value::Whole(number)),
            Item::Whole(None) | Item::Other => Ok(()),
        }
    }

    fn map(&mut self, count: u64) -> Result<(), OpenError> {
        let first = self.leaves.len();
        let mut is_chunked = false;
        for _entry in 0..count {
            let key = match self.reader.item()? {
                Item::Text(len) => self.reader.text(len, LONGEST_TEXT)?,
                Item::Whole(Some(number)) => number.to_string(),
                _ => return Err(OpenError::Damaged("a key in it is no text".to_owned())),
            };
            is_chunked |= key == CHUNKED;
            self.within(key)?;
        }
        if is_chunked { self.join_chunks(first) } else { Ok(()) }
    }

    fn list(&mut self, count: u64) -> Result<(), OpenError> {
        (0..count).try_for_each(|number| self.within(number.to_string()))
    }

    /// Reads the value of a key.
    fn within(&mut self, key: String) -> Result<(), OpenError> {
        self.keys.push(key);
        self.value()?;
        self.keys.pop();
        Ok(())
    }

    fn add(&mut self, value: Value) -> Result<(), OpenError> {
        self.n_name_bytes += self.keys.iter().map(|key| key.len() + size_of::<String>()).sum::<usize>();
        if self.leaves.len() == MOST_LEAVES || self.n_name_bytes > MOST_NAME_BYTES {
            return Err(OpenError::NotRead(format!(
                "it has more than {MOST_LEAVES} leaves, or names of more than {} MiB",
                MOST_NAME_BYTES >> 20
            )));
        }
        self.leaves.push(FileLeaf { keys: self.keys.clone(), value });
        Ok(())
    }

    /// Makes one array of the leaves from `first` on: its shape as numbers, and its chunks.
    fn join_chunks(&mut self, first: usize) -> Result<(), OpenError> {
        let impossible = || OpenError::Damaged("an array in chunks is impossible".to_owned());
        let depth = self.keys.len();
        let (mut shape, mut chunks) = (Vec::new(), Vec::new());
        for leaf in self.leaves.drain(first..) {
            let [part, number] = &leaf.keys[depth..] else { continue };
            let number: usize = number.parse().map_err(|_| impossible())?;
            match (part.as_str(), leaf.value) {
                ("shape", Value::Whole(length)) => {
                    shape.push((number, u64::try_from(length).map_err(|_| impossible())?));
                }
                ("chunks", Value::Array(array, _)) => chunks.push((number, array)),
                _ => return Err(impossible()),
            }
        }
        shape.sort_unstable();
        chunks.sort_by_key(|(number, _)| *number);
        let shape = shape.into_iter().map(|(_, length)| length).collect();
        let (array, pieces) =
            joined(shape, chunks.into_iter().map(|(_, chunk)| chunk)).ok_or_else(impossible)?;
        self.add(Value::Array(array, pieces))
    }
}

/// One array of its chunks; `None` if they do not fit its shape.
fn joined(shape: Vec<u64>, chunks: impl Iterator<Item = Array>) -> Option<(Array, Vec<Piece>)> {
    let count = shape.iter().try_fold(1_u64, |count, length| count.checked_mul(*length))?;
    let (mut pieces, mut from, mut len) = (Vec::new(), 0_u64, 0_u64);
    let mut dtype = None;
    for chunk in chunks {
        let n_elements = chunk.shape.iter().try_fold(1_u64, |count, length| count.checked_mul(*length))?;
        let to = from.checked_add(n_elements).filter(|to| *to <= count)?;
        let known = dtype.get_or_insert_with(|| chunk.dtype.clone());
        if *known != chunk.dtype {
            return None;
        }
        let size = chunk.dtype.as_ref().map_or(0, |dtype| dtype.bytes() as u64);
        let mut offset = chunk.offset;
        for region in regions(&shape, from, to) {
            let bytes = region.shape.iter().product::<u64>() * size;
            pieces.push(Piece { region: Some(Box::new(region)), ..piece(offset) });
            offset += bytes;
        }
        (from, len) = (to, len.checked_add(chunk.len)?);
    }
    let offset = pieces.first()?.offset;
    (from == count).then_some((Array { dtype: dtype?, shape, offset, len }, pieces))
}

fn piece(offset: u64) -> Piece {
    Piece {
        file: 0,
        offset,
        strides: None,
        region: None,
        is_big_endian: false,
        checksum: None,
        packing: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_whose_elements_no_number_counts_are_impossible() {
        let dtype = || Err("a type of nobody".into());
        let chunk = |shape: &[u64]| Array { dtype: dtype(), shape: shape.to_vec(), offset: 0, len: 0 };
        assert!(joined(vec![4], [chunk(&[1 << 33, 1 << 33])].into_iter()).is_none());
        assert!(joined(vec![4], [chunk(&[2]), chunk(&[3])].into_iter()).is_none());
        assert!(joined(vec![4], [chunk(&[2]), chunk(&[1, 2])].into_iter()).is_some());
    }
}
