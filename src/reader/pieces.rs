//! Where the numbers of a tensor are -> its elements, row by row and little-endian.
//!
//! For all formats: pieces with strides (views of PyTorch), several pieces (partitioned variables, chunks), big-endian elements, and
//! the checksums that the format has.

use bytes::Bytes;

use super::{
    contents::{Checksum, Contents, Piece, StoredTensor, Sum},
    input::{Files, Input},
    packing::Stored,
    read_error::ReadError,
};
use crate::tensor::{Tensor, decode::MOST_FILLED_BYTES, dtype::DType, frames::Frames, shape::Shape};

/// The type, the shape and the size in bytes of a tensor, if it can be read.
///
/// # Errors
/// Why it cannot be read.
pub fn form(tensor: &StoredTensor) -> Result<(DType, Shape), String> {
    let dtype = match &tensor.dtype {
        Ok(dtype) => *dtype,
        Err(name) => return Err(format!("elements of {name} are not read: save them as float32")),
    };
    let dims: Result<Vec<i64>, _> = tensor.shape.iter().map(|length| i64::try_from(*length)).collect();
    let shape = dims.map_err(|_| "an axis is too long".to_owned());
    let shape = Shape::new(&shape?).map_err(|reason| format!("the shape is impossible: {reason}"))?;
    if tensor.pieces.is_empty() && shape.elements() > 0 {
        return Err("its numbers are not in the files that are there".to_owned());
    }
    Ok((dtype, shape))
}

/// A tensor of a checkpoint, and how much memory it may take.
pub struct Wanted<'a> {
    /// The checkpoint.
    pub contents: &'a Contents,
    /// The number of the tensor.
    pub number: usize,
    /// Bytes.
    pub limit: u64,
}

/// Reads the numbers of one tensor. Checksums over not much more than these numbers are checked.
///
/// # Errors
/// See [`ReadError`].
pub fn read(files: &dyn Files, wanted: &Wanted<'_>) -> Result<Tensor, ReadError> {
    let stored = wanted.contents.tensors.get(wanted.number);
    let stored = stored.ok_or_else(|| ReadError::NotRead("there is no such tensor".to_owned()))?;
    let (dtype, shape) = form(stored).map_err(ReadError::NotRead)?;
    let size = dtype.bytes();
    let needed = (shape.elements() as u64).saturating_mul(size as u64);
    if needed > wanted.limit {
        return Err(ReadError::TooLarge { needed, limit: wanted.limit });
    }
    let is_complex = matches!(dtype, DType::Complex64 | DType::Complex128);
    let axes = shape.axes().iter().map(|length| *length as u64).collect();
    let mut whole = Target { bytes: Vec::new(), shape: axes, size, is_complex };
    let mut inputs: Vec<Option<Box<dyn Input + '_>>> = Vec::new();
    inputs.resize_with(wanted.contents.files.len(), || None);
    let mut covered = 0_u64;
    for (idx, piece) in stored.pieces.iter().enumerate() {
        let path = wanted.contents.files.get(piece.file as usize);
        let path = path.ok_or_else(|| ReadError::NotRead("its file is not known".to_owned()))?;
        let input = &mut inputs[piece.file as usize];
        if input.is_none() {
            *input = Some(files.open(path)?);
        }
        let Some(input) = input.as_deref() else { continue };
        check_claim(piece, piece_bytes(piece, needed, size), input.len())?;
        check_sum(input, piece.checksum, needed)?;
        if idx == 0 {
            whole.bytes = room(needed)?;
        }
        covered = covered.saturating_add(match &piece.packing {
            None => read_piece(input, piece, &mut whole)?,
            Some(packing) => {
                let bytes = packing.unpack(input, piece.offset, wanted.limit)?;
                read_piece(&bytes.as_slice(), &Piece { offset: 0, ..piece.clone() }, &mut whole)?
            }
        });
    }
    if covered != shape.elements() as u64 {
        let reason = format!("its parts have {covered} numbers, and its shape needs {}", shape.elements());
        return Err(ReadError::NotRead(reason));
    }
    Ok(Tensor { dtype, shape, bytes: Bytes::from(whole.bytes), frames: Frames::default() })
}

