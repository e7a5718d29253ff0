//! The attributes of a node that matter: strides and their like, the shapes of variables, short constants, called functions.

use crate::{
    event::wire::{Span, Value, WireError, next_field},
    source::window::Peek,
};

use super::nodes::{DT_RESOURCE, LONGEST_NAME, Reader};

const LONGEST_LIST: usize = 64;

/// Longer texts of constants are no tags.
const LONGEST_TEXT: usize = 1 << 10;

/// Longer lists of integers are no dilation.
const LONGEST_INTS: usize = 64;

const DT_INT32: u64 = 3;

/// Attributes that matter. Most nodes have none of them, and share the default.
#[derive(Debug, PartialEq)]
pub(super) struct Attributes {
    pub(super) strides: Vec<i64>,
    pub(super) dilations: Vec<i64>,
    pub(super) ksize: Vec<i64>,
    pub(super) padding: Option<Box<str>>,
    pub(super) data_format: Option<Box<str>>,
    /// Of a variable.
    pub(super) shape: Option<Vec<i64>>,
    pub(super) transpose_b: bool,
    /// Of a constant.
    pub(super) text: Option<Box<str>>,
    /// Of a constant of a few 32 bit integers.
    pub(super) ints: Vec<i32>,
    /// Of a slice.
    pub(super) keeps_axes: bool,
    /// The function that the node calls.
    pub(super) function: Option<Box<str>>,
    /// Of a placeholder or an argument: whether it is the handle of a variable.
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
    /// Whether a slice of these masks takes away or adds no axis.
    fn set_masks(&mut self, shrinks: bool) {
        self.keeps_axes &= !shrinks;
    }
}

impl<P: Peek> Reader<'_, P> {
    pub(super) fn attribute(&mut self, mut span: Span, attributes: &mut Attributes) -> Result<(), WireError> {
        let (mut key, mut content) = (Box::<str>::default(), None);
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            match number {
                1 => key = self.text(value.span()?, LONGEST_NAME)?,
                2 => content = Some(value.span()?),
                _ => {}
            }
        }
        let Some(content) = content else { return Ok(()) };
        match &*key {
            "strides" => attributes.strides = self.list(content)?,
            "dilations" => attributes.dilations = self.list(content)?,
            "ksize" => attributes.ksize = self.list(content)?,
            "padding" => attributes.padding = self.string(content)?,
            "data_format" => attributes.data_format = self.string(content)?,
            "shape" => attributes.shape = self.shape(content)?,
            // Placeholders have one, arguments the other.
            "dtype" | "T" => attributes.is_resource |= self.number(content, 6)? == DT_RESOURCE,
            "transpose_b" => attributes.transpose_b = self.number(content, 5)? != 0,
            "shrink_axis_mask" | "new_axis_mask" | "ellipsis_mask" => {
                attributes.set_masks(self.number(content, 3)? != 0);
            }
            "value" => self.constant(content, attributes)?,
            "f" | "then_branch" | "body" => attributes.function = self.function_name(content)?,
            _ => {}
        }
        Ok(())
    }

    /// `AttrValue { list 1 { i 3 } }`
    fn list(&mut self, mut span: Span) -> Result<Vec<i64>, WireError> {
        let mut numbers = Vec::new();
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            if number != 1 {
                continue;
            }
            let mut list = value.span()?;
            while let Some((number, value)) = next_field(self.source, &mut list)? {
                match (number, value) {
                    (3, Value::Varint(n)) => numbers.push(n.cast_signed()),
                    (3, Value::Bytes(packed)) => numbers.extend(self.packed(packed)?),
                    _ => {}
                }
                if numbers.len() > LONGEST_LIST {
                    return Err(WireError::Malformed("a list of strides is longer than any tensor has axes"));
                }
            }
        }
        Ok(numbers)
    }

    fn packed(&mut self, span: Span) -> Result<Vec<i64>, WireError> {
        let bytes = span.bytes(self.source, LONGEST_LIST * 10)?;
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
    fn string(&mut self, mut span: Span) -> Result<Option<Box<str>>, WireError> {
        let mut string = None;
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            if number == 2 {
                string = Some(self.text(value.span()?, LONGEST_NAME)?);
            }
        }
        Ok(string)
    }

    /// `AttrValue { func 10 { name 1 } }`
    fn function_name(&mut self, span: Span) -> Result<Option<Box<str>>, WireError> {
        let mut name = None;
        self.each(span, 10, |reader, function| {
            name = Some(reader.arg(function)?.0);
            Ok(())
        })?;
        Ok(name)
    }

    /// `AttrValue { i 3, b 5, type 6 }`
    fn number(&mut self, mut span: Span, wanted: u32) -> Result<u64, WireError> {
        let mut found = 0;
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            if number == wanted {
                found = value.varint()?;
            }
        }
        Ok(found)
    }

    /// `AttrValue { shape 7 { dim 2 { size 1 }, unknown_rank 3 } }`
    fn shape(&mut self, mut span: Span) -> Result<Option<Vec<i64>>, WireError> {
        let mut lengths = None;
        while let Some((number, value)) = next_field(self.source, &mut span)? {
            if number != 7 {
                continue;
            }
            let (mut shape, mut is_known, mut axes) = (value.span()?, true, Vec::new());
            while let Some((number, value)) = next_field(self.source, &mut shape)? {
                match number {
                    2 if axes.len() < LONGEST_LIST => axes.push(self.number(value.span()?, 1)?.cast_signed()),
                    3 => is_known = value.varint()? == 0,
                    _ => {}
                }
            }
            lengths = is_known.then_some(axes);
        }
        Ok(lengths)
    }

    /// `AttrValue { tensor 8 { dtype 1, tensor_content 4, int_val 7, string_val 8 } }`, where it is short.
    fn constant(&mut self, span: Span, attributes: &mut Attributes) -> Result<(), WireError> {
        self.each(span, 8, |reader, mut tensor| {
            let mut is_int32 = false;
            while let Some((number, value)) = next_field(reader.source, &mut tensor)? {
                match (number, value) {
                    (1, Value::Varint(dtype)) => is_int32 = dtype == DT_INT32,
                    (4, Value::Bytes(content)) if is_int32 && content.len() <= LONGEST_INTS as u64 => {
                        let (elements, _) = content.bytes(reader.source, LONGEST_INTS)?.as_chunks::<4>();
                        attributes.ints =
                            elements.iter().map(|element| i32::from_le_bytes(*element)).collect();
                    }
                    (7, Value::Varint(number)) if attributes.ints.len() < LONGEST_LIST => {
                        attributes.ints.push(number as i32);
                    }
                    (7, Value::Bytes(packed)) if packed.len() <= LONGEST_INTS as u64 => {
                        attributes.ints =
                            reader.packed(packed)?.into_iter().map(|number| number as i32).collect();
                    }
                    (8, Value::Bytes(text))
                        if text.len() <= LONGEST_TEXT as u64 && attributes.text.is_none() =>
                    {
                        attributes.text = Some(reader.text(text, LONGEST_TEXT)?);
                    }
                    _ => {}
                }
            }
            Ok(())
        })
    }
}
