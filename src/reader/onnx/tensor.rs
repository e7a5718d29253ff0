//! A `TensorProto` -> its form, and where its numbers are.

use super::fields::Fields;
use crate::{
    event::wire::{FieldValue, Span, varint},
    reader::contents::{MOST_AXES, OpenError},
    tensor::{dtype::DType, minifloat::Minifloat},
};

/// An initializer.
#[derive(Debug)]
pub(super) struct Initializer {
    pub(super) name: Box<str>,
    /// The element type, or what ONNX calls it if it is none that is read.
    pub(super) dtype: Result<DType, Box<str>>,
    pub(super) shape: Vec<u64>,
    pub(super) data: Data,
}

/// Where numbers are.
#[derive(Debug)]
pub(super) enum Data {
    /// There are none.
    Nothing,
    /// In the model, as they are in memory, the least significant byte first.
    Here(Span),
    /// In the model, each as a number of Protocol Buffers.
    Varints(Span),
    /// In another file.
    Outside(Outside),
    /// In the model, in several lists, as no writer does it.
    Scattered,
}

/// A place in a file beside the model.
#[derive(Debug, Default)]
pub(super) struct Outside {
    pub(super) location: Box<str>,
    pub(super) offset: u64,
    pub(super) len: Option<u64>,
}

/// Fields of a `TensorProto`.
mod field {
    pub(super) const DIMS: u32 = 1;
    pub(super) const DATA_TYPE: u32 = 2;
    pub(super) const FLOATS: u32 = 4;
    pub(super) const INTS: u32 = 5;
    pub(super) const LONGS: u32 = 7;
    pub(super) const NAME: u32 = 8;
    pub(super) const RAW: u32 = 9;
    pub(super) const DOUBLES: u32 = 10;
    pub(super) const UNSIGNED: u32 = 11;
    pub(super) const OUTSIDE: u32 = 13;
    pub(super) const LOCATION: u32 = 14;
}

/// Reads an initializer.
///
/// # Errors
/// `Damaged` if it is none.
pub(super) fn read(fields: &mut Fields<'_>, mut span: Span) -> Result<Initializer, OpenError> {
    let (mut name, mut number, mut shape) = (Box::default(), 0, Vec::new());
    let (mut lists, mut outside, mut is_outside) = (Vec::new(), Outside::default(), false);
    while let Some((field, value)) = fields.next(&mut span)? {
        match field {
            field::DIMS => dims(fields, value, &mut shape)?,
            field::DATA_TYPE => number = value.varint()?,
            field::NAME => name = fields.name(value.span()?)?,
            field::FLOATS | field::INTS | field::LONGS | field::RAW | field::DOUBLES | field::UNSIGNED => {
                // One list is all that a writer makes, and the second says that there are more.
                let list = if let FieldValue::Bytes(span) = value { Some(span) } else { None };
                lists.extend((lists.len() < 2).then_some((field, list)));
            }
            field::OUTSIDE => entry(fields, value.span()?, &mut outside)?,
            field::LOCATION => is_outside = value.varint()? == 1,
            _ => {}
        }
    }
    let dtype = dtype(number);
    let data = match lists.as_slice() {
        _ if is_outside => Data::Outside(outside),
        [] => Data::Nothing,
        [(field::RAW | field::FLOATS | field::DOUBLES, Some(list))] => Data::Here(*list),
        [(field::INTS | field::LONGS | field::UNSIGNED, Some(list))] => Data::Varints(*list),
        _ => Data::Scattered,
    };
    Ok(Initializer { name, dtype, shape, data })
}

/// Lengths of axes, one or a list of them.
fn dims(fields: &mut Fields<'_>, value: FieldValue, shape: &mut Vec<u64>) -> Result<(), OpenError> {
    let mut add = |length: u64| match i64::try_from(length) {
        Ok(_) if shape.len() < MOST_AXES => {
            shape.push(length);
            Ok(())
        }
        Ok(_) => Err(OpenError::Damaged(format!("a tensor in it has more than {MOST_AXES} axes"))),
        Err(_) => Err(OpenError::Damaged("an axis of a tensor in it has a negative length".to_owned())),
    };
    match value {
        FieldValue::Bytes(mut list) => {
            while !list.is_empty() {
                add(varint(&mut fields.view, &mut list)?)?;
            }
            Ok(())
        }
        value => add(value.varint()?),
    }
}

/// One entry of what says where the numbers are.
fn entry(fields: &mut Fields<'_>, mut span: Span, outside: &mut Outside) -> Result<(), OpenError> {
    let (mut key, mut value): (Box<str>, Box<str>) = (Box::default(), Box::default());
    while let Some((number, found)) = fields.next(&mut span)? {
        match number {
            1 => key = fields.name(found.span()?)?,
            2 => value = fields.name(found.span()?)?,
            _ => {}
        }
    }
    let number = || value.trim().parse::<u64>();
    let wrong = |_| OpenError::Damaged("the place of numbers beside it is no number".to_owned());
    match &*key {
        "location" => outside.location = value,
        "offset" => outside.offset = number().map_err(wrong)?,
        "length" => outside.len = Some(number().map_err(wrong)?),
        _ => {}
    }
    Ok(())
}

/// The types of `TensorProto.DataType`.
fn dtype(number: u64) -> Result<DType, Box<str>> {
    let name = match number {
        1 => return Ok(DType::Float32),
        2 => return Ok(DType::UInt8),
        3 => return Ok(DType::Int8),
        4 => return Ok(DType::UInt16),
        5 => return Ok(DType::Int16),
        6 => return Ok(DType::Int32),
        7 => return Ok(DType::Int64),
        9 => return Ok(DType::Bool),
        10 => return Ok(DType::Float16),
        11 => return Ok(DType::Float64),
        12 => return Ok(DType::UInt32),
        13 => return Ok(DType::UInt64),
        14 => return Ok(DType::Complex64),
        15 => return Ok(DType::Complex128),
        16 => return Ok(DType::BFloat16),
        17 => return Ok(DType::Mini(Minifloat::E4M3Fn)),
        18 => return Ok(DType::Mini(Minifloat::E4M3Fnuz)),
        19 => return Ok(DType::Mini(Minifloat::E5M2)),
        20 => return Ok(DType::Mini(Minifloat::E5M2Fnuz)),
        8 => "string",
        21 => "uint4",
        22 => "int4",
        23 => "float4_e2m1",
        24 => "float8_e8m0",
        25 => "uint2",
        26 => "int2",
        _ => return Err(format!("type {number}").into()),
    };
    Err(name.into())
}
