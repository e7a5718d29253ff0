//! A dataset's object header -> its form, and the pieces of its numbers.

use super::{
    chunks::Chunks,
    dataspace::Dataspace,
    datatype::{Datatype, Element},
    fault::{Read, damaged},
    file::File,
    layout::Layout,
    object::{Object, kind},
};
use crate::{
    reader::{
        contents::{Piece, Region},
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
            Some(filters) => super::filters::names(self.file.fields(&filters.bytes))?,
            None => Vec::new(),
        };
        let layout = Layout::read(self.file, layout, self.space)?;
        if !filters.is_empty() && !matches!(layout, Layout::Contiguous(..)) {
            return Ok(Err(Unread::Compressed(filters.join(", "))));
        }
        match layout {
            Layout::Contiguous(address, len) => self.contiguous(address, len).map(Ok),
            Layout::Chunked(chunks) => self.chunked(&chunks),
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

    fn chunked(&self, chunks: &Chunks) -> Read<Result<Vec<Piece>, Unread>> {
        let shape = &self.space.shape;
        let count = chunks.count(shape).filter(|count| *count <= self.most as u64);
        let Some(count) = count else { return Ok(Err(Unread::TooManyParts)) };
        let len = chunks.shape.iter().try_fold(self.datatype.len, |len, length| len.checked_mul(*length));
        let strides = dense_strides(&chunks.shape);
        let found = chunks.find(self.file, shape, self.datatype.len)?;
        if found.len() as u64 != count {
            return Ok(Err(Unread::NeverWritten));
        }
        let mut pieces = Vec::with_capacity(found.len());
        for chunk in found {
            if len.is_none_or(|len| !self.file.has(chunk.address, len)) {
                return Err(damaged("a chunk of a dataset in it leaves the file"));
            }
            let is_whole = chunk.region.shape == chunks.shape;
            let region: Region = chunk.region;
            pieces.push(Piece {
                strides: (!is_whole).then(|| strides.clone().into()),
                region: Some(Box::new(region)),
                ..self.piece(chunk.address)
            });
        }
        Ok(Ok(pieces))
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
