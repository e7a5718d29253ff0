//! A file of PyTorch (`.pt`, `.pth`, `.ckpt`, `.pth.tar`, `.pt2`) -> its tensors.
//!
//! Read are what `torch.save` writes (an archive since 1.6, a file of pickles before), what `torch.jit.save` writes, and what
//! `torch.export.save` writes. A pickle is read as data: nothing in it is executed, whatever it names.

use std::path::Path;

use super::{
    contents::{Contents, Format, OpenError},
    input::{Files, Input},
};

mod archive;
mod assembly;
mod counter;
pub mod distributed;
mod dtype;
mod exported;
mod fault;
mod legacy;
mod pickle;
mod saved;
mod value;
mod view;
mod walk;

/// The bytes that tell one form from another.
const HEAD_LEN: u64 = 512;

/// Where a tar archive says that it is one.
const TAR_MARK: std::ops::Range<usize> = 257..262;

/// Reads what a file of PyTorch holds.
///
/// # Errors
/// `NotWhole` if the file ends too early, as one that is being written; `Damaged` if it contradicts itself; `NotRead` if it is of
/// another kind; `Unknown` if its first bytes are of no kind that is known; errors of the system.
pub fn open(files: &dyn Files, path: &Path) -> Result<Contents, OpenError> {
    let input = files.open(path)?;
    let mut assembly = read(&*input)?;
    assembly.keep_last_of_each_name();
    let remarks = assembly.remarks();
    let assembly::Assembly { tensors, step, epoch, .. } = assembly;
    Ok(Contents {
        files: vec![path.to_owned()],
        tensors,
        step,
        epoch,
        remarks,
        ..Contents::empty(Format::PyTorch)
    })
}

fn read(input: &dyn Input) -> Result<assembly::Assembly, OpenError> {
    let head = input.bytes(0, HEAD_LEN.min(input.len()))?;
    let not_read = |message: &str| Err(OpenError::NotRead(message.to_owned()));
    match head.as_slice() {
        head if head.starts_with(b"PK\x03\x04") => archive::read(input),
        head if legacy::is_begun_by(head) => legacy::read(input),
        head if head.len() < 16 || head.iter().all(|byte| *byte == 0) => {
            Err(OpenError::NotWhole("it has no content yet".to_owned()))
        }
        head if head.get(TAR_MARK) == Some(b"ustar") => not_read(
            "it is a tar archive, as PyTorch before 0.1.1 wrote, or one that contains checkpoints: unpack it, or load it with \
             PyTorch and save it again",
        ),
        [0x1f, 0x8b, ..] => not_read("it is compressed with gzip: unpack it first"),
        [0x80, 0..=5, ..] => {
            not_read("it is a pickle that `torch.save` did not write: save its tensors with `torch.save`")
        }
        head if head.starts_with(b"version https://git-lfs") => {
            not_read("it is a pointer of Git LFS and not the file itself: run `git lfs pull`")
        }
        _ => Err(OpenError::Unknown),
    }
}

#[cfg(test)]
mod tests;
