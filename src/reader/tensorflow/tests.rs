//! Checkpoints that TensorFlow and Keras wrote, and bytes that they would not write.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::*;
use crate::reader::{
    input::InMemory,
    kinds,
    naming::tags,
    pieces::{self, Wanted},
};

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints/tensorflow")
}

/// All files beside a file, under paths relative to the fixtures.
fn beside(path: &Path) -> InMemory {
    let dir = path.parent().unwrap();
    let entries = fs::read_dir(fixtures().join(dir)).unwrap().map(|entry| entry.unwrap().path());
    let read = |file: PathBuf| (dir.join(file.file_name().unwrap()), fs::read(file).unwrap());
    InMemory(entries.filter(|entry| entry.is_file()).map(read).collect())
}

fn truths() -> Vec<Json> {
    let truth: Json = serde_json::from_slice(&fs::read(fixtures().join("truth.json")).unwrap()).unwrap();
    let cases = truth.as_object().unwrap().values();
    cases.flat_map(|case| case["checkpoints"].as_array().unwrap().clone()).collect()
}

fn texts(list: &Json) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// What is wrong with a tensor; its digest is compared only if its numbers can be read.
fn check_tensor(files: &InMemory, contents: &Contents, number: usize, expected: &Json) -> Option<String> {
    let tensor = &contents.tensors[number];
    let dtype = tensor.dtype.as_ref().map_or_else(ToString::to_string, |dtype| dtype.name().to_owned());
    let shape: Vec<u64> =
        expected["shape"].as_array().unwrap().iter().map(|len| len.as_u64().unwrap()).collect();
    let stored = texts(&expected["stored_name"]);
    let is_named = stored.is_empty() || stored.contains(&*tensor.name[0]);
    if dtype != expected["dtype"] || tensor.shape != shape || !is_named {
        return Some(format!("{:?} {dtype} {:?}", tensor.name, tensor.shape));
    }
    let wanted = Wanted { contents, number, limit: 1 << 30 };
    let digest = match pieces::read(files, &wanted) {
        Ok(read) => {
            Sha256::digest(&read.bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
        }
        Err(error) => error.to_string(),
    };
    (digest != expected["sha256"]).then_some(digest)
}

/// Compares a checkpoint with what was in memory when it was saved.
fn check(truth: &Json) -> Vec<String> {
    let path = PathBuf::from(truth["path"].as_str().unwrap());
    let files = beside(&path);
    let contents = match kinds::open(&files, &path) {
        Ok(contents) => contents,
        Err(error) => return vec![format!("{}: {error}", path.display())],
    };
    let mut wrong = Vec::new();
    let mut say = |message: String| wrong.push(format!("{}: {message}", path.display()));
    let (named, unread) = (tags(&contents), texts(&truth["unread"]));
    let mut others: BTreeSet<String> = named.iter().map(|named| named.tag.clone()).collect();
    for (tag, expected) in truth["tensors"].as_object().unwrap() {
        let Some(number) = named.iter().position(|named| named.tag == *tag) else {
            say(format!("no {tag}"));
            continue;
        };
        others.remove(tag);
        let is_optimizers = expected["kind"] == "optimizer";
        if named[number].is_optimizers != is_optimizers {
            say(format!("{tag}: is it the optimizer's? {}", !is_optimizers));
        }
        let is_counter = truth["format"] == "tensorflow-v1" && tag == "global_step";
        if unread.contains(tag) || is_counter {
            assert!(contents.tensors[number].pieces.is_empty());
        } else if let Some(found) = check_tensor(&files, &contents, number, expected) {
            say(format!("{tag}: {found} is not {expected}"));
        }
    }
    if others != texts(&truth["others"]) {
        say(format!("it also lists {others:?}"));
    }
    let step = contents.step.as_ref().map(|step| (step.value, step.found_in.as_str()));
    if step != truth["step"].as_i64().zip(truth["step_in"].as_str()) {
        say(format!("step {step:?}"));
    }
    if contents.epoch.as_ref().map(|epoch| epoch.value) != truth["epoch"].as_i64() {
        say(format!("epoch {:?}", contents.epoch));
    }
    if contents.format.name() != truth["format"] || contents.remarks.is_empty() != unread.is_empty() {
        say(format!("{:?} {:?}", contents.format, contents.remarks));
    }
    wrong
}

#[test]
fn everything_that_tensorflow_saved_comes_back() {
    let truths = truths();
    assert!(truths.len() > 15);
    let wrong: Vec<String> = truths.iter().flat_map(check).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