/// The bytes of the part of a tensor that a piece is.
fn piece_bytes(piece: &Piece, of_tensor: u64, size: usize) -> u64 {
    piece.region.as_ref().map_or(of_tensor, |region| {
        region.shape.iter().fold(size as u64, |product, length| product.saturating_mul(*length))
    })
}

/// A view with strides of 0 may claim any size. What has more bytes than its file is not made if it is large.
fn check_claim(piece: &Piece, needed: u64, file_len: u64) -> Result<(), ReadError> {
    let is_compressed =
        (piece.packing.as_ref()).is_some_and(|packing| matches!(packing.stored, Stored::InFile(_)));
    let is_repeated = piece.strides.is_some() && !is_compressed && needed > file_len;
    if is_repeated && needed > MOST_FILLED_BYTES as u64 {
        let reason =
            format!("it repeats few numbers up to {needed} bytes: a tensor of that size is not made");
        return Err(ReadError::NotRead(reason));
    }
    Ok(())
}

fn room(needed: u64) -> Result<Vec<u8>, ReadError> {
    let len = usize::try_from(needed).map_err(|_| ReadError::NoMemory(needed))?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| ReadError::NoMemory(needed))?;
    bytes.resize(len, 0);
    Ok(bytes)
}

/// Checksums over up to this many times the tensor's bytes are checked when it is read; larger ones only by `convscope verify`.
const MOST_CHECKED: u64 = 8;
/// Checksums over up to this many bytes are always checked.
const ALWAYS_CHECKED: u64 = 1 << 20;
/// So many bytes are read at once.
const AT_ONCE: usize = 256 << 10;

fn check_sum(input: &dyn Input, checksum: Option<Checksum>, needed: u64) -> Result<(), ReadError> {
    let Some(checksum) = checksum else { return Ok(()) };
    if checksum.len > ALWAYS_CHECKED.max(needed.saturating_mul(MOST_CHECKED)) {
        return Ok(());
    }
    if sum_is_right(input, checksum)? {
        Ok(())
    } else {
        Err(ReadError::Damaged { offset: checksum.offset, len: checksum.len })
    }
}

/// Compares bytes with their checksum.
///
/// # Errors
/// If they cannot be read.
pub fn sum_is_right(input: &dyn Input, checksum: Checksum) -> Result<bool, ReadError> {
    let end = checksum.offset.saturating_add(checksum.len);
    let (mut at, mut buf) = (checksum.offset, vec![0; AT_ONCE]);
    let (mut crc32, mut crc32c) = (crc32fast::Hasher::new(), 0);
    while at < end {
        let part = usize::try_from(end - at).unwrap_or(AT_ONCE).min(AT_ONCE);
        fill(input, at, &mut buf[..part])?;
        match checksum.expected {
            Sum::Crc32(_) => crc32.update(&buf[..part]),
            Sum::Crc32c(_) => crc32c = crc32c::crc32c_append(crc32c, &buf[..part]),
        }
        at += part as u64;
    }
    Ok(match checksum.expected {
        Sum::Crc32(expected) => crc32.finalize() == expected,
        Sum::Crc32c(expected) => crc32c == expected,
    })
}

fn fill(input: &dyn Input, at: u64, buf: &mut [u8]) -> Result<(), ReadError> {
    let read = input.read_at(at, buf)?;
    if read < buf.len() { Err(ReadError::Cut(at.saturating_add(buf.len() as u64))) } else { Ok(()) }
}

/// The tensor that is put together.
struct Target {
    bytes: Vec<u8>,
    shape: Vec<u64>,
    /// Bytes of an element.
    size: usize,
    is_complex: bool,
}

