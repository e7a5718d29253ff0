//! An optimizer's variables, and the file beside a backup -> the step and the epoch.

use std::{io, path::Path};

use serde::Deserialize;

use crate::{
    reader::{
        contents::{Contents, Counter, StoredTensor},
        hdf5::attribute::whole_number,
        input::Files,
        pieces::{self, Wanted},
    },
    tensor::dtype::DType,
};

/// Where `BackupAndRestore` notes the epoch, beside `latest.weights.h5`.
const BACKUP: &str = "training_metadata.json";
/// The longest such file that is read.
const LONGEST_BACKUP: u64 = 64 << 10;

/// Notes the step and the epoch, if they are not known yet.
pub(super) fn find(files: &dyn Files, path: &Path, contents: &mut Contents) {
    if contents.step.is_none() {
        contents.step = step(files, contents);
    }
    let is_backup = path.file_name().is_some_and(|name| name == "latest.weights.h5");
    if contents.epoch.is_none() && is_backup {
        match epoch(files, &path.with_file_name(BACKUP)) {
            Ok(epoch) => contents.epoch = epoch,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => contents.remarks.push(format!("{BACKUP} beside it cannot be read: {error}")),
        }
    }
}

/// The number of steps that the optimizer took. Several optimizers may have taken different numbers: the largest is the step.
fn step(files: &dyn Files, contents: &Contents) -> Option<Counter> {
    let counters = contents.tensors.iter().enumerate().filter(|(_, tensor)| is_iterations(tensor));
    let counters = counters.filter_map(|(number, tensor)| {
        let read = pieces::read(files, &Wanted { contents, number, limit: 8 }).ok()?;
        let value = whole_number(read.dtype, &read.bytes).filter(|value| *value >= 0)?;
        Some(Counter { value, found_in: tensor.name.join("/") })
    });
    // Of equal ones the first.
    counters.reduce(|most, next| if next.value > most.value { next } else { most })
}

/// Whether a tensor is the counter of an optimizer: its first variable, or one that is named so in an older file.
fn is_iterations(tensor: &StoredTensor) -> bool {
    let path: Vec<&str> = tensor.name.iter().flat_map(|part| part.split('/')).collect();
    let is_optimizers = path.first().is_some_and(|first| first.contains("optimizer"));
    let is_first = path.ends_with(&["vars", "0"]);
    let is_named = path.last().is_some_and(|last| {
        matches!(*last, "iteration" | "iterations" | "iter:0" | "iteration:0" | "iterations:0")
    });
    is_optimizers && (is_first || is_named) && is_counter(tensor)
}

/// Whether a tensor is a single whole number.
fn is_counter(tensor: &StoredTensor) -> bool {
    let is_whole = matches!(tensor.dtype, Ok(DType::Int64 | DType::Int32 | DType::UInt64 | DType::UInt32));
    is_whole && tensor.shape.is_empty()
}

#[derive(Deserialize)]
struct Backup {
    epoch: i64,
}

fn epoch(files: &dyn Files, path: &Path) -> io::Result<Option<Counter>> {
    let input = files.open(path)?;
    let bytes = input.bytes(0, input.len().min(LONGEST_BACKUP))?;
    let backup: Backup = serde_json::from_slice(&bytes)?;
    Ok((backup.epoch >= 0).then(|| Counter { value: backup.epoch, found_in: format!("{BACKUP}: epoch") }))
}
