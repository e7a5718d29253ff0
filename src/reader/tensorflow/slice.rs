//! A `TensorSliceProto` -> which part of a tensor it is, and the key of that part.
//!
//! Keys are made as in `core/util/saved_tensor_slice_util.cc` with the ordered code of `core/lib/strings/ordered_code.cc`.

use crate::{
    event::wire::{Span, next_field},
    reader::contents::{MOST_AXES, OpenError, Region},
    source::window::Peek,
};

/// The most axes of all parts of a checkpoint together, with one more for each part.
pub const MOST_EXTENTS: usize = 1 << 18;

/// A part of a tensor: first index and length on each axis; `None` for all of an axis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice(pub Vec<Option<(u64, u64)>>);

impl Slice {
    /// Reads a `TensorSliceProto`.
    ///
    /// # Errors
    /// `Damaged` if it is none.
    pub fn read<P: Peek>(source: &mut P, mut span: Span) -> Result<Self, OpenError> {
        let mut extents = Vec::new();
        while let Some((number, value)) = next_field(source, &mut span)? {
            if number == 1 {
                if extents.len() == MOST_AXES {
                    return Err(impossible());
                }
                extents.push(extent(source, value.span()?)?);
            }
        }
        Ok(Self(extents))
    }

    /// The part of a tensor of this shape.
    ///
    /// # Errors
    /// `Damaged` if it does not fit.
    pub fn region(&self, shape: &[u64]) -> Result<Region, OpenError> {
        if self.0.len() != shape.len() {
            return Err(impossible());
        }
        let extents = self.0.iter().zip(shape).map(|(extent, length)| extent.unwrap_or((0, *length)));
        let (start, lengths): (Vec<u64>, Vec<u64>) = extents.unzip();
        let fits = |axis: usize| start[axis].checked_add(lengths[axis]).is_some_and(|end| end <= shape[axis]);
        if !(0..shape.len()).all(fits) {
            return Err(impossible());
        }
        Ok(Region { start, shape: lengths })
    }

    /// The key under which a bundle has this part of the tensor `name`.
    #[must_use]
    pub fn key(&self, name: &[u8]) -> Vec<u8> {
        let mut key = vec![0];
        for byte in name {
            key.push(*byte);
            match byte {
                0 => key.push(0xff),
                0xff => key.push(0),
                _ => {}
            }
        }
        // The end of the name, and the number of axes as its length and its digits.
        key.extend([0, 1]);
        match self.0.len() as u8 {
            0 => key.push(0),
            axes => key.extend([1, axes]),
        }
        for extent in &self.0 {
            let (start, length) = extent.map_or((0, -1), |(start, length)| (start as i64, length as i64));
            push_signed(&mut key, start);
            push_signed(&mut key, length);
        }
        key
    }
}

fn impossible() -> OpenError {
    OpenError::Damaged("a part of a tensor is impossible".to_owned())
}

fn extent<P: Peek>(source: &mut P, mut span: Span) -> Result<Option<(u64, u64)>, OpenError> {
    let (mut start, mut length) = (0, None);
    while let Some((number, value)) = next_field(source, &mut span)? {
        match number {
            1 => start = value.varint()?,
            2 => length = Some(value.varint()?),
            _ => {}
        }
    }
    let is_possible = |number: u64| i64::try_from(number).is_ok();
    match length {
        None if start == 0 => Ok(None),
        Some(length) if is_possible(start) && is_possible(length) => Ok(Some((start, length))),
        _ => Err(impossible()),
    }
}

/// `WriteSignedNumIncreasing`: seven bits a byte, with the number of bytes in the first bits, so that bytes sort as numbers do.
fn push_signed(key: &mut Vec<u8>, number: i64) {
    let magnitude = if number < 0 { !number } else { number };
    let bits = 64 - magnitude.leading_zeros() as usize;
    let len = bits / 7 + 1;
    let sign = if number < 0 { 0xff } else { 0 };
    let mut bytes = [sign; 10];
    bytes[2..].copy_from_slice(&number.to_be_bytes());
    let bytes = &mut bytes[10 - len..];
    // `len` ones, over at most two bytes.
    let header = !(u16::MAX >> len.min(16));
    bytes[0] ^= (header >> 8) as u8;
    if let Some(second) = bytes.get_mut(1) {
        *second ^= header as u8;
    }
    key.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: i64, expected: &[u8]) {
        let mut key = Vec::new();
        push_signed(&mut key, number);
        assert_eq!(key, expected, "{number}");
    }

    #[test]
    fn numbers_sort_as_their_bytes_do() {
        check(0, &[0x80]);
        check(5, &[0x85]);
        check(-1, &[0x7f]);
        check(63, &[0xbf]);
        check(64, &[0xc0, 0x40]);
        check(-65, &[0x3f, 0xbf]);
        check(8191, &[0xdf, 0xff]);
        check(8192, &[0xe0, 0x20, 0x00]);
        let keys = |number| {
            let mut key = Vec::new();
            push_signed(&mut key, number);
            key
        };
        let numbers = [0, 1, 63, 64, 8191, 8192, 1 << 20, 1 << 40, 1 << 55, 1 << 56, 1 << 62, i64::MAX];
        assert!(numbers.windows(2).all(|pair| keys(pair[0]) < keys(pair[1])));
    }

    #[test]
    fn a_part_outside_of_its_tensor_is_damage() {
        let region = |extents: &[Option<(u64, u64)>]| Slice(extents.to_vec()).region(&[4, 5]).is_ok();
        assert!(region(&[None, Some((2, 3))]));
        assert!(!region(&[None, Some((2, 4))]));
        assert!(!region(&[None]));
        assert!(!region(&[None, Some((u64::MAX, 1))]));
    }
}
