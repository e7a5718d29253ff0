//! A filter message -> the names of what was done to the chunks of a dataset.
//!
//! Source: HDF5 File Format Specification 3.0, IV.A.2.l.

use super::{fault::Read, fields::Fields};

/// The names of the filters, in the order in which they were applied.
///
/// # Errors
/// `Damaged` if the message ends too early.
pub fn names(mut fields: Fields<'_>) -> Read<Vec<String>> {
    let (version, count) = (fields.byte()?, fields.byte()?);
    fields.take(if version == 1 { 6 } else { 0 })?;
    let mut names = Vec::new();
    for _ in 0..count {
        let number = fields.u16()?;
        // Version 2 leaves out the length of the names of HDF5's own filters.
        let name_len = if version == 1 || number >= 256 { usize::from(fields.u16()?) } else { 0 };
        fields.take(2)?;
        let n_values = usize::from(fields.u16()?);
        let name = fields.take(if version == 1 { name_len.next_multiple_of(8) } else { name_len })?;
        let is_padded = version == 1 && n_values % 2 == 1;
        fields.take(4 * n_values + if is_padded { 4 } else { 0 })?;
        names.push(name_of(number, name));
    }
    Ok(names)
}

fn name_of(number: u16, name: &[u8]) -> String {
    let known = match number {
        1 => "gzip",
        2 => "shuffle",
        3 => "fletcher32",
        4 => "szip",
        5 => "nbit",
        6 => "scaleoffset",
        32_000 => "lzf",
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
