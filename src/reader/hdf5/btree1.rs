//! A B-tree of version 1 -> the keys and addresses of its leaves.
//!
//! Groups and chunked datasets of the old form have one. Source: HDF5 File Format Specification 3.0, III.A.1.

use super::{
    fault::{Read, damaged},
    file::File,
};

/// A tree has no more levels.
const MOST_LEVELS: u8 = 32;

/// What a tree is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The entries of a group.
    Group,
    /// The chunks of a dataset with so many axes.
    Chunks(usize),
}

/// Calls `take` with the key and the address of each child of the leaves.
///
/// # Errors
/// `Damaged` if the tree contradicts itself; what `take` returns; see [`File::bytes`].
pub fn each(
    file: &File<'_>,
    root: u64,
    kind: Kind,
    take: &mut dyn FnMut(&[u8], u64) -> Read<()>,
) -> Read<()> {
    let mut nodes: Vec<(u64, Option<u8>)> = vec![(root, None)];
    while let Some((address, level)) = nodes.pop() {
        let node = Node::read(file, address, kind)?;
        // Each level is one less than that above it, so that there is no way around in circles.
        if node.level > MOST_LEVELS || level.is_some_and(|level| level != node.level) {
            return Err(damaged("a tree in it has a wrong level"));
        }
        if let Some(below) = node.level.checked_sub(1) {
            nodes.extend(node.children.into_iter().rev().map(|(_, child)| (child, Some(below))));
            continue;
        }
        for (key, child) in &node.children {
            take(key, *child)?;
        }
    }
    Ok(())
}

struct Node {
    level: u8,
    /// The keys before the children, and their addresses.
    children: Vec<(Vec<u8>, u64)>,
}

impl Node {
    fn read(file: &File<'_>, address: u64, kind: Kind) -> Read<Self> {
        let (number, key_len) = match kind {
            Kind::Group => (0, file.widths.length),
            // The length of the chunk, its filters, and its first index on each axis and in the element.
            Kind::Chunks(axes) => (1, 8 + 8 * (axes + 1)),
        };
        let head_len = 8 + 2 * file.widths.address;
        let head = file.bytes(address, head_len as u64)?;
        let mut fields = file.fields(&head);
        fields.signature("TREE")?;
        let (found, level, count) = (fields.byte()?, fields.byte()?, usize::from(fields.u16()?));
        if found != number {
            return Err(damaged("a tree in it is of another kind than the object that has it"));
        }
        let len = count * (key_len + file.widths.address);
        let bytes = file.bytes(address.saturating_add(head_len as u64), len as u64)?;
        let mut fields = file.fields(&bytes);
        let mut children = Vec::with_capacity(count);
        for _ in 0..count {
            let key = fields.take(key_len)?.to_vec();
            let child = fields.address()?.ok_or_else(|| damaged("a tree in it has no child"))?;
            children.push((key, child));
        }
        Ok(Self { level, children })
    }
}
