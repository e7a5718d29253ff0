//! A dataset's object header -> its form, and the pieces of its numbers.

use super::{
    chunks::{Chunk, Chunks, Filtered, Form},
    dataspace::Dataspace,
    datatype::{Datatype, Element},
    fault::{Read, damaged},
    file::File,
    filters::{self, Filter},
    layout::Layout,
    object::{Object, kind},
};
use crate::{
    reader::{
        contents::Piece,
        packing::{Packing, Stored},
        pieces::dense_strides,
    },
    tensor::dtype::DType,
};

/// The most pieces of all datasets of a file.
pub const MOST_PIECES: usize = 200_000;

/// A dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The names of its groups and its own, the outermost first.
    pub path: Vec<Box<str>>,
    /// The element type, or the name of one that is not read.
    pub dtype: Result<DType, Box<str>>,
    /// The length of each axis.
    pub shape: Vec<u64>,
    /// Where its numbers are.
    pub pieces: Vec<Piece>,
    /// Why there are no pieces; a phrase that follows "its numbers are".
    pub unread: Option<Unread>,
}

/// Why the numbers of a dataset cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unread {
    /// They are compressed in this way.
    Compressed(String),
    /// Some or all of them were never written.
    NeverWritten,
    /// They are in another file.
    InOtherFiles,
    /// They are in too many parts.
    TooManyParts,
    /// They are somewhere else; the words follow "are".
    Other(&'static str),
}

impl Unread {
    /// What follows "the numbers of …", and what would mend it.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Compressed(how) => format!(
                "are compressed ({how}), which is not read: write them without compression, or run `h5repack -f NONE` on the file"
            ),
            Self::NeverWritten => "were not all written, so the file does not have them".to_owned(),
            Self::InOtherFiles => {
                "are in other files, which are not opened: run `h5repack -l CONTI` on the file".to_owned()
            }
            Self::TooManyParts => format!(
                "are in more than {MOST_PIECES} chunks, which is not read: run `h5repack -l CONTI` on the file"
            ),
            Self::Other(how) => {
                format!("are {how}, which is not read: run `h5repack -l CONTI -f NONE` on the file")
            }
        }
    }
}

/// Reads a header; `None` if the object is no dataset. `is_bfloat16` says that an attribute calls its elements so, because HDF5
/// has no such type. At most `most` pieces are made.
///
/// # Errors
/// `Damaged` if its parts contradict each other; see [`File::bytes`].
pub fn read(file: &File<'_>, object: &Object, is_bfloat16: bool, most: usize) -> Read<Option<Dataset>> {
    let Some(layout) = object.first(file, kind::LAYOUT)? else { return Ok(None) };
    let (datatype, space) = (object.first(file, kind::DATATYPE)?, object.first(file, kind::DATASPACE)?);
    let (Some(datatype), Some(space)) = (datatype, space) else {
        return Err(damaged("a dataset in it has no type or no shape"));
    };
    let datatype = Datatype::read(file.fields(&datatype.bytes))?;
    let space = Dataspace::read(file.fields(&space.bytes))?;
    let is_bfloat16 = is_bfloat16 && datatype.element == Element::Opaque && datatype.len == 2;
    let dtype = if is_bfloat16 { Ok(DType::BFloat16) } else { datatype.number() };
    let mut dataset =
        Dataset { path: Vec::new(), dtype, shape: space.shape.clone(), pieces: Vec::new(), unread: None };
    let is_empty = space.shape.contains(&0);
    if dataset.dtype.is_err() || is_empty {
        return Ok(Some(dataset));
    }
    let mut numbers = Numbers { file, datatype: &datatype, space: &space, most };
    match numbers.find(object, &layout)? {
        Ok(pieces) => dataset.pieces = pieces,
        Err(unread) => dataset.unread = Some(unread),
    }
    Ok(Some(dataset))
}

/// Compressed chunks may have together so many times the bytes of their dataset.
const MOST_TIMES: u64 = 64;
/// So many bytes of compressed chunks are always unpacked.
const ALWAYS_UNPACKED: u64 = 64 << 20;

struct Numbers<'a> {
    file: &'a File<'a>,
    datatype: &'a Datatype,
    space: &'a Dataspace,
    most: usize,
}

