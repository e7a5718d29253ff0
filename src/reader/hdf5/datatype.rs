//! A datatype message -> the element type.
//!
//! Source: HDF5 File Format Specification 3.0, IV.A.2.d.

use super::{fault::Read, fields::Fields};
use crate::tensor::dtype::DType;

/// The type of the elements of a dataset or of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datatype {
    /// What an element is.
    pub element: Element,
    /// Bytes of an element.
    pub len: u64,
    /// Whether the most significant byte is first.
    pub is_big_endian: bool,
}

/// What an element is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// A number.
    Number(DType),
    /// A text of a fixed length.
    Text,
    /// A text of any length, which stands in a global heap.
    LongText,
    /// Bytes that HDF5 knows nothing about.
    Opaque,
    /// Anything else, with its name.
    Other(Box<str>),
}

/// Classes of types.
mod class {
    pub(super) const INTEGER: u8 = 0;
    pub(super) const FLOAT: u8 = 1;
    pub(super) const TEXT: u8 = 3;
    pub(super) const OPAQUE: u8 = 5;
    pub(super) const COMPOUND: u8 = 6;
    pub(super) const ENUMERATION: u8 = 8;
    pub(super) const VARIABLE_LENGTH: u8 = 9;
}

impl Datatype {
    /// Reads a message.
    ///
    /// # Errors
    /// `Damaged` if it ends too early.
    pub fn read(mut fields: Fields<'_>) -> Read<Self> {
        let head = fields.byte()?;
        let (class, version) = (head & 0xf, head >> 4);
        let bits = fields.number(3)? as u32;
        let len = u64::from(fields.u32()?);
        let is_big_endian = matches!(class, class::INTEGER | class::FLOAT) && bits & 1 != 0;
        let element = match class {
            class::INTEGER => integer(bits, len, &mut fields)?,
            class::FLOAT => float(bits, len, &mut fields)?,
            class::TEXT => Element::Text,
            class::OPAQUE => Element::Opaque,
            class::COMPOUND => return complex(version, len, fields),
            class::ENUMERATION => boolean(len, bits, fields)?,
            class::VARIABLE_LENGTH if bits & 0xf == 1 => Element::LongText,
            class => Element::Other(name_of(class).into()),
        };
        Ok(Self { element, len, is_big_endian })
    }

    /// The type of its numbers, or what it is instead.
    ///
    /// # Errors
    /// The name of what is not read.
    pub fn number(&self) -> Result<DType, Box<str>> {
        match &self.element {
            Element::Number(dtype) => Ok(*dtype),
            Element::Text | Element::LongText => Err("text".into()),
            Element::Opaque => Err(format!("{} bytes without a type", self.len).into()),
            Element::Other(name) => Err(name.clone()),
        }
    }
}

fn name_of(class: u8) -> &'static str {
    match class {
        2 => "times",
        4 => "bit fields",
        6 => "compounds",
        7 => "references",
        8 => "enumerations",
        9 => "lists of varying length",
        10 => "arrays",
        _ => "an unknown type",
    }
}

fn integer(bits: u32, len: u64, fields: &mut Fields<'_>) -> Read<Element> {
    let is_signed = bits & 8 != 0;
    let (first, precision) = (fields.u16()?, fields.u16()?);
    let dtype = match (len, is_signed) {
        (1, true) => DType::Int8,
        (2, true) => DType::Int16,
        (4, true) => DType::Int32,
        (8, true) => DType::Int64,
        (1, false) => DType::UInt8,
        (2, false) => DType::UInt16,
        (4, false) => DType::UInt32,
        (8, false) => DType::UInt64,
        _ => return Ok(Element::Other(format!("integers of {len} bytes").into())),
    };
    if first == 0 && u64::from(precision) == len * 8 {
        Ok(Element::Number(dtype))
    } else {
        Ok(Element::Other(format!("integers of {precision} bits").into()))
    }
}

fn float(bits: u32, len: u64, fields: &mut Fields<'_>) -> Read<Element> {
    fields.take(4)?;
    let (exponent_at, exponent, mantissa_at, mantissa) =
        (fields.byte()?, fields.byte()?, fields.byte()?, fields.byte()?);
    let bias = fields.u32()?;
    let is_vax = bits & 0x41 == 0x41;
    let dtype = match (len, exponent_at, exponent, mantissa_at, mantissa, bias) {
        (2, 10, 5, 0, 10, 15) => Some(DType::Float16),
        (2, 7, 8, 0, 7, 127) => Some(DType::BFloat16),
        (4, 23, 8, 0, 23, 127) => Some(DType::Float32),
        (8, 52, 11, 0, 52, 1_023) => Some(DType::Float64),
        _ => None,
    };
    let other = || Element::Other(format!("floats of {len} bytes of another form").into());
    Ok(dtype.filter(|_| !is_vax).map_or_else(other, Element::Number))
}

/// h5py saves `bool` as an enumeration of `FALSE` and `TRUE` over bytes.
fn boolean(len: u64, n_members: u32, mut fields: Fields<'_>) -> Read<Element> {
    let base = fields.byte()?;
    fields.take(11)?;
    let is_bool = len == 1 && n_members & 0xffff == 2 && base & 0xf == class::INTEGER;
    let names = fields.take(fields.left())?;
    let is_bool = is_bool && names.starts_with(b"FALSE\0");
    Ok(if is_bool { Element::Number(DType::Bool) } else { Element::Other(name_of(8).into()) })
}

/// h5py saves complex numbers as compounds of `r` and `i`.
fn complex(version: u8, len: u64, mut fields: Fields<'_>) -> Read<Datatype> {
    let other = |is_big_endian| Datatype { element: Element::Other(name_of(6).into()), len, is_big_endian };
    let mut parts = Vec::new();
    for (name, at) in [(b"r\0", 0), (b"i\0", len / 2)] {
        if fields.take(2)? != name {
            return Ok(other(false));
        }
        // Names are padded to 8 bytes, and places have 4, before version 3.
        let place = match version {
            1 => {
                fields.take(6)?;
                let place = u64::from(fields.u32()?);
                fields.take(28)?;
                place
            }
            2 => fields.take(6).and_then(|_| fields.u32()).map(u64::from)?,
            _ => {
                let width = super::btree2::bytes_for(len);
                fields.number(width)?
            }
        };
        // A float has 12 bytes after its first 8.
        let part = fields;
        let is_float = fields.take(20)?[0] & 0xf == class::FLOAT;
        if !is_float || place != at {
            return Ok(other(false));
        }
        let part = Datatype::read(part)?;
        if part.len != len / 2 {
            return Ok(other(false));
        }
        parts.push(part);
    }
    let dtype = match (&parts[0].element, parts[0] == parts[1]) {
        (Element::Number(DType::Float32), true) => DType::Complex64,
        (Element::Number(DType::Float64), true) => DType::Complex128,
        _ => return Ok(other(false)),
    };
    Ok(Datatype { element: Element::Number(dtype), len, is_big_endian: parts[0].is_big_endian })
}
