//! Element types of logged tensors, as one table: number in the log, name, size, NPY name, list they travel in.

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
    /// One byte, 0 or 1.
    Bool,
}

/// The repeated field of a `TensorProto` in which a type's elements travel when there is no `tensor_content`.
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
    /// `half_val`, a 16 bit pattern in each.
    Half,
    /// `uint32_val`.
    UInt32,
    /// `uint64_val`.
    UInt64,
}

struct Row {
    dtype: DType,
    number: i32,
    name: &'static str,
    bytes: usize,
    list: List,
}

const fn row(dtype: DType, number: i32, name: &'static str, bytes: usize, list: List) -> Row {
    Row { dtype, number, name, bytes, list }
}

/// Numbers and lists as TensorFlow has them (`core/framework/types.proto`, `core/framework/tensor.cc`).
const TABLE: [Row; 13] = [
    row(DType::Float32, 1, "float32", 4, List::Float),
    row(DType::Float64, 2, "float64", 8, List::Double),
    row(DType::Float16, 19, "float16", 2, List::Half),
    row(DType::BFloat16, 14, "bfloat16", 2, List::Half),
    row(DType::Int8, 6, "int8", 1, List::Int),
    row(DType::Int16, 5, "int16", 2, List::Int),
    row(DType::Int32, 3, "int32", 4, List::Int),
    row(DType::Int64, 9, "int64", 8, List::Int64),
    row(DType::UInt8, 4, "uint8", 1, List::Int),
    row(DType::UInt16, 17, "uint16", 2, List::Int),
    row(DType::UInt32, 22, "uint32", 4, List::UInt32),
    row(DType::UInt64, 23, "uint64", 8, List::UInt64),
    row(DType::Bool, 10, "bool", 1, List::Bool),
];

/// Names of the other types that TensorFlow logs, to name them where they cannot be decoded.
const NAMES: [(i32, &str); 20] = [
    (7, "string"),
    (8, "complex64"),
    (11, "qint8"),
    (12, "quint8"),
    (13, "qint32"),
    (15, "qint16"),
    (16, "quint16"),
    (18, "complex128"),
    (20, "resource"),
    (21, "variant"),
    (24, "float8_e5m2"),
    (25, "float8_e4m3fn"),
    (26, "float8_e4m3fnuz"),
    (27, "float8_e4m3b11fnuz"),
    (28, "float8_e5m2fnuz"),
    (29, "int4"),
    (30, "uint4"),
    (31, "int2"),
    (32, "uint2"),
    (33, "float4_e2m1fn"),
];

impl DType {
    /// The type of this number in the log, if it is one that is decoded.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        TABLE.iter().find(|row| row.number == number).map(|row| row.dtype)
    }

    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.dtype == self).expect("the table has every type")
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

    /// The list that its elements travel in when there is no `tensor_content`.
    #[must_use]
    pub fn list(self) -> List {
        self.row().list
    }
}

/// The name of any type number, decoded or not.
#[must_use]
pub fn name_of_number(number: i32) -> String {
    let known = NAMES.iter().find(|(other, _)| *other == number).map(|(_, name)| *name);
    DType::from_number(number)
        .map(DType::name)
        .or(known)
        .map_or_else(|| format!("unknown type {number}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::DataType;

    #[test]
    fn numbers_are_those_of_the_proto_file() {
        for row in &TABLE {
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
        assert_eq!(name_of_number(8), "complex64");
        assert_eq!(name_of_number(1), "float32");
        assert_eq!(name_of_number(77), "unknown type 77");
    }
}
