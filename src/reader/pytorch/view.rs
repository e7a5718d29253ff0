//! A call that builds a tensor -> its element type, its shape, and where in which storage it is.
//!
//! Source: `torch/_utils.py` and `torch/_tensor.py` of PyTorch 2.11, and the pickler of TorchScript, which writes the same calls.

use super::{
    dtype::{self, Element},
    value::{Node, Value, Values},
};
use crate::reader::contents::MOST_AXES;

/// A tensor as it was pickled: a view of a storage.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    pub(super) dtype: Element,
    pub(super) shape: Vec<u64>,
    /// Where its numbers are; otherwise why they cannot be read, as a sentence that begins with "they".
    pub(super) place: Result<Place, &'static str>,
}

/// A place in a storage, counted in elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) storage: Storage,
    pub(super) offset: u64,
    pub(super) strides: Vec<u64>,
}

/// A storage as a pickle names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) key: String,
    /// The element type that its class has.
    pub(super) dtype: Element,
    pub(super) n_elements: u64,
    /// Where it begins in the storage that has this key, in elements; 0 if that is itself.
    pub(super) offset: u64,
}

/// How many calls may stand around the one that builds a tensor, such as the one that makes it a parameter.
const MOST_WRAPPERS: usize = 8;

/// The longest key of a storage.
const LONGEST_KEY: usize = 100;

const SPARSE: &str = "they are sparse: save `tensor.to_dense()` instead";
const NESTED: &str = "they are nested tensors: save their parts instead";
const WRAPPED: &str = "they are of a class of their own (such as DTensor): save plain tensors instead";
const META: &str = "they were on the device `meta`, so the file has no numbers of them";
const ARRAY: &str = "they are NumPy arrays within the pickle: save tensors instead";
const MIRRORED: &str =
    "they are stored as their conjugates or negatives: save `tensor.resolve_conj().resolve_neg()` instead";
const BROKEN: &str = "what the file says of them is contradictory";

/// The tensor that an object is, if it is one.
pub(super) fn view(values: &Values, value: Value) -> Option<View> {
    let mut value = value;
    for _ in 0..MOST_WRAPPERS {
        let object = values.object(value)?;
        let (module, name) = values.global(object.class)?;
        if !matches!(module, "torch._utils" | "torch._tensor" | "torch") {
            return None;
        }
        let args = values.tuple(object.args)?;
        match (name, args) {
            (
                "_rebuild_parameter"
                | "_rebuild_parameter_with_state"
                | "_rebuild_device_tensor_from_cpu_tensor",
                [inner, ..],
            ) => value = *inner,
            ("_rebuild_from_type" | "_rebuild_from_type_v2", [function, _, args, ..]) => {
                return built(values, values.global(*function)?.1, values.tuple(*args)?)
                    .or_else(|| inner_of(values, *function, *args));
            }
            _ => return built(values, name, args),
        }
    }
    None
}

/// The tensor of a call within `_rebuild_from_type`, where that call makes a parameter of a tensor.
fn inner_of(values: &Values, function: Value, args: Value) -> Option<View> {
    let (_, name) = values.global(function)?;
    let inner = values.object(*values.tuple(args)?.first()?)?;
    let (_, inner_name) = values.global(inner.class)?;
    name.starts_with("_rebuild_parameter").then(|| built(values, inner_name, values.tuple(inner.args)?))?
}

/// The tensor that `torch._utils.<name>` builds from these arguments.
fn built(values: &Values, name: &str, args: &[Value]) -> Option<View> {
    match (name, args) {
        ("_rebuild_tensor_v2", [storage, offset, size, stride, _, _, marks, ..])
            if is_mirrored(values, *marks) =>
        {
            let view = strided(values, [*storage, *offset, *size, *stride], None);
            Some(View { place: Err(MIRRORED), ..view })
        }
        (
            "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_qtensor",
            [storage, offset, size, stride, ..],
        ) => Some(strided(values, [*storage, *offset, *size, *stride], None)),
        ("_rebuild_tensor_v3", [storage, offset, size, stride, _, _, dtype, ..]) => {
            Some(strided(values, [*storage, *offset, *size, *stride], Some(*dtype)))
        }
        ("_rebuild_wrapper_subclass", [_, dtype, size, ..]) => {
            Some(unread(values, Some(*dtype), Some(*size), WRAPPED))
        }
        ("_rebuild_meta_tensor_no_storage", [dtype, size, ..]) => {
            Some(unread(values, Some(*dtype), Some(*size), META))
        }
        ("_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor", [_, data, ..]) => {
            Some(sparse(values, values.tuple(*data)?))
        }
        ("_rebuild_nested_tensor", _) => Some(unread(values, None, None, NESTED)),
        ("_rebuild_device_tensor_from_numpy" | "_rebuild_xla_tensor", [_, dtype, ..]) => {
            Some(unread(values, Some(*dtype), None, ARRAY))
        }
        _ => None,
    }
}

