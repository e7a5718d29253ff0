//! A fractal heap -> the objects in it, by their numbers.
//!
//! Links and attributes of the new form are in one where there are many. Its blocks double in length from row to row.
//! Source: HDF5 File Format Specification 3.0, III.G.

use super::{
    btree2,
    fault::{Read, damaged, not_read},
    file::File,
    lookup3,
};

/// The longest object that is read.
const LONGEST_OBJECT: u64 = 16 << 20;
/// Rows of blocks that are not longer than the longest, and those after them.
const MOST_ROWS: u64 = 64;
/// Indirect blocks within one another.
const MOST_LEVELS: usize = 32;

/// A heap of which the header was read.
pub struct Heap {
    root: Option<u64>,
    /// Rows of the root block; 0 if the root is a direct block.
    root_rows: u64,
    width: u64,
    first_len: u64,
    longest_direct: u64,
    offset_width: usize,
    length_width: usize,
    huge: Option<u64>,
    id_len: usize,
}

/// A part of the heap's own space, which a block covers.
struct Block {
    address: u64,
    /// Rows, if it is an indirect block.
    rows: Option<u64>,
    /// The first byte of the heap's space that it covers.
    start: u64,
}

impl Heap {
    /// Reads a header.
    ///
    /// # Errors
    /// `NotRead` if the heap is compressed; `Damaged` if it contradicts itself; see [`File::bytes`].
    pub fn open(file: &File<'_>, address: u64) -> Read<Self> {
        let len = 26 + 12 * file.widths.length + 3 * file.widths.address;
        let bytes = file.bytes(address, len as u64)?;
        let mut fields = file.fields(&bytes);
        fields.signature("FRHP")?;
        fields.take(1)?;
        let (id_len, filters_len) = (usize::from(fields.u16()?), fields.u16()?);
        if filters_len > 0 {
            return Err(not_read("its links or attributes are compressed, which is not read"));
        }
        lookup3::checked(&bytes, "FRHP")?;
        fields.take(1)?;
        let longest_managed = u64::from(fields.u32()?);
        fields.length()?;
        let huge = fields.address()?;
        fields.length()?;
        fields.address()?;
        fields.take(8 * file.widths.length)?;
        let width = u64::from(fields.u16()?);
        let (first_len, longest_direct) = (fields.length()?, fields.length()?);
        let bits = fields.u16()?;
        fields.take(2)?;
        let (root, root_rows) = (fields.address()?, u64::from(fields.u16()?));
        let is_possible = width.is_power_of_two()
            && first_len.is_power_of_two()
            && longest_direct.is_power_of_two()
            && first_len <= longest_direct
            && longest_direct <= 1 << 32
            && bits <= 64
            && root_rows <= MOST_ROWS;
        if !is_possible {
            return Err(damaged("a heap in it has impossible lengths"));
        }
        let longest_bits = longest_direct.ilog2() as usize;
        let length_width = longest_bits.div_ceil(8).min(btree2::bytes_for(longest_managed));
        let offset_width = usize::from(bits).div_ceil(8);
        Ok(Self {
            root,
            root_rows,
            width,
            first_len,
            longest_direct,
            offset_width,
            length_width,
            huge,
            id_len,
        })
    }

    /// Reads an object. Returns its address, if it has one of its own, and its bytes.
    ///
    /// # Errors
    /// `Damaged` if there is no such object; see [`File::bytes`].
    pub fn object(&self, file: &File<'_>, id: &[u8]) -> Read<Vec<u8>> {
        let id = id.get(..self.id_len).ok_or_else(|| damaged("the number of an object in a heap is cut"))?;
        let mut fields = file.fields(id);
        match fields.byte()? >> 4 & 3 {
            0 => {
                let (at, len) = (fields.number(self.offset_width)?, fields.number(self.length_width)?);
                self.managed(file, at, len)
            }
            1 => self.huge(file, &id[1..]),
            _ => {
                // A tiny object stands in the number itself.
                let len = if self.id_len <= 17 {
                    usize::from(id[0] & 0xf)
                } else {
                    usize::from(id[0] & 0xf) << 8 | usize::from(fields.byte()?)
                };
                Ok(fields.take(len + 1)?.to_vec())
            }
        }
    }