/// Reads a piece into its place, and returns how many elements it has.
fn read_piece(input: &dyn Input, piece: &Piece, whole: &mut Target) -> Result<u64, ReadError> {
    let region = piece.region.as_deref();
    let shape = region.map_or(&whole.shape, |region| &region.shape).clone();
    let start = region.map_or_else(|| vec![0; shape.len()], |region| region.start.clone());
    let fits = shape.len() == whole.shape.len()
        && start.len() == shape.len()
        && (0..shape.len())
            .all(|axis| start[axis].checked_add(shape[axis]).is_some_and(|end| end <= whole.shape[axis]));
    let strides = match &piece.strides {
        Some(strides) => strides.to_vec(),
        None => dense_strides(&shape),
    };
    if !fits || strides.len() != shape.len() {
        return Err(ReadError::NotRead("its parts do not fit its shape".to_owned()));
    }
    let elements: u64 = shape.iter().product();
    if elements > 0 {
        let walk = Walk { shape, start, strides };
        walk.copy(&mut Elements::new(input, piece.offset), whole)?;
        if piece.is_big_endian {
            walk.swap(whole);
        }
    }
    Ok(elements)
}

/// How many elements lie from one index to the next, if the last axis is the fastest and there are no gaps.
#[must_use]
pub fn dense_strides(shape: &[u64]) -> Vec<u64> {
    let mut strides = vec![1_u64; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis].max(1));
    }
    strides
}

/// The elements of a piece, in the order of the tensor.
struct Walk {
    shape: Vec<u64>,
    start: Vec<u64>,
    strides: Vec<u64>,
}

impl Walk {
    /// How many of the last axes lie without gaps both in the file and in the tensor, and their elements.
    fn run(&self, whole: &[u64]) -> (usize, u64) {
        let (mut axis, mut elements) = (self.shape.len(), 1_u64);
        let mut is_dense = true;
        while axis > 0 && is_dense && (self.strides[axis - 1] == elements || self.shape[axis - 1] == 1) {
            axis -= 1;
            elements *= self.shape[axis];
            // A part of an axis ends the run: the next index of the axis before lies elsewhere in the tensor.
            is_dense = self.shape[axis] == whole[axis];
        }
        (axis, elements)
    }

    fn copy(&self, from: &mut Elements<'_>, whole: &mut Target) -> Result<(), ReadError> {
        let (axes, run) = self.run(&whole.shape);
        let size = whole.size as u64;
        let to = dense_strides(&whole.shape);
        self.each(axes, |index| {
            let at = dot(&index[..axes], &self.strides[..axes]).and_then(|at| at.checked_mul(size));
            let at = at.ok_or_else(|| ReadError::NotRead("its strides leave the file".to_owned()))?;
            let first: u64 = (0..self.shape.len())
                .map(|axis| (index.get(axis).copied().unwrap_or(0) + self.start[axis]) * to[axis])
                .sum();
            let (first, len) = ((first * size) as usize, (run * size) as usize);
            from.read(at, &mut whole.bytes[first..first + len])
        })
    }

    /// Turns the bytes of each element around.
    fn swap(&self, whole: &mut Target) {
        // The two parts of a complex number keep their order.
        let part = if whole.is_complex { whole.size / 2 } else { whole.size };
        let to = dense_strides(&whole.shape);
        let size = whole.size;
        // Cannot fail: the closure returns no error.
        let _ = self.each(self.shape.len(), |index| {
            let first: u64 = (0..index.len()).map(|axis| (index[axis] + self.start[axis]) * to[axis]).sum();
            let first = first as usize * size;
            whole.bytes[first..first + size].chunks_exact_mut(part).for_each(<[u8]>::reverse);
            Ok(())
        });
    }