impl Numbers<'_> {
    fn find(&mut self, object: &Object, layout: &super::object::Message) -> Read<Result<Vec<Piece>, Unread>> {
        if object.all(kind::EXTERNAL_FILES).next().is_some() {
            return Ok(Err(Unread::InOtherFiles));
        }
        let filters = match object.first(self.file, kind::FILTERS)? {
            Some(filters) => filters::read(self.file.fields(&filters.bytes), self.datatype.len)?,
            None => Vec::new(),
        };
        match Layout::read(self.file, layout, self.space)? {
            Layout::Contiguous(address, len) => self.contiguous(address, len).map(Ok),
            Layout::Chunked(chunks) => self.chunked(&chunks, &filters),
            Layout::NeverWritten => Ok(Err(Unread::NeverWritten)),
            Layout::Other(how) => Ok(Err(Unread::Other(how))),
        }
    }

    fn contiguous(&self, address: u64, len: u64) -> Read<Vec<Piece>> {
        let needed = self.space.elements().and_then(|count| count.checked_mul(self.datatype.len));
        let needed = needed.filter(|needed| *needed <= len && self.file.has(address, *needed));
        needed.ok_or_else(|| damaged("the numbers of a dataset in it leave the file"))?;
        Ok(vec![self.piece(address)])
    }

    fn chunked(&self, chunks: &Chunks, filters: &[Filter]) -> Read<Result<Vec<Piece>, Unread>> {
        let shape = &self.space.shape;
        let count = chunks.count(shape).filter(|count| *count <= self.most as u64);
        let Some(count) = count else { return Ok(Err(Unread::TooManyParts)) };
        let len = chunks.shape.iter().try_fold(self.datatype.len, |len, length| len.checked_mul(*length));
        let len = len.ok_or_else(|| damaged("the chunks of a dataset in it have an impossible shape"))?;
        let is_filtered = !filters.is_empty();
        if is_filtered && self.is_mostly_outside(len, count) {
            return Ok(Err(Unread::Other("in compressed chunks that are much larger than the dataset")));
        }
        let found = chunks.find(self.file, &Form { shape, size: self.datatype.len, is_filtered })?;
        if found.len() as u64 != count {
            return Ok(Err(Unread::NeverWritten));
        }
        let strides = dense_strides(&chunks.shape);
        let mut pieces = Vec::with_capacity(found.len());
        for chunk in found {
            let is_whole = chunk.region.shape == chunks.shape;
            let is_plain = !is_whole && chunks.are_edges_plain;
            let packing = match packing(&chunk, filters, len) {
                _ if is_plain => None,
                Ok(packing) => packing,
                Err(names) => return Ok(Err(Unread::Compressed(names))),
            };
            let stored_len =
                if packing.is_some() { chunk.filtered.map_or(len, |made| made.len) } else { len };
            if !self.file.has(chunk.address, stored_len) {
                return Err(damaged("a chunk of a dataset in it leaves the file"));
            }
            pieces.push(Piece {
                strides: (!is_whole).then(|| strides.clone().into()),
                region: Some(Box::new(chunk.region)),
                packing: packing.map(Box::new),
                ..self.piece(chunk.address)
            });
        }
        Ok(Ok(pieces))
    }

    /// Whether nearly all elements of so many chunks, of `len` bytes each, are outside of the dataset: unpacking them would take
    /// time for nothing.
    fn is_mostly_outside(&self, len: u64, count: u64) -> bool {
        let needed = self.space.elements().and_then(|elements| elements.checked_mul(self.datatype.len));
        let most = needed.map(|needed| needed.saturating_mul(MOST_TIMES).max(ALWAYS_UNPACKED));
        most.is_none_or(|most| len.saturating_mul(count) > most)
    }

    fn piece(&self, address: u64) -> Piece {
        Piece {
            file: 0,
            offset: self.file.base + address,
            strides: None,
            region: None,
            is_big_endian: self.datatype.is_big_endian,
            checksum: None,
            packing: None,
        }
    }
}

/// How the elements of a chunk are stored, of which there are `len` bytes; none if they are as they are. The error is the names of
/// the filters, if one of them is not read.
fn packing(chunk: &Chunk, filters: &[Filter], len: u64) -> Result<Option<Packing>, String> {
    let Some(Filtered { len: stored_len, left_out }) = chunk.filtered else { return Ok(None) };
    let codecs = filters::codecs(filters, left_out)?;
    Ok(Some(Packing { stored: Stored::InFile(stored_len), codecs, len }))
}
