//! The index of a tensor bundle -> what the bundle holds.
//!
//! Facts of the format: `core/protobuf/tensor_bundle.proto` and `core/util/tensor_bundle/tensor_bundle.cc` of TensorFlow. The empty
//! key has a `BundleHeaderProto`, all others a `BundleEntryProto`. A tensor in parts has an entry that names the parts, and each part
//! has an entry of its own.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::{Path, PathBuf},
};

use super::{
    names,
    object_graph::{self, Variables},
    remark::some_of,
    shape,
    slice::{MOST_EXTENTS, Slice},
    step,
    table::Table,
};
use crate::{
    event::wire::{FieldValue, Span, next_field},
    reader::{
        contents::{
            Checksum, Contents, Counter, Format, MOST_TENSORS, OpenError, Piece, Region, StoredTensor, Sum,
        },
        input::{Files, Input},
    },
    record::crc::unmasked,
    tensor::dtype::{DType, name_of_number},
    types::text_of_bytes,
};

/// An index of 50,000 tensors has about 5 MB.
const LONGEST_INDEX: u64 = 32 << 20;
/// The number of strings in the list of types.
const STRING: i32 = 7;

/// An entry of the index.
#[derive(Debug, Default)]
struct Entry {
    dtype: i32,
    shape: Vec<u64>,
    shard: u32,
    offset: u64,
    size: u64,
    crc: u32,
    slices: Vec<Slice>,
}

/// The entries of an index.
#[derive(Debug, Default)]
struct Entries {
    n_shards: u64,
    is_big_endian: bool,
    tensors: Vec<(String, Vec<u8>, Entry)>,
    n_extents: usize,
    parts: HashMap<Vec<u8>, Entry>,
}

/// Reads the index at `path`, and looks whether the files of numbers are there and long enough.
///
/// # Errors
/// See [`OpenError`].
pub fn open(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    let index = files.open(path)?;
    let entries = read_index(&*index)?;
    let mut contents = Contents::empty(Format::TensorFlow);
    contents.files.push(path.to_owned());
    let mut shards = Shards { files, path, n_shards: entries.n_shards, known: BTreeMap::new() };
    let mut variables = Variables::new();
    for (name, key, entry) in &entries.tensors {
        if name == object_graph::KEY {
            variables = read_graph(&mut shards, entry, &mut contents)?;
        }
        // Text is no weight.
        if entry.dtype != STRING {
            let tensor = tensor(&entries, (name, key, entry), &mut shards, &mut contents)?;
            contents.tensors.push(tensor);
        }
    }
    shards.report(&mut contents)?;
    give_names(&mut contents, &variables);
    give_step(&mut contents, &mut shards)?;
    Ok(contents)
}

fn read_index(index: &dyn Input) -> Result<Entries, OpenError> {
    if index.len() > LONGEST_INDEX {
        return Err(OpenError::NotRead(format!("its index has more than {LONGEST_INDEX} bytes")));
    }
    let mut entries = Entries::default();
    Table::open(index)?.read_all(&mut |key, value| {
        match key {
            [] => read_header(value, &mut entries)?,
            [0, ..] => {
                entries.parts.insert(key.to_vec(), read_entry(value, &mut 0)?);
            }
            _ if entries.tensors.len() == MOST_TENSORS => {
                return Err(OpenError::NotRead(format!("it has more than {MOST_TENSORS} tensors")));
            }
            _ => {
                let entry = read_entry(value, &mut entries.n_extents)?;
                entries.tensors.push((text_of_bytes(key), key.to_vec(), entry));
            }
        }
        Ok(())
    })?;
    if entries.n_shards == 0 {
        return Err(OpenError::Damaged("its index has no header".to_owned()));
    }
    Ok(entries)
}

fn read_header(mut bytes: &[u8], entries: &mut Entries) -> Result<(), OpenError> {
    let mut span = Span { at: 0, end: bytes.len() as u64 };
    while let Some((number, value)) = next_field(&mut bytes, &mut span)? {
        match number {
            1 => entries.n_shards = value.varint()?,
            2 => entries.is_big_endian = value.varint()? == 1,
            _ => {}
        }
    }
    Ok(())
}

