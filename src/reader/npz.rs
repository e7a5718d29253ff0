//! An archive of NumPy (`.npz`) -> its arrays.
//!
//! `numpy.savez` writes a zip archive of `.npy` files, `numpy.savez_compressed` the same with Deflate. Of each array only the head is
//! read. Arrays of Python objects are pickles: they are named and not read.

use std::path::Path;

use super::{
    contents::{Contents, Counter, Format, MOST_TENSORS, OpenError, Piece, StoredTensor},
    input::{Files, Input},
    packing::{Codec, Packing, Stored},
    pieces::{self, Wanted},
    zip::{self, Member, Place},
};
use crate::tensor::dtype::DType;

mod head;
mod header;

use header::Header;

/// How the names of arrays end in the archive.
const ENDING: &str = ".npy";
/// What people call the step and the epoch.
const STEPS: [&str; 6] = ["global_step", "step", "steps", "iteration", "iterations", "iter"];
const EPOCHS: [&str; 2] = ["epoch", "epochs"];
/// The most axes of weights, and the longest of these axes: what is larger is data.
const MOST_AXES_OF_WEIGHTS: usize = 6;
const LONGEST_AXIS_OF_WEIGHTS: u64 = 1 << 20;

/// Reads what an archive of NumPy holds.
///
/// # Errors
/// `NotWhole` if it has no end, as one that is being written; `Damaged` if it contradicts itself; `NotRead` if it has too many arrays;
/// `Unknown` if no array of it could be weights; errors of the system.
pub fn open(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    let input = files.open(path)?;
    let archive = zip::open(&*input)?;
    let arrays =
        archive.members.iter().filter_map(|(name, member)| Some((name.strip_suffix(ENDING)?, member)));
    let arrays: Vec<(&str, &Member)> = arrays.collect();
    if arrays.len() > MOST_TENSORS {
        return Err(OpenError::NotRead(format!("it has more than {MOST_TENSORS} arrays")));
    }
    let mut contents = Contents { files: vec![path.to_owned()], ..Contents::empty(Format::Npz) };
    for (name, member) in arrays {
        let stored = array(&*input, name, member).map_err(|error| within(name, error))?;
        contents.tensors.push(stored);
    }
    if !contents.tensors.iter().any(may_be_weights) {
        return Err(OpenError::Unknown);
    }
    contents.remarks = remarks(&contents.tensors);
    contents.step = STEPS.iter().find_map(|name| counter(files, &contents, name));
    contents.epoch = EPOCHS.iter().find_map(|name| counter(files, &contents, name));
    Ok(contents)
}

fn array(input: &dyn Input, name: &str, member: &Member) -> Result<StoredTensor, OpenError> {
    let place = member.place(input)?;
    let header = header::read(&head::read(input, &place, member.len)?)?;
    let pieces = match header.dtype {
        Ok(dtype) => vec![piece(&header, dtype, member, place)?],
        Err(_) => Vec::new(),
    };
    let Header { dtype, shape, .. } = header;
    Ok(StoredTensor { name: vec![name.into()], better_name: None, dtype, shape, pieces })
}

fn piece(header: &Header, dtype: DType, member: &Member, place: Place) -> Result<Piece, OpenError> {
    let damaged = || OpenError::Damaged("its length and its shape contradict each other".to_owned());
    let size = dtype.bytes() as u64;
    let needed = header.shape.iter().try_fold(size, |needed, length| needed.checked_mul(*length));
    let (needed, before) = (needed.ok_or_else(damaged)?, u64::from(header.len));
    if before.checked_add(needed) != Some(member.len) {
        return Err(damaged());
    }
    // NumPy writes the checksum of an array always.
    let codecs = vec![Codec::Deflate, Codec::Crc32(member.crc32), Codec::After(header.len)];
    let packing = Packing { stored: Stored::InFile(place.len), codecs, len: needed };
    let is_packed = place.is_deflated;
    Ok(Piece {
        file: 0,
        offset: if is_packed { place.offset } else { place.offset + before },
        strides: header.is_fortran_order.then(|| fortran_strides(&header.shape).into()),
        region: None,
        is_big_endian: header.is_big_endian,
        checksum: if is_packed { None } else { member.checksum(place.offset) },
        packing: is_packed.then(|| Box::new(packing)),
    })
}

