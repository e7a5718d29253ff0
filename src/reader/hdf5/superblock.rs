//! The beginning of a file -> where its root group is, and whether it is whole.
//!
//! The superblock says where the file ends. HDF5 writes that number last, and makes the file so long, so the two are equal exactly
//! when the file is whole. Source: HDF5 File Format Specification 3.0, II.A.

use super::{
    fault::{Read, damaged, not_read},
    fields::{Fields, Widths},
    file::File,
    lookup3,
};
use crate::reader::{contents::OpenError, input::Input};

/// The first bytes of a superblock.
pub const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";
/// A superblock of any version is shorter.
const LONGEST: u64 = 192;
/// The bit that a writer sets while the file is open (version 3).
const OPEN_FOR_WRITING: u8 = 1;

/// What a superblock says.
struct Superblock {
    widths: Widths,
    base: u64,
    end: u64,
    root: u64,
}

/// Reads the superblock; returns the file and the address of the root group's object header.
///
/// # Errors
/// `NotWhole` if the file has another length than its superblock says, or none yet. `Damaged` if there is no superblock.
/// `NotRead` if its version is not known.
pub fn open(input: &dyn Input) -> Read<(File<'_>, u64)> {
    let at = find(input)?;
    let bytes = input.bytes(at, (input.len() - at).min(LONGEST))?;
    let version = *bytes.get(SIGNATURE.len()).ok_or_else(|| not_whole("it ends within its superblock"))?;
    let parsed = match version {
        0 | 1 => old(&bytes, version),
        2 | 3 => new(&bytes, version),
        _ => {
            return Err(not_read(format!(
                "its superblock has version {version}, and 0 to 3 are read: convert it with `h5repack`"
            )));
        }
    };
    let parsed = parsed.map_err(|error| match error {
        // The last bytes that are there are the end of the file.
        OpenError::Damaged(message) if (bytes.len() as u64) < LONGEST => OpenError::NotWhole(message),
        error => error,
    })?;
    // Bytes may have been put before the file since it was written.
    let end = parsed.end.checked_sub(parsed.base).and_then(|len| len.checked_add(at));
    let (end, len) = (end.ok_or_else(|| damaged("its superblock has an impossible end"))?, input.len());
    if end != len {
        return Err(not_whole(format!("it has {len} bytes, and its superblock says {end}")));
    }
    Ok((File::new(input, at, parsed.widths), parsed.root))
}

/// Where the superblock is: at 0, 512, 1,024, 2,048 and so on.
fn find(input: &dyn Input) -> Read<u64> {
    let len = SIGNATURE.len() as u64;
    let mut at = 0;
    let mut is_zero = true;
    while at + len <= input.len() {
        let bytes = input.bytes(at, len)?;
        if bytes == SIGNATURE {
            return Ok(at);
        }
        is_zero &= bytes.iter().all(|byte| *byte == 0);
        at = if at == 0 { 512 } else { at * 2 };
    }
    // HDF5 writes the superblock after the numbers.
    if is_zero {
        Err(not_whole("it has no superblock yet"))
    } else {
        Err(damaged("it has no superblock: it is no HDF5 file"))
    }
}

fn not_whole(message: impl Into<String>) -> OpenError {
    OpenError::NotWhole(message.into())
}

fn widths(address: u8, length: u8) -> Read<Widths> {
    let is_known = |width: u8| matches!(width, 2 | 4 | 8);
    if is_known(address) && is_known(length) {
        Ok(Widths { address: usize::from(address), length: usize::from(length) })
    } else {
        Err(not_read(format!(
            "its addresses have {address} bytes and its lengths {length}, which is not read"
        )))
    }
}

/// Versions 0 and 1.
fn old(bytes: &[u8], version: u8) -> Read<Superblock> {
    let mut fields = Fields::new(bytes, Widths { address: 8, length: 8 });
    fields.take(SIGNATURE.len() + 5)?;
    let widths = widths(fields.byte()?, fields.byte()?)?;
    let mut fields = Fields::new(fields.take(fields.left())?, widths);
    // A reserved byte, two numbers about groups, flags; in version 1 also one about chunks.
    fields.take(if version == 0 { 9 } else { 13 })?;
    let base = fields.address()?.unwrap_or(0);
    fields.address()?;
    let end = fields.address()?;
    fields.address()?;
    fields.length()?;
    let root = fields.address()?;
    superblock(widths, base, end, root)
}

/// Versions 2 and 3.
fn new(bytes: &[u8], version: u8) -> Read<Superblock> {
    let mut fields = Fields::new(bytes, Widths { address: 8, length: 8 });
    fields.take(SIGNATURE.len() + 1)?;
    let widths = widths(fields.byte()?, fields.byte()?)?;
    let flags = fields.byte()?;
    let mut fields = Fields::new(fields.take(fields.left())?, widths);
    let base = fields.address()?.unwrap_or(0);
    fields.address()?;
    let end = fields.address()?;
    let root = fields.address()?;
    fields.take(4)?;
    lookup3::checked(&bytes[..bytes.len() - fields.left()], "superblock")?;
    if version == 3 && flags & OPEN_FOR_WRITING != 0 {
        return Err(not_whole("its writer has it open; if there is none, `h5clear -s` mends it"));
    }
    superblock(widths, base, end, root)
}

fn superblock(widths: Widths, base: u64, end: Option<u64>, root: Option<u64>) -> Read<Superblock> {
    match (end, root) {
        (Some(end), Some(root)) => Ok(Superblock { widths, base, end, root }),
        _ => Err(not_whole("its superblock has no end or no root group")),
    }
}
