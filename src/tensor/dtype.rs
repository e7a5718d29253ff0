//! Element types of logged tensors, as one table: number in the log, name, size, and the list that holds their elements.

use super::minifloat::Minifloat;

/// An element type that is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    /// IEEE 754 binary32.
    Float32,
    /// IEEE 754 binary64.
    Float64,
    /// IEEE 754 binary16.
    Float16,
    /// The upper half of a binary32.
    BFloat16,
    /// A float of 8 or 4 bits, one per byte.
    Mini(Minifloat),
    /// Signed, 8 bit.
    Int8,
    /// Signed, 16 bit.
    Int16,
    /// Signed, 32 bit.
    Int32,
    /// Signed, 64 bit.
    Int64,
    /// Unsigned, 8 bit.
    UInt8,
    /// Unsigned, 16 bit.
    UInt16,
    /// Unsigned, 32 bit.
    UInt32,
    /// Unsigned, 64 bit.
    UInt64,
    /// Signed, the lower 4 bits of a byte.
    Int4,
    /// Unsigned, the lower 4 bits of a byte.
    UInt4,
    /// Signed, the lower 2 bits of a byte.
    Int2,
    /// Unsigned, the lower 2 bits of a byte.
    UInt2,
    /// Signed, 8 bit, with a scale that is not logged.
    QInt8,
    /// Unsigned, 8 bit, with a scale that is not logged.
    QUInt8,
    /// Signed, 16 bit, with a scale that is not logged.
    QInt16,
    /// Unsigned, 16 bit, with a scale that is not logged.
    QUInt16,
    /// Signed, 32 bit, with a scale that is not logged.
    QInt32,
    /// One byte, 0 or 1.
    Bool,
    /// Two binary32: real, imaginary.
    Complex64,
    /// Two binary64: real, imaginary.
    Complex128,
}

/// The repeated field of a `TensorProto` that holds a type's elements if there is no `tensor_content`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// `float_val`.
    Float,
    /// `double_val`.
    Double,
    /// `int_val`.
    Int,
    /// `int64_val`.
    Int64,
    /// `bool_val`.
    Bool,
    /// `half_val`, a 16 bit pattern per element.
    Half,
    /// `float8_val`, a byte per element; also for floats of 4 bits.
    Float8,
    /// `scomplex_val`, two numbers per element.
    Complex64,
    /// `dcomplex_val`, two numbers per element.
    Complex128,
    /// `uint32_val`.
    UInt32,
    /// `uint64_val`.
    UInt64,
}

struct DTypeRow {
    dtype: DType,
    number: i32,
    name: &'static str,
    bytes: usize,
    list: List,
}

const fn row(dtype: DType, number: i32, name: &'static str, bytes: usize, list: List) -> DTypeRow {
    DTypeRow { dtype, number, name, bytes, list }
}

const fn mini(float: Minifloat, number: i32, name: &'static str) -> DTypeRow {
    row(DType::Mini(float), number, name, 1, List::Float8)
}

/// Numbers and lists as in TensorFlow (`core/framework/types.proto`, `core/framework/tensor.cc`).
const TABLE: [DTypeRow; 30] = [
    row(DType::Float32, 1, "float32", 4, List::Float),
    row(DType::Float64, 2, "float64", 8, List::Double),
    row(DType::Float16, 19, "float16", 2, List::Half),
    row(DType::BFloat16, 14, "bfloat16", 2, List::Half),
    mini(Minifloat::E5M2, 24, "float8_e5m2"),
    mini(Minifloat::E4M3Fn, 25, "float8_e4m3fn"),
    mini(Minifloat::E4M3Fnuz, 26, "float8_e4m3fnuz"),
    mini(Minifloat::E4M3B11Fnuz, 27, "float8_e4m3b11fnuz"),
    mini(Minifloat::E5M2Fnuz, 28, "float8_e5m2fnuz"),
    mini(Minifloat::E2M1Fn, 33, "float4_e2m1fn"),
    row(DType::Int8, 6, "int8", 1, List::Int),
    row(DType::Int16, 5, "int16", 2, List::Int),
    row(DType::Int32, 3, "int32", 4, List::Int),
    row(DType::Int64, 9, "int64", 8, List::Int64),
    row(DType::UInt8, 4, "uint8", 1, List::Int),
    row(DType::UInt16, 17, "uint16", 2, List::Int),
    row(DType::UInt32, 22, "uint32", 4, List::UInt32),
    row(DType::UInt64, 23, "uint64", 8, List::UInt64),
    row(DType::Int4, 29, "int4", 1, List::Int),
    row(DType::UInt4, 30, "uint4", 1, List::Int),
    row(DType::Int2, 31, "int2", 1, List::Int),
    row(DType::UInt2, 32, "uint2", 1, List::Int),
    row(DType::QInt8, 11, "qint8", 1, List::Int),
    row(DType::QUInt8, 12, "quint8", 1, List::Int),
    row(DType::QInt16, 15, "qint16", 2, List::Int),
    row(DType::QUInt16, 16, "quint16", 2, List::Int),
    row(DType::QInt32, 13, "qint32", 4, List::Int),
    row(DType::Bool, 10, "bool", 1, List::Bool),
    row(DType::Complex64, 8, "complex64", 8, List::Complex64),
    row(DType::Complex128, 18, "complex128", 16, List::Complex128),
];

