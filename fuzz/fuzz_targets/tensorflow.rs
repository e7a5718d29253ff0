//! Any bytes as the index of a bundle, as a table of the format before, and as a graph of objects. None of it
//! may panic, take much memory or much time; what is listed lies in its file, and is read or refused. CRCs of blocks are not
//! compared in this build.

#![no_main]

use std::path::{Path, PathBuf};

use convscope::reader::{
    input::InMemory,
    tensorflow::{self, object_graph},
};
use libfuzzer_sys::fuzz_target;

#[path = "../checkpoint.rs"]
mod checkpoint;
#[path = "../memory.rs"]
mod memory;

/// The bytes of the only file of numbers.
const NUMBERS: [u8; 1 << 14] = [1; 1 << 14];

fuzz_target!(|bytes: &[u8]| {
    check(&[("a.index", bytes), ("a.data-00000-of-00001", &NUMBERS)]);
    check(&[("a-00000-of-00002", bytes), ("a-00001-of-00002", bytes)]);
    let _ = object_graph::read(bytes);
});

fn check(files: &[(&str, &[u8])]) {
    let in_memory = files.iter().map(|(name, bytes)| (PathBuf::from(name), bytes.to_vec()));
    let in_memory = InMemory(in_memory.collect());
    if let Ok(contents) = tensorflow::open(&in_memory, Path::new(files[0].0)) {
        checkpoint::check(&in_memory, &contents);
    }
}
