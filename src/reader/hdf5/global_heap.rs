//! The global heap -> the texts of any length in it.
//!
//! Source: HDF5 File Format Specification 3.0, III.E.

use std::{cell::RefCell, collections::HashMap, ops::Range};

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
    last: RefCell<Option<Collection>>,
}

struct Collection {
    address: u64,
    bytes: Vec<u8>,
    /// Where its objects are, by their numbers.
    places: HashMap<u32, Range<usize>>,
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
        if last.as_ref().is_none_or(|held| held.address != address) {
            *last = Some(collection(file, address)?);
        }
        let text = last.as_ref().and_then(|held| held.object(number, usize::try_from(len).ok()?));
        let text = text.ok_or_else(|| damaged("a text in it is not where it should be"))?;
        file.count_text(text.len())?;
        Ok(text.to_vec())
    }
}

impl Collection {
    /// The first so many bytes of an object.
    fn object(&self, number: u32, len: usize) -> Option<&[u8]> {
        self.bytes.get(self.places.get(&number)?.clone())?.get(..len)
    }
}

fn collection(file: &File<'_>, address: u64) -> Read<Collection> {
    let head_len = 8 + file.widths.length as u64;
    let head = file.bytes(address, head_len)?;
    let mut fields = file.fields(&head);
    fields.signature("GCOL")?;
    fields.take(4)?;
    let len = fields.length()?;
    let rest = len.checked_sub(head_len).filter(|_| len <= LONGEST_COLLECTION);
    let rest = rest.ok_or_else(|| damaged("a collection of texts in it has an impossible length"))?;
    let bytes = file.bytes(address + head_len, rest)?;
    let places = places(file.fields(&bytes));
    Ok(Collection { address, bytes, places })
}

/// The objects of a collection, up to the first that is none.
fn places(mut fields: Fields<'_>) -> HashMap<u32, Range<usize>> {
    let whole = fields.left();
    let mut places = HashMap::new();
    let mut next = || -> Read<Option<(u32, Range<usize>)>> {
        let number = u32::from(fields.u16()?);
        fields.take(6)?;
        let len = fields.length()?.checked_next_multiple_of(8).and_then(|len| usize::try_from(len).ok());
        let start = whole - fields.left();
        // The object 0 is what is free.
        let Some(len) = len.filter(|_| number != 0) else { return Ok(None) };
        fields.take(len)?;
        Ok(Some((number, start..start + len)))
    };
    while let Ok(Some((number, place))) = next() {
        places.entry(number).or_insert(place);
    }
    places
}
