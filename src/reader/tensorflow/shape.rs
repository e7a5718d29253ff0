//! A `TensorShapeProto` -> the length of each axis.

use crate::{
    event::wire::{Span, next_field},
    reader::contents::{MOST_AXES, OpenError},
    source::window::Peek,
};

/// Reads a `TensorShapeProto`.
///
/// # Errors
/// `Damaged` if it is none, or if it is not known in full.
pub fn read<P: Peek>(source: &mut P, mut span: Span) -> Result<Vec<u64>, OpenError> {
    let mut shape = Vec::new();
    while let Some((number, value)) = next_field(source, &mut span)? {
        match number {
            2 if shape.len() < MOST_AXES => shape.push(length(source, value.span()?)?),
            2 => return Err(OpenError::Damaged(format!("a tensor has more than {MOST_AXES} axes"))),
            3 if value.varint()? != 0 => {
                return Err(OpenError::Damaged("a tensor has no shape".to_owned()));
            }
            _ => {}
        }
    }
    Ok(shape)
}

fn length<P: Peek>(source: &mut P, mut span: Span) -> Result<u64, OpenError> {
    let mut length = 0;
    while let Some((number, value)) = next_field(source, &mut span)? {
        if number == 1 {
            length = value.varint()?;
        }
    }
    let is_possible = i64::try_from(length).is_ok();
    is_possible
        .then_some(length)
        .ok_or_else(|| OpenError::Damaged("an axis has a negative length".to_owned()))
}
