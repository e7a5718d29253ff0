//! One save on the shelf: an event file with copies of some kernels of a checkpoint, and where each lies in it.
//!
//! The first record names the version of the format, as in each event file. The second is a text tensor with the tag [`HEAD_TAG`]: a
//! JSON object that says from which checkpoint the copies are, when it was saved, what was concluded about each tensor, and where its
//! numbers are, counted from the end of that record. Each tensor follows in a record of its own, as any writer logs it, so that
//! TensorBoard reads it too. A file appears under its name whole, by renaming.

pub mod facts;
pub mod write;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use prost::Message as _;
use serde::{Deserialize, Serialize};

use self::facts::FactsJson;
use super::{
    checkpoint::Checkpoint,
    contents::{Checksum, Contents, Format, MOST_AXES, OpenError, Piece, StoredTensor, Sum},
    files::Stamp,
    input::Input,
    moment::{Axis, Moment, StepFrom},
};
use crate::{
    model::Facts,
    proto::{Event, event::What, summary::value},
    record::{
        crc::unmasked,
        frame::{FOOTER_BYTES, HEADER_BYTES, Header, header, payload_holds},
    },
    tensor::dtype::DType,
    types::RunName,
};

/// The tag of the record that describes the others.
pub const HEAD_TAG: &str = "convscope/save";
/// How the names of the files end.
pub const ENDING: &str = ".convscope-shelf";
/// The longest description, in bytes.
const LONGEST_HEAD: u64 = 4 << 20;
/// The most tensors of a save.
const MOST_TENSORS: usize = 2_000;
/// The version of the description.
const VERSION: u32 = 1;

/// A save that is kept.
#[derive(Debug)]
pub struct KeptSave {
    /// Its run.
    pub run: RunName,
    /// Which write of which checkpoint it is from.
    pub written: Written,
    /// When in the training it was saved.
    pub moment: Moment,
    /// Why the checkpoint is likely of its run, if it does not lie in it.
    pub run_from: Option<Arc<str>>,
    /// The format of the checkpoint.
    pub format: String,
    /// A digest of what is kept: the same for two checkpoints with the same numbers.
    pub digest: String,
    /// The tensors that are kept, as a checkpoint with one file.
    pub checkpoint: Arc<Checkpoint>,
    /// What was concluded about each of them while the whole checkpoint was there.
    pub facts: Vec<Arc<Facts>>,
    /// Kernels that the checkpoint had and that are not kept.
    pub not_kept: Vec<NotKept>,
    /// The length of the file in bytes.
    pub bytes: u64,
}

/// A write of a checkpoint: if two are equal, nobody wrote it between them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Written {
    /// The path of the checkpoint, relative to the directory of its run if it lies there.
    pub name: String,
    /// The last change of its files, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// The bytes of its files.
    pub bytes: u64,
}

impl Written {
    /// What is seen of a checkpoint with this name now.
    #[must_use]
    pub fn of(name: &str, checkpoint: &Checkpoint) -> Self {
        let bytes = checkpoint.stamps.iter().map(|stamp| stamp.len).fold(0, u64::saturating_add);
        let mtime_ns = i64::try_from(checkpoint.mtime_ns()).unwrap_or(i64::MAX);
        Self { name: name.to_owned(), mtime_ns, bytes }
    }
}

/// A kernel of a checkpoint that is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotKept {
    /// Its tag.
    pub tag: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Why, as a phrase.
    pub why: String,
}

impl KeptSave {
    /// The directory that is there as long as its run is, relative to the logdir: that of the run, or the one in which the run lies if
    /// it is a single file.
    #[must_use]
    pub fn place(&self) -> &Path {
        let dir = Path::new(self.run.as_str());
        let is_file = self.written.name == self.run.as_str();
        dir.parent().filter(|_| is_file).unwrap_or(dir)
    }

    /// Takes the facts of another save where they are the same, so that they are in memory once.
    pub fn share_facts(&mut self, other: &Self) {
        for (own, of_other) in self.facts.iter_mut().zip(&other.facts) {
            if own == of_other {
                *own = Arc::clone(of_other);
            }
        }
    }
}

/// The description of a save, as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    version: u32,
    run: String,
    written: Written,
    axis: String,
    value: i64,
    from: String,
    run_from: Option<String>,
    format: String,
    digest: String,
    tensors: Vec<TensorHead>,
    not_kept: Vec<NotKept>,
}

/// A tensor in the description. Offsets count from the end of the description's record.
#[derive(Debug, Serialize, Deserialize)]
struct TensorHead {
    tag: String,
    saved_as: Vec<String>,
    /// The number of the element type in TensorFlow.
    dtype: i32,
    shape: Vec<u64>,
    /// The first byte of the numbers.
    at: u64,
    /// The first byte of the payload of the record.
    payload_at: u64,
    payload_bytes: u64,
    /// The CRC32C of the payload.
    crc32c: u32,
    facts: FactsJson,
}

