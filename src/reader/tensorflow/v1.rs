//! The table of the format before bundles, or its shards -> what they hold.
//!
//! Facts of the format: `core/util/saved_tensor_slice.proto`, `tensor_slice_writer.cc` and `tensor_slice_reader.cc` of TensorFlow.
//! Every value is a `SavedTensorSlices`. The one with the empty key has the types and shapes, and each other one the numbers of a
//! part of a tensor, as lists of a `TensorProto`. Floats in such a list are bytes side by side, and are read where they are;
//! whole numbers take one to ten bytes each, and are read only where they count steps.

pub mod saved;

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
};

use self::saved::{Meta, Values};
use super::{
    remark::some_of,
    slice::MOST_EXTENTS,
    step,
    table::{Block, Keys, Stored, Table, entries},
};
use crate::{
    event::wire::Span,
    reader::{
        contents::{Checksum, Contents, Counter, Format, MOST_TENSORS, OpenError, Piece, StoredTensor, Sum},
        input::{Files, Input},
        view::View,
    },
    record::crc::unmasked,
    tensor::dtype::{DType, name_of_number},
    types::{text_len, text_of_bytes},
};

/// The most bytes of all names together as texts.
const MOST_NAME_BYTES: usize = 16 << 20;
/// The most files of one checkpoint.
const MOST_SHARDS: u32 = 10_000;
/// The number of strings in the list of types.
const STRING: i32 = 7;

/// Reads the table at `path`, and those of the other shards if its name is that of a shard.
///
/// # Errors
/// `Unknown` for a shard if the first one is there, with which the checkpoint is opened; else see [`OpenError`].
pub fn open(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    let mut contents = Contents::empty(Format::TensorFlowV1);
    let (mut reading, mut missing) = (Reading::default(), Vec::new());
    let shards = shards(path)?;
    if shards.first().is_some_and(|first| first != path && files.open(first).is_ok()) {
        // It is opened with its first file.
        return Err(OpenError::Unknown);
    }
    for shard in shards {
        match files.open(&shard) {
            Ok(input) => {
                reading.file = contents.files.len() as u32;
                reading.read(&*input)?;
                contents.files.push(shard);
            }
            Err(error) if shard == path => return Err(error.into()),
            Err(error) => {
                missing.push(format!("{}: {error}", shard.file_name().unwrap_or_default().to_string_lossy()));
            }
        }
    }
    if let Some(first) = missing.first() {
        let count = missing.len();
        contents.remarks.push(format!("{count} of its files cannot be opened, such as {first}"));
    }
    reading.finish(&mut contents);
    Ok(contents)
}

/// All files of the checkpoint: `NAME-00000-of-00002` is the first of two.
fn shards(path: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let shard = name.rsplit_once("-of-").and_then(|(start, count)| {
        let (stem, number) = start.rsplit_once('-')?;
        let is_number = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        (is_number(number) && is_number(count)).then_some((stem, count))
    });
    let Some((stem, count)) = shard else { return Ok(vec![path.to_owned()]) };
    let n_shards: u32 = count.parse().unwrap_or(0);
    if n_shards > MOST_SHARDS {
        return Err(OpenError::NotRead(format!(
            "it has {n_shards} files, and at most {MOST_SHARDS} are read"
        )));
    }
    let shard = |number| path.with_file_name(format!("{stem}-{number:05}-of-{count}"));
    let shards: Vec<PathBuf> = (0..n_shards).map(shard).collect();
    Ok(if shards.iter().any(|shard| shard == path) { shards } else { vec![path.to_owned()] })
}

/// What was found in the tables that were read.
#[derive(Debug, Default)]
struct Reading {
    /// The number of the table's file.
    file: u32,
    tensors: Vec<Found>,
    by_name: HashMap<Vec<u8>, usize>,
    name_bytes: usize,
    n_extents: usize,
    n_compressed: usize,
}

/// A tensor, and what was found of it.
#[derive(Debug)]
struct Found {
    meta: Meta,
    pieces: Vec<Piece>,
    /// How many of its elements are in the files, whether they can be read or not.
    elements: u64,
    /// Its value, if it is a single whole number.
    number: Option<i64>,
    /// Whether its numbers are there and are not bytes side by side.
    is_varying: bool,
}

impl Reading {
    fn read(&mut self, input: &dyn Input) -> Result<(), OpenError> {
        let table = Table::open(input)?;
        let (mut view, mut keys) = (View::new(input), Keys::default());
        for block in table.blocks {
            let Stored::Plain(crc) = block.stored(input)? else {
                self.n_compressed += 1;
                continue;
            };
            let checksum = checksum(block, crc);
            entries(&mut view, block.span, &mut keys, &mut |view, key, value| {
                if key.is_empty() {
                    return saved::read_metas(view, value, &mut |meta| self.add(meta));
                }
                self.add_values(&saved::read_values(view, value)?, checksum, view)
            })?;
        }
        Ok(())
    }

