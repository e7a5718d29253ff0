//! A `SavedTensorSlices` -> the tensors of a checkpoint, or where the numbers of a part of one are.

use crate::{
    event::wire::{FieldValue, Span, next_field, varint},
    reader::{
        contents::OpenError,
        tensorflow::{shape, slice::Slice},
    },
    source::window::Peek,
    tensor::dtype::{DType, List},
};

const LONGEST_NAME: usize = 16 << 10;
/// The field of a `TensorProto` that has the bytes as they are in memory.
const TENSOR_CONTENT: u32 = 4;

/// Type and shape of a tensor.
#[derive(Debug, Default)]
pub struct Meta {
    /// Its name.
    pub name: Vec<u8>,
    /// The number of its type.
    pub dtype: i32,
    /// The length of each axis.
    pub shape: Vec<u64>,
}

/// Where the numbers of a part of a tensor are.
#[derive(Debug, Default)]
pub struct Values {
    /// The tensor's name.
    pub name: Vec<u8>,
    /// Which part it is.
    pub slice: Slice,
    /// The field of the `TensorProto` that has them, and its bytes; `None` if there is none, or several.
    list: Option<(u32, Span)>,
}

/// Gives all tensors that are described.
///
/// # Errors
/// `Damaged` for impossible bytes, and errors of `take`.
pub fn read_metas<P: Peek>(
    source: &mut P,
    mut span: Span,
    take: &mut dyn FnMut(Meta) -> Result<(), OpenError>,
) -> Result<(), OpenError> {
    while let Some((number, value)) = next_field(source, &mut span)? {
        if number != 1 {
            continue;
        }
        let mut metas = value.span()?;
        while let Some((number, value)) = next_field(source, &mut metas)? {
            if number == 1 {
                take(read_meta(source, value.span()?)?)?;
            }
        }
    }
    Ok(())
}

fn read_meta<P: Peek>(source: &mut P, mut span: Span) -> Result<Meta, OpenError> {
    let mut meta = Meta::default();
    while let Some((number, value)) = next_field(source, &mut span)? {
        match number {
            1 => meta.name = value.span()?.bytes(source, LONGEST_NAME)?.to_vec(),
            2 => meta.shape = shape::read(source, value.span()?)?,
            3 => meta.dtype = i32::try_from(value.varint()?).unwrap_or(0),
            _ => {}
        }
    }
    Ok(meta)
}

/// Reads where the numbers of a part are.
///
/// # Errors
/// `Damaged` for impossible bytes.
pub fn read_values<P: Peek>(source: &mut P, mut span: Span) -> Result<Values, OpenError> {
    let mut values = Values::default();
    while let Some((number, value)) = next_field(source, &mut span)? {
        if number != 2 {
            continue;
        }
        let mut saved = value.span()?;
        while let Some((number, value)) = next_field(source, &mut saved)? {
            match number {
                1 => values.name = value.span()?.bytes(source, LONGEST_NAME)?.to_vec(),
                2 => values.slice = Slice::read(source, value.span()?)?,
                3 => values.list = list(source, value.span()?)?,
                _ => {}
            }
        }
    }
    Ok(values)
}

/// The only field of a `TensorProto` that has numbers.
fn list<P: Peek>(source: &mut P, mut span: Span) -> Result<Option<(u32, Span)>, OpenError> {
    let mut found = None;
    while let Some((number, value)) = next_field(source, &mut span)? {
        // Type and shape are fields 1 and 2, and were read with the description.
        if let FieldValue::Bytes(bytes) = value
            && number >= TENSOR_CONTENT
            && found.replace((number, bytes)).is_some()
        {
            return Ok(None);
        }
    }
    Ok(found)
}

impl Values {
    /// The bytes of the numbers if they stand side by side and little-endian, as elements of this type.
    #[must_use]
    pub fn side_by_side(&self, dtype: DType) -> Option<Span> {
        let (number, bytes) = self.list?;
        // Fields of `core/framework/tensor.proto`. A bool takes one byte.
        let fixed = match dtype.list() {
            List::Float => 5,
            List::Double => 6,
            List::Complex64 => 9,
            List::Bool => 11,
            List::Complex128 => 12,
            _ => TENSOR_CONTENT,
        };
        (number == fixed || number == TENSOR_CONTENT).then_some(bytes)
    }

    /// The only number of a list of `int_val` or `int64_val`.
    ///
    /// # Errors
    /// Errors of the file.
    pub fn number<P: Peek>(&self, source: &mut P) -> Result<Option<i64>, OpenError> {
        let Some((7 | 10, mut bytes)) = self.list else { return Ok(None) };
        let number = varint(source, &mut bytes)?;
        Ok(bytes.is_empty().then_some(number.cast_signed()))
    }
}