/// Reads the description of a save from a file in this state.
///
/// # Errors
/// `NotWhole` if the file ends too early; `Unknown` if it is none; `Damaged` if it contradicts itself.
pub fn open(input: &dyn Input, path: &Path, stamps: Vec<Stamp>) -> Result<KeptSave, OpenError> {
    let (_, first_end) = payload(input, 0)?;
    let (payload, end) = payload(input, first_end)?;
    let head = head(&payload)?;
    let mut contents = Contents { files: vec![path.to_owned()], ..Contents::empty(Format::Shelf) };
    let mut facts = Vec::with_capacity(head.tensors.len());
    let (axis, from) = (Axis::from_name(&head.axis), StepFrom::from_name(&head.from));
    let (Some(axis), Some(from)) = (axis, from) else { return Err(damaged()) };
    if head.tensors.len() > MOST_TENSORS {
        return Err(damaged());
    }
    for tensor in head.tensors {
        contents.tensors.push(stored(&tensor, end, input.len())?);
        facts.push(Arc::new(tensor.facts.facts().ok_or_else(damaged)?));
    }
    Ok(KeptSave {
        run: RunName::from(head.run),
        written: head.written,
        moment: Moment { axis, value: head.value, from },
        run_from: head.run_from.map(Into::into),
        format: head.format,
        digest: head.digest,
        checkpoint: Arc::new(Checkpoint { contents, stamps }),
        facts,
        not_kept: head.not_kept,
        bytes: input.len(),
    })
}

fn damaged() -> OpenError {
    OpenError::Damaged("its description is not as ConvScope writes it".to_owned())
}

/// The payload of the record at `offset`, and the byte after the record.
fn payload(input: &dyn Input, offset: u64) -> Result<(Vec<u8>, u64), OpenError> {
    let bytes = input.bytes(offset, HEADER_BYTES as u64)?;
    let bytes = bytes.first_chunk().expect("as many bytes as were asked for");
    let Header::Payload(len) = header(bytes, LONGEST_HEAD) else { return Err(OpenError::Unknown) };
    let mut payload = input.bytes(offset + HEADER_BYTES as u64, len + FOOTER_BYTES as u64)?;
    let footer = *payload.last_chunk().expect("it ends with a footer");
    payload.truncate(payload.len() - FOOTER_BYTES);
    // A fuzzer does not guess CRCs.
    if !payload_holds(&payload, footer) && !cfg!(fuzzing) {
        return Err(damaged());
    }
    Ok((payload, offset + (HEADER_BYTES + FOOTER_BYTES) as u64 + len))
}

fn head(payload: &[u8]) -> Result<Head, OpenError> {
    let event = Event::decode(payload).map_err(|_| OpenError::Unknown)?;
    let Some(What::Summary(summary)) = event.what else { return Err(OpenError::Unknown) };
    let value = summary.value.into_iter().next().filter(|value| *value.tag == *HEAD_TAG.as_bytes());
    let text = match value.and_then(|value| value.value) {
        Some(value::Value::Tensor(tensor)) => tensor.string_val.into_iter().next(),
        _ => None,
    };
    let head: Head = serde_json::from_slice(&text.ok_or(OpenError::Unknown)?).map_err(|_| damaged())?;
    if head.version == VERSION {
        Ok(head)
    } else {
        Err(OpenError::NotRead("it was kept by a newer ConvScope".to_owned()))
    }
}

/// A tensor whose numbers lie within the file.
fn stored(tensor: &TensorHead, head_end: u64, file_len: u64) -> Result<StoredTensor, OpenError> {
    let dtype = DType::from_number(tensor.dtype).ok_or_else(damaged)?;
    let elements = tensor.shape.iter().try_fold(1_u64, |count, length| count.checked_mul(*length));
    let bytes = elements.and_then(|count| count.checked_mul(dtype.bytes() as u64)).ok_or_else(damaged)?;
    let offset = head_end.checked_add(tensor.at).ok_or_else(damaged)?;
    let end = offset.checked_add(bytes).ok_or_else(damaged)?;
    let payload_at = head_end.checked_add(tensor.payload_at).ok_or_else(damaged)?;
    let payload_end = payload_at.checked_add(tensor.payload_bytes).ok_or_else(damaged)?;
    let is_inside = payload_at <= offset && end <= payload_end;
    if !is_inside || tensor.shape.len() > MOST_AXES || tensor.saved_as.is_empty() {
        return Err(damaged());
    }
    if payload_end > file_len {
        return Err(OpenError::NotWhole("it ends too early".to_owned()));
    }
    let sum = Sum::Crc32c(tensor.crc32c);
    Ok(StoredTensor {
        name: tensor.saved_as.iter().map(|part| part.as_str().into()).collect(),
        better_name: Some(tensor.tag.as_str().into()),
        dtype: Ok(dtype),
        shape: tensor.shape.clone(),
        pieces: vec![Piece {
            file: 0,
            offset,
            strides: None,
            region: None,
            is_big_endian: false,
            checksum: Some(Checksum { offset: payload_at, len: tensor.payload_bytes, expected: sum }),
            packing: None,
        }],
    })
}

/// The kernels that were not kept of these saves, each once, by tag.
#[must_use]
pub fn all_not_kept<'a>(saves: impl IntoIterator<Item = &'a KeptSave>) -> BTreeMap<String, NotKept> {
    let all = saves.into_iter().flat_map(|save| &save.not_kept);
    all.map(|one| (one.tag.clone(), one.clone())).collect()
}

/// The CRC32C of a payload from the masked one that follows it.
fn crc32c_of(footer: [u8; FOOTER_BYTES]) -> u32 {
    unmasked(u32::from_le_bytes(footer))
}

#[cfg(test)]
mod tests;