    fn add(&mut self, meta: Meta) -> Result<(), OpenError> {
        if let Some(known) = self.by_name.get(&meta.name) {
            let known = &self.tensors[*known].meta;
            let is_same = known.dtype == meta.dtype && known.shape == meta.shape;
            return if is_same { Ok(()) } else { Err(contradiction(&meta.name)) };
        }
        self.name_bytes += text_len(&meta.name);
        if self.tensors.len() == MOST_TENSORS || self.name_bytes > MOST_NAME_BYTES {
            return Err(OpenError::NotRead(format!(
                "it has more than {MOST_TENSORS} tensors, or too long names"
            )));
        }
        self.by_name.insert(meta.name.clone(), self.tensors.len());
        self.tensors.push(Found { meta, pieces: Vec::new(), elements: 0, number: None, is_varying: false });
        Ok(())
    }

    fn add_values(
        &mut self,
        values: &Values,
        checksum: Checksum,
        view: &mut View<'_>,
    ) -> Result<(), OpenError> {
        let Some(found) = self.by_name.get(&values.name).map(|idx| &mut self.tensors[*idx]) else {
            return Err(contradiction(&values.name));
        };
        self.n_extents += values.slice.0.len() + 1;
        if self.n_extents > MOST_EXTENTS {
            return Err(OpenError::NotRead("its tensors are saved in too many parts".to_owned()));
        }
        let region = values.slice.region(&found.meta.shape)?;
        let elements = region.shape.iter().try_fold(1_u64, |product, length| product.checked_mul(*length));
        let elements = elements.ok_or_else(|| contradiction(&values.name))?;
        found.elements = found.elements.saturating_add(elements);
        let Some(dtype) = DType::from_number(found.meta.dtype).filter(|_| elements > 0) else {
            return Ok(());
        };
        let Some(bytes) = values.side_by_side(dtype) else {
            found.is_varying = true;
            found.number = if found.meta.shape.is_empty() { values.number(view)? } else { None };
            return Ok(());
        };
        if elements.checked_mul(dtype.bytes() as u64) != Some(bytes.len()) {
            return Err(contradiction(&values.name));
        }
        let region = (region.shape != found.meta.shape).then(|| Box::new(region));
        let (file, checksum) = (self.file, Some(checksum));
        found.pieces.push(Piece {
            file,
            offset: bytes.at,
            strides: None,
            region,
            is_big_endian: false,
            checksum,
            packing: None,
        });
        Ok(())
    }

    /// Lists what was found, and says what is missing.
    fn finish(self, contents: &mut Contents) {
        let (mut varying, mut cut, mut types) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut numbers = Vec::new();
        for found in &self.tensors {
            let name = text_of_bytes(&found.meta.name);
            let needed =
                found.meta.shape.iter().try_fold(1_u64, |product, length| product.checked_mul(*length));
            if let Some(value) = found.number.filter(|_| step::is_counter(&name)) {
                numbers.push(Counter { value, found_in: name });
            } else if found.is_varying {
                types.insert(name_of_number(found.meta.dtype));
                varying.push(name);
            } else if needed != Some(found.elements) && found.meta.dtype != STRING {
                cut.push(name);
            }
        }
        step::choose(&numbers, contents);
        if self.n_compressed > 0 {
            contents.remarks.push(format!(
                "{} blocks are compressed with Snappy, which is not read here: save it again with write_version=tf.train.SaverDef.V2",
                self.n_compressed
            ));
        }
        if !varying.is_empty() {
            let types: Vec<String> = types.into_iter().collect();
            contents.remarks.push(format!(
                "{} of {} have numbers of varying length and are not read: save them with write_version=tf.train.SaverDef.V2",
                some_of(&varying),
                types.join(", ")
            ));
        }
        if !cut.is_empty() {
            contents.remarks.push(format!("not all parts of {} are there", some_of(&cut)));
        }
        contents.tensors =
            self.tensors.into_iter().filter(|found| found.meta.dtype != STRING).map(stored).collect();
    }
}

fn stored(found: Found) -> StoredTensor {
    let Found { meta, mut pieces, elements, .. } = found;
    let needed = meta.shape.iter().try_fold(1_u64, |product, length| product.checked_mul(*length));
    if needed != Some(elements) {
        pieces.clear();
    }
    let dtype = DType::from_number(meta.dtype).ok_or_else(|| name_of_number(meta.dtype).into());
    let name = vec![text_of_bytes(&meta.name).into()];
    StoredTensor { name, better_name: None, dtype, shape: meta.shape, pieces }
}

/// The CRC of a block is one over its bytes and the kind of its compression.
fn checksum(block: Block, masked: u32) -> Checksum {
    let Span { at, end } = block.span;
    Checksum { offset: at, len: end + 1 - at, expected: Sum::Crc32c(unmasked(masked)) }
}

fn contradiction(name: &[u8]) -> OpenError {
    OpenError::Damaged(format!("what it says of {:?} contradicts itself", text_of_bytes(name)))
}