/// How many elements lie from one index to the next, if the first axis is the fastest.
fn fortran_strides(shape: &[u64]) -> Vec<u64> {
    let strides = shape.iter().scan(1_u64, |stride, length| {
        let this = *stride;
        *stride = stride.saturating_mul((*length).max(1));
        Some(this)
    });
    strides.collect()
}

/// Whether an array could be weights and not data: numbers with a fraction, or what is perhaps bfloat16, along several axes of which
/// none is very long.
fn may_be_weights(tensor: &StoredTensor) -> bool {
    let is_float = match &tensor.dtype {
        Ok(dtype) => {
            matches!(
                dtype,
                DType::Float16 | DType::Float32 | DType::Float64 | DType::Complex64 | DType::Complex128
            )
        }
        Err(name) => &**name == NAMELESS,
    };
    let is_short = tensor.shape.iter().all(|length| *length <= LONGEST_AXIS_OF_WEIGHTS);
    is_float && is_short && (2..=MOST_AXES_OF_WEIGHTS).contains(&tensor.shape.len())
}

/// What NumPy says of elements of two bytes for which it has no name of its own.
const NAMELESS: &str = "V2";

fn remarks(tensors: &[StoredTensor]) -> Vec<String> {
    let of = |is_it: &dyn Fn(&str) -> bool| {
        let is_one = |tensor: &&StoredTensor| tensor.dtype.as_ref().is_err_and(|name| is_it(name));
        let mut found = tensors.iter().filter(is_one);
        let first = found.next()?.name.join("/");
        Some(match found.count() {
            0 => format!("the numbers of `{first}`"),
            more => format!("the numbers of {} arrays (such as `{first}`)", more + 1),
        })
    };
    let nameless = of(&|name| name == NAMELESS).map(|them| {
        format!(
            "{them} have two bytes and no name (`V2`), as NumPy saves bfloat16: save `array.astype(numpy.float32)` instead"
        )
    });
    let objects = of(&|name| name == "O").map(|them| {
        format!("{them} are Python objects, which are pickled and not read: save arrays of numbers instead")
    });
    nameless.into_iter().chain(objects).collect()
}

/// The array of this name, if it is one whole number.
fn counter(files: &dyn Files, contents: &Contents, name: &str) -> Option<Counter> {
    const LIMIT: u64 = 1 << 10;
    let number = contents.tensors.iter().position(|tensor| *tensor.name[0] == *name)?;
    let tensor = &contents.tensors[number];
    if tensor.shape.iter().any(|length| *length != 1) {
        return None;
    }
    let read = pieces::read(files, &Wanted { contents, number, limit: LIMIT }).ok()?;
    let value = match (read.dtype, &*read.bytes) {
        (DType::Int64, &[a, b, c, d, e, f, g, h]) => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
        (DType::Int32, &[a, b, c, d]) => i32::from_le_bytes([a, b, c, d]).into(),
        (DType::UInt32, &[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]).into(),
        _ => return None,
    };
    (value >= 0).then(|| Counter { value, found_in: name.to_owned() })
}

/// Says which array an error is about. The archive is whole, so what ends too early in it is damaged.
fn within(name: &str, error: OpenError) -> OpenError {
    match error {
        OpenError::Damaged(message) | OpenError::NotWhole(message) => {
            OpenError::Damaged(format!("`{name}` in it: {message}"))
        }
        OpenError::NotRead(message) => OpenError::NotRead(format!("`{name}` in it: {message}")),
        other => other,
    }
}

#[cfg(test)]
mod tests;
