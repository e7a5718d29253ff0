//! Where a tensor or the pictures of a step are logged -> the tensor: read, checked and decoded.

use std::{io, sync::Arc};

use bytes::Bytes;
use imbl::OrdMap;

use crate::{
    catalog::{
        Catalog,
        checked::{Checked, SMALL_PAYLOAD},
        damage::BadValue,
        health::Fault,
        snapshot::{Encoding, FileId, LoggedValue, Series, Snapshot},
    },
    event::wire::Span,
    reader::{
        checkpoint::Checkpoint,
        events::{EventError, checked_value, read, read_short, value_span},
        file::{FileKind, ReadableFile},
        read_error::ReadError,
    },
    source::{
        Source,
        window::{SHORT_PART, Window},
    },
    tensor::{
        Tensor,
        decode::{DecodeError, pictures_of_value, tensor_of_value},
        frame_reader::FrameReader,
        picture::{PictureError, decode_pictures},
    },
    types::Step,
};

/// Why a tensor that the catalog lists cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read at the moment. Try again later.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file was shortened or overwritten since it was scanned; the catalog will notice.
    #[error("the file changed while it was read: try again")]
    Changed,
    /// The payload is damaged.
    #[error("the record at byte {offset} is damaged: its CRC is wrong")]
    Damaged {
        /// The record's first byte.
        offset: u64,
    },
    /// The system has no memory for it. Try again later.
    #[error(
        "{needed} bytes of memory for this tensor are not to be had just now: try again, or give the program more memory"
    )]
    NoMemory {
        /// Bytes.
        needed: usize,
    },
    /// A tensor of a checkpoint cannot be read.
    #[error("{0}")]
    Checkpoint(ReadError),
    /// The payload is intact but contains no such tensor.
    #[error("the tensor cannot be decoded: {0}")]
    Undecodable(#[from] DecodeError),
}

impl From<EventError> for LoadError {
    fn from(error: EventError) -> Self {
        match error {
            EventError::Io(error) => Self::Io(error),
            EventError::Changed => Self::Changed,
            EventError::Damaged { offset } => Self::Damaged { offset },
            EventError::NoMemory { needed } => Self::NoMemory { needed },
        }
    }
}

impl LoadError {
    /// The fault of the file that this error shows; `None` if the error may disappear by itself.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Io(_) | Self::Changed | Self::NoMemory { .. } => None,
            Self::Damaged { .. } | Self::Checkpoint(ReadError::Damaged { .. }) => Some(Fault::PayloadCrc),
            Self::Checkpoint(_) | Self::Undecodable(_) => Some(Fault::Undecodable),
        }
    }

    /// Whether it is a lasting fault of one value, not of all values that were logged together.
    fn is_of_one_value(&self) -> bool {
        match self {
            Self::Undecodable(DecodeError::Pictures(error)) => error.idx().is_some(),
            _ => self.fault().is_some(),
        }
    }
}

/// Reads tensors that a catalog lists, and reports damaged ones to the catalog.
#[derive(Clone)]
pub struct Loader {
    /// The catalog.
    pub catalog: Catalog,
    /// From where its files are read.
    pub source: Arc<dyn Source>,
    /// The most that a tensor may take, in bytes.
    pub max_bytes: u64,
}

impl Loader {
    /// Reads what one attempt at a step of a series logged.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(&self, series: &Series, step: Step, parts: &[LoggedValue]) -> Result<Tensor, LoadError> {
        let snapshot = self.catalog.snapshot();
        let tensor_files = self.tensor_files(&snapshot);
        let left_out = |failed: &NotLoaded| self.report((series, step), failed);
        load_whole(&tensor_files, series.encoding, parts, left_out).map_err(|failed| failed.error)
    }

    /// Reads the encoded animations that one attempt at a step of a series logged.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn animations(
        &self,
        series: &Series,
        step: Step,
        parts: &[LoggedValue],
    ) -> Result<Animations, LoadError> {
        let snapshot = self.catalog.snapshot();
        let tensor_files = self.tensor_files(&snapshot);
        animations(&tensor_files, parts).map_err(|error| self.reported((series, step), error))
    }

    fn tensor_files<'a>(&'a self, snapshot: &'a Snapshot) -> TensorFiles<'a> {
        TensorFiles {
            source: &*self.source,
            files: &snapshot.files,
            max_bytes: self.max_bytes,
            checked: self.catalog.checked(),
        }
    }

    /// Reports to the catalog what could not be read, if that will not change; returns the reason.
    #[must_use]
    pub fn reported(&self, of: (&Series, Step), failed: NotLoaded) -> LoadError {
        self.report(of, &failed);
        failed.error
    }

    fn report(&self, (series, step): (&Series, Step), NotLoaded { part, error }: &NotLoaded) {
        if let Some(fault) = error.fault() {
            let (run, tag, message) = (series.run.clone(), series.tag.clone(), error.to_string());
            self.catalog.report(BadValue { run, tag, step, logged: *part, fault, message });
        }
    }
}

