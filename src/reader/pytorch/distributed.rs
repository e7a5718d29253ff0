//! A directory of `torch.distributed.checkpoint` -> its tensors.
//!
//! The file `.metadata` is a pickle that says which tensors there are, and for each chunk of a tensor in which file
//! (`__<rank>_<number>.distcp`) and at which byte its item begins. An item is an archive of `torch.save`. The writer makes `.metadata` last,
//! under another name first, so that a directory that has it is whole. Source: `torch/distributed/checkpoint/filesystem.py` of
//! PyTorch 2.15. Lightning puts the rest of its checkpoint beside it, in `meta.pt`.

use std::path::{Path, PathBuf};

use crate::reader::{
    beside::beside,
    contents::{Contents, Counter, Format, OpenError, Piece, Region, StoredTensor},
    input::Files,
};

use super::{assembly::Assembly, counter, fault::in_file, pickle};

mod item;
mod metadata;

use item::{Items, Unread};
use metadata::{Chunk, Metadata, Tensor};

/// The most bytes of `.metadata` that are read.
const MOST_METADATA_BYTES: u64 = 48 << 20;

/// What Lightning calls the rest of its checkpoint.
const LIGHTNING: &str = "meta.pt";

/// Reads what a directory holds, of which `path` is the file `.metadata`.
///
/// # Errors
/// `NotWhole` if a file ends too early; `Damaged` if the files contradict each other; `NotRead` if there is too much; `Unknown` if it
/// is another file of this name; errors of the system.
pub fn open(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    let metadata = {
        let input = files.open(path)?;
        if input.len() > MOST_METADATA_BYTES {
            let len = input.len();
            return Err(OpenError::NotRead(format!(
                "it has {len} bytes; at most {MOST_METADATA_BYTES} are read"
            )));
        }
        let values = pickle::read(input.bytes(0, input.len())?).map_err(|fault| in_file(&fault))?;
        metadata::read(&values)?
    };
    let mut directory = Directory::new(files, path, &metadata);
    let mut assembly = Assembly::default();
    for tensor in &metadata.tensors {
        let pieces = directory.pieces(tensor, &mut assembly)?;
        assembly.tensors.push(StoredTensor {
            name: tensor.name.clone(),
            better_name: None,
            dtype: tensor.dtype.clone(),
            shape: tensor.shape.clone(),
            pieces,
        });
    }
    assembly.step = directory.counter(&metadata, counter::STEPS);
    assembly.epoch = directory.counter(&metadata, counter::EPOCHS);
    let mut missing = directory.missing();
    add_lightnings(files, path, &mut assembly, &mut missing);
    assembly.step = assembly.step.take().or_else(|| directory.of_optimizer(&metadata));
    Ok(Contents {
        files: directory.paths,
        step: assembly.step.take(),
        epoch: assembly.epoch.take(),
        remarks: directory.remarks.into_iter().chain(assembly.remarks()).collect(),
        missing,
        tensors: assembly.tensors,
        ..Contents::empty(Format::Dcp)
    })
}

/// Adds the step and the epoch that Lightning writes beside the weights, after them.
fn add_lightnings(files: &dyn Files, path: &Path, assembly: &mut Assembly, missing: &mut Vec<PathBuf>) {
    let of_lightning = |tensor: &StoredTensor| tensor.name.len() > 1 && &*tensor.name[0] == "state_dict";
    if assembly.step.is_some() || !assembly.tensors.iter().any(of_lightning) {
        return;
    }
    let path = path.with_file_name(LIGHTNING);
    let Ok(input) = files.open(&path) else {
        missing.push(path);
        return;
    };
    let Ok(rest) = super::read(&*input) else { return };
    let named =
        |counter: Counter| Counter { found_in: format!("{LIGHTNING}: {}", counter.found_in), ..counter };
    assembly.step = rest.step.map(named);
    assembly.epoch = assembly.epoch.take().or(rest.epoch.map(named));
}

