//! Numbers in a tree of JAX -> the step and the epoch.

use super::{
    contents::{Contents, Counter, StoredTensor},
    input::Files,
    pieces::{self, Wanted},
};
use crate::tensor::dtype::DType;

/// What a training calls the number of its steps.
const STEPS: [&str; 4] = ["step", "global_step", "iteration", "iterations"];
/// The most parts of such a name. `opt_state` has counters of its own.
const MOST_PARTS: usize = 4;
/// The most numbers that are read.
const MOST_READ: usize = 64;

/// Reads the step and the epoch, if the tree has them. `plain` are numbers that are no tensors, with their names.
pub fn find(files: &dyn Files, contents: &mut Contents, plain: &[(String, i64)]) {
    contents.step = contents.step.take().or_else(|| nearest(files, (contents, plain), &STEPS));
    contents.epoch = contents.epoch.take().or_else(|| nearest(files, (contents, plain), &["epoch"]));
}

/// A number of the tree.
enum Number {
    Plain(i64),
    /// That of a tensor.
    Tensor(usize),
}

/// The number with one of these names that is nearest to the root.
fn nearest(
    files: &dyn Files,
    (contents, plain): (&Contents, &[(String, i64)]),
    names: &[&str],
) -> Option<Counter> {
    let tensors = contents.tensors.iter().enumerate().filter(|(_, tensor)| is_number(tensor));
    let tensors = tensors.map(|(number, tensor)| (&*tensor.name[0], Number::Tensor(number)));
    let plain = plain.iter().map(|(name, value)| (name.as_str(), Number::Plain(*value)));
    let mut named: Vec<((usize, usize), &str, Number)> =
        plain.chain(tensors).filter_map(|(name, number)| Some((rank(name, names)?, name, number))).collect();
    named.sort_by_key(|(rank, ..)| *rank);
    named.into_iter().take(MOST_READ).find_map(|(_, name, number)| {
        let value = match number {
            Number::Plain(value) => value,
            Number::Tensor(number) => {
                let read = pieces::read(files, &Wanted { contents, number, limit: 8 }).ok()?;
                whole(read.dtype, &read.bytes)?
            }
        };
        Some(Counter { value, found_in: name.to_owned() })
    })
}

/// How far a name is from the root, and which of these it is.
fn rank(name: &str, names: &[&str]) -> Option<(usize, usize)> {
    let parts: Vec<&str> = name.split('/').collect();
    let which = names.iter().position(|known| parts.last() == Some(known))?;
    let is_slot = parts.contains(&"opt_state") || parts.len() > MOST_PARTS;
    (!is_slot).then_some((parts.len(), which))
}

fn is_number(tensor: &StoredTensor) -> bool {
    tensor.shape.iter().all(|length| *length == 1)
}

fn whole(dtype: DType, bytes: &[u8]) -> Option<i64> {
    match dtype {
        DType::Int32 => bytes.try_into().map(i32::from_le_bytes).map(i64::from).ok(),
        DType::UInt32 => bytes.try_into().map(u32::from_le_bytes).map(i64::from).ok(),
        DType::Int64 => bytes.try_into().map(i64::from_le_bytes).ok(),
        DType::UInt64 => {
            bytes.try_into().map(u64::from_le_bytes).ok().and_then(|value| i64::try_from(value).ok())
        }
        _ => None,
    }
}
