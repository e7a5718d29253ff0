//! Any bytes as a file of Flax, and as the file `checkpoint` of old Orbax. It is read or refused, and what is listed is in the file.

#![no_main]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use convscope::reader::{input::InMemory, orbax::aggregate};
use libfuzzer_sys::fuzz_target;

#[path = "../checkpoint.rs"]
mod checkpoint;
#[path = "../memory.rs"]
mod memory;

fuzz_target!(|bytes: &[u8]| {
    for name in ["flax_model.msgpack", "checkpoint"] {
        let path = Path::new(name);
        let files = InMemory(BTreeMap::from([(PathBuf::from(path), bytes.to_vec())]));
        if let Ok(contents) = aggregate::open(&files, path) {
            checkpoint::check(&files, &contents);
        }
    }
});
