//! A checkpoint -> whether it is whole and its numbers give the checksums of its format.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    reader::{
        checkpoint::{Checkpoint, Opened},
        contents::{Checksum, Contents, OpenError, Piece},
        files::SourceFiles,
        input::{Files as _, Input},
        packing::Stored,
        pieces::sum_is_right,
        read_error::ReadError,
    },
    source::{Source, now_ns},
};

/// A checkpoint that is being written is waited for so long.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A checkpoint and what was found in it.
pub(super) struct CheckedCheckpoint {
    pub(super) path: PathBuf,
    pub(super) format: &'static str,
    pub(super) tensors: usize,
    /// How many checksums were compared.
    pub(super) sums: usize,
    /// What is wrong.
    pub(super) faults: Vec<String>,
    /// What is not read.
    pub(super) remarks: Vec<String>,
}

/// Checks a file; `None` if it is no checkpoint of a kind that is known.
pub(super) fn check(source: &dyn Source, path: &Path) -> Option<CheckedCheckpoint> {
    let mut checked = CheckedCheckpoint {
        path: path.to_owned(),
        format: "unknown",
        tensors: 0,
        sums: 0,
        faults: Vec::new(),
        remarks: Vec::new(),
    };
    match opened(source, path) {
        Err(OpenError::Unknown) => return None,
        Err(OpenError::NotRead(reason)) => checked.remarks.push(reason),
        Err(error) => checked.faults.push(error.to_string()),
        Ok(contents) => {
            checked.format = contents.format.name();
            checked.tensors = contents.tensors.len();
            checked.remarks.clone_from(&contents.remarks);
            compare_sums(source, &contents, &mut checked);
        }
    }
    Some(checked)
}

fn opened(source: &dyn Source, path: &Path) -> Result<Contents, OpenError> {
    let until = Instant::now() + LONGEST_WAIT;
    loop {
        match Checkpoint::open(source, path, now_ns()) {
            Opened::Whole(checkpoint) => return Ok(checkpoint.contents),
            Opened::Failed(error) => return Err(error),
            Opened::Changing(wait) if Instant::now() + wait < until => std::thread::sleep(wait),
            Opened::Changing(_) => {
                return Err(OpenError::NotWhole("it is being written all the time".to_owned()));
            }
        }
    }
}

/// Compares each checksum once: several tensors may share the bytes of one.
fn compare_sums(source: &dyn Source, contents: &Contents, checked: &mut CheckedCheckpoint) {
    let files = SourceFiles::new(source);
    let mut seen = std::collections::HashSet::new();
    for tensor in &contents.tensors {
        for piece in &tensor.pieces {
            let Some(sum) = Summed::of(piece).filter(|sum| seen.insert((piece.file, sum.offset, sum.len)))
            else {
                continue;
            };
            let Some(path) = contents.files.get(piece.file as usize) else { continue };
            let compared = files.open(path).map_err(Into::into).and_then(|file| sum.is_right(&*file, piece));
            let name = tensor.name.join("/");
            checked.sums += 1;
            match compared {
                Ok(true) => {}
                Ok(false) => checked.faults.push(format!(
                    "{name}: the checksum of the {} bytes from byte {} is wrong",
                    sum.len, sum.offset
                )),
                Err(error) => checked.faults.push(format!("{name}: {error}")),
            }
        }
    }
}

/// The most bytes of a part of a tensor that is unpacked.
const MOST_UNPACKED: u64 = 4 << 30;

/// Bytes of a file that have a checksum.
struct Summed {
    offset: u64,
    len: u64,
}

impl Summed {
    /// Those of a piece; none if it has no checksum.
    fn of(piece: &Piece) -> Option<Self> {
        if let Some(Checksum { offset, len, .. }) = piece.checksum {
            return Some(Self { offset, len });
        }
        let packing = piece.packing.as_ref().filter(|packing| packing.has_checksum())?;
        match packing.stored {
            Stored::InFile(len) => Some(Self { offset: piece.offset, len }),
            Stored::Held(_) => None,
        }
    }

    fn is_right(&self, file: &dyn Input, piece: &Piece) -> Result<bool, ReadError> {
        if let Some(checksum) = piece.checksum {
            return sum_is_right(file, checksum);
        }
        let Some(packing) = &piece.packing else { return Ok(true) };
        match packing.unpack(file, self.offset, MOST_UNPACKED) {
            Ok(_) => Ok(true),
            Err(ReadError::Damaged { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl CheckedCheckpoint {
    /// What was found, line by line.
    pub(super) fn lines(&self) -> Vec<String> {
        let path = self.path.display();
        let faults = self.faults.iter().map(|fault| format!("{path}: {fault}"));
        let remarks = self.remarks.iter().map(|remark| format!("{path}: not read: {remark}"));
        let mut lines: Vec<String> = faults.chain(remarks).collect();
        if self.faults.is_empty() && self.tensors > 0 {
            let sums = match self.sums {
                0 => "the format has no checksums, and its lengths agree".to_owned(),
                n => format!("{n} checksums are right"),
            };
            lines.push(format!("{path}: {}, {} tensors: {sums}", self.format, self.tensors));
        }
        lines
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "file": self.path.display().to_string(),
            "format": self.format,
            "tensors": self.tensors,
            "checksums": self.sums,
            "faults": self.faults,
            "not_read": self.remarks,
        })
    }
}
