//! Any bytes as an HDF5 file of Keras -> it is read or refused, and what is listed is in the file. Checksums of structures
//! are not compared in this build.

#![no_main]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use convscope::reader::{input::InMemory, keras::open};
use libfuzzer_sys::fuzz_target;

#[path = "../checkpoint.rs"]
mod checkpoint;
#[path = "../memory.rs"]
mod memory;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("model.weights.h5");
    let files = InMemory(BTreeMap::from([(PathBuf::from(path), bytes.to_vec())]));
    if let Ok(contents) = open(&files, path) {
        checkpoint::check(&files, &contents);
    }
});
