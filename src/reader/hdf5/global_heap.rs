//! The global heap -> the texts of any length in it.
//!
//! Source: HDF5 File Format Specification 3.0, III.E.

use std::cell::RefCell;

use super::{
    fault::{Read, damaged},
    fields::Fields,
    file::File,
};

/// The longest collection of objects that is read.
const LONGEST_COLLECTION: u64 = 32 << 20;

/// The collection that was read last: texts that belong together are in the same one.
#[derive(Default)]
pub struct GlobalHeap {
    last: RefCell<Option<(u64, Vec<u8>)>>,
}

impl GlobalHeap {
    /// Reads an object of which `fields` has the length and the place.
    ///
    /// # Errors
    /// `Damaged` if there is no such object; see [`File::bytes`].
    pub fn object(&self, file: &File<'_>, fields: &mut Fields<'_>) -> Read<Vec<u8>> {
        let (len, address, number) = (u64::from(fields.u32()?), fields.address()?, fields.u32()?);
        let Some(address) = address.filter(|address| *address > 0 && len > 0) else { return Ok(Vec::new()) };
        let mut last = self.last.borrow_mut();
        if last.as_ref().is_none_or(|(held, _)| *held != address) {
            *last = Some((address, collection(file, address)?));
        }
        let bytes = last.as_ref().map_or(&[][..], |(_, bytes)| bytes);
        find(file.fields(bytes), number, len)
    }
}

fn collection(file: &File<'_>, address: u64) -> Read<Vec<u8>> {
    let head_len = 8 + file.widths.length as u64;
    let head = file.bytes(address, head_len)?;
    let mut fields = file.fields(&head);
    fields.signature("GCOL")?;
    fields.take(4)?;
    let len = fields.length()?;
    let rest = len.checked_sub(head_len).filter(|_| len <= LONGEST_COLLECTION);
    let rest = rest.ok_or_else(|| damaged("a collection of texts in it has an impossible length"))?;
    file.bytes(address + head_len, rest)
}

fn find(mut fields: Fields<'_>, number: u32, len: u64) -> Read<Vec<u8>> {
    let missing = || damaged("a text in it is not where it should be");
    loop {
        let found = u32::from(fields.u16().map_err(|_| missing())?);
        fields.take(6)?;
        let held_len = fields.length()?;
        if found == 0 {
            return Err(missing());
        }
        let padded = held_len.checked_next_multiple_of(8).and_then(|len| usize::try_from(len).ok());
        let object = fields.take(padded.ok_or_else(missing)?)?;
        if found == number {
            return usize::try_from(len)
                .ok()
                .and_then(|len| object.get(..len))
                .map(<[u8]>::to_vec)
                .ok_or_else(missing);
        }
    }
}
