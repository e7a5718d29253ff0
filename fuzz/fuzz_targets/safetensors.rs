//! Any bytes as a safetensors file, with a header of the right length, as a file that an index names, and as an index. It is read or
//! refused, and what is listed is in the files.

#![no_main]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use convscope::reader::{input::InMemory, safetensors::open};
use libfuzzer_sys::fuzz_target;

#[path = "../checkpoint.rs"]
mod checkpoint;
#[path = "../memory.rs"]
mod memory;

/// A file beside the index.
const ANOTHER: &[u8] =
    b"\x35\0\0\0\0\0\0\0{\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}xyz";
const INDEX: &[u8] =
    br#"{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors","c":"model-3.safetensors"}}"#;

fuzz_target!(|bytes: &[u8]| {
    check(&[("model.safetensors", bytes)]);
    let lengthened = with_length(bytes);
    check(&[("model.safetensors", &lengthened)]);
    let path = "model.safetensors.index.json";
    check(&[(path, INDEX), ("model-1.safetensors", &lengthened), ("model-2.safetensors", ANOTHER)]);
    check(&[(path, bytes), ("model-1.safetensors", ANOTHER), ("model-2.safetensors", ANOTHER)]);
});

/// The same header and numbers after the length of the header: what a change of the header leaves wrong.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    let rest = bytes.get(8..).unwrap_or(bytes);
    let end = rest.windows(2).position(|two| two == b"}}").map_or(rest.len(), |at| at + 2);
    let spaces = rest[end..].iter().take_while(|byte| **byte == b' ').count();
    [&((end + spaces) as u64).to_le_bytes(), rest].concat()
}

fn check(files: &[(&str, &[u8])]) {
    let in_memory: BTreeMap<PathBuf, Vec<u8>> =
        files.iter().map(|(name, bytes)| (PathBuf::from(name), bytes.to_vec())).collect();
    let in_memory = InMemory(in_memory);
    if let Ok(contents) = open(&in_memory, Path::new(files[0].0)) {
        checkpoint::check(&in_memory, &contents);
    }
}
