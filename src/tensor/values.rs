//! A tensor's elements as floats that can hold every value: f32 if nothing is lost, otherwise f64.

use half::slice::HalfFloatSliceExt;

use super::{Tensor, dtype::DType};

/// Elements in logged order.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// From types whose values all fit a float32.
    F32(Vec<f32>),
    /// From wider types; 64 bit integers beyond 2^53 are rounded.
    F64(Vec<f64>),
}

impl Values {
    /// As float32, rounded if they are wider.
    #[must_use]
    pub fn into_f32(self) -> Vec<f32> {
        match self {
            Self::F32(numbers) => numbers,
            Self::F64(numbers) => numbers.into_iter().map(|x| x as f32).collect(),
        }
    }
}

/// How many bytes an element takes as such a float.
#[must_use]
pub fn float_bytes(dtype: DType) -> usize {
    if dtype.bytes() < 4 || dtype == DType::Float32 { 4 } else { 8 }
}

/// Reads all elements. Bool counts as 0 and 1, complex numbers as their magnitude, quantised ones as their integers.
#[must_use]
pub fn values(tensor: &Tensor) -> Values {
    let bytes = &tensor.bytes;
    match tensor.dtype {
        DType::Float32 => Values::F32(read(bytes, f32::from_le_bytes)),
        DType::Float16 => Values::F32(halves(bytes)),
        DType::BFloat16 => Values::F32(read(bytes, upper_half)),
        DType::Mini(float) => {
            let table = float.table();
            Values::F32(read(bytes, |[b]| table[usize::from(b)]))
        }
        DType::Int8 | DType::QInt8 => Values::F32(read(bytes, |b| f32::from(i8::from_le_bytes(b)))),
        DType::Int16 | DType::QInt16 => Values::F32(read(bytes, |b| f32::from(i16::from_le_bytes(b)))),
        DType::UInt8 | DType::QUInt8 => Values::F32(read(bytes, |[b]| f32::from(b))),
        DType::UInt16 | DType::QUInt16 => Values::F32(read(bytes, |b| f32::from(u16::from_le_bytes(b)))),
        DType::Int4 | DType::Int2 => {
            Values::F32(read(bytes, |[b]| f32::from(widened(tensor.dtype, b).cast_signed())))
        }
        DType::UInt4 | DType::UInt2 => Values::F32(read(bytes, |[b]| f32::from(widened(tensor.dtype, b)))),
        DType::Bool => Values::F32(read(bytes, |[b]| if b == 0 { 0.0 } else { 1.0 })),
        DType::Float64 => Values::F64(read(bytes, f64::from_le_bytes)),
        DType::Int32 | DType::QInt32 => Values::F64(read(bytes, |b| f64::from(i32::from_le_bytes(b)))),
        DType::UInt32 => Values::F64(read(bytes, |b| f64::from(u32::from_le_bytes(b)))),
        DType::Int64 => Values::F64(read(bytes, |b| i64::from_le_bytes(b) as f64)),
        DType::UInt64 => Values::F64(read(bytes, |b| u64::from_le_bytes(b) as f64)),
        DType::Complex64 => Values::F64(read(bytes, |b: [u8; 8]| {
            let [real, imaginary] = parts(&b).map(|part| f64::from(f32::from_le_bytes(part)));
            real.hypot(imaginary)
        })),
        DType::Complex128 => Values::F64(read(bytes, |b: [u8; 16]| {
            let [real, imaginary] = parts(&b).map(f64::from_le_bytes);
            real.hypot(imaginary)
        })),
    }
}

/// An integer of 4 or 2 bits as one of 8 bits, with the same sign. TensorFlow ignores the upper bits of its byte.
#[must_use]
pub(super) fn widened(dtype: DType, byte: u8) -> u8 {
    let (unused_bits, is_signed) = match dtype {
        DType::Int4 => (4, true),
        DType::UInt4 => (4, false),
        DType::Int2 => (6, true),
        DType::UInt2 => (6, false),
        _ => (0, false),
    };
    let lowest_up = byte << unused_bits;
    if is_signed {
        (lowest_up.cast_signed() >> unused_bits).cast_unsigned()
    } else {
        lowest_up >> unused_bits
    }
}

/// bfloat16 is the upper half of a float32.
fn upper_half(bytes: [u8; 2]) -> f32 {
    f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)
}

/// This many are converted per call, because each call checks whether the processor has an instruction for it.
const HALVES_AT_ONCE: usize = 512;

fn halves(bytes: &[u8]) -> Vec<f32> {
    let (elements, _) = bytes.as_chunks::<2>();
    let mut out = vec![0.0; elements.len()];
    let mut aligned = [half::f16::ZERO; HALVES_AT_ONCE];
    for (elements, out) in elements.chunks(HALVES_AT_ONCE).zip(out.chunks_mut(HALVES_AT_ONCE)) {
        let aligned = &mut aligned[..elements.len()];
        for (half, bytes) in aligned.iter_mut().zip(elements) {
            *half = half::f16::from_le_bytes(*bytes);
        }
        aligned.convert_to_f32_slice(out);
    }
    out
}

fn parts<const HALF: usize, const WHOLE: usize>(bytes: &[u8; WHOLE]) -> [[u8; HALF]; 2] {
    let (real, imaginary) = bytes.split_at(HALF);
    [real, imaginary].map(|part| part.try_into().expect("both parts are as long"))
}

fn read<T, const N: usize>(bytes: &[u8], of_le_bytes: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (elements, _) = bytes.as_chunks::<N>();
    elements.iter().map(|element| of_le_bytes(*element)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{frames::Frames, shape::Shape};

    #[test]
    fn all_halves_are_read_as_the_library_reads_one() {
        let bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        let same = |a: f32, b: f32| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        let mut halves = halves(&bytes).into_iter();
        assert!((0..=u16::MAX).all(|bits| same(halves.next().unwrap(), half::f16::from_bits(bits).to_f32())));
        assert!(
            (0..=u16::MAX)
                .all(|bits| same(upper_half(bits.to_le_bytes()), half::bf16::from_bits(bits).to_f32()))
        );
    }

    fn check(dtype: DType, bytes: &[u8], expected: &Values) {
        let n = i64::try_from(bytes.len() / dtype.bytes()).unwrap();
        let tensor = Tensor {
            dtype,
            shape: Shape::new(&[n]).unwrap(),
            bytes: bytes.to_vec().into(),
            frames: Frames::default(),
        };
        assert_eq!(values(&tensor), *expected);
    }

    #[test]
    fn every_size_is_read() {
        check(DType::Float32, &1.25_f32.to_le_bytes(), &Values::F32(vec![1.25]));
        check(DType::Float16, &[0x00, 0x3e], &Values::F32(vec![1.5]));
        check(DType::BFloat16, &[0xc0, 0xbf], &Values::F32(vec![-1.5]));
        check(DType::Int8, &[0xff, 0x01], &Values::F32(vec![-1.0, 1.0]));
        check(DType::Float64, &0.1_f64.to_le_bytes(), &Values::F64(vec![0.1]));
        check(DType::Int4, &[0x7f, 0x08, 0xf3], &Values::F32(vec![-1.0, -8.0, 3.0]));
        check(DType::UInt2, &[0x7f, 0x02, 0xf0], &Values::F32(vec![3.0, 2.0, 0.0]));
        let complex = [3.0_f32, -4.0].map(f32::to_le_bytes).concat();
        check(DType::Complex64, &complex, &Values::F64(vec![5.0]));
        check(DType::Int32, &i32::MIN.to_le_bytes(), &Values::F64(vec![-2_147_483_648.0]));
    }
}
