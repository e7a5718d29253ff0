//! Any bytes as an archive of NumPy -> it is read or refused, and what is listed is in the file.

#![no_main]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use convscope::reader::{input::InMemory, npz::open};
use libfuzzer_sys::fuzz_target;

#[path = "../checkpoint.rs"]
mod checkpoint;
#[path = "../memory.rs"]
mod memory;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("model.npz");
    let files = InMemory(BTreeMap::from([(PathBuf::from(path), bytes.to_vec())]));
    if let Ok(contents) = open(&files, path) {
        checkpoint::check(&files, &contents);
    }
});