/// Reads an entry, and counts the axes of its parts.
fn read_entry(mut bytes: &[u8], n_extents: &mut usize) -> Result<Entry, OpenError> {
    let impossible = || OpenError::Damaged("an entry of its index is impossible".to_owned());
    let mut entry = Entry::default();
    let mut span = Span { at: 0, end: bytes.len() as u64 };
    while let Some((number, value)) = next_field(&mut bytes, &mut span)? {
        match (number, value) {
            (1, value) => entry.dtype = i32::try_from(value.varint()?).map_err(|_| impossible())?,
            (2, value) => entry.shape = shape::read(&mut bytes, value.span()?)?,
            (3, value) => entry.shard = u32::try_from(value.varint()?).map_err(|_| impossible())?,
            (4, value) => entry.offset = value.varint()?,
            (5, value) => entry.size = value.varint()?,
            (6, FieldValue::Fixed32(crc)) => entry.crc = crc,
            (7, value) => {
                let slice = Slice::read(&mut bytes, value.span()?)?;
                *n_extents += slice.0.len() + 1;
                if *n_extents > MOST_EXTENTS {
                    return Err(OpenError::NotRead("its tensors are saved in too many parts".to_owned()));
                }
                entry.slices.push(slice);
            }
            _ => {}
        }
    }
    Ok(entry)
}

fn tensor(
    entries: &Entries,
    (name, key, entry): (&str, &[u8], &Entry),
    shards: &mut Shards<'_>,
    contents: &mut Contents,
) -> Result<StoredTensor, OpenError> {
    let dtype = DType::from_number(entry.dtype).ok_or_else(|| name_of_number(entry.dtype).into());
    let mut pieces = Vec::new();
    if let Ok(dtype) = dtype {
        let mut place = |part: &Entry, region: Option<Region>| {
            let shape = region.as_ref().map_or(&entry.shape, |region| &region.shape);
            check_size(name, part, (shape, dtype))?;
            let place = shards.piece(part, name, contents)?;
            let region = region.map(Box::new);
            pieces.extend(place.map(|piece| Piece { region, is_big_endian: entries.is_big_endian, ..piece }));
            Ok::<(), OpenError>(())
        };
        if entry.slices.is_empty() {
            place(entry, None)?;
        }
        for slice in &entry.slices {
            let part = entries.parts.get(&slice.key(key));
            let part = part.ok_or_else(|| OpenError::Damaged(format!("a part of {name:?} has no entry")))?;
            place(part, Some(slice.region(&entry.shape)?))?;
        }
        if pieces.len() != entry.slices.len().max(1) {
            pieces.clear();
        }
    }
    Ok(StoredTensor { name: vec![name.into()], better_name: None, dtype, shape: entry.shape.clone(), pieces })
}

fn check_size(name: &str, part: &Entry, (shape, dtype): (&[u64], DType)) -> Result<(), OpenError> {
    let bytes = shape.iter().try_fold(dtype.bytes() as u64, |product, length| product.checked_mul(*length));
    if bytes == Some(part.size) {
        return Ok(());
    }
    Err(OpenError::Damaged(format!("{name:?} has {} bytes, which its type and shape contradict", part.size)))
}

/// A file of numbers: where it is in the list of files, or why it is not there and what it holds.
enum Shard<'a> {
    Open(u32, Box<dyn Input + 'a>),
    Missing(io::Error, Vec<String>),
}

/// The files of numbers that were needed so far.
struct Shards<'a> {
    files: &'a dyn Files,
    path: &'a Path,
    n_shards: u64,
    known: BTreeMap<u32, Shard<'a>>,
}

impl<'a> Shards<'a> {
    fn path_of(&self, shard: u32) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let stem = name.strip_suffix(".index").unwrap_or(&name);
        self.path.with_file_name(format!("{stem}.data-{shard:05}-of-{:05}", self.n_shards))
    }

    fn get(&mut self, shard: u32, contents: &mut Contents) -> Result<&mut Shard<'a>, OpenError> {
        if u64::from(shard) >= self.n_shards {
            return Err(OpenError::Damaged(format!("its index names file {shard} of {}", self.n_shards)));
        }
        let path = self.path_of(shard);
        let files = self.files;
        Ok(self.known.entry(shard).or_insert_with(|| match files.open(&path) {
            Ok(input) => {
                contents.files.push(path);
                Shard::Open(contents.files.len() as u32 - 1, input)
            }
            Err(error) => Shard::Missing(error, Vec::new()),
        }))
    }

    /// Where the numbers of an entry are; `None` if their file is missing.
    fn piece(
        &mut self,
        entry: &Entry,
        name: &str,
        contents: &mut Contents,
    ) -> Result<Option<Piece>, OpenError> {
        let (file, len) = match self.get(entry.shard, contents)? {
            Shard::Open(file, input) => (*file, input.len()),
            Shard::Missing(_, tensors) => {
                tensors.push(name.to_owned());
                return Ok(None);
            }
        };
        let end = entry.offset.checked_add(entry.size);
        if end.is_none_or(|end| end > len) {
            return Err(OpenError::NotWhole(format!(
                "{} has {len} bytes, and {name:?} would end after them",
                self.path_of(entry.shard).file_name().unwrap_or_default().to_string_lossy()
            )));
        }
        let (offset, expected) = (entry.offset, Sum::Crc32c(unmasked(entry.crc)));
        let checksum = Some(Checksum { offset, len: entry.size, expected });
        Ok(Some(Piece {
            file,
            offset,
            strides: None,
            region: None,
            is_big_endian: false,
            checksum,
            packing: None,
        }))
    }

    /// Says which files are missing.
    fn report(&mut self, contents: &mut Contents) -> Result<(), OpenError> {
        let is_one_open = self.known.values().any(|shard| matches!(shard, Shard::Open(..)));
        for (number, shard) in &self.known {
            let Shard::Missing(error, tensors) = shard else { continue };
            let path = self.path_of(*number);
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            if !is_one_open && error.kind() == io::ErrorKind::NotFound {
                return Err(OpenError::NotWhole(format!("{file}, which has its numbers, is not beside it")));
            }
            contents
                .remarks
                .push(format!("{file} cannot be opened, which holds {}: {error}", some_of(tensors)));
            contents.missing.push(path.clone());
        }
        Ok(())
    }
}

