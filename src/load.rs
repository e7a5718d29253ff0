//! Where a tensor or the pictures of a step lie -> the tensor: read, checked and decoded.

use std::{io, path::PathBuf, sync::Arc};

use bytes::Bytes;
use imbl::OrdMap;

use crate::{
    catalog::{
        Catalog,
        health::Fault,
        ingest::BadValue,
        snapshot::{Encoding, FileId, Logged, Series},
    },
    record::frame::{FOOTER_BYTES, HEADER_BYTES, Header, header, payload_holds},
    source::Source,
    tensor::{
        Tensor,
        decode::{DecodeError, pictures_of_event, tensor_of_event},
        picture::decode_pictures,
    },
    types::Step,
};

/// Why a tensor that the catalog lists cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read just now; trying again later is in order.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file was cut or written over since it was scanned; the catalog will notice.
    #[error("the file changed while it was read: try again")]
    Changed,
    /// The payload is damaged.
    #[error("the record at byte {offset} is damaged: its CRC is wrong")]
    Damaged {
        /// The record's first byte.
        offset: u64,
    },
    /// The payload is whole but holds no such tensor.
    #[error("the tensor cannot be decoded: {0}")]
    Undecodable(#[from] DecodeError),
}

impl LoadError {
    /// The fault that this error shows in the file, if it shows one that will stay.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Io(_) | Self::Changed => None,
            Self::Damaged { .. } => Some(Fault::PayloadCrc),
            Self::Undecodable(_) => Some(Fault::Undecodable),
        }
    }
}

/// Reads tensors that a catalog lists, and tells the catalog of those that turn out damaged.
#[derive(Clone)]
pub struct Loader {
    /// The catalog.
    pub catalog: Catalog,
    /// Where its files are read.
    pub source: Arc<dyn Source>,
    /// The most that a tensor may take, in bytes.
    pub max_bytes: u64,
}

impl Loader {
    /// Reads what one attempt at a step of a series logged.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(&self, series: &Series, step: Step, parts: &[Logged]) -> Result<Tensor, LoadError> {
        let snapshot = self.catalog.snapshot();
        let shelf = Shelf { source: &*self.source, files: &snapshot.files, max_bytes: self.max_bytes };
        load(&shelf, series.encoding, parts).map_err(|NotLoaded { part, error }| {
            if let Some(fault) = error.fault() {
                let (run, tag, message) = (series.run.clone(), series.tag.clone(), error.to_string());
                self.catalog.report(BadValue { run, tag, step, logged: part, fault, message });
            }
            error
        })
    }
}

/// Where tensors are read, and how large they may be.
pub struct Shelf<'a> {
    /// The files' store.
    pub source: &'a dyn Source,
    /// The files by number.
    pub files: &'a OrdMap<FileId, Arc<PathBuf>>,
    /// The most that a tensor may take, in bytes.
    pub max_bytes: u64,
}

/// What could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct NotLoaded {
    /// The value that is at fault.
    pub part: Logged,
    /// Why.
    pub error: LoadError,
}

/// Reads a tensor: one value, or the pictures that were logged together.
///
/// # Errors
/// See [`LoadError`].
pub fn load(shelf: &Shelf<'_>, encoding: Encoding, parts: &[Logged]) -> Result<Tensor, NotLoaded> {
    let first = *parts.first().expect("an attempt has at least one value");
    let limit = usize::try_from(shelf.max_bytes).unwrap_or(usize::MAX);
    match encoding {
        Encoding::Numbers => {
            let failed = |error| NotLoaded { part: first, error };
            let tensor = tensor_of_event(payload(shelf, &first).map_err(failed)?, value_idx(&first), limit);
            tensor.map_err(|error| failed(error.into()))
        }
        Encoding::Pictures => {
            let mut pictures = Vec::new();
            // Those that were logged at one go lie in one record, which is read once.
            for of_record in parts.chunk_by(|a, b| (a.file, a.place) == (b.file, b.place)) {
                let record =
                    payload(shelf, &of_record[0]).map_err(|error| NotLoaded { part: of_record[0], error })?;
                for part in of_record {
                    let found = pictures_of_event(record.clone(), value_idx(part));
                    let found = found.map_err(|error| NotLoaded { part: *part, error: error.into() })?;
                    pictures.extend(found.into_iter().map(|picture| (*part, picture)));
                }
            }
            tensor_of_pictures(&pictures, limit, first)
        }
    }
}

fn tensor_of_pictures(
    pictures: &[(Logged, Bytes)],
    limit: usize,
    first: Logged,
) -> Result<Tensor, NotLoaded> {
    let encoded: Vec<Bytes> = pictures.iter().map(|(_, picture)| picture.clone()).collect();
    decode_pictures(&encoded, limit).map_err(|error| {
        let part = error.idx().map_or(first, |idx| pictures[idx].0);
        NotLoaded { part, error: DecodeError::Pictures(error).into() }
    })
}

fn value_idx(logged: &Logged) -> usize {
    usize::try_from(logged.value_idx).expect("32 bits fit")
}

/// Reads and checks the record that a value lies in.
fn payload(shelf: &Shelf<'_>, logged: &Logged) -> Result<Bytes, LoadError> {
    let path = shelf.files.get(&logged.file).ok_or(LoadError::Changed)?;
    let len = usize::try_from(logged.place.len).map_err(|_| LoadError::Changed)?;
    let mut record = vec![0; HEADER_BYTES + len + FOOTER_BYTES];
    let read = shelf.source.read_at(path, logged.place.offset, &mut record)?;
    if read < record.len() {
        return Err(LoadError::Changed);
    }
    let head: &[u8; HEADER_BYTES] = record.first_chunk().expect("a record has a header");
    if header(head, logged.place.len) != Header::Payload(logged.place.len) {
        return Err(LoadError::Changed);
    }
    let footer = *record.last_chunk::<FOOTER_BYTES>().expect("a record has a footer");
    if !payload_holds(&record[HEADER_BYTES..HEADER_BYTES + len], footer) {
        return Err(LoadError::Damaged { offset: logged.place.offset });
    }
    Ok(Bytes::from(record).slice(HEADER_BYTES..HEADER_BYTES + len))
}
