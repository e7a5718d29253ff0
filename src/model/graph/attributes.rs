//! The attributes of a node that matter: strides and similar ones, the shapes of variables, short constants, called functions.

use super::bytes::{DT_RESOURCE, LONGEST_NAME, arg, text};
use crate::{
    event::wire::{FieldValue, Span, WireError, next_field},
    source::window::Peek,
};

const LONGEST_LIST: usize = 64;

/// Longer constant texts are not tags.
const LONGEST_TEXT: usize = 1 << 10;

/// Longer lists of integers are not dilations.
const LONGEST_INTS: usize = 64;

const DT_INT32: u64 = 3;

/// Attributes that matter. Most nodes have none and share the default.
#[derive(Debug, PartialEq)]
pub(super) struct Attributes {
    pub(super) strides: Vec<i64>,
    pub(super) dilations: Vec<i64>,
    pub(super) ksize: Vec<i64>,
    pub(super) padding: Option<Box<str>>,
    pub(super) data_format: Option<Box<str>>,
    /// For a variable.
    pub(super) shape: Option<Vec<i64>>,
    pub(super) transpose_b: bool,
    /// For a constant.
    pub(super) text: Option<Box<str>>,
    /// For a constant with a few 32-bit integers.
    pub(super) ints: Vec<i32>,
    /// For a slice.
    pub(super) keeps_axes: bool,
    /// The function that the node calls.
    pub(super) function: Option<Box<str>>,
    /// For a placeholder or an argument: whether it is the handle of a variable.
    pub(super) is_resource: bool,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            strides: Vec::new(),
            dilations: Vec::new(),
            ksize: Vec::new(),
            padding: None,
            data_format: None,
            shape: None,
            transpose_b: false,
            text: None,
            ints: Vec::new(),
            keeps_axes: true,
            function: None,
            is_resource: false,
        }
    }
}

impl Attributes {
    /// Reads one attribute: `NodeDef { attr 5 { key 1, value 2 } }`.
    pub(super) fn read<P: Peek>(&mut self, source: &mut P, mut span: Span) -> Result<(), WireError> {
        let (mut key, mut content) = (Box::<str>::default(), None);
        while let Some((number, value)) = next_field(source, &mut span)? {
            match number {
                1 => key = text(source, value.span()?, LONGEST_NAME)?,
                2 => content = Some(value.span()?),
                _ => {}
            }
        }
        let Some(content) = content else { return Ok(()) };
        match &*key {
            "strides" => self.strides = list(source, content)?,
            "dilations" => self.dilations = list(source, content)?,
            "ksize" => self.ksize = list(source, content)?,
            "padding" => self.padding = string(source, content)?,
            "data_format" => self.data_format = string(source, content)?,
            "shape" => self.shape = shape(source, content)?,
            // Placeholders have `dtype`, arguments have `T`.
            "dtype" | "T" => self.is_resource |= number(source, content, 6)? == DT_RESOURCE,
            "transpose_b" => self.transpose_b = number(source, content, 5)? != 0,
            "shrink_axis_mask" | "new_axis_mask" | "ellipsis_mask" => {
                self.keeps_axes &= number(source, content, 3)? == 0;
            }
            "value" => self.constant(source, content)?,
            "f" | "then_branch" | "body" => self.function = function_name(source, content)?,
            _ => {}
        }
        Ok(())
    }

    /// `AttrValue { tensor 8 { dtype 1, tensor_content 4, int_val 7, string_val 8 } }`, if it is short.
    fn constant<P: Peek>(&mut self, source: &mut P, mut span: Span) -> Result<(), WireError> {
        while let Some((field, value)) = next_field(source, &mut span)? {
            if field == 8 {
                self.tensor(source, value.span()?)?;
            }
        }
        Ok(())
    }

