//! A chunk's bytes, and where it begins in its array -> a piece of the tensor.

use super::{
    array::Array,
    numbers::{in_order, product},
    refusal::{Refusal, damaged},
};
use crate::reader::{
    contents::{Piece, Region},
    packing::{Codec, Packing, Stored},
    pieces::dense_strides,
};

/// The stored bytes of a chunk.
#[derive(Clone, Debug)]
pub(super) struct Bytes {
    pub(super) file: u32,
    /// The first of them in the file; 0 if they are held.
    pub(super) offset: u64,
    pub(super) stored: Stored,
}

/// Where a chunk is in its array, and how its elements lie.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The first index on each axis of the array.
    pub(super) start: Vec<u64>,
    /// The length on each axis of the array.
    pub(super) shape: Vec<u64>,
    /// The elements from one index to the next on each axis of the array.
    pub(super) strides: Vec<u64>,
}

impl Place {
    /// A chunk whose first index is given by axis of the array, with the stored lengths of its axes.
    pub(super) fn new(start: Vec<u64>, stored: &[u64], order: &[usize]) -> Self {
        Self { start, shape: in_order(stored, order), strides: in_order(&dense_strides(stored), order) }
    }
}

/// How the elements of a chunk are stored.
pub(super) struct Elements<'a> {
    pub(super) codecs: &'a [Codec],
    pub(super) is_big_endian: bool,
}

/// The piece that a chunk is. What of it lies after the end of the array is left out; `None` if that is all.
pub(super) fn piece(
    array: &Array,
    place: Place,
    bytes: Bytes,
    elements: &Elements<'_>,
) -> Result<Option<Piece>, Refusal> {
    let size = array.fill.len() as u64;
    let len = product(&place.shape).and_then(|count| count.checked_mul(size));
    let len = len.ok_or_else(|| damaged("a chunk is larger than any"))?;
    let Bytes { file, offset, stored } = bytes;
    let stored_len = match &stored {
        Stored::InFile(len) => *len,
        Stored::Held(bytes) => bytes.len() as u64,
    };
    if elements.codecs.is_empty() && stored_len != len {
        return Err(damaged(format!("a chunk has {stored_len} bytes in place of {len}")));
    }
    let packing = match &stored {
        Stored::InFile(_) if elements.codecs.is_empty() => None,
        _ => Some(Box::new(Packing { stored, codecs: elements.codecs.to_vec(), len })),
    };
    Ok(cut(array, place).map(|(region, strides)| Piece {
        file,
        offset,
        strides,
        region,
        is_big_endian: elements.is_big_endian && size > 1,
        checksum: None,
        packing,
    }))
}

/// A piece whose elements all have the fill value; `None` if it lies after the end of the array.
pub(super) fn filled(array: &Array, start: Vec<u64>, shape: Vec<u64>) -> Option<Piece> {
    let strides = vec![0; shape.len()];
    let (region, _) = cut(array, Place { start, shape, strides: strides.clone() })?;
    let stored = Stored::Held(bytes::Bytes::copy_from_slice(&array.fill));
    let packing = Packing { stored, codecs: Vec::new(), len: array.fill.len() as u64 };
    Some(Piece {
        file: 0,
        offset: 0,
        strides: Some(strides.into()),
        region,
        is_big_endian: false,
        checksum: None,
        packing: Some(Box::new(packing)),
    })
}

type Cut = (Option<Box<Region>>, Option<Box<[u64]>>);

/// Which part of the array a chunk is, and its strides: none where they are what they are by default.
fn cut(array: &Array, place: Place) -> Option<Cut> {
    let Place { start, mut shape, strides } = place;
    for (axis, length) in shape.iter_mut().enumerate() {
        *length = (*length).min(array.shape[axis].saturating_sub(start[axis]));
    }
    if shape.contains(&0) {
        return None;
    }
    let is_dense = strides == dense_strides(&shape);
    let is_all = shape == array.shape;
    let region = (!is_all).then(|| Box::new(Region { start, shape }));
    Some((region, (!is_dense).then(|| strides.into())))
}
