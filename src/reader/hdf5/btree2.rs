//! A B-tree of version 2 -> its records.
//!
//! Groups with many links, objects with many attributes, and chunked datasets of the new form have one.
//! Source: HDF5 File Format Specification 3.0, III.A.2.

use super::{
    fault::{Read, damaged},
    file::File,
    lookup3,
};

/// Signature, version, kind and checksum of a node.
const OVERHEAD: u64 = 10;
/// The longest node that is read. HDF5 writes 512 bytes for groups and 2,048 for chunks.
const LONGEST_NODE: u64 = 1 << 20;
/// A tree has no more levels.
const MOST_LEVELS: u16 = 32;

/// Calls `take` with each record of a tree, in order within each node.
///
/// # Errors
/// `Damaged` if the tree contradicts itself; what `take` returns; see [`File::bytes`].
pub fn each(file: &File<'_>, header: u64, take: &mut dyn FnMut(&[u8]) -> Read<()>) -> Read<()> {
    let (tree, root) = Tree::read(file, header)?;
    let Some(root) = root else { return Ok(()) };
    let mut nodes = vec![root];
    while let Some(node) = nodes.pop() {
        let bytes = file.bytes(node.address, tree.node_len)?;
        let mut fields = file.fields(&bytes);
        fields.signature(if node.level == 0 { "BTLF" } else { "BTIN" })?;
        fields.take(2)?;
        for _ in 0..node.n_records {
            take(fields.take(tree.record_len)?)?;
        }
        if node.level > 0 {
            let widths = tree.levels[usize::from(node.level) - 1];
            for _ in 0..=node.n_records {
                let address = fields.address()?.ok_or_else(|| damaged("a tree in it has no child"))?;
                let n_records = fields.number(tree.levels[0].count_width)?;
                fields.take(widths.total_width)?;
                nodes.push(Node { address, n_records, level: node.level - 1 });
            }
        }
        let end = bytes.len() - fields.left() + 4;
        lookup3::checked(bytes.get(..end).unwrap_or(&bytes), "B-tree")?;
    }
    Ok(())
}

struct Tree {
    node_len: u64,
    record_len: usize,
    /// For each level from the leaves on, the widths in a pointer to such a node.
    levels: Vec<Level>,
}

#[derive(Clone, Copy)]
struct Level {
    /// Bytes of the number of records in a node. It is the same on all levels.
    count_width: usize,
    /// Bytes of the number of records in a node and below it.
    total_width: usize,
}

struct Node {
    address: u64,
    n_records: u64,
    level: u16,
}

impl Tree {
    fn read(file: &File<'_>, address: u64) -> Read<(Self, Option<Node>)> {
        let len = 22 + file.widths.address + file.widths.length;
        let bytes = file.bytes(address, len as u64)?;
        let mut fields = file.fields(lookup3::checked(&bytes, "BTHD")?);
        fields.signature("BTHD")?;
        fields.take(2)?;
        let node_len = u64::from(fields.u32()?);
        let (record_len, depth) = (fields.u16()?, fields.u16()?);
        fields.take(2)?;
        let (root, n_records) = (fields.address()?, u64::from(fields.u16()?));
        let room = node_len.checked_sub(OVERHEAD).filter(|_| node_len <= LONGEST_NODE);
        let room = room.filter(|_| record_len > 0 && depth <= MOST_LEVELS);
        let room = room.ok_or_else(|| damaged("a tree in it has impossible lengths"))?;
        let levels = levels(room, u64::from(record_len), depth, file.widths.address as u64);
        let tree = Self { node_len, record_len: usize::from(record_len), levels };
        let root = root.filter(|_| n_records > 0);
        Ok((tree, root.map(|address| Node { address, n_records, level: depth })))
    }
}

/// The widths on each level, from the most records that a node and those below it can have.
fn levels(room: u64, record_len: u64, depth: u16, address_width: u64) -> Vec<Level> {
    let in_leaf = room / record_len;
    let count_width = bytes_for(in_leaf);
    let mut levels = vec![Level { count_width, total_width: 0 }];
    let mut total = in_leaf;
    for _ in 1..depth.max(1) {
        let below = levels.last().map_or(0, |level| level.total_width);
        let pointer = address_width + (count_width + below) as u64;
        let most = room.saturating_sub(pointer) / (record_len + pointer);
        total = (most + 1).saturating_mul(total).saturating_add(most);
        levels.push(Level { count_width, total_width: bytes_for(total) });
    }
    levels
}

/// How many bytes a number needs that may be as large as `limit`.
#[must_use]
pub fn bytes_for(limit: u64) -> usize {
    limit.checked_ilog2().unwrap_or(0) as usize / 8 + 1
}
