//! Any bytes as the file `.metadata` of a distributed checkpoint, or as one with its items -> it is read or refused, and what is listed is
//! in the files.

#![no_main]

use std::{collections::BTreeMap, path::Path};

use convscope::reader::{input::InMemory, pytorch::distributed::open};
use libfuzzer_sys::fuzz_target;

#[path = "../checkpoint.rs"]
mod checkpoint;
#[path = "../memory.rs"]
mod memory;

/// Two tensors cut along an axis, and others.
const METADATA: &[u8] = include_bytes!("../../tests/fixtures/checkpoints/dcp/axes/latest/.metadata");
const ITEMS: &[u8] = include_bytes!("../../tests/fixtures/checkpoints/dcp/axes/latest/__0_0.distcp");
const OTHER_ITEMS: &[u8] = include_bytes!("../../tests/fixtures/checkpoints/dcp/axes/latest/__1_0.distcp");

fuzz_target!(|bytes: &[u8]| {
    let (metadata, items) = if bytes.first() == Some(&0x80) { (bytes, ITEMS) } else { (METADATA, bytes) };
    let path = Path::new(".metadata");
    let files = [(path, metadata), (Path::new("__0_0.distcp"), items), (Path::new("__1_0.distcp"), OTHER_ITEMS)];
    let files: BTreeMap<_, _> = files.map(|(path, bytes)| (path.to_owned(), bytes.to_vec())).into();
    let files = InMemory(files);
    if let Ok(contents) = open(&files, path) {
        checkpoint::check(&files, &contents);
    }
});
