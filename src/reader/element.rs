//! The names of element types in Zarr and in Flax -> the types.

use crate::tensor::{dtype::DType, minifloat::Minifloat};

/// The type with this name in Zarr 3, and in Zarr 2 where NumPy has none.
#[must_use]
pub fn named(name: &str) -> Option<DType> {
    Some(match name {
        "float32" => DType::Float32,
        "float64" => DType::Float64,
        "float16" => DType::Float16,
        "bfloat16" => DType::BFloat16,
        "float8_e5m2" => DType::Mini(Minifloat::E5M2),
        "float8_e4m3fn" => DType::Mini(Minifloat::E4M3Fn),
        "float8_e4m3fnuz" => DType::Mini(Minifloat::E4M3Fnuz),
        "float8_e4m3b11fnuz" => DType::Mini(Minifloat::E4M3B11Fnuz),
        "float8_e5m2fnuz" => DType::Mini(Minifloat::E5M2Fnuz),
        "float4_e2m1fn" => DType::Mini(Minifloat::E2M1Fn),
        "int8" => DType::Int8,
        "int16" => DType::Int16,
        "int32" => DType::Int32,
        "int64" => DType::Int64,
        "uint8" => DType::UInt8,
        "uint16" => DType::UInt16,
        "uint32" => DType::UInt32,
        "uint64" => DType::UInt64,
        "int4" => DType::Int4,
        "uint4" => DType::UInt4,
        "int2" => DType::Int2,
        "uint2" => DType::UInt2,
        "bool" => DType::Bool,
        "complex64" => DType::Complex64,
        "complex128" => DType::Complex128,
        _ => return None,
    })
}

/// The type with NumPy's code, such as `<f4`, and whether the most significant byte of an element is first.
#[must_use]
pub fn coded(code: &str) -> Option<(DType, bool)> {
    if let Some(dtype) = named(code) {
        return Some((dtype, false));
    }
    let is_big_endian = code.starts_with('>');
    let dtype = match code.strip_prefix(['<', '>', '|'])? {
        "f4" => DType::Float32,
        "f8" => DType::Float64,
        "f2" => DType::Float16,
        "i1" => DType::Int8,
        "i2" => DType::Int16,
        "i4" => DType::Int32,
        "i8" => DType::Int64,
        "u1" => DType::UInt8,
        "u2" => DType::UInt16,
        "u4" => DType::UInt32,
        "u8" => DType::UInt64,
        "b1" => DType::Bool,
        "c8" => DType::Complex64,
        "c16" => DType::Complex128,
        _ => return None,
    };
    Some((dtype, is_big_endian))
}
