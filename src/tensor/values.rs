//! A tensor's elements as floats that hold every value: f32 where that loses nothing, else f64.

use super::{Tensor, dtype::DType};

/// Elements in logged order.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Of types whose values all fit a float32.
    F32(Vec<f32>),
    /// Of the wider ones; 64 bit integers beyond 2^53 are rounded.
    F64(Vec<f64>),
}

/// Reads all elements. Bool counts as 0 and 1.
#[must_use]
pub fn values(tensor: &Tensor) -> Values {
    let bytes = &tensor.bytes;
    match tensor.dtype {
        DType::Float32 => Values::F32(read(bytes, f32::from_le_bytes)),
        DType::Float16 => Values::F32(read(bytes, |b| half::f16::from_le_bytes(b).to_f32())),
        DType::BFloat16 => Values::F32(read(bytes, |b| half::bf16::from_le_bytes(b).to_f32())),
        DType::Int8 => Values::F32(read(bytes, |b| f32::from(i8::from_le_bytes(b)))),
        DType::Int16 => Values::F32(read(bytes, |b| f32::from(i16::from_le_bytes(b)))),
        DType::UInt8 => Values::F32(read(bytes, |b| f32::from(u8::from_le_bytes(b)))),
        DType::UInt16 => Values::F32(read(bytes, |b| f32::from(u16::from_le_bytes(b)))),
        DType::Bool => Values::F32(read(bytes, |[b]| if b == 0 { 0.0 } else { 1.0 })),
        DType::Float64 => Values::F64(read(bytes, f64::from_le_bytes)),
        DType::Int32 => Values::F64(read(bytes, |b| f64::from(i32::from_le_bytes(b)))),
        DType::UInt32 => Values::F64(read(bytes, |b| f64::from(u32::from_le_bytes(b)))),
        DType::Int64 => Values::F64(read(bytes, |b| i64::from_le_bytes(b) as f64)),
        DType::UInt64 => Values::F64(read(bytes, |b| u64::from_le_bytes(b) as f64)),
    }
}

fn read<T, const N: usize>(bytes: &[u8], of_le_bytes: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (elements, _) = bytes.as_chunks::<N>();
    elements.iter().map(|element| of_le_bytes(*element)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::shape::Shape;

    fn check(dtype: DType, bytes: &[u8], expected: &Values) {
        let n = i64::try_from(bytes.len() / dtype.bytes()).unwrap();
        let tensor = Tensor { dtype, shape: Shape::new(&[n]).unwrap(), bytes: bytes.to_vec().into() };
        assert_eq!(values(&tensor), *expected);
    }

    #[test]
    fn every_size_is_read() {
        check(DType::Float32, &1.25_f32.to_le_bytes(), &Values::F32(vec![1.25]));
        check(DType::Float16, &[0x00, 0x3e], &Values::F32(vec![1.5]));
        check(DType::BFloat16, &[0xc0, 0xbf], &Values::F32(vec![-1.5]));
        check(DType::Int8, &[0xff, 0x01], &Values::F32(vec![-1.0, 1.0]));
        check(DType::Float64, &0.1_f64.to_le_bytes(), &Values::F64(vec![0.1]));
        check(DType::Int32, &i32::MIN.to_le_bytes(), &Values::F64(vec![-2_147_483_648.0]));
    }
}
