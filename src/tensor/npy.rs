//! Tensors -> NPY files (format 1.0, `numpy.lib.format`): a header that says type and shape, then the elements.

use super::{
    Tensor,
    dtype::DType,
    values::{values, widened},
};

const ALIGNMENT: usize = 64;

/// The tensor, bit for bit. Types that NumPy does not have are written as wider ones: bfloat16 and smaller floats as float32,
/// integers of 4 and 2 bits as 8 bit ones, quantised ones as their integers.
#[must_use]
pub fn npy(tensor: &Tensor) -> Vec<u8> {
    let axes = tensor.shape.axes();
    let descr = match tensor.dtype {
        DType::BFloat16 | DType::Mini(_) => return npy_f32(axes, &values(tensor).into_f32()),
        DType::Int4 | DType::UInt4 | DType::Int2 | DType::UInt2 => {
            let widened: Vec<u8> = tensor.bytes.iter().map(|byte| widened(tensor.dtype, *byte)).collect();
            let descr = if matches!(tensor.dtype, DType::Int4 | DType::Int2) { "|i1" } else { "|u1" };
            return with_header(descr, axes, &widened);
        }
        DType::Float32 => "<f4",
        DType::Float64 => "<f8",
        DType::Float16 => "<f2",
        DType::Int8 | DType::QInt8 => "|i1",
        DType::Int16 | DType::QInt16 => "<i2",
        DType::Int32 | DType::QInt32 => "<i4",
        DType::Int64 => "<i8",
        DType::UInt8 | DType::QUInt8 => "|u1",
        DType::UInt16 | DType::QUInt16 => "<u2",
        DType::UInt32 => "<u4",
        DType::UInt64 => "<u8",
        DType::Bool => "|b1",
        DType::Complex64 => "<c8",
        DType::Complex128 => "<c16",
    };
    with_header(descr, axes, &tensor.bytes)
}

/// An NPY file of floats, with the lengths of their axes.
#[must_use]
pub fn npy_f32(axes: &[usize], elements: &[f32]) -> Vec<u8> {
    let bytes: Vec<u8> = elements.iter().flat_map(|x| x.to_le_bytes()).collect();
    with_header("<f4", axes, &bytes)
}

fn with_header(descr: &str, axes: &[usize], elements: &[u8]) -> Vec<u8> {
    let mut shape = axes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if axes.len() == 1 {
        shape.push(',');
    }
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    let prefix_bytes = 10;
    let padding = ALIGNMENT - (prefix_bytes + header.len() + 1) % ALIGNMENT;
    header.extend(std::iter::repeat_n(' ', padding % ALIGNMENT));
    header.push('\n');
    let header_bytes = u16::try_from(header.len()).expect("at most 254 axes of 20 digits");
    let mut out = Vec::with_capacity(prefix_bytes + header.len() + elements.len());
    out.extend_from_slice(b"\x93NUMPY\x01\x00");
    out.extend_from_slice(&header_bytes.to_le_bytes());
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(elements);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_as_numpy_writes_them() {
        let bytes = npy_f32(&[2], &[1.0, 2.0]);
        let expected = b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
        assert!(bytes.starts_with(expected));
        assert_eq!(bytes.len(), 128 + 8);
        assert!(npy_f32(&[], &[1.0]).windows(2).any(|pair| pair == b"()"));
        assert!(npy_f32(&[2, 1], &[1.0; 2]).windows(6).any(|part| part == b"(2, 1)"));
    }
}
