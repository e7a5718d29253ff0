//! A file of Flax, or the file `checkpoint` that Orbax wrote into a directory before `_METADATA` -> what it holds.
//!
//! Orbax put small values into that file. Of each other array it names the Zarr array beside it: `PLACEHOLDER://params.conv1.kernel`.
//! Source: `orbax/checkpoint/_src/handlers/pytree_checkpoint_handler.py`, the aggregate file.

use std::path::Path;

use super::{
    arrays::Arrays,
    item::{self, Item},
    leaf,
};
use crate::reader::{
    contents::{Contents, Format, MOST_TENSORS, OpenError, StoredTensor},
    counters,
    flax::{
        AGGREGATE,
        tree::{self, FileLeaf, Value},
    },
    input::Files,
    key_path,
    msgpack::Reader,
    opened::OpenedFiles,
};

/// What stands before the name of an array that is elsewhere.
const PLACEHOLDER: &str = "PLACEHOLDER://";

/// Reads a file.
///
/// # Errors
/// See [`OpenError`]; `Unknown` if there is no array.
pub fn open(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    let dir = path.parent().unwrap_or(Path::new(""));
    item::check_name(dir)?;
    let mut opened = OpenedFiles::new(files);
    let file = opened.open(path)?.ok_or(OpenError::Unknown)?;
    let leaves = tree::read(&mut Reader::new(opened.input(file)))?;
    let is_aggregate = path.file_name().is_some_and(|name| name == AGGREGATE);
    let item = if is_aggregate { Some(Item::of(dir, &mut opened)?) } else { None };
    let before = item.as_ref().and_then(|item| item.name.as_deref());
    let mut contents = Contents::empty(if is_aggregate { Format::Orbax } else { Format::Flax });
    let (mut numbers, mut elsewhere) = (Vec::new(), Vec::new());
    for FileLeaf { keys, value } in leaves {
        match value {
            Value::Whole(number) => numbers.push((key_path::name(&keys, before), number)),
            Value::Text(text) => elsewhere.extend(text.strip_prefix(PLACEHOLDER).map(|stored| leaf::Leaf {
                keys,
                stored: stored.to_owned(),
                is_array: true,
            })),
            Value::Array(array, pieces) => {
                let name = vec![key_path::name(&keys, before).into()];
                let pieces = if array.dtype.is_ok() { pieces } else { Vec::new() };
                let (dtype, shape) = (array.dtype, array.shape);
                contents.tensors.push(StoredTensor { name, better_name: None, dtype, shape, pieces });
            }
        }
    }
    let mut is_all_there = true;
    if let Some(item) = item {
        let arrays = Arrays::open(dir, (None, false), &mut opened)?;
        is_all_there = leaf::add(&elsewhere, &item, arrays, &mut contents)?;
        contents.directory = Some(item.checkpoint);
    }
    if contents.tensors.is_empty() {
        return Err(leaf::nothing(is_all_there, contents.remarks));
    }
    if contents.tensors.len() > MOST_TENSORS {
        return Err(OpenError::NotRead(format!("it has more than {MOST_TENSORS} arrays")));
    }
    contents.files = opened.into_paths();
    counters::find(files, &mut contents, &numbers);
    Ok(contents)
}
