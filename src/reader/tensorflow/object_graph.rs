//! The tensor `_CHECKPOINTABLE_OBJECT_GRAPH` -> the full name of each variable, by its key.
//!
//! TensorFlow 2 names a tensor by the shortest way to it from the object that is saved. The graph of these objects, a
//! `TrackableObjectGraph` (`core/protobuf/trackable_object_graph.proto`), is saved as a string beside the tensors, and has the name
//! that each variable was made with.

use std::collections::HashMap;

use crate::{
    event::wire::{Span, WireError, next_field, varint},
    reader::contents::MOST_TENSORS,
    types::text_of_bytes,
};

/// The key of the graph.
pub const KEY: &str = "_CHECKPOINTABLE_OBJECT_GRAPH";
/// Longer graphs are not read. That of a network with 1,000 layers has about 1 MB.
pub const LONGEST: u64 = 16 << 20;
const LONGEST_NAME: usize = 4 << 10;

/// Full names by key.
pub type FullNames = HashMap<String, String>;

/// Reads the bytes of the tensor: the length of its only string, a CRC of that, and the string.
///
/// # Errors
/// If it is no graph, or a very large one.
pub fn read(bytes: &[u8]) -> Result<FullNames, WireError> {
    let mut source = bytes;
    let mut span = Span { at: 0, end: bytes.len() as u64 };
    let len = varint(&mut source, &mut span)?;
    span.at += 4;
    if span.end.checked_sub(span.at) != Some(len) {
        return Err(WireError::Malformed("it is no single string"));
    }
    let mut names = FullNames::new();
    while let Some((number, node)) = next_field(&mut source, &mut span)? {
        if number == 1 {
            read_node(&mut source, node.span()?, &mut names)?;
        }
    }
    Ok(names)
}

fn read_node(source: &mut &[u8], mut span: Span, names: &mut FullNames) -> Result<(), WireError> {
    while let Some((number, attribute)) = next_field(source, &mut span)? {
        if number != 2 {
            continue;
        }
        let (full_name, key) = read_attribute(source, attribute.span()?)?;
        if names.len() == MOST_TENSORS {
            return Err(WireError::Malformed("it has more variables than are read"));
        }
        if !full_name.is_empty() {
            names.insert(key, full_name);
        }
    }
    Ok(())
}

/// The full name and the key of a `SerializedTensor`.
fn read_attribute(source: &mut &[u8], mut span: Span) -> Result<(String, String), WireError> {
    let (mut full_name, mut key) = (String::new(), String::new());
    while let Some((number, value)) = next_field(source, &mut span)? {
        match number {
            2 => full_name = text_of_bytes(value.span()?.bytes(source, LONGEST_NAME)?),
            3 => key = text_of_bytes(value.span()?.bytes(source, LONGEST_NAME)?),
            _ => {}
        }
    }
    Ok((full_name, key))
}
