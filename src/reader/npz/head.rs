//! A member of an archive -> the bytes before its numbers, also if it is compressed.

use std::io::Read as _;

use super::header::{self, LONGEST};
use crate::reader::{contents::OpenError, input::Input, zip::Place};

/// So many stored bytes are enough for nearly all heads.
const FIRST: u64 = 512;
/// More stored bytes than a head can have: what Deflate cannot make smaller becomes a little larger.
const MOST: u64 = LONGEST as u64 + 1024;

/// Reads the bytes before the numbers of a member that has `len` bytes.
///
/// # Errors
/// `Damaged` if there are none; errors of the system.
pub(super) fn read(input: &dyn Input, place: &Place, len: u64) -> Result<Vec<u8>, OpenError> {
    for n_bytes in [FIRST, MOST] {
        let stored = input.bytes(place.offset, place.len.min(n_bytes))?;
        let mut first = if place.is_deflated { unpacked(&stored) } else { stored };
        first.truncate(usize::try_from(len).unwrap_or(usize::MAX));
        match header::len(&first)? {
            Some(len) if len <= first.len() => {
                first.truncate(len);
                return Ok(first);
            }
            _ if place.len <= n_bytes => break,
            _ => {}
        }
    }
    Err(OpenError::Damaged("it ends before its numbers".to_owned()))
}

/// The first bytes of what is packed; fewer where it is no Deflate.
fn unpacked(stored: &[u8]) -> Vec<u8> {
    let mut first = Vec::new();
    // An end that comes too early leaves what was unpacked before.
    let _ = flate2::bufread::DeflateDecoder::new(stored).take(LONGEST as u64).read_to_end(&mut first);
    first
}
