//! The index of a chunked dataset -> where each chunk is.
//!
//! Source: HDF5 File Format Specification 3.0, III.A, IV.A.2.i and VII.

use super::{
    btree1, btree2,
    fault::{Read, damaged},
    fields::Fields,
    file::File,
    lookup3,
};
use crate::reader::contents::{MOST_AXES, Region};

/// The chunks of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunks {
    /// The length of a chunk on each axis.
    pub shape: Vec<u64>,
    index: Index,
    /// Whether chunks at the edge, of which a part is outside of the dataset, are left as they are by the filters.
    pub are_edges_plain: bool,
}

/// Where the addresses of the chunks are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Index {
    /// There is one chunk, at this address, and what the filters made of it.
    Single(u64, Option<Filtered>),
    /// They follow one another from this address, as many as the most lengths of the axes need.
    Implicit(u64, Vec<u64>),
    /// In an array, as many as the most lengths of the axes need.
    FixedArray(u64, Vec<u64>),
    /// In a tree of version 1.
    Tree1(u64),
    /// In a tree of version 2.
    Tree2(u64),
}

/// A chunk: the part of the dataset that it holds, and its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The part, which ends where the dataset does.
    pub region: Region,
    /// Where it begins.
    pub address: u64,
    /// What the filters made of it, if there are some.
    pub filtered: Option<Filtered>,
}

/// What the filters made of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filtered {
    /// How many bytes are stored.
    pub len: u64,
    /// Which filters were left out for this chunk: the first is the lowest bit.
    pub left_out: u32,
}

/// What finds the chunks of a dataset.
struct Search<'a> {
    file: &'a File<'a>,
    is_filtered: bool,
    add: &'a mut dyn FnMut(Vec<u64>, u64, Option<Filtered>) -> Read<()>,
}

impl Chunks {
    /// Chunks of these lengths, of which the last is that of an element.
    ///
    /// # Errors
    /// `Damaged` if a length is 0 or there are too many axes.
    pub fn read(mut lengths: Vec<u64>, index: Index) -> Read<Self> {
        lengths.pop();
        if lengths.contains(&0) || lengths.len() > MOST_AXES {
            return Err(damaged("the chunks of a dataset in it have an impossible shape"));
        }
        Ok(Self { shape: lengths, index, are_edges_plain: false })
    }

    /// How many chunks a dataset of this shape has; `None` if they are too many to count.
    #[must_use]
    pub fn count(&self, shape: &[u64]) -> Option<u64> {
        let mut counts = shape.iter().zip(&self.shape).map(|(length, of_chunk)| length.div_ceil(*of_chunk));
        counts.try_fold(1_u64, u64::checked_mul)
    }

    /// Finds all chunks of a dataset of this form.
    ///
    /// # Errors
    /// `Damaged` if the index contradicts itself; see [`File::bytes`].
    pub fn find(&self, file: &File<'_>, form: &Form<'_>) -> Read<Vec<Chunk>> {
        let Form { shape, size, is_filtered } = *form;
        if shape.len() != self.shape.len() {
            return Err(damaged("a dataset in it and its chunks have different axes"));
        }
        let mut found = Vec::new();
        let most = self.count(shape).unwrap_or(0);
        let mut add = |start: Vec<u64>, address: u64, filtered: Option<Filtered>| -> Read<()> {
            if let Some(region) = self.region(start, shape) {
                if found.len() as u64 >= most {
                    return Err(damaged("a dataset in it has more chunks than its shape"));
                }
                found.push(Chunk { region, address, filtered });
            }
            Ok(())
        };
        let mut search = Search { file, is_filtered, add: &mut add };
        match &self.index {
            Index::Single(address, filtered) => add(vec![0; shape.len()], *address, *filtered)?,
            Index::Implicit(address, longest) => {
                let len = self.shape.iter().try_fold(size, |len, length| len.checked_mul(*length));
                self.implicit(&Line { address: *address, len }, longest, shape, &mut search)?;
            }
            Index::FixedArray(address, longest) => self.fixed_array(*address, longest, &mut search)?,
            Index::Tree1(tree) => {
                btree1::each(file, *tree, btree1::Kind::Chunks(shape.len()), &mut |key, address| {
                    let mut fields = file.fields(key);
                    let filtered = Filtered { len: fields.u32()?.into(), left_out: fields.u32()? };
                    let start = (0..shape.len()).map(|_| fields.number(8)).collect::<Read<_>>()?;
                    add(start, address, is_filtered.then_some(filtered))
                })?;
            }
            Index::Tree2(tree) => btree2::each(file, *tree, &mut |record| {
                let mut fields = file.fields(record);
                let address = fields.address()?;
                let scaled_len = 8 * shape.len();
                let filtered = search.filtered(&mut fields, scaled_len)?;
                let scaled = (0..shape.len()).map(|_| fields.number(8)).collect::<Read<Vec<u64>>>()?;
                address.map_or(Ok(()), |address| (search.add)(self.start(&scaled), address, filtered))
            })?,
        }
        Ok(found)
    }

