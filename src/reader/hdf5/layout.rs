//! A layout message -> where the numbers of a dataset are.
//!
//! Source: HDF5 File Format Specification 3.0, IV.A.2.i.

use super::{
    chunks::{Chunks, Filtered, Index},
    dataspace::Dataspace,
    fault::{Read, damaged},
    fields::Fields,
    file::File,
    object::Message,
};
use crate::reader::contents::MOST_AXES;

/// Where the numbers of a dataset are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One after the other: the address of the first, and how many bytes there are.
    Contiguous(u64, u64),
    /// In chunks.
    Chunked(Chunks),
    /// Nowhere: they were never written.
    NeverWritten,
    /// In another way that is not read; the words follow "they are".
    Other(&'static str),
}

/// Classes of layouts.
mod class {
    pub(super) const COMPACT: u8 = 0;
    pub(super) const CONTIGUOUS: u8 = 1;
    pub(super) const CHUNKED: u8 = 2;
}

impl Layout {
    /// Reads a message.
    ///
    /// # Errors
    /// `Damaged` if it ends too early.
    pub fn read(file: &File<'_>, message: &Message, space: &Dataspace) -> Read<Self> {
        let mut fields = file.fields(&message.bytes);
        match fields.byte()? {
            version @ (1 | 2) => old(fields, message, version),
            version @ 3..=5 => new(fields, message, space, version),
            _ => Ok(Self::Other("laid out in a way that is newer than this program")),
        }
    }
}

/// Versions 1 and 2.
fn old(mut fields: Fields<'_>, message: &Message, version: u8) -> Read<Layout> {
    let (rank, class) = (usize::from(fields.byte()?), fields.byte()?);
    fields.take(5)?;
    let address = if class == class::COMPACT { None } else { fields.address()? };
    if rank > MOST_AXES + 1 {
        return Err(damaged(format!("version {version} of a layout in it has {rank} axes")));
    }
    let lengths = (0..rank).map(|_| fields.u32().map(u64::from)).collect::<Read<Vec<u64>>>()?;
    match (class, address) {
        (class::COMPACT, _) => {
            let len = u64::from(fields.u32()?);
            Ok(compact(&fields, message, len))
        }
        (class::CONTIGUOUS, Some(address)) => Ok(Layout::Contiguous(address, u64::MAX)),
        (class::CHUNKED, Some(tree)) => Chunks::read(lengths, Index::Tree1(tree)).map(Layout::Chunked),
        _ => Ok(Layout::NeverWritten),
    }
}

/// Numbers that stand in the message itself.
fn compact(fields: &Fields<'_>, message: &Message, len: u64) -> Layout {
    let before = message.bytes.len() - fields.left();
    Layout::Contiguous(message.address + before as u64, len.min(fields.left() as u64))
}

/// Versions 3 to 5.
fn new(mut fields: Fields<'_>, message: &Message, space: &Dataspace, version: u8) -> Read<Layout> {
    match fields.byte()? {
        class::COMPACT => {
            let len = u64::from(fields.u16()?);
            Ok(compact(&fields, message, len))
        }
        class::CONTIGUOUS => {
            let (address, len) = (fields.address()?, fields.length()?);
            Ok(address.map_or(Layout::NeverWritten, |address| Layout::Contiguous(address, len)))
        }
        class::CHUNKED if version == 3 => {
            let rank = usize::from(fields.byte()?);
            let tree = fields.address()?;
            let lengths = (0..rank).map(|_| fields.u32().map(u64::from)).collect::<Read<Vec<u64>>>()?;
            tree.map_or(Ok(Layout::NeverWritten), |tree| {
                Chunks::read(lengths, Index::Tree1(tree)).map(Layout::Chunked)
            })
        }
        class::CHUNKED => chunked(fields, space),
        _ => Ok(Layout::Other("in other datasets or files (a virtual dataset)")),
    }
}

/// The bits of the flags of chunks.
mod flag {
    /// Filters leave the chunks at the edge as they are.
    pub(super) const PLAIN_EDGES: u8 = 1;
    /// The only chunk went through filters.
    pub(super) const FILTERED: u8 = 2;
}

/// Chunks of versions 4 and 5.
fn chunked(mut fields: Fields<'_>, space: &Dataspace) -> Read<Layout> {
    let flags = fields.byte()?;
    let (rank, width) = (usize::from(fields.byte()?), usize::from(fields.byte()?));
    let lengths = (0..rank).map(|_| fields.number(width)).collect::<Read<Vec<u64>>>()?;
    let kind = fields.byte()?;
    let mut filtered = None;
    match kind {
        1 if flags & flag::FILTERED != 0 => {
            filtered = Some(Filtered { len: fields.length()?, left_out: fields.u32()? });
        }
        1 | 2 => {}
        3 => drop(fields.take(1)?),
        5 => drop(fields.take(6)?),
        4 => return Ok(Layout::Other("in chunks of a dataset that can grow (`maxshape`)")),
        _ => return Ok(Layout::Other("in chunks that are listed in an unknown way")),
    }
    let Some(address) = fields.address()? else { return Ok(Layout::NeverWritten) };
    let most = space.most.clone();
    let index = match kind {
        1 => Index::Single(address, filtered),
        2 => Index::Implicit(address, most),
        3 => Index::FixedArray(address, most),
        _ => Index::Tree2(address),
    };
    let mut chunks = Chunks::read(lengths, index)?;
    chunks.are_edges_plain = flags & flag::PLAIN_EDGES != 0;
    Ok(Layout::Chunked(chunks))
}
