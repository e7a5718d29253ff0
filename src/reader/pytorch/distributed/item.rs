//! An item in a `.distcp` file -> the numbers of a chunk, or a number that counts. Each item is an archive of `torch.save`.

use std::{cell::Cell, io};

use crate::reader::{
    contents::{Counter, OpenError, Piece},
    input::{Input, Part},
    zip,
};

use super::{
    super::{dtype::Element, saved},
    metadata::Place,
};

/// The most bytes that are read of all items together, without their numbers: those of 200,000 items have a third of it.
const MOST_BYTES: u64 = 1 << 30;

/// The items in some files.
pub(super) struct Items<'a> {
    pub(super) inputs: Vec<Box<dyn Input + 'a>>,
    left: Cell<u64>,
}

impl Default for Items<'_> {
    fn default() -> Self {
        Self { inputs: Vec::new(), left: Cell::new(MOST_BYTES) }
    }
}

/// Why a chunk cannot be read.
pub(super) enum Unread {
    /// Its file is missing.
    Missing,
    /// The sentence begins with "they".
    Because(String),
}

/// The form that a chunk must have.
pub(super) struct Form<'a> {
    pub(super) dtype: &'a Element,
    pub(super) shape: &'a [u64],
}

impl Items<'_> {
    /// Where the numbers of an item are; `number` is that of its file, the first being 1.
    pub(super) fn piece(
        &self,
        number: u32,
        place: &Place,
        form: &Form<'_>,
    ) -> Result<Result<Piece, Unread>, OpenError> {
        let because = |why: &str| Ok(Err(Unread::Because(why.to_owned())));
        if place.is_transformed {
            return because("they went through an extension, which is not read: save them without one");
        }
        let mut assembly =
            self.read(number, place, |part, archive, folder| saved::read(part, archive, folder))?;
        assembly.shift(place.offset);
        let [tensor] = assembly.tensors.as_mut_slice() else {
            return because("their item is no single tensor");
        };
        if tensor.dtype != *form.dtype || tensor.shape != form.shape {
            return because("their item has another type or shape than the metadata say");
        }
        match tensor.pieces.pop() {
            Some(piece) => Ok(Ok(piece)),
            None if tensor.dtype.is_err() => Ok(Err(Unread::Missing)),
            None => because(&assembly.remarks().join("; ")),
        }
    }

    /// The whole number that an item is.
    pub(super) fn number(&self, number: u32, place: &Place, name: &str) -> Option<Counter> {
        if place.is_transformed {
            return None;
        }
        self.read(number, place, |part, archive, folder| saved::number(part, archive, folder, name)).ok()?
    }

    /// Reads an item, but not the numbers of its tensor.
    fn read<T>(
        &self,
        number: u32,
        place: &Place,
        read: impl Fn(&dyn Input, &zip::Archive, &str) -> Result<T, OpenError>,
    ) -> Result<T, OpenError> {
        let input = self.inputs.get(number as usize - 1).ok_or(OpenError::Unknown)?;
        let end = place.offset.checked_add(place.len);
        if end.is_none_or(|end| end > input.len()) {
            return Err(OpenError::NotWhole("a file of its numbers ends before an item does".to_owned()));
        }
        let part = Part::new(&**input, place.offset, place.len);
        let metered = Metered { input: &part, left: &self.left };
        let opened = zip::open(&metered).and_then(|archive| {
            let folder = saved::folder(&archive);
            let folder = folder.ok_or_else(|| OpenError::Damaged("it has no pickle".to_owned()))?;
            read(&metered, &archive, &folder)
        });
        opened.map_err(|error| match error {
            _ if self.left.get() == 0 => OpenError::NotRead("its items are too large to be read".to_owned()),
            OpenError::NotWhole(message) | OpenError::Damaged(message) => OpenError::Damaged(format!(
                "the item at byte {} of a file of its numbers: {message}",
                place.offset
            )),
            error => error,
        })
    }
}

/// An input of which only so many bytes are read.
struct Metered<'a> {
    input: &'a dyn Input,
    left: &'a Cell<u64>,
}

impl Input for Metered<'_> {
    fn len(&self) -> u64 {
        self.input.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get().checked_sub(buf.len() as u64);
        self.left.set(left.unwrap_or(0));
        if left.is_none() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.input.read_at(offset, buf)
    }
}
