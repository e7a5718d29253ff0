//! A file, or a part of one -> bytes at the addresses that HDF5 counts from the superblock.
//!
//! The structures of a file lie between its numbers, in small groups: HDF5 reserves 2,048 bytes at a time for them. They are read in
//! blocks of that length, and some blocks are kept.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
};

use super::{
    fault::{Read, damaged, not_read},
    fields::{Fields, Widths},
};
use crate::reader::input::Input;

/// Bytes of a block.
const BLOCK: u64 = 2 << 10;
/// So many blocks are kept.
const MOST_KEPT: usize = 1_024;
/// What is longer is read alone.
const MOST_IN_BLOCKS: u64 = 16 << 10;
/// The most bytes of structures that are read, with those that are read again. 50,000 tensors have 25 MB.
const MOST_READ: u64 = 192 << 20;
/// Reading anything counts as so many bytes.
const LEAST_READ: u64 = 64;

/// The most bytes of names and texts that are kept: many places may name the same bytes. 100,000 tensors have 5 MB.
const MOST_KEPT_TEXT: u64 = 32 << 20;
/// A text takes so many bytes more than it has.
const TEXT_OVERHEAD: u64 = 16;

/// A file of which the superblock was read.
pub struct File<'a> {
    input: &'a dyn Input,
    /// The byte of the superblock, from which addresses count.
    pub base: u64,
    /// The bytes of addresses and lengths.
    pub widths: Widths,
    left: Cell<u64>,
    text_left: Cell<u64>,
    kept: RefCell<Kept>,
}

#[derive(Default)]
struct Kept {
    blocks: HashMap<u64, Vec<u8>>,
    order: VecDeque<u64>,
}

impl<'a> File<'a> {
    /// A file whose superblock is at `base`.
    #[must_use]
    pub fn new(input: &'a dyn Input, base: u64, widths: Widths) -> Self {
        let (left, text_left) = (Cell::new(MOST_READ), Cell::new(MOST_KEPT_TEXT));
        Self { input, base, widths, left, text_left, kept: RefCell::default() }
    }

    /// How many bytes it has from the superblock on.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.input.len().saturating_sub(self.base)
    }

    /// Whether it has this part.
    #[must_use]
    pub fn has(&self, address: u64, len: u64) -> bool {
        address.checked_add(len).is_some_and(|end| end <= self.length())
    }

    /// The fields of a structure.
    #[must_use]
    pub fn fields<'b>(&self, bytes: &'b [u8]) -> Fields<'b> {
        Fields::new(bytes, self.widths)
    }

    /// Reads a structure, or a part of one.
    ///
    /// # Errors
    /// `Damaged` if the file has no such part; `NotRead` if too much was read already; errors of the system.
    pub fn bytes(&self, address: u64, len: u64) -> Read<Vec<u8>> {
        if !self.has(address, len) {
            return Err(damaged(format!(
                "an address in it is {address}, and it has {} bytes",
                self.length()
            )));
        }
        let left = self.left.get().checked_sub(len.max(LEAST_READ));
        let left = left.ok_or_else(|| {
            not_read(format!("what describes its contents has more than {} MiB", MOST_READ >> 20))
        })?;
        self.left.set(left);
        if len > MOST_IN_BLOCKS {
            return Ok(self.input.bytes(self.base + address, len)?);
        }
        let mut bytes = Vec::with_capacity(len as usize);
        while (bytes.len() as u64) < len {
            let at = self.base + address + bytes.len() as u64;
            let missing = len as usize - bytes.len();
            self.append(at, missing, &mut bytes)?;
        }
        Ok(bytes)
    }

    /// Counts a name or a text of so many bytes, before a copy of it is made.
    ///
    /// # Errors
    /// `NotRead` if there were too many.
    pub fn count_text(&self, len: usize) -> Read<()> {
        let left = self.text_left.get().checked_sub(len as u64 + TEXT_OVERHEAD);
        let left = left.ok_or_else(|| {
            not_read(format!("its names and texts have more than {} MiB", MOST_KEPT_TEXT >> 20))
        })?;
        self.text_left.set(left);
        Ok(())
    }

    /// Appends bytes from a place to the end of its block, but at most `most`.
    fn append(&self, at: u64, most: usize, to: &mut Vec<u8>) -> Read<()> {
        let number = at / BLOCK;
        let mut kept = self.kept.borrow_mut();
        if !kept.blocks.contains_key(&number) {
            let start = number * BLOCK;
            let block = self.input.bytes(start, BLOCK.min(self.input.len() - start))?;
            if kept.order.len() == MOST_KEPT
                && let Some(oldest) = kept.order.pop_front()
            {
                kept.blocks.remove(&oldest);
            }
            kept.order.push_back(number);
            kept.blocks.insert(number, block);
        }
        let block = kept.blocks.get(&number).map_or(&[][..], Vec::as_slice);
        let from = block.get((at % BLOCK) as usize..).filter(|from| !from.is_empty());
        let from = from.ok_or_else(|| damaged("it became shorter"))?;
        to.extend_from_slice(&from[..most.min(from.len())]);
        Ok(())
    }
}
