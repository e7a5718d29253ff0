//! An event file and a spot in it -> the bytes of the value.

use std::{io, path::Path};

use bytes::Bytes;

use super::spot::Spot;
use crate::{
    event::{
        value::value_in_event,
        wire::{Span, WireError},
    },
    record::{
        check::{Payload, check_payload},
        frame::{HEADER_BYTES, known_length},
        place::Place,
    },
    source::{Source, window::Peek},
    tensor::decode::DecodeError,
};

/// Why the bytes of a value cannot be read.
#[derive(Debug)]
pub enum EventError {
    /// The file cannot be read at the moment.
    Io(io::Error),
    /// The file was shortened or overwritten since it was scanned.
    Changed,
    /// The payload is damaged.
    Damaged {
        /// The record's first byte.
        offset: u64,
    },
    /// The system has no memory for it.
    NoMemory {
        /// Bytes.
        needed: usize,
    },
}

impl From<io::Error> for EventError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Where a value is in its record, or why it is not there.
///
/// # Errors
/// If the file cannot be read, or changed.
pub fn value_span(window: &mut impl Peek, spot: Spot) -> Result<Result<Span, DecodeError>, EventError> {
    let place = spot.record();
    let head = window.peek(place.offset, HEADER_BYTES)?.first_chunk().ok_or(EventError::Changed)?;
    if known_length(head, place.len) != Some(place.len) {
        return Err(EventError::Changed);
    }
    let event = Span { at: place.payload(), end: place.payload() + place.len };
    match value_in_event(window, event, spot.value_idx()) {
        Ok(Some(span)) => Ok(Ok(span)),
        Ok(None) => Ok(Err(DecodeError::NoTensor)),
        Err(WireError::Io(error)) => Err(error.into()),
        Err(WireError::Malformed(reason)) => Ok(Err(DecodeError::Malformed(reason.to_owned()))),
    }
}

/// Checks a record and keeps the bytes of `span`.
///
/// # Errors
/// See [`EventError`].
pub fn checked_value(file: &mut impl Peek, place: Place, span: Span) -> Result<Bytes, EventError> {
    let mut kept = room(span)?;
    let keep = |at: u64, piece: &[u8]| {
        let overlap = |position: u64| position.saturating_sub(at).min(piece.len() as u64) as usize;
        kept.extend_from_slice(&piece[overlap(span.at)..overlap(span.end)]);
    };
    match check_payload(file, place, keep)? {
        Payload::Right | Payload::Unchecked => Ok(kept.into()),
        Payload::Wrong => Err(EventError::Damaged { offset: place.offset }),
        Payload::Cut => Err(EventError::Changed),
    }
}

/// The bytes of `span`, which are mostly in the window already.
///
/// # Errors
/// If the file cannot be read, or changed.
pub fn read_short(window: &mut impl Peek, span: Span) -> Result<Bytes, EventError> {
    let needed = usize::try_from(span.len()).map_err(|_| EventError::Changed)?;
    let bytes = window.peek(span.at, needed)?;
    if bytes.len() < needed { Err(EventError::Changed) } else { Ok(Bytes::copy_from_slice(bytes)) }
}

/// Reads the bytes of `span`.
///
/// # Errors
/// See [`EventError`].
pub fn read(source: &dyn Source, path: &Path, span: Span) -> Result<Bytes, EventError> {
    let mut bytes = room(span)?;
    bytes.resize(usize::try_from(span.len()).map_err(|_| EventError::Changed)?, 0);
    let read = source.read_at(path, span.at, &mut bytes)?;
    if read < bytes.len() { Err(EventError::Changed) } else { Ok(bytes.into()) }
}

/// Memory for the bytes of `span`, if the system has it.
fn room(span: Span) -> Result<Vec<u8>, EventError> {
    let needed = usize::try_from(span.len()).map_err(|_| EventError::Changed)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(needed).map_err(|_| EventError::NoMemory { needed })?;
    Ok(bytes)
}
