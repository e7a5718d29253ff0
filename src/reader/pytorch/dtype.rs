//! What PyTorch calls element types.

use crate::tensor::{dtype::DType, minifloat::Minifloat};

/// An element type, or its name if it is none that is read.
pub(super) type Element = Result<DType, Box<str>>;

/// Types by the name in `torch`, the class of their storages, and the number in exported programs (`ScalarType` in
/// `torch/_export/serde/schema.py`; 0 where there is none).
const TABLE: [(DType, &str, &str, u64); 23] = [
    (DType::Float32, "float32", "FloatStorage", 7),
    (DType::Float64, "float64", "DoubleStorage", 8),
    (DType::Float16, "float16", "HalfStorage", 6),
    (DType::BFloat16, "bfloat16", "BFloat16Storage", 13),
    (DType::Mini(Minifloat::E4M3Fn), "float8_e4m3fn", "", 29),
    (DType::Mini(Minifloat::E5M2), "float8_e5m2", "", 30),
    (DType::Mini(Minifloat::E4M3Fnuz), "float8_e4m3fnuz", "", 31),
    (DType::Mini(Minifloat::E5M2Fnuz), "float8_e5m2fnuz", "", 32),
    (DType::Int8, "int8", "CharStorage", 2),
    (DType::Int16, "int16", "ShortStorage", 3),
    (DType::Int32, "int32", "IntStorage", 4),
    (DType::Int64, "int64", "LongStorage", 5),
    (DType::UInt8, "uint8", "ByteStorage", 1),
    (DType::UInt16, "uint16", "", 28),
    (DType::UInt32, "uint32", "", 34),
    (DType::UInt64, "uint64", "", 35),
    (DType::Bool, "bool", "BoolStorage", 12),
    (DType::Complex64, "complex64", "ComplexFloatStorage", 10),
    (DType::Complex128, "complex128", "ComplexDoubleStorage", 11),
    (DType::QInt8, "qint8", "QInt8Storage", 0),
    (DType::QUInt8, "quint8", "QUInt8Storage", 0),
    (DType::QInt32, "qint32", "QInt32Storage", 0),
    // A storage without a type is one of bytes.
    (DType::UInt8, "uint8", "UntypedStorage", 0),
];

/// The type that `torch` calls so.
pub(super) fn by_name(name: &str) -> Element {
    TABLE.iter().find(|row| row.1 == name).map(|row| row.0).ok_or_else(|| short(name))
}

/// The type of the elements of a storage of this class.
pub(super) fn by_storage(class: &str) -> Element {
    if class == "ComplexHalfStorage" {
        return Err("complex32".into());
    }
    let row = TABLE.iter().find(|row| row.2 == class && !class.is_empty());
    row.map(|row| row.0).ok_or_else(|| short(class.trim_end_matches("Storage")))
}

/// The type of this number in an exported program.
pub(super) fn by_number(number: u64) -> Element {
    let name = match number {
        9 => "complex32".to_owned(),
        33 => "float8_e8m0fnu".to_owned(),
        _ => format!("type {number}"),
    };
    let row = TABLE.iter().find(|row| row.3 == number && number != 0);
    row.map(|row| row.0).ok_or_else(|| name.into())
}

fn short(name: &str) -> Box<str> {
    name.chars().take(40).flat_map(char::to_lowercase).collect::<String>().into()
}
