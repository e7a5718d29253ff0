//! Fixtures that real libraries wrote, and what was in memory when they did: what the tests of several readers share.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::{
    contents::Contents,
    input::InMemory,
    pieces::{self, Wanted},
};

/// The fixtures of a library.
pub(super) fn fixtures(library: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints").join(library)
}

/// All files beside a file, under paths relative to the fixtures.
pub(super) fn beside(library: &str, path: &Path) -> InMemory {
    let dir = path.parent().unwrap();
    let entries = fs::read_dir(fixtures(library).join(dir)).unwrap().map(|entry| entry.unwrap().path());
    let read = |file: PathBuf| (dir.join(file.file_name().unwrap()), fs::read(file).unwrap());
    InMemory(entries.filter(|entry| entry.is_file()).map(read).collect())
}

/// All files in a directory and below, under paths relative to the fixtures.
#[cfg(feature = "jax")]
pub(super) fn below(library: &str, dir: &Path) -> InMemory {
    let mut files = InMemory::default();
    let mut waiting = vec![dir.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(fixtures(library).join(&dir)).unwrap() {
            let path = dir.join(entry.unwrap().file_name());
            let full = fixtures(library).join(&path);
            if full.is_dir() {
                waiting.push(path);
            } else {
                files.0.insert(path, fs::read(full).unwrap());
            }
        }
    }
    files
}

/// What each checkpoint of a library holds.
pub(super) fn truths(library: &str) -> Vec<Json> {
    let truth = fs::read(fixtures(library).join("truth.json")).unwrap();
    let truth: Json = serde_json::from_slice(&truth).unwrap();
    let cases = truth.as_object().unwrap().values();
    cases.flat_map(|case| case["checkpoints"].as_array().unwrap().clone()).collect()
}

/// The SHA-256 of a tensor's numbers, or why they cannot be read.
pub(super) fn digest(files: &InMemory, contents: &Contents, number: usize) -> String {
    match pieces::read(files, &Wanted { contents, number, limit: 1 << 30 }) {
        Ok(read) => {
            Sha256::digest(&read.bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
        }
        Err(error) => error.to_string(),
    }
}

/// What is wrong with the step and the epoch.
pub(super) fn wrong_moment(contents: &Contents, truth: &Json) -> Vec<String> {
    let mut wrong = Vec::new();
    let step = contents.step.as_ref().map(|step| (step.value, step.found_in.as_str()));
    if step != truth["step"].as_i64().zip(truth["step_in"].as_str()) {
        wrong.push(format!("step {step:?}"));
    }
    if contents.epoch.as_ref().map(|epoch| epoch.value) != truth["epoch"].as_i64() {
        wrong.push(format!("epoch {:?}", contents.epoch));
    }
    wrong
}
