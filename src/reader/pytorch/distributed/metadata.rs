//! The pickle in `.metadata` -> which tensors there are, and where their chunks are.
//!
//! Source: `torch/distributed/checkpoint/metadata.py` of PyTorch 2.15. Only the classes that it names are understood; others are passed
//! over.

use std::collections::{BTreeMap, HashMap};

use crate::reader::contents::{MOST_AXES, MOST_TENSORS, OpenError, Region};

use super::super::{
    counter,
    dtype::{self, Element},
    value::{Value, Values},
    view::{natural, sizes},
};

/// The most chunks of all tensors.
const MOST_CHUNKS: usize = 200_000;
/// The most bytes of all names.
const MOST_NAME_BYTES: usize = 32 << 20;
/// The most containers around a tensor.
const MOST_PARTS: usize = 32;

/// The modules of the classes that are understood.
const CLASSES: &str = "torch.distributed.checkpoint.metadata";

/// What the file says.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) tensors: Vec<Tensor>,
    /// Items that may be numbers that count, by their names.
    pub(super) counters: BTreeMap<Box<str>, Place>,
    /// The names of the files.
    pub(super) files: Vec<Box<str>>,
}

/// A tensor.
#[derive(Debug)]
pub(super) struct Tensor {
    pub(super) name: Vec<Box<str>>,
    pub(super) dtype: Element,
    pub(super) shape: Vec<u64>,
    pub(super) chunks: Vec<Chunk>,
}

/// A part of a tensor.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) region: Region,
    pub(super) place: Option<Place>,
}

/// Where an item is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Which of the files.
    pub(super) file: u32,
    pub(super) offset: u64,
    pub(super) len: u64,
    /// Whether an extension changed its bytes.
    pub(super) is_transformed: bool,
}

/// An item's name, and where its chunk begins on each axis; nowhere if it is no tensor.
type Key = (Box<str>, Vec<u64>);

/// Where items are.
type Places = HashMap<Key, Place>;

/// Reads the pickle.
///
/// # Errors
/// `Unknown` if it is of something else; `NotRead` if there is too much; `Damaged` if it contradicts itself.
pub(super) fn read(values: &Values) -> Result<Metadata, OpenError> {
    let state = state(values, values.root, "Metadata").ok_or(OpenError::Unknown)?;
    let entry = |name: &str| values.entry(state, name);
    let tensors = entry("state_dict_metadata").and_then(|dict| values.entries(dict));
    let tensors = tensors.ok_or_else(|| damaged("its metadata name no tensors"))?;
    let (mut places, files) = places(values, entry("storage_data"))?;
    let paths = entry("planner_data").map(|paths| paths_by_name(values, paths)).unwrap_or_default();
    let mut reading = Reading { values, n_chunks: 0, n_name_bytes: 0 };
    let mut found = Metadata { tensors: Vec::new(), counters: BTreeMap::new(), files };
    for (key, value) in tensors.iter() {
        let Some(name) = values.text(*key) else { continue };
        let counts = |place: &Place| (Box::from(&*name), place.clone());
        if may_count(&name) {
            let at = [Vec::new(), vec![0]].into_iter().find_map(|at| places.get(&(Box::from(&*name), at)));
            found.counters.extend(at.map(counts));
        }
        if let Some(state) = self::state(values, *value, "TensorStorageMetadata") {
            if found.tensors.len() >= MOST_TENSORS {
                return Err(OpenError::NotRead(format!("it has more than {MOST_TENSORS} tensors")));
            }
            let path = paths.get(&*name).copied();
            found.tensors.push(reading.tensor(&name, path, state, &mut places)?);
        }
    }
    Ok(found)
}

/// Whether an item of this name may be a number that counts.
fn may_count(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    counter::STEPS.contains(&last) || counter::EPOCHS.contains(&last)
}

/// The attributes of an object of a class of `torch.distributed.checkpoint`.
fn state(values: &Values, value: Value, class: &str) -> Option<Value> {
    let object = values.object(value)?;
    values.is_global(object.class, CLASSES, class).then_some(object.state)
}

/// For each name of an item, the keys of the dictionaries around it.
fn paths_by_name(values: &Values, paths: Value) -> HashMap<String, Value> {
    let entries = values.entries(paths).unwrap_or_default();
    entries.iter().filter_map(|(name, path)| Some((values.text(*name)?.into_owned(), *path))).collect()
}