    fn managed(&self, file: &File<'_>, at: u64, len: u64) -> Read<Vec<u8>> {
        let root = self.root.ok_or_else(|| damaged("a heap in it is empty, and has objects"))?;
        let rows = (self.root_rows > 0).then_some(self.root_rows);
        let mut block = Block { address: root, rows, start: 0 };
        for _ in 0..MOST_LEVELS {
            let Some(rows) = block.rows else {
                let is_within = len <= LONGEST_OBJECT && at >= block.start;
                let address = block.address.checked_add(at.saturating_sub(block.start));
                let address = address.filter(|_| is_within);
                let address =
                    address.ok_or_else(|| damaged("an object in a heap has an impossible place"))?;
                return file.bytes(address, len);
            };
            block = self.child(file, &block, rows, at)?;
        }
        Err(damaged("a heap in it has too many levels"))
    }

    /// The length of each block of a row.
    fn row_len(&self, row: u64) -> Option<u64> {
        self.first_len.checked_mul(1_u64.checked_shl(u32::try_from(row.saturating_sub(1)).ok()?)?)
    }

    /// The block within an indirect block that covers a byte of the heap's space.
    fn child(&self, file: &File<'_>, block: &Block, rows: u64, at: u64) -> Read<Block> {
        let impossible = || damaged("an object in a heap has an impossible place");
        let inside = at.checked_sub(block.start).ok_or_else(impossible)?;
        let row_0 = self.width.checked_mul(self.first_len).ok_or_else(impossible)?;
        // From the second row on, each row is as long as all before it.
        let row = (inside / row_0).checked_ilog2().map_or(0, |log| u64::from(log) + 1);
        let len = self.row_len(row).filter(|_| row < rows).ok_or_else(impossible)?;
        let row_start = if row == 0 { 0 } else { self.width.saturating_mul(len) };
        let column = (inside - row_start) / len;
        let prefix = 5 + file.widths.address as u64 + self.offset_width as u64;
        let place = (row * self.width + column) * file.widths.address as u64;
        let head = file.bytes(block.address, 4)?;
        file.fields(&head).signature("FHIB")?;
        let address =
            block.address.checked_add(prefix).and_then(|at| at.checked_add(place)).ok_or_else(impossible)?;
        let bytes = file.bytes(address, file.widths.address as u64)?;
        let address = file.fields(&bytes).address()?.ok_or_else(impossible)?;
        let is_indirect = len > self.longest_direct;
        let rows = u64::from((len / row_0).checked_ilog2().unwrap_or(0)) + 1;
        let start = block.start + row_start + column * len;
        Ok(Block { address, rows: is_indirect.then_some(rows), start })
    }

    /// An object that is too long for a block has a place of its own.
    fn huge(&self, file: &File<'_>, id: &[u8]) -> Read<Vec<u8>> {
        let mut fields = file.fields(id);
        let is_direct = file.widths.address + file.widths.length <= id.len();
        let place = if is_direct {
            fields.address()?.zip(Some(fields.length()?))
        } else {
            let number = fields.number(file.widths.length.min(id.len()))?;
            self.huge_by_number(file, number)?
        };
        let (address, len) = place.filter(|(_, len)| *len <= LONGEST_OBJECT).ok_or_else(|| {
            damaged("a long object in a heap is not where it should be, or longer than is read")
        })?;
        file.bytes(address, len)
    }

    fn huge_by_number(&self, file: &File<'_>, number: u64) -> Read<Option<(u64, u64)>> {
        let tree = self.huge.ok_or_else(|| damaged("a heap in it has no long objects"))?;
        let mut found = None;
        btree2::each(file, tree, &mut |record| {
            let mut fields = file.fields(record);
            let (address, len) = (fields.address()?, fields.length()?);
            if fields.length()? == number {
                found = address.zip(Some(len));
            }
            Ok(())
        })?;
        Ok(found)
    }
}