impl Loader {
    /// As the function [`value_bytes`].
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn value_bytes(&self, logged: &LoggedValue) -> Result<u64, LoadError> {
        value_bytes(&self.tensor_files(&self.catalog.snapshot()), logged)
    }
}

/// From where tensors are read, and how large they may be.
pub struct TensorFiles<'a> {
    /// The store of the files.
    pub source: &'a dyn Source,
    /// The files by number.
    pub files: &'a OrdMap<FileId, Arc<ReadableFile>>,
    /// The most that a tensor may take, in bytes.
    pub max_bytes: u64,
    /// The records whose payloads need not be checked again.
    pub checked: &'a Checked,
}

/// How many bytes a value takes in the log, known from the lengths before it.
///
/// # Errors
/// See [`LoadError`].
pub fn value_bytes(tensor_files: &TensorFiles<'_>, logged: &LoggedValue) -> Result<u64, LoadError> {
    let file = tensor_files.files.get(&logged.file).ok_or(LoadError::Changed)?;
    if let FileKind::Checkpoint(_) = file.kind {
        return Ok(logged.spot.bytes());
    }
    let found = value_span(&mut Window::new(tensor_files.source, &file.path), logged.spot)?;
    Ok(found?.len())
}

/// Which value could not be read, and why.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct NotLoaded {
    /// The value that could not be read.
    pub part: LoggedValue,
    /// Why.
    pub error: LoadError,
}

/// The most pictures of a step that are left out. For each of them, all others are read again.
const MOST_LEFT_OUT: usize = 16;

/// Reads a tensor. Of several pictures, those that cannot be read or have another size than the first are left out, and `tell`
/// is called with each, as with a single value that cannot be read. An error of all pictures together is no fault of one of them.
///
/// # Errors
/// See [`LoadError`]; if nothing can be read, the error of the last value.
pub fn load_whole(
    tensor_files: &TensorFiles<'_>,
    encoding: Encoding,
    parts: &[LoggedValue],
    mut tell: impl FnMut(&NotLoaded),
) -> Result<Tensor, NotLoaded> {
    let mut left = parts.to_vec();
    loop {
        let failed = match load(tensor_files, encoding, &left) {
            Ok(tensor) => return Ok(tensor),
            Err(failed) => failed,
        };
        if parts.len() > 1 && !failed.error.is_of_one_value() {
            return Err(failed);
        }
        tell(&failed);
        left.retain(|part| *part != failed.part);
        if left.is_empty() || parts.len() - left.len() > MOST_LEFT_OUT {
            return Err(failed);
        }
    }
}

/// Reads a tensor: one value, or the pictures that were logged together.
///
/// # Errors
/// See [`LoadError`].
pub fn load(
    tensor_files: &TensorFiles<'_>,
    encoding: Encoding,
    parts: &[LoggedValue],
) -> Result<Tensor, NotLoaded> {
    let first = *parts.first().expect("an attempt has at least one value");
    let limit = usize::try_from(tensor_files.max_bytes).unwrap_or(usize::MAX);
    match encoding {
        Encoding::Numbers => {
            let failed = |error| NotLoaded { part: first, error };
            if let Some(checkpoint) = checkpoint_of(tensor_files, &first) {
                return of_checkpoint(tensor_files, checkpoint, &first).map_err(failed);
            }
            let tensor = tensor_of_value(value(tensor_files, &first).map_err(failed)?, limit);
            tensor.map_err(|error| failed(error.into()))
        }
        Encoding::Pictures => {
            let (places, pictures) = encoded_pictures(tensor_files, parts)?;
            decode_pictures(&pictures, limit).map_err(|error| bad_picture(&places, first, error))
        }
    }
}

fn checkpoint_of<'a>(tensor_files: &TensorFiles<'a>, logged: &LoggedValue) -> Option<&'a Checkpoint> {
    match &tensor_files.files.get(&logged.file)?.kind {
        FileKind::Events => None,
        FileKind::Checkpoint(checkpoint) => Some(checkpoint),
    }
}

