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
/// The most manifests with numbers that are looked for. The writer keeps the last 128.
const MOST_NUMBERED: u64 = 1_000;

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

/// Reads the manifest with the largest number.
fn newest(dir: &Path, files: &mut OpenedFiles<'_>) -> Result<Root, OpenError> {
    let (mut number, mut last) = (1, None);
    while let Some(bytes) = files.read(&dir.join(format!("manifest.{number:016x}")), LONGEST)? {
        last = Some(bytes);
        number += 1;
        if number > MOST_NUMBERED {
            break;
        }
    }
    match last.filter(|_| number <= MOST_NUMBERED).map(|bytes| read(&bytes)).transpose()? {
        Some(root @ (Root::Empty | Root::At(_))) => Ok(root),
        _ => Err(OpenError::NotRead(
            "the first of its numbered manifests is not there: save it again with a single manifest, as Orbax does"
                .to_owned(),
        )),
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