/// Whether the numbers are the conjugates or the negatives of those in the storage.
fn is_mirrored(values: &Values, marks: Value) -> bool {
    ["conj", "neg"].iter().any(|mark| values.entry(marks, mark) == Some(Value::Bool(true)))
}

/// A tensor that is listed without numbers.
fn unread(values: &Values, dtype: Option<Value>, size: Option<Value>, why: &'static str) -> View {
    let dtype = dtype.and_then(|dtype| element(values, dtype)).unwrap_or_else(|| Err("unknown".into()));
    let shape = size.and_then(|size| sizes(values, size)).unwrap_or_default();
    View { dtype, shape, place: Err(why) }
}

/// A sparse tensor, of its indices, its values, and its sizes.
fn sparse(values: &Values, parts: &[Value]) -> View {
    let size = parts.iter().rev().copied().find(|part| sizes(values, *part).is_some());
    let storage_of = |part: &Value| storage(values, *values.tuple(values.object(*part)?.args)?.first()?);
    let mut view = unread(values, None, size, SPARSE);
    // The numbers stand after the indices.
    if let Some(storage) = parts.iter().rev().find_map(storage_of) {
        view.dtype = storage.dtype;
    }
    view
}

/// A view of a storage: the storage, an offset, the sizes, the strides.
fn strided(values: &Values, args: [Value; 4], dtype: Option<Value>) -> View {
    let [storage, offset, size, stride] = args;
    let storage = self::storage(values, storage);
    let by_storage = || storage.as_ref().map(|storage| storage.dtype.clone());
    let dtype = match dtype {
        Some(dtype) => element(values, dtype),
        None => by_storage(),
    };
    let shape = sizes(values, size);
    let place = match (storage, natural(offset), sizes(values, stride)) {
        (Some(storage), Some(offset), Some(strides))
            if Some(strides.len()) == shape.as_ref().map(Vec::len) =>
        {
            Ok(Place { storage, offset, strides })
        }
        _ => Err(BROKEN),
    };
    View { dtype: dtype.unwrap_or_else(|| Err("unknown".into())), shape: shape.unwrap_or_default(), place }
}

/// A storage: `("storage", class, key, device, number of elements)`. Before PyTorch 1.6 a sixth part may follow, `(key of the
/// part, offset, number of elements)`: then it is a part of the storage that has the first key.
pub(super) fn storage(values: &Values, value: Value) -> Option<Storage> {
    let Node::Persistent(parts) = values.node(value)? else { return None };
    let [kind, class, key, _, n_elements, rest @ ..] = values.tuple(*parts)? else { return None };
    if values.text(*kind)? != "storage" {
        return None;
    }
    let key = values.text(*key).filter(|key| key.len() <= LONGEST_KEY)?.into_owned();
    let offset = match rest.first().and_then(|part| values.tuple(*part)) {
        Some([_, offset, _]) => natural(*offset)?,
        _ => 0,
    };
    let class = values.global(*class).map_or("", |(_, name)| name);
    Some(Storage { key, dtype: dtype::by_storage(class), n_elements: natural(*n_elements)?, offset })
}

/// An element type such as `torch.float32`.
fn element(values: &Values, value: Value) -> Option<Element> {
    values.global(value).map(|(_, name)| dtype::by_name(name))
}

/// Sizes or strides: a tuple of numbers, a `torch.Size`, or a list of TorchScript.
pub(super) fn sizes(values: &Values, value: Value) -> Option<Vec<u64>> {
    let items = match values.object(value) {
        Some(object) => values.tuple(*values.tuple(object.args)?.first()?)?,
        None => values.tuple(value)?,
    };
    // One axis too many is enough to say so: a pickle may name a long tuple very often.
    items.iter().take(MOST_AXES + 1).map(|item| natural(*item)).collect()
}

pub(super) fn natural(value: Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(number).ok(),
        _ => None,
    }
}
