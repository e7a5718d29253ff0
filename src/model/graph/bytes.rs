//! What nodes and their attributes have in common: names and arguments.

use crate::{
    event::wire::{Span, WireError, next_field},
    source::window::Peek,
    types::text_of_bytes,
};

/// Longer names are not used.
pub(super) const LONGEST_NAME: usize = 4 << 10;
/// The type of a variable's handle (`core/framework/types.proto`).
pub(super) const DT_RESOURCE: u64 = 20;

/// A text of at most `longest` bytes.
pub(super) fn text<P: Peek>(source: &mut P, span: Span, longest: usize) -> Result<Box<str>, WireError> {
    Ok(text_of_bytes(span.bytes(source, longest)?).into())
}

/// `ArgDef { name 1, type 3 }`: the name, and whether it is the handle of a variable.
pub(super) fn arg<P: Peek>(source: &mut P, mut span: Span) -> Result<(Box<str>, bool), WireError> {
    let (mut name, mut is_resource) = (Box::<str>::default(), false);
    while let Some((number, value)) = next_field(source, &mut span)? {
        match number {
            1 => name = text(source, value.span()?, LONGEST_NAME)?,
            3 => is_resource = value.varint()? == DT_RESOURCE,
            _ => {}
        }
    }
    Ok((name, is_resource))
}