/// The files of a directory.
struct Directory<'a> {
    /// Their paths; the first is that of `.metadata`.
    paths: Vec<PathBuf>,
    items: Items<'a>,
    /// For each file that the metadata name, its number among the paths, or where it should be.
    numbers: Vec<Result<u32, Option<PathBuf>>>,
    remarks: Vec<String>,
}

impl<'a> Directory<'a> {
    fn new(files: &'a dyn Files, path: &Path, metadata: &Metadata) -> Self {
        let mut directory = Self {
            paths: vec![path.to_owned()],
            items: Items::default(),
            numbers: Vec::new(),
            remarks: Vec::new(),
        };
        for name in &metadata.files {
            let number = directory.add(files, path, name);
            directory.numbers.push(number);
        }
        directory
    }

    fn add(&mut self, files: &'a dyn Files, path: &Path, name: &str) -> Result<u32, Option<PathBuf>> {
        let Some(file) = beside(path, name) else {
            self.remarks.push(format!("it names {name:?}, which is not beside it: it is not opened"));
            return Err(None);
        };
        match files.open(&file) {
            Ok(input) => {
                self.items.inputs.push(input);
                self.paths.push(file);
                Ok(self.items.inputs.len() as u32)
            }
            Err(error) => {
                self.remarks
                    .push(format!("{name} cannot be opened, which holds parts of its tensors: {error}"));
                Err(Some(file))
            }
        }
    }

    fn missing(&self) -> Vec<PathBuf> {
        self.numbers.iter().filter_map(|number| number.as_ref().err().cloned().flatten()).collect()
    }

    /// Where the chunks of a tensor are; none if they are not all there.
    fn pieces(&mut self, tensor: &Tensor, assembly: &mut Assembly) -> Result<Vec<Piece>, OpenError> {
        let mut pieces = Vec::with_capacity(tensor.chunks.len());
        for chunk in tensor.chunks.iter().filter(|chunk| !chunk.region.shape.contains(&0)) {
            match self.piece(tensor, chunk)? {
                Ok(piece) => pieces.push(piece),
                Err(Unread::Missing) => return Ok(Vec::new()),
                Err(Unread::Because(why)) => {
                    assembly.problem(&tensor.name, why);
                    return Ok(Vec::new());
                }
            }
        }
        Ok(pieces)
    }

    fn piece(&mut self, tensor: &Tensor, chunk: &Chunk) -> Result<Result<Piece, Unread>, OpenError> {
        let Some(place) = &chunk.place else {
            return Ok(Err(Unread::Because("the metadata do not say where all of them are".to_owned())));
        };
        let Some(Ok(number)) = self.numbers.get(place.file as usize) else { return Ok(Err(Unread::Missing)) };
        let form = item::Form { dtype: &tensor.dtype, shape: &chunk.region.shape };
        let piece = self.items.piece(*number, place, &form)?;
        let is_whole = chunk.region.shape == tensor.shape;
        let region = || Box::new(Region::clone(&chunk.region));
        Ok(piece.map(|piece| Piece { file: *number, region: (!is_whole).then(region), ..piece }))
    }

    /// The first item of these names that is a whole number.
    fn counter(&mut self, metadata: &Metadata, names: &[&str]) -> Option<Counter> {
        let prefixes = [""].into_iter().chain(counter::HOLDERS);
        let wanted = prefixes.flat_map(|holder| {
            let dot = if holder.is_empty() { "" } else { "." };
            names.iter().map(move |name| format!("{holder}{dot}{name}"))
        });
        wanted.into_iter().find_map(|name| self.number(metadata, &name))
    }

    /// The number of updates that Adam and its kind count for each parameter: that of the first parameter.
    fn of_optimizer(&mut self, metadata: &Metadata) -> Option<Counter> {
        let mut names = metadata.counters.keys();
        let name = names.find(|name| name.starts_with("optim") && name.ends_with(".step"))?;
        self.number(metadata, name)
    }

    fn number(&mut self, metadata: &Metadata, name: &str) -> Option<Counter> {
        let place = metadata.counters.get(name)?;
        let number = *self.numbers.get(place.file as usize)?.as_ref().ok()?;
        self.items.number(number, place, name)
    }
}

#[cfg(test)]
mod tests;