/// Names of the types that cannot be decoded, for messages.
const NAMES: [(i32, &str); 3] = [(7, "string"), (20, "resource"), (21, "variant")];

/// Types above this number are references to the variables of a graph, which no event contains.
const FIRST_REFERENCE: i32 = 100;

impl DType {
    /// The type with this number in the log, if it can be decoded.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        TABLE.iter().find(|row| row.number == number).map(|row| row.dtype)
    }

    fn row(self) -> &'static DTypeRow {
        TABLE.iter().find(|row| row.dtype == self).expect("the table has every type")
    }

    /// Its number in the log.
    #[must_use]
    pub fn number(self) -> i32 {
        self.row().number
    }

    /// Its name in NumPy and TensorFlow.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The size of an element in bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        self.row().bytes
    }

    /// The fewest bytes that an element takes in its list.
    #[must_use]
    pub fn list_bytes(self) -> usize {
        match self.list() {
            List::Float => 4,
            List::Double | List::Complex64 => 8,
            List::Complex128 => 16,
            // Varints, and single bytes.
            List::Int
            | List::Int64
            | List::Bool
            | List::Half
            | List::Float8
            | List::UInt32
            | List::UInt64 => 1,
        }
    }

    /// What users must know about the numbers that are shown, if these are not simply the logged ones.
    #[must_use]
    pub fn caveat(self) -> Option<&'static str> {
        match self {
            Self::Complex64 | Self::Complex128 => Some("complex numbers are shown as their magnitude"),
            Self::QInt8 | Self::QUInt8 | Self::QInt16 | Self::QUInt16 | Self::QInt32 => {
                Some("quantised: shown as the logged integers, because their scale is not logged")
            }
            _ => None,
        }
    }

    /// The list that holds its elements if there is no `tensor_content`.
    #[must_use]
    pub fn list(self) -> List {
        self.row().list
    }
}

/// The name of any type number, decoded or not.
#[must_use]
pub fn name_of_number(number: i32) -> String {
    let known = NAMES.iter().find(|(other, _)| *other == number).map(|(_, name)| *name);
    match DType::from_number(number).map(DType::name).or(known) {
        Some(name) => name.to_owned(),
        // There are references to types, but no references to references.
        None if (FIRST_REFERENCE + 1..=2 * FIRST_REFERENCE).contains(&number) => {
            format!("reference to {}", name_of_number(number - FIRST_REFERENCE))
        }
        None => format!("unknown type {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::DataType;

    #[test]
    fn numbers_are_those_of_the_proto_file() {
        for row in &TABLE {
            assert_eq!(DType::from_number(row.number), Some(row.dtype));
            let upstream = DataType::try_from(row.number).unwrap().as_str_name().to_lowercase();
            let name = upstream.trim_start_matches("dt_");
            let expected = match name {
                "float" => "float32",
                "double" => "float64",
                "half" => "float16",
                name => name,
            };
            assert_eq!(row.name, expected);
        }
    }

    #[test]
    fn types_that_are_not_decoded_have_names() {
        assert_eq!(name_of_number(7), "string");
        assert_eq!(name_of_number(101), "reference to float32");
        assert_eq!(name_of_number(1), "float32");
        assert_eq!(name_of_number(77), "unknown type 77");
        assert_eq!(name_of_number(i32::MAX), "unknown type 2147483647");
        assert_eq!(name_of_number(i32::MIN), "unknown type -2147483648");
        assert_eq!(name_of_number(200), "reference to unknown type 100");
    }
}
