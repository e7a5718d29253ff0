//! A `TensorProto` -> a tensor; content and full, short and empty lists have the same meaning as in TensorFlow.
//!
//! If there is `tensor_content`, it is used and must have exactly the shape's length. Otherwise the list of the type is used: if
//! it is too long, its first n elements; if short, it is filled with its last element; if empty, zeros (TensorFlow,
//! `core/framework/tensor.cc`, `FromProtoField`). Sizes are checked before memory is allocated: nineteen bytes can claim a
//! terabyte.

use bytes::Bytes;
use prost::Message;

use super::{
    Tensor,
    dtype::{DType, List, name_of_number},
    frames::Frames,
    picture::{MOST_PICTURES, PictureError},
    shape::{Shape, ShapeError},
};
use crate::{
    event::{
        outline::TEXTS_BEFORE_PICTURES,
        wire::{Span, WireError, next_field},
    },
    proto::{TensorProto, summary, summary::value::Value},
};

/// The most bytes that are made from a list that is shorter than the shape requires. Writers log whole tensors: a short list
/// means a constant, and nobody needs a large picture of a constant.
pub const MOST_FILLED_BYTES: usize = 64 << 20;

/// Why a value of the log gives no tensor. All except the last are facts about the file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are no event, or no value of a summary.
    #[error("the record is no event: {0}")]
    Malformed(String),
    /// The event has no value at this position, or another kind of value.
    #[error("the event has no tensor there")]
    NoTensor,
    /// Encoded pictures that give no tensor.
    #[error(transparent)]
    Pictures(#[from] PictureError),
    /// A type that is not decoded.
    #[error("elements of type {} are not read", name_of_number(*.0))]
    DType(i32),
    /// The writer did not know the rank.
    #[error("the tensor has no known rank")]
    UnknownRank,
    /// No shape.
    #[error("the shape is impossible: {0}")]
    Shape(#[from] ShapeError),
    /// The content's length is not the shape's.
    #[error("the content has {found} bytes where shape and type need {needed}")]
    ContentLength {
        /// Bytes in the log.
        found: usize,
        /// Bytes by shape and type.
        needed: usize,
    },
    /// A truth value that is neither 0 nor 1.
    #[error("a bool of the content is {0}, where only 0 and 1 are truth values")]
    NoBool(u8),
    /// A short list that would have to be extended to too many bytes.
    #[error(
        "its list of {list} elements would be filled up to {needed} bytes with the last one: a constant of that size is not made"
    )]
    FillBomb {
        /// Elements in the list.
        list: usize,
        /// Bytes by shape and type.
        needed: usize,
    },
    /// More bytes than the reader allows for one tensor.
    #[error("{needed} bytes are above the limit of {limit}; raise --max-record-mb to read it")]
    TooLarge {
        /// Bytes by shape and type.
        needed: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

/// Decodes the tensor in a value of a summary. It shares the value's memory where it can.
///
/// # Errors
/// If the value holds no tensor of at most `limit` bytes that can be read.
pub fn tensor_of_value(value: Bytes, limit: usize) -> Result<Tensor, DecodeError> {
    match content(value)? {
        Some(Value::Tensor(tensor)) => tensor_of_proto(tensor, limit),
        _ => Err(DecodeError::NoTensor),
    }
}

/// The encoded pictures in a value of a summary: the one of an image value (TensorFlow 1), or those that come after width and
/// height in a tensor of strings (TensorFlow 2).
///
/// # Errors
/// If it holds neither.
pub fn pictures_of_value(value: Bytes) -> Result<Vec<Bytes>, DecodeError> {
    let texts = texts_of_value(&value).map_err(|error| DecodeError::Malformed(error.to_string()))?;
    if texts > MOST_PICTURES + TEXTS_BEFORE_PICTURES as usize {
        return Err(PictureError::TooMany(texts - TEXTS_BEFORE_PICTURES as usize).into());
    }
    match content(value)? {
        Some(Value::Image(image)) => Ok(vec![image.encoded_image_string]),
        Some(Value::Tensor(texts)) => {
            Ok(texts.string_val.into_iter().skip(TEXTS_BEFORE_PICTURES as usize).collect())
        }
        _ => Err(DecodeError::NoTensor),
    }
}

/// How many strings the tensor of a value has, counted without taking memory for each.
fn texts_of_value(mut value: &[u8]) -> Result<usize, WireError> {
    /// `Summary.Value { tensor 8 }`, `TensorProto { string_val 8 }`
    const TENSOR: u32 = 8;
    const TEXT: u32 = 8;
    let (mut texts, mut fields) = (0, Span { at: 0, end: value.len() as u64 });
    while let Some((number, field)) = next_field(&mut value, &mut fields)? {
        let mut tensor = if number == TENSOR { field.span()? } else { continue };
        while let Some((number, _)) = next_field(&mut value, &mut tensor)? {
            texts += usize::from(number == TEXT);
        }
    }
    Ok(texts)
}

fn content(value: Bytes) -> Result<Option<Value>, DecodeError> {
    let value = summary::Value::decode(value).map_err(|error| DecodeError::Malformed(error.to_string()))?;
    Ok(value.value)
}

/// Decodes one tensor message.
///
/// # Errors
/// If it is no tensor of at most `limit` bytes that can be read.
pub fn tensor_of_proto(proto: TensorProto, limit: usize) -> Result<Tensor, DecodeError> {
    let dtype = DType::from_number(proto.dtype).ok_or(DecodeError::DType(proto.dtype))?;
    let logged = proto.tensor_shape.as_ref();
    if logged.is_some_and(|shape| shape.unknown_rank) {
        return Err(DecodeError::UnknownRank);
    }
    let dims: Vec<i64> =
        logged.map(|shape| shape.dim.iter().map(|dim| dim.size).collect()).unwrap_or_default();
    let shape = Shape::new(&dims)?;
    let needed = shape.elements().checked_mul(dtype.bytes()).ok_or(ShapeError::Overflow)?;
    if needed == 0 {
        // TensorFlow ignores the lists of a tensor without elements.
        return Ok(Tensor { dtype, shape, bytes: Bytes::new(), frames: Frames::default() });
    }
    if !proto.tensor_content.is_empty() {
        let bytes = bytes_of_content(dtype, proto.tensor_content, needed)?;
        return Ok(Tensor { dtype, shape, bytes, frames: Frames::default() });
    }
    if needed > limit {
        return Err(DecodeError::TooLarge { needed, limit });
    }
    let list = elements_of_list(dtype, &proto);
    if list < shape.elements() && needed > MOST_FILLED_BYTES {
        return Err(DecodeError::FillBomb { list, needed });
    }
    let bytes = Bytes::from(bytes_of_list(dtype, &proto, shape.elements()));
    Ok(Tensor { dtype, shape, bytes, frames: Frames::default() })
}

fn bytes_of_content(dtype: DType, content: Bytes, needed: usize) -> Result<Bytes, DecodeError> {
    let found = content.len();
    if found != needed {
        return Err(DecodeError::ContentLength { found, needed });
    }
    let no_bool = content.iter().copied().find(|byte| dtype == DType::Bool && *byte > 1);
    no_bool.map_or(Ok(content), |byte| Err(DecodeError::NoBool(byte)))
}

fn elements_of_list(dtype: DType, proto: &TensorProto) -> usize {
    match dtype.list() {
        List::Float => proto.float_val.len(),
        List::Double => proto.double_val.len(),
        List::Int if is_pytorchs_uint8(dtype, proto) => proto.uint32_val.len(),
        List::Int => proto.int_val.len(),
        List::Int64 => proto.int64_val.len(),
        List::Bool => proto.bool_val.len(),
        List::Half => proto.half_val.len(),
        List::Float8 => proto.float8_val.len(),
        List::Complex64 => proto.scomplex_val.len() / 2,
        List::Complex128 => proto.dcomplex_val.len() / 2,
        List::UInt32 => proto.uint32_val.len(),
        List::UInt64 => proto.uint64_val.len(),
    }
}

/// PyTorch's writer puts uint8 into `uint32_val`, where TensorFlow would read zeros.
fn is_pytorchs_uint8(dtype: DType, proto: &TensorProto) -> bool {
    dtype == DType::UInt8 && proto.int_val.is_empty()
}

fn bytes_of_list(dtype: DType, proto: &TensorProto, n: usize) -> Vec<u8> {
    match dtype.list() {
        List::Float => filled(&proto.float_val, n, f32::to_le_bytes),
        List::Double => filled(&proto.double_val, n, f64::to_le_bytes),
        List::Int64 => filled(&proto.int64_val, n, i64::to_le_bytes),
        List::UInt64 => filled(&proto.uint64_val, n, u64::to_le_bytes),
        List::UInt32 => filled(&proto.uint32_val, n, u32::to_le_bytes),
        List::Bool => filled(&proto.bool_val, n, |x| [u8::from(x)]),
        List::Half => bytes_of_halves(dtype, &proto.half_val, n),
        List::Float8 => filled(&proto.float8_val, n, |byte| [byte]),
        List::Complex64 => {
            filled(proto.scomplex_val.as_chunks().0, n, |parts| joined::<4, 8>(parts.map(f32::to_le_bytes)))
        }
        List::Complex128 => {
            filled(proto.dcomplex_val.as_chunks().0, n, |parts| joined::<8, 16>(parts.map(f64::to_le_bytes)))
        }
        List::Int if is_pytorchs_uint8(dtype, proto) => {
            filled(&proto.uint32_val, n, |x| [x.to_le_bytes()[0]])
        }
        List::Int => match dtype.bytes() {
            1 => filled(&proto.int_val, n, |x| [x.to_le_bytes()[0]]),
            2 => filled(&proto.int_val, n, |x| [x.to_le_bytes()[0], x.to_le_bytes()[1]]),
            _ => filled(&proto.int_val, n, i32::to_le_bytes),
        },
    }
}

/// `half_val` holds 16 bit patterns. PyTorch's writer puts the bits of a float32 there instead; if any value does not
/// fit 16 bits, this is the case for the whole tensor.
fn bytes_of_halves(dtype: DType, halves: &[i32], n: usize) -> Vec<u8> {
    if halves.iter().all(|&bits| u16::try_from(bits).is_ok()) {
        return filled(halves, n, |bits| [bits.to_le_bytes()[0], bits.to_le_bytes()[1]]);
    }
    filled(halves, n, |bits| {
        let value = f32::from_bits(bits.cast_unsigned());
        match dtype {
            DType::BFloat16 => half::bf16::from_f32(value).to_le_bytes(),
            _ => half::f16::from_f32(value).to_le_bytes(),
        }
    })
}

/// The bytes of the real and then of the imaginary part.
fn joined<const HALF: usize, const WHOLE: usize>([real, imaginary]: [[u8; HALF]; 2]) -> [u8; WHOLE] {
    let mut bytes = [0; WHOLE];
    bytes[..HALF].copy_from_slice(&real);
    bytes[HALF..].copy_from_slice(&imaginary);
    bytes
}

fn filled<T: Copy + Default, const N: usize>(
    list: &[T],
    n: usize,
    le_bytes: impl Fn(T) -> [u8; N],
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(n * N);
    for &element in list.iter().take(n) {
        bytes.extend_from_slice(&le_bytes(element));
    }
    let last = le_bytes(list.last().copied().unwrap_or_default());
    for _ in list.len()..n {
        bytes.extend_from_slice(&last);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{TensorShapeProto, tensor_shape_proto::Dim};

    const LIMIT: usize = 1 << 20;

    fn proto(dtype: i32, dims: &[i64]) -> TensorProto {
        let dim = dims.iter().map(|&size| Dim { size, ..Dim::default() }).collect();
        let tensor_shape = Some(TensorShapeProto { dim, unknown_rank: false });
        TensorProto { dtype, tensor_shape, ..TensorProto::default() }
    }

    fn check(proto: TensorProto, expected: Result<&[f32], DecodeError>) {
        let decoded = tensor_of_proto(proto, LIMIT).map(|tensor| tensor.bytes.to_vec());
        let expected = expected.map(|values| values.iter().flat_map(|x| x.to_le_bytes()).collect());
        assert_eq!(decoded, expected);
    }

    #[test]
    fn lists_are_cut_filled_or_zero() {
        let floats = |n, float_val| TensorProto { float_val, ..proto(1, &[n]) };
        check(floats(3, vec![1.0, 2.0, 3.0]), Ok(&[1.0, 2.0, 3.0]));
        check(floats(2, vec![1.0, 2.0, 3.0]), Ok(&[1.0, 2.0]));
        check(floats(4, vec![1.0, 2.0]), Ok(&[1.0, 2.0, 2.0, 2.0]));
        check(floats(2, vec![]), Ok(&[0.0, 0.0]));
        check(floats(0, vec![]), Ok(&[]));
    }

    #[test]
    fn odd_tensors_are_refused_before_they_cost_anything() {
        let limit = LIMIT;
        check(proto(1, &[1 << 38]), Err(DecodeError::TooLarge { needed: 1 << 40, limit }));
        check(proto(1, &[-1]), Err(DecodeError::Shape(ShapeError::Negative { axis: 0, length: -1 })));
        check(proto(1, &[1 << 62]), Err(DecodeError::Shape(ShapeError::Overflow)));
        check(proto(77, &[1]), Err(DecodeError::DType(77)));
        let short = TensorProto { tensor_content: Bytes::from_static(&[0; 7]), ..proto(1, &[2]) };
        check(short, Err(DecodeError::ContentLength { found: 7, needed: 8 }));
    }

    #[test]
    fn a_large_constant_is_not_made() {
        let bomb = || TensorProto { float_val: vec![1.0], ..proto(1, &[1 << 25]) };
        let needed = 1 << 27;
        assert_eq!(tensor_of_proto(bomb(), 1 << 30), Err(DecodeError::FillBomb { list: 1, needed }));
        let empty = TensorProto { float_val: vec![], ..bomb() };
        assert_eq!(tensor_of_proto(empty, 1 << 30), Err(DecodeError::FillBomb { list: 0, needed }));
    }

    #[test]
    fn truth_values_are_0_and_1() {
        let bools = |content: &'static [u8]| {
            let bools = TensorProto { tensor_content: Bytes::from_static(content), ..proto(10, &[2]) };
            tensor_of_proto(bools, LIMIT)
        };
        assert_eq!(bools(&[0, 1]).unwrap().bytes[..], [0, 1]);
        assert_eq!(bools(&[0, 2]), Err(DecodeError::NoBool(2)));
    }

    #[test]
    fn pytorchs_halves_are_known_by_their_size() {
        let torch = TensorProto { half_val: vec![1.5_f32.to_bits().cast_signed(), 0], ..proto(19, &[2]) };
        let tensor = tensor_of_proto(torch, LIMIT).unwrap();
        assert_eq!(tensor.bytes[..2], half::f16::from_f32(1.5).to_le_bytes());
        let proper = TensorProto { half_val: vec![0x3e00, 0], ..proto(19, &[2]) };
        assert_eq!(tensor_of_proto(proper, LIMIT).unwrap(), tensor);
    }

    #[test]
    fn content_is_shared_not_copied() {
        let content = Bytes::from(vec![0; 8]);
        let whole = TensorProto { tensor_content: content.clone(), ..proto(1, &[2]) };
        assert_eq!(tensor_of_proto(whole, LIMIT).unwrap().bytes.as_ptr(), content.as_ptr());
    }

    #[test]
    fn a_list_of_empty_pictures_is_refused_before_memory_is_taken_for_it() {
        let value = |n: usize| {
            let texts = vec![Bytes::new(); n + 2];
            let tensor = TensorProto { string_val: texts, dtype: 7, ..TensorProto::default() };
            Bytes::from(
                summary::Value { value: Some(Value::Tensor(tensor)), ..Default::default() }.encode_to_vec(),
            )
        };
        assert_eq!(pictures_of_value(value(3)).map(|pictures| pictures.len()), Ok(3));
        let refused = pictures_of_value(value(MOST_PICTURES + 1));
        assert_eq!(refused, Err(PictureError::TooMany(MOST_PICTURES + 1).into()));
    }
}
