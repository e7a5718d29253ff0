//! Any bytes as a model of ONNX, with a file beside it -> it is read or refused, and what is listed is in the files.

#![no_main]

use std::{collections::BTreeMap, path::Path};

use convscope::reader::{input::InMemory, onnx::open};
use libfuzzer_sys::fuzz_target;

#[path = "../checkpoint.rs"]
mod checkpoint;
#[path = "../memory.rs"]
mod memory;

/// The numbers of a fixture, which is a seed.
const BESIDE: &[u8] = include_bytes!("../../tests/fixtures/checkpoints/onnx/exported/outside.onnx.data");

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("net.onnx");
    let files = [(path, bytes), (Path::new("outside.onnx.data"), BESIDE)];
    let files: BTreeMap<_, _> = files.map(|(path, bytes)| (path.to_owned(), bytes.to_vec())).into();
    let files = InMemory(files);
    if let Ok(contents) = open(&files, path) {
        checkpoint::check(&files, &contents);
    }
});