    /// Calls `take` for each index of the first `axes` axes, the last one fastest.
    fn each(
        &self,
        axes: usize,
        mut take: impl FnMut(&[u64]) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let mut index = vec![0_u64; axes];
        loop {
            take(&index)?;
            let mut axis = axes;
            loop {
                if axis == 0 {
                    return Ok(());
                }
                axis -= 1;
                index[axis] += 1;
                if index[axis] < self.shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
    }
}

fn dot(index: &[u64], strides: &[u64]) -> Option<u64> {
    index
        .iter()
        .zip(strides)
        .try_fold(0_u64, |sum, (index, stride)| sum.checked_add(index.checked_mul(*stride)?))
}

/// The bytes of a piece, read in large parts where short runs lie next to each other.
struct Elements<'a> {
    input: &'a dyn Input,
    offset: u64,
    held_at: u64,
    held: Vec<u8>,
}

/// Runs of up to this many bytes are read together.
const SHORT_RUN: usize = 16 << 10;

impl<'a> Elements<'a> {
    fn new(input: &'a dyn Input, offset: u64) -> Self {
        Self { input, offset, held_at: 0, held: Vec::new() }
    }

    /// Reads the bytes at `at` from the piece's first.
    fn read(&mut self, at: u64, to: &mut [u8]) -> Result<(), ReadError> {
        let at = self.offset.checked_add(at).ok_or(ReadError::Cut(u64::MAX))?;
        if to.len() > SHORT_RUN {
            return fill(self.input, at, to);
        }
        let is_held = at >= self.held_at && at + to.len() as u64 <= self.held_at + self.held.len() as u64;
        if !is_held {
            self.held.resize(AT_ONCE / 4, 0);
            let read = self.input.read_at(at, &mut self.held)?;
            self.held.truncate(read);
            self.held_at = at;
            if read < to.len() {
                return Err(ReadError::Cut(at + to.len() as u64));
            }
        }
        let from = (at - self.held_at) as usize;
        to.copy_from_slice(&self.held[from..from + to.len()]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reader::{
        contents::{Format, Region},
        input::InMemory,
    };

    fn piece(strides: Option<Vec<u64>>, region: Option<Region>) -> Piece {
        Piece {
            file: 0,
            offset: 0,
            strides: strides.map(Into::into),
            region: region.map(Box::new),
            is_big_endian: false,
            checksum: None,
            packing: None,
        }
    }

    fn read_of(bytes: &[u8], dtype: DType, shape: &[u64], pieces: Vec<Piece>) -> Result<Vec<u8>, ReadError> {
        let mut files = InMemory::default();
        files.0.insert("f".into(), bytes.to_vec());
        let mut contents = Contents::empty(Format::PyTorch);
        contents.files = vec!["f".into()];
        contents.tensors = vec![StoredTensor {
            name: vec!["a".into()],
            better_name: None,
            dtype: Ok(dtype),
            shape: shape.to_vec(),
            pieces,
        }];
        let read = read(&files, &Wanted { contents: &contents, number: 0, limit: 1 << 30 });
        read.map(|tensor| tensor.bytes.to_vec())
    }

    /// All indices of a shape, the last axis fastest.
    fn indices(shape: &[u64]) -> Vec<Vec<u64>> {
        shape.iter().fold(vec![Vec::new()], |before, length| {
            let next = |index: &Vec<u64>| {
                let index = index.clone();
                (0..*length).map(move |at| [index.clone(), vec![at]].concat()).collect::<Vec<_>>()
            };
            before.iter().flat_map(next).collect()
        })
    }

    proptest! {
        #[test]
        fn views_with_any_strides_have_the_elements_at_their_places(
            axes in prop::collection::vec((0_u64..5, 0_u64..9), 0..5),
        ) {
            let bytes: Vec<u8> = (0..600_u32).map(|number| (number % 251) as u8).collect();
            let (shape, strides): (Vec<u64>, Vec<u64>) = axes.into_iter().unzip();
            let expected: Vec<u8> = indices(&shape)
                .iter()
                .flat_map(|index| {
                    let at = index.iter().zip(&strides).map(|(at, stride)| at * stride).sum::<u64>() as usize * 2;
                    [bytes[at], bytes[at + 1]]
                })
                .collect();
            let read = read_of(&bytes, DType::Int16, &shape, vec![piece(Some(strides), None)]);
            if shape.contains(&0) {
                prop_assert_eq!(read.unwrap(), [0_u8; 0]);
            } else {
                prop_assert_eq!(read.unwrap(), expected);
            }
        }

        #[test]
        fn parts_along_an_axis_are_put_together(rows in 1_u64..6, columns in 1_u64..6, cut in 0_u64..7, axis in 0..2_usize) {
            let shape = [rows, columns];
            let cut = cut.min(shape[axis]);
            let bytes: Vec<u8> = (0..(rows * columns) as u8).collect();
            // The parts lie one after the other in the file, as two shards of a variable do.
            let mut stored = Vec::new();
            let mut pieces = Vec::new();
            for (from, to) in [(0, cut), (cut, shape[axis])] {
                let (mut start, mut length) = (vec![0, 0], shape.to_vec());
                (start[axis], length[axis]) = (from, to - from);
                let offset = stored.len() as u64;
                stored.extend(indices(&length).iter().map(|index| {
                    bytes[((index[0] + start[0]) * columns + index[1] + start[1]) as usize]
                }));
                pieces.push(Piece { offset, ..piece(None, Some(Region { start, shape: length })) });
            }
            prop_assert_eq!(read_of(&stored, DType::UInt8, &shape, pieces).unwrap(), bytes);
        }
    }

    #[test]
    fn big_endian_elements_are_turned_around_and_complex_numbers_keep_their_order() {
        let big = Piece { is_big_endian: true, ..piece(None, None) };
        assert_eq!(read_of(&[1, 2, 3, 4], DType::Int16, &[2], vec![big.clone()]).unwrap(), [2, 1, 4, 3]);
        let read = read_of(&[1, 2, 3, 4, 5, 6, 7, 8], DType::Complex64, &[1], vec![big]);
        assert_eq!(read.unwrap(), [4, 3, 2, 1, 8, 7, 6, 5]);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let is_cut = |read: Result<Vec<u8>, ReadError>| matches!(read, Err(ReadError::Cut(_)));
        assert!(is_cut(read_of(&[0; 7], DType::Float32, &[2], vec![piece(None, None)])));
        assert!(is_cut(read_of(&[0; 8], DType::Float32, &[2], vec![piece(Some(vec![2]), None)])));
        let region = Region { start: vec![1], shape: vec![2] };
        let read = read_of(&[0; 8], DType::Float32, &[2], vec![piece(None, Some(region))]);
        assert!(matches!(read, Err(ReadError::NotRead(_))));
        let half = Region { start: vec![0], shape: vec![1] };
        let read = read_of(&[0; 8], DType::Float32, &[2], vec![piece(None, Some(half))]);
        assert!(matches!(read, Err(ReadError::NotRead(_))), "a part is missing");
        // A view of one number that claims 256 MiB.
        let read = read_of(&[0; 4], DType::Float32, &[1 << 26], vec![piece(Some(vec![0]), None)]);
        assert!(matches!(read, Err(ReadError::NotRead(_))));
    }

    #[test]
    fn wrong_checksums_are_damage() {
        // As Python's `zlib.crc32(b"123456789")` and Castagnoli's check value.
        for (expected, wrong) in
            [(Sum::Crc32(0xcbf4_3926), Sum::Crc32(0xcbf4_3927)), (Sum::Crc32c(0xe306_9283), Sum::Crc32c(0))]
        {
            let with = |sum| Piece {
                checksum: Some(Checksum { offset: 0, len: 9, expected: sum }),
                ..piece(None, None)
            };
            let bytes = b"123456789";
            assert_eq!(read_of(bytes, DType::UInt8, &[9], vec![with(expected)]).unwrap(), bytes);
            let read = read_of(bytes, DType::UInt8, &[9], vec![with(wrong)]);
            assert!(matches!(read, Err(ReadError::Damaged { offset: 0, len: 9 })));
        }
    }
}