fn of_checkpoint(
    tensor_files: &TensorFiles<'_>,
    checkpoint: &Checkpoint,
    logged: &LoggedValue,
) -> Result<Tensor, LoadError> {
    match checkpoint.tensor(tensor_files.source, logged.spot, tensor_files.max_bytes) {
        Ok(tensor) => tensor.ok_or(LoadError::Changed),
        Err(ReadError::Io(error)) => Err(error.into()),
        Err(ReadError::NoMemory(needed)) => {
            Err(LoadError::NoMemory { needed: usize::try_from(needed).unwrap_or(usize::MAX) })
        }
        Err(error) => Err(LoadError::Checkpoint(error)),
    }
}

/// The animated pictures of a step, whose frames are decoded when they are needed.
pub struct Animations {
    reader: FrameReader,
    /// The value that contains each picture.
    places: Vec<LoggedValue>,
    first: LoggedValue,
}

impl Animations {
    /// The frames, as far as they are known without decoding.
    #[must_use]
    pub fn reader(&self) -> &FrameReader {
        &self.reader
    }

    /// Reads a frame: see [`FrameReader::read`].
    ///
    /// # Errors
    /// A frame that cannot be decoded.
    pub fn frame(&mut self, number: usize) -> Result<Option<Tensor>, NotLoaded> {
        self.reader.read(number).map_err(|error| bad_picture(&self.places, self.first, error))
    }
}

/// Reads the encoded animations that were logged together. Nothing is decoded yet.
///
/// # Errors
/// See [`LoadError`].
pub fn animations(tensor_files: &TensorFiles<'_>, parts: &[LoggedValue]) -> Result<Animations, NotLoaded> {
    let first = *parts.first().expect("an attempt has at least one value");
    let limit = usize::try_from(tensor_files.max_bytes).unwrap_or(usize::MAX);
    let (places, pictures) = encoded_pictures(tensor_files, parts)?;
    let reader = FrameReader::new(pictures, limit).map_err(|error| bad_picture(&places, first, error))?;
    Ok(Animations { reader, places, first })
}

/// The encoded pictures of these values, and the value that contains each of them.
fn encoded_pictures(
    tensor_files: &TensorFiles<'_>,
    parts: &[LoggedValue],
) -> Result<(Vec<LoggedValue>, Vec<Bytes>), NotLoaded> {
    let (mut places, mut pictures) = (Vec::new(), Vec::new());
    for part in parts {
        let failed = |error| NotLoaded { part: *part, error };
        let found = pictures_of_value(value(tensor_files, part).map_err(failed)?);
        let found = found.map_err(|error| failed(error.into()))?;
        places.resize(places.len() + found.len(), *part);
        pictures.extend(found);
    }
    Ok((places, pictures))
}

fn bad_picture(places: &[LoggedValue], first: LoggedValue, error: PictureError) -> NotLoaded {
    let part = error.idx().and_then(|idx| places.get(idx)).copied().unwrap_or(first);
    NotLoaded { part, error: DecodeError::Pictures(error).into() }
}

/// Reads the bytes of one value. Its record is checked at the same time unless that was done before. The bytes of the record's
/// other values are not kept, so a small tensor costs only its own memory even if it was logged with large ones.
fn value(tensor_files: &TensorFiles<'_>, logged: &LoggedValue) -> Result<Bytes, LoadError> {
    let (file, place) = (logged.file, logged.spot.record());
    let path = &tensor_files.files.get(&file).ok_or(LoadError::Changed)?.path;
    let mut window = Window::of_part(tensor_files.source, path, place.offset..place.end());
    let found = value_span(&mut window, logged.spot)?;
    if let (Ok(span), true) = (&found, tensor_files.checked.knows(file, place)) {
        return if place.len <= SHORT_PART {
            Ok(read_short(&mut window, *span)?)
        } else {
            Ok(read(tensor_files.source, path, *span)?)
        };
    }
    // A record that cannot be understood is checked first: damage is another fault than an unusual writer.
    let span = found.as_ref().copied().unwrap_or(Span { at: place.payload(), end: place.payload() });
    let bytes = checked_value(&mut window, place, span)?;
    // Small records are checked when they are scanned, and are not noted.
    if place.len > SMALL_PAYLOAD {
        tensor_files.checked.note_right(file, place);
    }
    found?;
    Ok(bytes)
}