    fn tensor<P: Peek>(&mut self, source: &mut P, mut span: Span) -> Result<(), WireError> {
        let mut is_int32 = false;
        while let Some((field, value)) = next_field(source, &mut span)? {
            match (field, value) {
                (1, FieldValue::Varint(dtype)) => is_int32 = dtype == DT_INT32,
                (4, FieldValue::Bytes(content)) if is_int32 && content.len() <= LONGEST_INTS as u64 => {
                    let (elements, _) = content.bytes(source, LONGEST_INTS)?.as_chunks::<4>();
                    self.ints = elements.iter().map(|element| i32::from_le_bytes(*element)).collect();
                }
                (7, FieldValue::Varint(number)) if self.ints.len() < LONGEST_LIST => {
                    self.ints.push(number as i32);
                }
                (7, FieldValue::Bytes(numbers)) if numbers.len() <= LONGEST_INTS as u64 => {
                    self.ints = packed(source, numbers)?.into_iter().map(|number| number as i32).collect();
                }
                (8, FieldValue::Bytes(content))
                    if content.len() <= LONGEST_TEXT as u64 && self.text.is_none() =>
                {
                    self.text = Some(text(source, content, LONGEST_TEXT)?);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// `AttrValue { list 1 { i 3 } }`
fn list<P: Peek>(source: &mut P, mut span: Span) -> Result<Vec<i64>, WireError> {
    let mut numbers = Vec::new();
    while let Some((field, value)) = next_field(source, &mut span)? {
        if field != 1 {
            continue;
        }
        let mut list = value.span()?;
        while let Some((field, value)) = next_field(source, &mut list)? {
            match (field, value) {
                (3, FieldValue::Varint(n)) => numbers.push(n.cast_signed()),
                (3, FieldValue::Bytes(list)) => numbers.extend(packed(source, list)?),
                _ => {}
            }
            if numbers.len() > LONGEST_LIST {
                return Err(WireError::Malformed("a list of strides is longer than any tensor has axes"));
            }
        }
    }
    Ok(numbers)
}

fn packed<P: Peek>(source: &mut P, span: Span) -> Result<Vec<i64>, WireError> {
    let bytes = span.bytes(source, LONGEST_LIST * 10)?;
    let (mut numbers, mut number, mut shift) = (Vec::new(), 0_u64, 0);
    for byte in bytes {
        number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            numbers.push(number.cast_signed());
            (number, shift) = (0, 0);
        }
    }
    Ok(numbers)
}

/// `AttrValue { s 2 }`
fn string<P: Peek>(source: &mut P, mut span: Span) -> Result<Option<Box<str>>, WireError> {
    let mut string = None;
    while let Some((field, value)) = next_field(source, &mut span)? {
        if field == 2 {
            string = Some(text(source, value.span()?, LONGEST_NAME)?);
        }
    }
    Ok(string)
}

/// `AttrValue { func 10 { name 1 } }`
fn function_name<P: Peek>(source: &mut P, mut span: Span) -> Result<Option<Box<str>>, WireError> {
    let mut name = None;
    while let Some((field, value)) = next_field(source, &mut span)? {
        if field == 10 {
            name = Some(arg(source, value.span()?)?.0);
        }
    }
    Ok(name)
}

/// `AttrValue { i 3, b 5, type 6 }`
fn number<P: Peek>(source: &mut P, mut span: Span, wanted: u32) -> Result<u64, WireError> {
    let mut found = 0;
    while let Some((field, value)) = next_field(source, &mut span)? {
        if field == wanted {
            found = value.varint()?;
        }
    }
    Ok(found)
}

/// `AttrValue { shape 7 { dim 2 { size 1 }, unknown_rank 3 } }`
fn shape<P: Peek>(source: &mut P, mut span: Span) -> Result<Option<Vec<i64>>, WireError> {
    let mut lengths = None;
    while let Some((field, value)) = next_field(source, &mut span)? {
        if field != 7 {
            continue;
        }
        let (mut shape, mut is_known, mut axes) = (value.span()?, true, Vec::new());
        while let Some((field, value)) = next_field(source, &mut shape)? {
            match field {
                2 if axes.len() < LONGEST_LIST => axes.push(number(source, value.span()?, 1)?.cast_signed()),
                3 => is_known = value.varint()? == 0,
                _ => {}
            }
        }
        lengths = is_known.then_some(axes);
    }
    Ok(lengths)
}
