//! Tensors as they were pickled, and where the storages are -> tensors of a checkpoint.

use std::collections::HashSet;

use crate::{
    reader::{
        contents::{Checksum, Counter, MOST_AXES, Piece, StoredTensor},
        input::Input,
    },
    tensor::dtype::DType,
};

use super::{
    counter::{Found, Number, whole},
    view::{Place, Storage, View},
    walk::{Named, Tensors},
};

/// Where the numbers of a storage are in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) offset: u64,
    pub(super) len: u64,
    pub(super) is_big_endian: bool,
    pub(super) checksum: Option<Checksum>,
}

/// The storages of a file.
pub(super) trait Storages {
    /// Where it is.
    ///
    /// # Errors
    /// Why its numbers cannot be read, as a sentence.
    fn find(&mut self, storage: &Storage) -> Result<Stored, String>;
}

/// What was read of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Assembly {
    pub(super) tensors: Vec<StoredTensor>,
    pub(super) step: Option<Counter>,
    pub(super) epoch: Option<Counter>,
    problems: Vec<Problem>,
    is_cut: bool,
}

/// Why some tensors have no numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Problem {
    why: String,
    n_tensors: usize,
    first: String,
}

const OUTSIDE: &str = "their place is outside of what the file has of them, so it is damaged or was cut";

impl Assembly {
    /// Adds tensors.
    pub(super) fn add(&mut self, tensors: Tensors, storages: &mut dyn Storages) {
        self.is_cut |= tensors.is_cut;
        for Named { name, view } in tensors.found {
            if view.shape.len() > MOST_AXES {
                self.problem(&name, format!("they have more than {MOST_AXES} axes"));
                continue;
            }
            let pieces = match pieces(&view, storages) {
                Ok(pieces) => pieces,
                Err(why) => {
                    self.problem(&name, why);
                    Vec::new()
                }
            };
            let View { dtype, shape, .. } = view;
            self.tensors.push(StoredTensor { name, better_name: None, dtype, shape, pieces });
        }
    }

    /// Says of a tensor why it has no numbers.
    pub(super) fn problem(&mut self, name: &[Box<str>], why: String) {
        if let Some(problem) = self.problems.iter_mut().find(|problem| problem.why == why) {
            problem.n_tensors += 1;
        } else {
            let first = name.join("/").chars().take(200).collect();
            self.problems.push(Problem { why, n_tensors: 1, first });
        }
    }

    /// Leaves only the last of several tensors that have one name, as a dictionary does.
    pub(super) fn keep_last_of_each_name(&mut self) {
        let mut names = HashSet::new();
        let mut is_kept: Vec<bool> =
            self.tensors.iter().rev().map(|tensor| names.insert(tensor.name.as_slice())).collect();
        self.tensors.retain(|_| is_kept.pop().unwrap_or(true));
    }

    /// The sentences that say what was not read.
    pub(super) fn remarks(&self) -> Vec<String> {
        let problem = |problem: &Problem| match problem.n_tensors {
            1 => format!("the numbers of `{}` are not read: {}", problem.first, problem.why),
            n => format!(
                "the numbers of {n} tensors (such as `{}`) are not read: {}",
                problem.first, problem.why
            ),
        };
        let mut remarks: Vec<String> = self.problems.iter().map(problem).collect();
        if self.is_cut {
            remarks.push("what is nested in more than 150 containers was left out".to_owned());
        }
        remarks
    }

    /// Adds what was read of another part of the file.
    pub(super) fn append(&mut self, mut other: Self) {
        self.tensors.append(&mut other.tensors);
        self.problems.append(&mut other.problems);
        self.is_cut |= other.is_cut;
    }

    /// Moves all places by so many bytes: what was read is a part of the file.
    pub(super) fn shift(&mut self, start: u64) {
        for piece in self.tensors.iter_mut().flat_map(|tensor| &mut tensor.pieces) {
            piece.offset += start;
            if let Some(checksum) = &mut piece.checksum {
                checksum.offset += start;
            }
        }
    }
}

/// The first of these numbers that is one. At most one element of a tensor each is read.
pub(super) fn counter(found: Vec<Found>, input: &dyn Input, storages: &mut dyn Storages) -> Option<Counter> {
    found.into_iter().find_map(|Found { name, number }| {
        let value = match number {
            Number::Here(value) => value,
            Number::InTensor(view) => only_element(&view, input, storages)?,
        };
        (value >= 0).then_some(Counter { value, found_in: name })
    })
}

fn only_element(view: &View, input: &dyn Input, storages: &mut dyn Storages) -> Option<i64> {
    let piece = pieces(view, storages).ok()?.into_iter().next()?;
    let dtype = view.dtype.clone().ok()?;
    let mut bytes = input.bytes(piece.offset, dtype.bytes() as u64).ok()?;
    if piece.is_big_endian {
        bytes.reverse();
    }
    match (dtype, bytes.as_slice()) {
        (DType::Int64, &[a, b, c, d, e, f, g, h]) => Some(i64::from_le_bytes([a, b, c, d, e, f, g, h])),
        (DType::Int32, &[a, b, c, d]) => Some(i32::from_le_bytes([a, b, c, d]).into()),
        (DType::Float32, &[a, b, c, d]) => whole(f32::from_le_bytes([a, b, c, d]).into()),
        (DType::Float64, &[a, b, c, d, e, f, g, h]) => whole(f64::from_le_bytes([a, b, c, d, e, f, g, h])),
        _ => None,
    }
}

/// The piece of a tensor; none if its element type is not read.
fn pieces(view: &View, storages: &mut dyn Storages) -> Result<Vec<Piece>, String> {
    let place = view.place.as_ref().map_err(|why| (*why).to_owned())?;
    let Ok(dtype) = view.dtype else { return Ok(Vec::new()) };
    let stored = storages.find(&place.storage)?;
    let element = dtype.bytes() as u64;
    // A tensor without elements has a place that may be anywhere.
    let start = if view.shape.contains(&0) { Some(0) } else { start(view, place, element, stored.len) };
    let offset = stored.offset + start.ok_or_else(|| OUTSIDE.to_owned())?;
    let strides = if is_row_major(view, place) { None } else { Some(place.strides.clone().into()) };
    let Stored { is_big_endian, checksum, .. } = stored;
    Ok(vec![Piece { file: 0, offset, strides, region: None, is_big_endian, checksum, packing: None }])
}

/// The byte of the storage that the first element begins with, if the last one ends within the storage.
fn start(view: &View, place: &Place, element: u64, len: u64) -> Option<u64> {
    let first = place.storage.offset.checked_add(place.offset)?;
    let axes = view.shape.iter().zip(&place.strides);
    let last = axes
        .map(|(len, stride)| (len - 1).checked_mul(*stride))
        .try_fold(first, |last, axis| last.checked_add(axis?))?;
    let end = last.checked_add(1)?.checked_mul(element)?;
    // The tensor has as many elements as its shape says, also where a stride is 0.
    view.shape.iter().try_fold(element, |size, len| size.checked_mul(*len))?;
    (end <= len).then_some(first * element)
}

/// Whether the elements lie row by row without gaps.
fn is_row_major(view: &View, place: &Place) -> bool {
    let mut expected = 1_u64;
    view.shape.iter().zip(&place.strides).rev().all(|(len, stride)| {
        let is_so = *len <= 1 || *stride == expected;
        expected = expected.saturating_mul(*len);
        is_so
    }) || view.shape.contains(&0)
}