/// Where each item is, and the names of the files.
fn places(values: &Values, storage: Option<Value>) -> Result<(Places, Vec<Box<str>>), OpenError> {
    let entries = storage.and_then(|storage| values.entries(storage));
    let entries = entries.ok_or_else(|| damaged("its metadata do not say where its tensors are"))?;
    if entries.len() > MOST_CHUNKS {
        return Err(too_many_chunks());
    }
    let (mut places, mut files) = (HashMap::with_capacity(entries.len()), Vec::new());
    let mut number_of: HashMap<Box<str>, u32> = HashMap::new();
    for (index, stored) in entries.iter() {
        let Some(index) = state(values, *index, "MetadataIndex") else { continue };
        let name = values.entry(index, "fqn").and_then(|name| values.text(name));
        let Some(object) = values.object(*stored) else { continue };
        let field = |name: &str| values.entry(object.state, name);
        let number = |name: &str| field(name).and_then(natural);
        let path = field("relative_path").and_then(|path| values.text(path));
        let (Some(name), Some(path), Some(offset), Some(len)) =
            (name, path, number("offset"), number("length"))
        else {
            continue;
        };
        let at = values.entry(index, "offset").and_then(|at| sizes(values, at)).unwrap_or_default();
        let file = *number_of.entry((&*path).into()).or_insert_with(|| {
            files.push((&*path).into());
            files.len() as u32 - 1
        });
        let is_transformed = field("transform_descriptors").is_some_and(|value| values.size(value) > 0);
        places.insert(((&*name).into(), at), Place { file, offset, len, is_transformed });
    }
    Ok((places, files))
}

struct Reading<'a> {
    values: &'a Values,
    n_chunks: usize,
    n_name_bytes: usize,
}

impl Reading<'_> {
    fn tensor(
        &mut self,
        name: &str,
        path: Option<Value>,
        state: Value,
        places: &mut Places,
    ) -> Result<Tensor, OpenError> {
        let values = self.values;
        let entry = |name: &str| values.entry(state, name);
        let properties = entry("properties").and_then(|properties| values.object(properties));
        let dtype = properties.and_then(|object| values.tuple(object.state)?.first().copied());
        let dtype = dtype.and_then(|dtype| values.global(dtype)).map(|(_, name)| dtype::by_name(name));
        let shape = entry("size").and_then(|size| sizes(values, size));
        let chunks = entry("chunks").and_then(|chunks| values.tuple(chunks));
        let (Some(dtype), Some(shape), Some(chunks)) = (dtype, shape, chunks) else {
            return Err(damaged(&format!("its metadata do not describe `{name}`")));
        };
        self.n_chunks += chunks.len();
        if self.n_chunks > MOST_CHUNKS {
            return Err(too_many_chunks());
        }
        if shape.len() > MOST_AXES {
            return Err(OpenError::NotRead(format!("`{name}` in it has more than {MOST_AXES} axes")));
        }
        let chunk = |chunk: &Value| {
            let state = self::state(values, *chunk, "ChunkStorageMetadata")?;
            let start = sizes(values, values.entry(state, "offsets")?)?;
            let lengths = sizes(values, values.entry(state, "sizes")?)?;
            let place = places.remove(&(name.into(), start.clone()));
            Some(Chunk { region: Region { start, shape: lengths }, place })
        };
        let chunks: Option<Vec<Chunk>> = chunks.iter().map(chunk).collect();
        let chunks = chunks.ok_or_else(|| damaged(&format!("its metadata do not describe `{name}`")))?;
        Ok(Tensor { name: self.name(name, path)?, dtype, shape, chunks })
    }

    /// The name of a tensor in its parts, as the writer nested them.
    fn name(&mut self, name: &str, path: Option<Value>) -> Result<Vec<Box<str>>, OpenError> {
        let values = self.values;
        let part = |part: &Value| match part {
            Value::Int(number) => Some(number.to_string().into()),
            part => values.text(*part).map(|text| Box::from(&*text)),
        };
        let parts = path.and_then(|path| values.tuple(path)).filter(|parts| parts.len() <= MOST_PARTS);
        let parts: Option<Vec<Box<str>>> = parts.and_then(|parts| parts.iter().map(part).collect());
        let parts = parts.filter(|parts| !parts.is_empty()).unwrap_or_else(|| match name.split_once('.') {
            Some((first, rest)) if first.starts_with("optim") => vec![first.into(), rest.into()],
            _ => vec![name.into()],
        });
        self.n_name_bytes += parts.iter().map(|part| part.len() + 48).sum::<usize>();
        if self.n_name_bytes > MOST_NAME_BYTES {
            return Err(OpenError::NotRead("the names of its tensors are too long".to_owned()));
        }
        Ok(parts)
    }
}

fn damaged(message: &str) -> OpenError {
    OpenError::Damaged(message.to_owned())
}

fn too_many_chunks() -> OpenError {
    OpenError::NotRead(format!(
        "its tensors have more than {MOST_CHUNKS} parts: save it again with fewer processes, or convert it with \
         `torch.distributed.checkpoint.format_utils.dcp_to_torch_save`"
    ))
}
