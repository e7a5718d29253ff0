//! Any bytes as a manifest of an OCDBT database, as a node of its tree, and as both -> its keys, or a reason. What is listed is in its
//! files. Checksums are not compared in this build.

#![no_main]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use convscope::reader::{input::InMemory, orbax};
use libfuzzer_sys::fuzz_target;

#[path = "../checkpoint.rs"]
mod checkpoint;
#[path = "../memory.rs"]
mod memory;

/// What names two arrays.
const METADATA: &[u8] = br#"{"tree_metadata":{"a":{"key_metadata":[{"key":"a"}],"value_metadata":{"value_type":"jax.Array"}},"b":{"key_metadata":[{"key":"params"},{"key":"conv1"},{"key":"kernel"}],"value_metadata":{"value_type":"jax.Array"}}}}"#;

fuzz_target!(|bytes: &[u8]| {
    check(&[("manifest.ocdbt", bytes), ("d/0", bytes)]);
    // The root is all of the other file.
    let len = bytes.len() as u64;
    for height in [0, 1] {
        let manifest = manifest(len, height);
        check(&[("manifest.ocdbt", &manifest), ("d/0", bytes)]);
    }
});

/// A manifest whose root is this many bytes of `d/0`.
fn manifest(len: u64, height: u8) -> Vec<u8> {
    let mut body = vec![0; 16];
    // Single, 100 bytes inline, nodes of 100 bytes, arity 16, not compressed; one file; one version.
    body.extend([0, 100, 100, 4, 0, 1, 3, 0]);
    body.extend(b"d/0");
    body.extend([1, 1, height, 0, 0]);
    let mut rest = len;
    while rest >= 0x80 {
        body.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    body.push(rest as u8);
    body.extend([0; 16]);
    let mut manifest = vec![0x0c, 0xdb, 0x3a, 0x2a];
    manifest.extend((body.len() as u64 + 18).to_le_bytes());
    manifest.extend([0, 0]);
    manifest.extend(body);
    manifest.extend([0; 4]);
    manifest
}

fn check(files: &[(&str, &[u8])]) {
    let path = Path::new("_METADATA");
    let mut in_memory: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::from([(path.to_owned(), METADATA.to_vec())]);
    in_memory.extend(files.iter().map(|(name, bytes)| (PathBuf::from(name), bytes.to_vec())));
    let in_memory = InMemory(in_memory);
    if let Ok(contents) = orbax::open(&in_memory, path) {
        checkpoint::check(&in_memory, &contents);
    }
}
