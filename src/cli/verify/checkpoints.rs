//! A checkpoint -> whether it is whole and its numbers give the checksums of its format.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    reader::{
        checkpoint::{Checkpoint, Opened},
        contents::{Contents, OpenError},
        files::SourceFiles,
        input::Files as _,
        pieces::sum_is_right,
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
            let Some(checksum) = piece.checksum else { continue };
            if !seen.insert((piece.file, checksum.offset, checksum.len)) {
                continue;
            }
            let Some(path) = contents.files.get(piece.file as usize) else { continue };
            let compared =
                files.open(path).map_err(Into::into).and_then(|file| sum_is_right(&*file, checksum));
            let name = tensor.name.join("/");
            checked.sums += 1;
            match compared {
                Ok(true) => {}
                Ok(false) => checked.faults.push(format!(
                    "{name}: the checksum of the {} bytes from byte {} is wrong",
                    checksum.len, checksum.offset
                )),
                Err(error) => checked.faults.push(format!("{name}: {error}")),
            }
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
