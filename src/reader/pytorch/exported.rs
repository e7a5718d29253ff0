//! What `torch.export.save` writes (`.pt2`): where in its archive the weights are.
//!
//! Source: `torch/export/pt2_archive/_package.py` and `torch/_export/serde/schema.py` of PyTorch 2.11; before 2.8, `save` in
//! `torch/export/__init__.py`.

use serde_json::Value;

use crate::reader::zip::Archive;

use super::{
    dtype,
    view::{Place, Storage, View},
    walk::{Named, Tensors},
};

/// The most bytes of the JSON that describes the weights.
pub(super) const MOST_CONFIG_BYTES: u64 = 16 << 20;

/// The most values of that JSON.
const MOST_JSON_VALUES: usize = 1_000_000;

/// The directory of the weights in that of the archive.
pub(super) const WEIGHTS: &str = "data/weights/";
const BROKEN: &str = "what the file says of them is contradictory";

/// The members that describe weights: JSON, with a member for each tensor beside it. The directory is that of the weights.
pub(super) fn configs(archive: &Archive) -> Vec<(&str, &str)> {
    let is_config = |name: &&str| name.contains(WEIGHTS) && name.ends_with("_weights_config.json");
    let members = archive.members.keys().map(|name| &**name).filter(is_config);
    members.filter_map(|name| name.rfind('/').map(|at| (name, &name[..=at]))).collect()
}

/// The members that are themselves what `torch.save` wrote: since PyTorch 2.1 and before 2.9.
pub(super) fn nested(archive: &Archive) -> Vec<&str> {
    let is_nested = |name: &&str| {
        let file = name.rsplit_once(WEIGHTS).map(|(_, file)| file);
        *name == "serialized_state_dict.pt" || file.is_some_and(|file| file.strip_suffix(".pt").is_some())
    };
    archive.members.keys().map(|name| &**name).filter(is_nested).collect()
}

/// The tensors that the JSON names. Their storages are called as the members.
pub(super) fn tensors(config: &[u8]) -> Option<Tensors> {
    // A value takes at most two signs in the file and many bytes in memory.
    if config.iter().filter(|letter| matches!(letter, b',' | b'[' | b'{')).count() > MOST_JSON_VALUES {
        return None;
    }
    let config: Value = serde_json::from_slice(config).ok()?;
    let entries = config.get("config")?.as_object()?;
    let named = |(name, entry): (&String, &Value)| {
        Some(Named { name: vec![name.as_str().into()], view: view(entry)? })
    };
    Some(Tensors { found: entries.iter().filter_map(named).collect(), is_cut: false })
}

fn view(entry: &Value) -> Option<View> {
    let meta = entry.get("tensor_meta").filter(|meta| !meta.is_null())?;
    let dtype = dtype::by_number(meta.get("dtype")?.as_u64()?);
    let shape = numbers(meta.get("sizes")?);
    let place = (|| {
        let key = entry.get("path_name")?.as_str()?.to_owned();
        let strides = numbers(meta.get("strides")?)?;
        let storage = Storage { key, dtype: dtype.clone(), n_elements: 0, offset: 0 };
        let is_pickle = entry.get("use_pickle")?.as_bool()?;
        let fits = shape.as_ref().map(Vec::len) == Some(strides.len());
        (fits && !is_pickle).then_some(Place {
            storage,
            offset: number(meta.get("storage_offset")?)?,
            strides,
        })
    })();
    Some(View { dtype, shape: shape.unwrap_or_default(), place: place.ok_or(BROKEN) })
}

fn numbers(list: &Value) -> Option<Vec<u64>> {
    list.as_array()?.iter().map(number).collect()
}

/// A number, which is `{"as_int": 3}`.
fn number(value: &Value) -> Option<u64> {
    value.get("as_int").unwrap_or(value).as_u64()
}
