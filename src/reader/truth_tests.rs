//! Fixtures that real libraries wrote, and what was in memory when they did: what the tests of several readers share.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::{
    contents::Contents,
    input::InMemory,
    kinds,
    naming::tags,
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

/// What is wrong with a tensor.
fn check_tensor(files: &InMemory, contents: &Contents, number: usize, expected: &Json) -> Option<String> {
    let tensor = &contents.tensors[number];
    let dtype = tensor.dtype.as_ref().map_or_else(ToString::to_string, |dtype| dtype.name().to_owned());
    let shape: Vec<u64> =
        expected["shape"].as_array().unwrap().iter().map(|len| len.as_u64().unwrap()).collect();
    let is_named = expected["stored_name"].as_array().is_none_or(|name| name[0] == *tensor.name[0]);
    if dtype != expected["dtype"] || tensor.shape != shape || !is_named {
        return Some(format!("{:?} {dtype} {:?}", tensor.name, tensor.shape));
    }
    if expected["sha256"] == "" {
        return (!tensor.pieces.is_empty()).then(|| "it has pieces".to_owned());
    }
    let digest = digest(files, contents, number);
    (digest != expected["sha256"]).then_some(digest)
}

/// Compares a checkpoint with what was in memory when it was saved.
pub(super) fn check(family: &str, truth: &Json) -> Vec<String> {
    let path = PathBuf::from(truth["path"].as_str().unwrap());
    let files = beside(family, &path);
    let contents = match kinds::open(&files, &path) {
        Ok(contents) => contents,
        Err(error) => return vec![format!("{}: {error}", path.display())],
    };
    let mut wrong = Vec::new();
    let mut say = |message: String| wrong.push(format!("{}: {message}", path.display()));
    let named = tags(&contents);
    let mut others: BTreeSet<&str> = named.iter().map(|named| named.tag.as_str()).collect();
    for (tag, expected) in truth["tensors"].as_object().unwrap() {
        let Some(number) = named.iter().position(|named| named.tag == *tag) else {
            say(format!("no {tag}"));
            continue;
        };
        others.remove(tag.as_str());
        if named[number].is_optimizers != (expected["kind"] == "optimizer") {
            say(format!("{tag}: is it the optimizer's? {}", named[number].is_optimizers));
        }
        if let Some(found) = check_tensor(&files, &contents, number, expected) {
            say(format!("{tag}: {found} is not {expected}"));
        }
    }
    let expected = truth["others"].as_array();
    if expected.is_some_and(|expected| !others.iter().copied().eq(expected.iter().filter_map(Json::as_str))) {
        say(format!("it also lists {others:?}"));
    }
    wrong_moment(&contents, truth).into_iter().for_each(&mut say);
    let is_model = contents.keras_model.is_some();
    if contents.format.name() != truth["format"] || truth["has_model"] != is_model {
        say(format!("{:?}, a model: {is_model}", contents.format));
    }
    let remarks: Vec<&Json> = truth["remarks"].as_array().into_iter().flatten().collect();
    let is_said = |(found, expected): (&String, &&Json)| found.contains(expected.as_str().unwrap());
    if contents.remarks.len() != remarks.len() || !contents.remarks.iter().zip(&remarks).all(is_said) {
        say(format!("{:?}", contents.remarks));
    }
    wrong
}

/// Opens a file and reads its small tensors. What comes out does not matter, but that it ends without a panic.
pub(super) fn look(files: &InMemory, path: &Path) -> bool {
    let Ok(contents) = kinds::open(files, path) else { return false };
    for number in 0..contents.tensors.len().min(100) {
        let _ = pieces::read(files, &Wanted { contents: &contents, number, limit: 1 << 16 });
    }
    let _ = tags(&contents);
    true
}

/// Changes a few bytes of a file, many times, and returns how often it was read nevertheless.
pub(super) fn n_read_of_changed(files: &InMemory, path: &Path) -> usize {
    const ODD: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
    let rounds =
        std::env::var("CONVSCOPE_MUTATIONS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(60);
    // Numbers that look random and are the same each time (Knuth's MMIX).
    let mut state = 1_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let whole = &files.0[path];
    let changed = (0..rounds).map(|_| {
        let mut bytes = whole.clone();
        for _ in 0..=random(4) {
            let (at, len) = (random(bytes.len()), 1 + random(8));
            let value = ODD[random(ODD.len())];
            let end = bytes.len().min(at + len);
            bytes[at..end].fill(value);
        }
        let mut changed = files.clone();
        changed.0.insert(path.to_owned(), bytes);
        changed
    });
    changed.filter(|changed| look(changed, path)).count()
}
