//! Numbers in a tree -> the step and the epoch.

use crate::reader::{
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

/// Reads the step and the epoch, if the tree has them.
pub(super) fn find(files: &dyn Files, contents: &mut Contents) {
    contents.step = contents.step.take().or_else(|| nearest(files, contents, &STEPS));
    contents.epoch = contents.epoch.take().or_else(|| nearest(files, contents, &["epoch"]));
}

/// The number with one of these names that is nearest to the root.
fn nearest(files: &dyn Files, contents: &Contents, names: &[&str]) -> Option<Counter> {
    let numbers = contents.tensors.iter().enumerate().filter(|(_, tensor)| is_number(tensor));
    let mut named: Vec<(usize, usize, &str)> = numbers
        .filter_map(|(number, tensor)| {
            let name = &*tensor.name[0];
            let parts: Vec<&str> = name.split('/').collect();
            let last = names.iter().position(|known| parts.last() == Some(known))?;
            let is_slot = parts.contains(&"opt_state") || parts.len() > MOST_PARTS;
            (!is_slot).then_some((parts.len() * names.len() + last, number, name))
        })
        .collect();
    named.sort_unstable();
    named.into_iter().take(MOST_READ).find_map(|(_, number, name)| {
        let read = pieces::read(files, &Wanted { contents, number, limit: 8 }).ok()?;
        let value = whole(read.dtype, &read.bytes)?;
        Some(Counter { value, found_in: name.to_owned() })
    })
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
