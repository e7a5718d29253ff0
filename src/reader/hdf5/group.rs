//! A group's object header -> its links.
//!
//! Source: HDF5 File Format Specification 3.0, III.B to III.D, IV.A.2.c, g and r.

use super::{
    btree1, btree2,
    fault::{Read, damaged},
    file::File,
    fractal_heap::Heap,
    object::{Object, kind},
};

/// The longest heap of names that is read.
const LONGEST_NAMES: u64 = 32 << 20;

/// A link of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: Box<str>,
    /// The object header to which it leads; none if it names something in this or another file.
    pub address: Option<u64>,
}

/// The links of a group, in the order of its index; `None` if the object is no group.
///
/// # Errors
/// `Damaged` if they contradict each other; see [`File::bytes`].
pub fn links(file: &File<'_>, object: &Object) -> Read<Option<Vec<Link>>> {
    if let Some(message) = object.first(file, kind::SYMBOL_TABLE)? {
        let mut fields = file.fields(&message.bytes);
        return match (fields.address()?, fields.address()?) {
            (Some(tree), Some(heap)) => symbols(file, tree, heap).map(Some),
            _ => Ok(Some(Vec::new())),
        };
    }
    let info = object.first(file, kind::LINK_INFO)?;
    let mut links = Vec::new();
    for message in object.all(kind::LINK) {
        links.push(link(file, &message.bytes)?);
    }
    let Some(info) = info else { return Ok((!links.is_empty()).then_some(links)) };
    let mut fields = file.fields(&info.bytes);
    fields.take(1)?;
    if fields.byte()? & 1 != 0 {
        fields.take(8)?;
    }
    if let (Some(heap), Some(index)) = (fields.address()?, fields.address()?) {
        let heap = Heap::open(file, heap)?;
        btree2::each(file, index, &mut |record| {
            // A hash of the name stands before the number of the object.
            let id = record.get(4..).ok_or_else(|| damaged("a link in it is cut"))?;
            links.push(link(file, &heap.object(file, id)?)?);
            Ok(())
        })?;
        links.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(Some(links))
}

fn link(file: &File<'_>, bytes: &[u8]) -> Read<Link> {
    const HARD: u8 = 0;
    let mut fields = file.fields(bytes);
    fields.take(1)?;
    let flags = fields.byte()?;
    let link_kind = if flags & 8 != 0 { fields.byte()? } else { HARD };
    fields.take(if flags & 4 != 0 { 8 } else { 0 })?;
    fields.take(usize::from(flags & 16 != 0))?;
    let len = fields.number(1 << (flags & 3))?;
    let name = fields.take(usize::try_from(len).unwrap_or(usize::MAX))?;
    file.count_text(name.len())?;
    let address = if link_kind == HARD { fields.address()? } else { None };
    Ok(Link { name: String::from_utf8_lossy(name).into(), address })
}

/// The links of a group of the old form: a tree of tables, and a heap of names.
fn symbols(file: &File<'_>, tree: u64, heap: u64) -> Read<Vec<Link>> {
    let names = local_heap(file, heap)?;
    let entry_len = 2 * file.widths.address as u64 + 24;
    let mut links = Vec::new();
    btree1::each(file, tree, btree1::Kind::Group, &mut |_, address| {
        let head = file.bytes(address, 8)?;
        let mut fields = file.fields(&head);
        fields.signature("SNOD")?;
        fields.take(2)?;
        let len = u64::from(fields.u16()?) * entry_len;
        let entries = file.bytes(address.saturating_add(8), len)?;
        for entry in entries.chunks_exact(entry_len as usize) {
            let mut fields = file.fields(entry);
            let (name, object) = (fields.number(file.widths.address)?, fields.address()?);
            // 2: the entry is a link to a name.
            let is_soft = fields.u32()? == 2;
            let name = name_at(&names, name)?;
            file.count_text(name.len())?;
            let name = String::from_utf8_lossy(name).into();
            links.push(Link { name, address: object.filter(|_| !is_soft) });
        }
        Ok(())
    })?;
    Ok(links)
}

fn local_heap(file: &File<'_>, address: u64) -> Read<Vec<u8>> {
    let len = 8 + 2 * file.widths.length + file.widths.address;
    let bytes = file.bytes(address, len as u64)?;
    let mut fields = file.fields(&bytes);
    fields.signature("HEAP")?;
    fields.take(4)?;
    let len = fields.length()?;
    fields.length()?;
    let data = fields.address()?.filter(|_| len <= LONGEST_NAMES);
    let data = data.ok_or_else(|| damaged("the names of a group in it have no place, or are too long"))?;
    file.bytes(data, len)
}

fn name_at(names: &[u8], at: u64) -> Read<&[u8]> {
    let from = usize::try_from(at).ok().and_then(|at| names.get(at..));
    let from = from.ok_or_else(|| damaged("a name in it is not where it should be"))?;
    let end = from.iter().position(|byte| *byte == 0);
    let end = end.ok_or_else(|| damaged("a name in it has no end"))?;
    Ok(&from[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::{contents::OpenError, hdf5::fields::Widths};

    /// The links of a group of which all entries have a name of so many letters, which stands once in its heap.
    fn links_of_one_name(name_len: usize, n_entries: u16) -> Read<Vec<Link>> {
        let heap = [b"HEAP".as_slice(), &[0; 4], &(name_len as u64 + 1).to_le_bytes(), &[0xff; 8]].concat();
        let (tree_at, table_at) = (heap.len() as u64 + 8, heap.len() as u64 + 8 + 40);
        let entry = [[0; 8], 7_u64.to_le_bytes(), [0; 8], [0; 8], [0; 8]].concat();
        let table =
            [b"SNOD\x01\0".as_slice(), &n_entries.to_le_bytes(), &entry.repeat(n_entries.into())].concat();
        let names_at = table_at + table.len() as u64;
        let tree = [b"TREE\0\0\x01\0".as_slice(), &[0xff; 16], &[0; 8], &table_at.to_le_bytes()].concat();
        let names = [vec![b'n'; name_len], vec![0]].concat();
        let bytes = [heap, names_at.to_le_bytes().to_vec(), tree, table, names].concat();
        let input = bytes.as_slice();
        symbols(&File::new(&input, 0, Widths { address: 8, length: 8 }), tree_at, 0)
    }

    #[test]
    fn a_long_name_of_many_links_does_not_multiply() {
        let links = links_of_one_name(1_000, 1_000).unwrap();
        assert_eq!(links.len(), 1_000);
        assert!(links.iter().all(|link| link.name.len() == 1_000 && link.address == Some(7)));
        // A megabyte for each of 60,000 links.
        let error = links_of_one_name(1 << 20, 60_000).unwrap_err();
        assert!(
            matches!(&error, OpenError::NotRead(reason) if reason.contains("more than 32 MiB")),
            "{error}"
        );
    }
}