/// Reads the graph of objects. What is wrong with it is told, and the keys stand in the place of the names.
fn read_graph(
    shards: &mut Shards<'_>,
    entry: &Entry,
    contents: &mut Contents,
) -> Result<Variables, OpenError> {
    let Some(piece) = shards.piece(entry, object_graph::KEY, contents)? else { return Ok(Variables::new()) };
    let Shard::Open(_, input) = shards.get(entry.shard, contents)? else { return Ok(Variables::new()) };
    let read = if entry.size > object_graph::LONGEST {
        Err("it is too large".to_owned())
    } else {
        object_graph::read(&input.bytes(piece.offset, entry.size)?).map_err(|error| error.to_string())
    };
    Ok(read.unwrap_or_else(|reason| {
        let remark = format!("the names of its variables cannot be read, so their keys stand here: {reason}");
        contents.remarks.push(remark);
        Variables::new()
    }))
}

fn give_names(contents: &mut Contents, variables: &Variables) {
    drop_second_saves(contents, variables);
    let keys: Vec<&str> = contents.tensors.iter().map(|tensor| &*tensor.name[0]).collect();
    let better = names::better(&keys, variables);
    for (tensor, better) in contents.tensors.iter_mut().zip(better) {
        tensor.better_name = better;
    }
}

/// `Model.export` of Keras saves each variable twice, as `variables/N` and as `_all_variables/M`. The second is left out where
/// name, type, shape and checksum are the same.
fn drop_second_saves(contents: &mut Contents, variables: &Variables) {
    let seen = |tensor: &StoredTensor| {
        let checksum = tensor.pieces.first()?.checksum?;
        Some((tensor.dtype.clone(), tensor.shape.clone(), checksum.len, checksum.expected))
    };
    let full_name = |tensor: &StoredTensor| variables.get(&*tensor.name[0]).map(|known| &known.full_name);
    let is_first = |tensor: &&StoredTensor| tensor.name[0].starts_with("variables/");
    let first: HashMap<&String, _> = contents
        .tensors
        .iter()
        .filter(is_first)
        .filter_map(|tensor| Some((full_name(tensor)?, seen(tensor)?)))
        .collect();
    contents.tensors.retain(|tensor| {
        let same = full_name(tensor).and_then(|name| first.get(name));
        let is_second = tensor.name[0].starts_with("_all_variables/");
        !(is_second && same.is_some() && seen(tensor).as_ref() == same)
    });
}

/// Reads the whole numbers that may count steps.
fn give_step(contents: &mut Contents, shards: &mut Shards<'_>) -> Result<(), OpenError> {
    let mut numbers = Vec::new();
    for tensor in contents.tensors.iter().filter(|tensor| tensor.shape.is_empty()) {
        let (Ok(dtype @ (DType::Int32 | DType::Int64)), [piece]) = (&tensor.dtype, tensor.pieces.as_slice())
        else {
            continue;
        };
        let own = names::path(&tensor.name[0]);
        let name = [Some(own), tensor.better_name.as_deref()]
            .into_iter()
            .flatten()
            .find(|name| step::is_counter(name));
        let Some(name) = name.filter(|_| numbers.len() < step::MOST_READ) else { continue };
        let input = shards.known.values().find_map(|shard| match shard {
            Shard::Open(file, input) if *file == piece.file => Some(input),
            _ => None,
        });
        let Some(input) = input else { continue };
        let mut bytes = input.bytes(piece.offset, dtype.bytes() as u64)?;
        if piece.is_big_endian {
            bytes.reverse();
        }
        let value = match dtype {
            DType::Int32 => bytes.try_into().map(i32::from_le_bytes).map(i64::from),
            _ => bytes.try_into().map(i64::from_le_bytes),
        };
        numbers.extend(value.ok().map(|value| Counter { value, found_in: name.to_owned() }));
    }
    step::choose(&numbers, contents);
    Ok(())
}
