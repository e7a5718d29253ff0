//! Where a tensor lies -> the tensor: one read, checked and decoded.

use std::{io, path::Path, sync::Arc};

use bytes::Bytes;

use crate::{
    catalog::{
        Catalog,
        health::Fault,
        ingest::BadValue,
        snapshot::{Logged, Series},
    },
    record::frame::{FOOTER_BYTES, HEADER_BYTES, Header, header, payload_holds},
    source::Source,
    tensor::{
        Tensor,
        decode::{DecodeError, tensor_of_event},
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
    /// Reads the tensor of a step of a series.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(&self, series: &Series, step: Step, logged: &Logged) -> Result<Tensor, LoadError> {
        let path = self.catalog.snapshot().files.get(&logged.file).cloned().ok_or(LoadError::Changed)?;
        load(&*self.source, &path, logged, self.max_bytes).inspect_err(|error| {
            let Some(fault) = error.fault() else { return };
            let (run, tag, message) = (series.run.clone(), series.tag.clone(), error.to_string());
            self.catalog.report(BadValue { run, tag, step, logged: *logged, fault, message });
        })
    }
}

/// Reads one tensor of at most `max_bytes`.
///
/// # Errors
/// See [`LoadError`].
pub fn load(source: &dyn Source, path: &Path, logged: &Logged, max_bytes: u64) -> Result<Tensor, LoadError> {
    let len = usize::try_from(logged.place.len).map_err(|_| LoadError::Changed)?;
    let mut record = vec![0; HEADER_BYTES + len + FOOTER_BYTES];
    let read = source.read_at(path, logged.place.offset, &mut record)?;
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
    let payload = Bytes::from(record).slice(HEADER_BYTES..HEADER_BYTES + len);
    let value_idx = usize::try_from(logged.value_idx).expect("32 bits fit");
    let limit = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    Ok(tensor_of_event(payload, value_idx, limit)?)
}
