//! A filter message -> what was done to the chunks of a dataset, and what undoes it.
//!
//! Source: HDF5 File Format Specification 3.0, IV.A.2.l; LZF is the filter that h5py brings.

use super::{fault::Read, fields::Fields};
use crate::reader::packing::Codec;

/// A filter of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Its name.
    pub name: String,
    /// What undoes it; none if it is one that is not read.
    codec: Option<Codec>,
}

/// HDF5's numbers of the filters that are read.
mod number {
    pub(super) const GZIP: u16 = 1;
    pub(super) const SHUFFLE: u16 = 2;
    pub(super) const FLETCHER32: u16 = 3;
    pub(super) const LZF: u16 = 32_000;
}

/// The filters, in the order in which they were applied. `size` is that of an element in bytes.
///
/// # Errors
/// `Damaged` if the message ends too early.
pub fn read(mut fields: Fields<'_>, size: u64) -> Read<Vec<Filter>> {
    let (version, count) = (fields.byte()?, fields.byte()?);
    fields.take(if version == 1 { 6 } else { 0 })?;
    let mut filters = Vec::new();
    for _ in 0..count {
        let number = fields.u16()?;
        // Version 2 leaves out the length of the names of HDF5's own filters.
        let name_len = if version == 1 || number >= 256 { usize::from(fields.u16()?) } else { 0 };
        fields.take(2)?;
        let n_values = usize::from(fields.u16()?);
        let name = fields.take(if version == 1 { name_len.next_multiple_of(8) } else { name_len })?;
        let is_padded = version == 1 && n_values % 2 == 1;
        let values = fields.take(4 * n_values + if is_padded { 4 } else { 0 })?;
        let first = values.first_chunk().map(|value| u32::from_le_bytes(*value));
        let codec = match number {
            number::GZIP => Some(Codec::Zlib),
            number::SHUFFLE => Some(Codec::Shuffle(first.unwrap_or(size as u32))),
            number::FLETCHER32 => Some(Codec::Fletcher32),
            number::LZF => Some(Codec::Lzf),
            _ => None,
        };
        filters.push(Filter { name: name_of(number, name), codec });
    }
    Ok(filters)
}

/// What undoes the filters of a chunk, without those that were left out for it: the last filter is undone first.
///
/// # Errors
/// The names of all filters, if one of them is not read.
pub fn codecs(filters: &[Filter], left_out: u32) -> Result<Vec<Codec>, String> {
    let is_applied = |at: usize| at >= 32 || left_out & (1 << at) == 0;
    let applied = filters.iter().enumerate().filter(|(at, _)| is_applied(*at));
    let codecs: Option<Vec<Codec>> = applied.rev().map(|(_, filter)| filter.codec).collect();
    codecs.ok_or_else(|| names(filters))
}

fn names(filters: &[Filter]) -> String {
    let names: Vec<&str> = filters.iter().map(|filter| filter.name.as_str()).collect();
    names.join(", ")
}

fn name_of(number: u16, name: &[u8]) -> String {
    let known = match number {
        number::GZIP => "gzip",
        number::SHUFFLE => "shuffle",
        number::FLETCHER32 => "fletcher32",
        4 => "szip",
        5 => "nbit",
        6 => "scaleoffset",
        number::LZF => "lzf",
        32_001 => "blosc",
        32_015 => "zstd",
        _ => "",
    };
    let written = name.split(|byte| *byte == 0).next().unwrap_or_default();
    match (known, written) {
        ("", []) => format!("filter {number}"),
        ("", written) => String::from_utf8_lossy(written).into_owned(),
        (known, _) => known.to_owned(),
    }
}