    /// The first index on each axis of the chunk that is the so manieth on each axis.
    fn start(&self, numbers: &[u64]) -> Vec<u64> {
        numbers.iter().zip(&self.shape).map(|(number, length)| number.saturating_mul(*length)).collect()
    }

    /// The part of the dataset that a chunk holds; `None` if it is outside.
    fn region(&self, start: Vec<u64>, shape: &[u64]) -> Option<Region> {
        let mut lengths = Vec::with_capacity(shape.len());
        for axis in 0..shape.len() {
            let left = shape[axis].checked_sub(start[axis]).filter(|left| *left > 0)?;
            lengths.push(left.min(self.shape[axis]));
        }
        Some(Region { start, shape: lengths })
    }

    /// Where the chunk with this number is, if they are counted row by row up to the most lengths.
    fn numbered(&self, mut number: u64, longest: &[u64]) -> Vec<u64> {
        let mut numbers = vec![0; self.shape.len()];
        for axis in (0..numbers.len()).rev() {
            let count = longest.get(axis).copied().unwrap_or(1).div_ceil(self.shape[axis]).max(1);
            numbers[axis] = number % count;
            number /= count;
        }
        self.start(&numbers)
    }

    fn implicit(&self, line: &Line, longest: &[u64], shape: &[u64], search: &mut Search<'_>) -> Read<()> {
        let impossible = || damaged("the chunks of a dataset in it have an impossible place");
        // Such a dataset cannot grow, so it has all of its chunks.
        let count = self.count(shape).filter(|_| longest == shape).ok_or_else(impossible)?;
        for number in 0..count {
            let at = line.len.and_then(|len| len.checked_mul(number));
            let address = at.and_then(|at| at.checked_add(line.address)).ok_or_else(impossible)?;
            (search.add)(self.numbered(number, longest), address, None)?;
        }
        Ok(())
    }

    fn fixed_array(&self, address: u64, longest: &[u64], search: &mut Search<'_>) -> Read<()> {
        let file = search.file;
        let width = file.widths.address as u64;
        let bytes = file.bytes(address, 12 + width + file.widths.length as u64)?;
        let mut fields = file.fields(lookup3::checked(&bytes, "FAHD")?);
        fields.signature("FAHD")?;
        let (_, client, entry, page_bits) =
            (fields.byte()?, fields.byte()?, u64::from(fields.byte()?), fields.byte()?);
        let (count, block) = (fields.length()?, fields.address()?);
        let is_known =
            if search.is_filtered { client == 1 && entry > width + 4 } else { client == 0 && entry == width };
        if !is_known || page_bits >= 32 {
            return Err(damaged("the chunks of a dataset in it are listed in an unknown way"));
        }
        let Some(block) = block else { return Ok(()) };
        let in_page = 1_u64 << page_bits;
        let n_pages = if count > in_page { count.div_ceil(in_page) } else { 0 };
        let bits_len = n_pages.div_ceil(8);
        let head = file.bytes(block, 6 + width + bits_len)?;
        file.fields(&head).signature("FADB")?;
        let bits = &head[head.len() - bits_len as usize..];
        // Each page has its checksum after it, and the head too if there are pages.
        let sum_len = if n_pages > 0 { 4 } else { 0 };
        let mut at = block.saturating_add(head.len() as u64 + sum_len);
        for page in 0..n_pages.max(1) {
            let first = page * in_page;
            let len = if n_pages > 0 { in_page.min(count - first) } else { count };
            let is_written = n_pages == 0 || bits[page as usize / 8] & (0x80 >> (page % 8)) != 0;
            let entries = if is_written { file.bytes(at, len.saturating_mul(entry))? } else { Vec::new() };
            for (idx, entry) in entries.chunks_exact(entry as usize).enumerate() {
                let mut fields = file.fields(entry);
                let (address, filtered) = (fields.address()?, search.filtered(&mut fields, 0)?);
                if let Some(address) = address {
                    (search.add)(self.numbered(first + idx as u64, longest), address, filtered)?;
                }
            }
            at = at.saturating_add(len.saturating_mul(entry).saturating_add(sum_len));
        }
        Ok(())
    }
}

impl Search<'_> {
    /// What the filters made of a chunk, where so many bytes follow that say something else.
    fn filtered(&self, fields: &mut Fields<'_>, n_after: usize) -> Read<Option<Filtered>> {
        const MASK: usize = 4;
        if !self.is_filtered {
            return Ok(None);
        }
        let width = fields.left().checked_sub(n_after + MASK).filter(|width| (1..=8).contains(width));
        let width = width.ok_or_else(|| damaged("the chunks of a dataset in it have no lengths"))?;
        Ok(Some(Filtered { len: fields.number(width)?, left_out: fields.u32()? }))
    }
}

/// What is known of a dataset whose chunks are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    /// The length of each axis.
    pub shape: &'a [u64],
    /// Bytes of an element.
    pub size: u64,
    /// Whether there are filters.
    pub is_filtered: bool,
}

/// Chunks one after the other.
struct Line {
    address: u64,
    /// Bytes of a chunk.
    len: Option<u64>,
}
