//! The decoded body of a node of a B+tree -> its children, or its keys with their values.

use bytes::Bytes;

use super::{
    fields::{Fields, damaged},
    file_table::{self, DataFile},
};
use crate::reader::contents::OpenError;

/// The most bytes of a key.
const LONGEST_KEY: usize = 16 << 10;
/// The most entries of a node: more than a database may have keys.
const MOST_ENTRIES: usize = 500_000;
/// The most bytes of all keys of a node: each may begin with the key before it.
const MOST_KEY_BYTES: usize = 32 << 20;

/// Where a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NodePlace {
    pub(super) file: DataFile,
    pub(super) offset: u64,
    pub(super) len: u64,
    /// How many levels are below it.
    pub(super) height: u8,
    /// What stands before all of its keys.
    pub(super) prefix: Vec<u8>,
}

/// The value of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Inline(Bytes),
    /// Where it is in a file, whose number is in the node's table.
    InFile {
        file: usize,
        offset: u64,
        len: u64,
    },
}

/// A node.
#[derive(Debug)]
pub(super) enum Node {
    Interior(Vec<NodePlace>),
    Leaf(Vec<DataFile>, Vec<(Vec<u8>, Value)>),
}

/// Reads the node that was at `place`.
pub(super) fn read(body: &[u8], place: &NodePlace) -> Result<Node, OpenError> {
    let mut fields = Fields::new(body);
    if fields.byte()? != place.height {
        return Err(damaged("a node has another height than its place says"));
    }
    let base = place.file.path.get(..place.file.base_len).unwrap_or_default();
    let data = file_table::read(&mut fields, base)?;
    // A key, its length, and where or what the value is.
    let count = fields.count(4)?;
    if count > MOST_ENTRIES {
        return Err(OpenError::NotRead(format!(
            "a node of its database has more than {MOST_ENTRIES} entries"
        )));
    }
    let node = if place.height == 0 {
        let entries = leaf(&mut fields, count, (&place.prefix, data.len()))?;
        Node::Leaf(data, entries)
    } else {
        Node::Interior(interior(&mut fields, count, (place, &data))?)
    };
    if fields.left() > 0 {
        return Err(damaged("a node is longer than its entries"));
    }
    Ok(node)
}

/// The keys of a node: each is the beginning of the one before, and a text of its own.
fn keys(
    fields: &mut Fields<'_>,
    shared: &[u64],
    own: &[u64],
    prefix: &[u8],
) -> Result<Vec<Vec<u8>>, OpenError> {
    let mut keys: Vec<Vec<u8>> = Vec::new();
    let mut n_bytes = 0;
    for (idx, own) in own.iter().enumerate() {
        let shared = if idx == 0 { 0 } else { usize::try_from(shared[idx - 1]).unwrap_or(usize::MAX) };
        let last = keys.last().map_or(&[][..], |last: &Vec<u8>| &last[prefix.len()..]);
        let beginning =
            last.get(..shared).ok_or_else(|| damaged("a key goes on from more than the one before it"))?;
        let key = [prefix, beginning, fields.take(*own)?].concat();
        n_bytes += key.len();
        if key.len() > LONGEST_KEY || n_bytes > MOST_KEY_BYTES {
            return Err(damaged("its keys are too long"));
        }
        if keys.last().is_some_and(|last| *last >= key) {
            return Err(damaged("its keys are not sorted"));
        }
        keys.push(key);
    }
    Ok(keys)
}

fn leaf(
    fields: &mut Fields<'_>,
    count: usize,
    (prefix, n_files): (&[u8], usize),
) -> Result<Vec<(Vec<u8>, Value)>, OpenError> {
    let (shared, own) = (fields.varints(count.saturating_sub(1))?, fields.varints(count)?);
    let keys = keys(fields, &shared, &own, prefix)?;
    let (lens, kinds) = (fields.varints(count)?, fields.varints(count)?);
    if kinds.iter().any(|kind| *kind > 1) {
        return Err(OpenError::NotRead("a value of its database is stored in an unknown way".to_owned()));
    }
    let n_in_files = kinds.iter().filter(|kind| **kind == 1).count();
    let (files, offsets) = (fields.varints(n_in_files)?, fields.varints(n_in_files)?);
    let mut places = files.into_iter().zip(offsets);
    let mut entries = Vec::new();
    for (key, (len, kind)) in keys.into_iter().zip(lens.into_iter().zip(kinds)) {
        let value = if kind == 1 {
            let (file, offset) = places.next().ok_or_else(|| damaged("a value has no place"))?;
            let file = usize::try_from(file).ok().filter(|file| *file < n_files);
            let file = file.ok_or_else(|| damaged("a value is in no file"))?;
            Value::InFile { file, offset, len }
        } else {
            Value::Inline(Bytes::copy_from_slice(fields.take(len)?))
        };
        entries.push((key, value));
    }
    Ok(entries)
}

fn interior(
    fields: &mut Fields<'_>,
    count: usize,
    (place, data): (&NodePlace, &[DataFile]),
) -> Result<Vec<NodePlace>, OpenError> {
    let (shared, own) = (fields.varints(count.saturating_sub(1))?, fields.varints(count)?);
    let common = fields.varints(count)?;
    let keys = keys(fields, &shared, &own, &place.prefix)?;
    let (files, offsets, lens) = (fields.varints(count)?, fields.varints(count)?, fields.varints(count)?);
    for _statistics in 0..3 {
        fields.varints(count)?;
    }
    let mut children = Vec::new();
    for (idx, key) in keys.into_iter().enumerate() {
        let file = usize::try_from(files[idx]).ok().and_then(|file| data.get(file));
        let file = file.ok_or_else(|| damaged("a node is in no file"))?.clone();
        let common = usize::try_from(common[idx]).ok().and_then(|len| len.checked_add(place.prefix.len()));
        let prefix = common.and_then(|len| key.get(..len));
        let prefix =
            prefix.ok_or_else(|| damaged("the keys of a node have more in common than its first key"))?;
        let (offset, len, height) = (offsets[idx], lens[idx], place.height - 1);
        children.push(NodePlace { file, offset, len, height, prefix: prefix.to_vec() });
    }
    Ok(children)
}
