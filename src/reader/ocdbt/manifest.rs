//! The manifest -> where the root of the newest B+tree is.

use std::path::Path;

use super::{
    fields::{Fields, damaged},
    file_table,
    frame::{Kind, body},
    node::NodePlace,
};
use crate::reader::{contents::OpenError, opened::OpenedFiles};

/// The file that a database is opened with.
const MANIFEST: &str = "manifest.ocdbt";
const LONGEST: u64 = 16 << 20;
/// So many manifests with numbers the writer keeps.
const KEPT: u64 = 128;
/// The most numbers that are tried: those of a database that was changed 320,000 times.
const MOST_PROBES: u64 = 5_000;

/// Where the root of a database is.
pub(super) enum Root {
    /// There is no database.
    NoDatabase,
    /// The database is empty.
    Empty,
    At(NodePlace),
    /// The newest of the files `manifest.` and a number says it.
    InNumbered,
}

/// The root of the database in a directory.
pub(super) fn root(dir: &Path, files: &mut OpenedFiles<'_>) -> Result<Root, OpenError> {
    let Some(bytes) = files.read(&dir.join(MANIFEST), LONGEST)? else { return Ok(Root::NoDatabase) };
    match read(&bytes)? {
        Root::InNumbered => newest(dir, files),
        root => Ok(root),
    }
}

/// Reads the manifest with the largest number. The writer keeps the last 128, so that one of each 64 numbers is there.
fn newest(dir: &Path, files: &mut OpenedFiles<'_>) -> Result<Root, OpenError> {
    let path = |number: u64| dir.join(format!("manifest.{number:016x}"));
    let mut first = None;
    for probe in 0..MOST_PROBES {
        let number = (probe * KEPT / 2).max(1);
        if files.open(&path(number))?.is_some() {
            first = Some(number);
            break;
        }
    }
    let Some(mut number) = first else {
        return Err(OpenError::NotWhole("none of its numbered manifests is there".to_owned()));
    };
    while number < u64::MAX && files.open(&path(number + 1))?.is_some() {
        number += 1;
    }
    match files.read(&path(number), LONGEST)?.map(|bytes| read(&bytes)).transpose()? {
        Some(root @ (Root::Empty | Root::At(_))) => Ok(root),
        _ => Err(damaged("a numbered manifest has no root")),
    }
}

fn read(bytes: &[u8]) -> Result<Root, OpenError> {
    let body = body(bytes, Kind::Manifest)?;
    let mut fields = Fields::new(&body);
    fields.take(16)?;
    let kind = fields.varint()?;
    let (_most_inline, _most_decoded) = (fields.varint()?, fields.varint()?);
    fields.byte()?;
    if fields.varint()? == 1 {
        // The level of compression.
        fields.take(4)?;
    }
    if kind == 1 && fields.left() == 0 {
        return Ok(Root::InNumbered);
    }
    let data = file_table::read(&mut fields, "")?;
    let count = fields.count(7)?;
    let _generations = fields.varints(count)?;
    let heights = fields.take(count as u64)?;
    let (ids, offsets, lens) = (fields.varints(count)?, fields.varints(count)?, fields.varints(count)?);
    // What follows are statistics and older versions.
    let Some(last) = count.checked_sub(1) else { return Ok(Root::Empty) };
    if lens[last] == 0 || offsets[last] == u64::MAX {
        return Ok(Root::Empty);
    }
    let file = usize::try_from(ids[last]).ok().and_then(|id| data.into_iter().nth(id));
    let file = file.ok_or_else(|| damaged("its root is in no file"))?;
    let (offset, len, height) = (offsets[last], lens[last], heights[last]);
    Ok(Root::At(NodePlace { file, offset, len, height, prefix: Vec::new() }))
}
