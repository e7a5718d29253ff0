//! Any bytes as what names the arrays of Orbax, as the metadata of an array of Zarr 2 and 3, and as a chunk with any metadata. It is
//! read or refused, and what is listed is in the files.

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

const METADATA: &[u8] = br#"{"tree_metadata":{"a":{"key_metadata":[{"key":"a"}],"value_metadata":{"value_type":"jax.Array"}}},"use_ocdbt":false}"#;
const SHARDS: &[u8] = br#"{"zarr_format":3,"node_type":"array","shape":[4,4],"data_type":"float32","chunk_grid":{"name":"regular","configuration":{"chunk_shape":[4,4]}},"chunk_key_encoding":{"name":"default"},"fill_value":1,"codecs":[{"name":"sharding_indexed","configuration":{"chunk_shape":[2,2],"codecs":[{"name":"bytes"}],"index_codecs":[{"name":"bytes"},{"name":"crc32c"}]}}]}"#;

fuzz_target!(|bytes: &[u8]| {
    check(&[("_METADATA", bytes), ("a/.zarray", b"{}")]);
    // The metadata of an array end with a line, and a chunk follows.
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (json, chunk) = (&bytes[..end], &bytes[bytes.len().min(end + 1)..]);
    let chunks = |first: &'static str, second: &'static str| [(first, chunk), (second, chunk)];
    let with = |name: &'static str, chunks: [(&'static str, _); 2]| {
        check(&[("_METADATA", METADATA), (name, json), chunks[0], chunks[1]]);
    };
    with("a/.zarray", chunks("a/0", "a/0.0"));
    with("a/zarr.json", chunks("a/c/0", "a/c/0/0"));
    check(&[("_METADATA", METADATA), ("a/zarr.json", SHARDS), ("a/c/0/0", bytes)]);
});

fn check(files: &[(&str, &[u8])]) {
    let in_memory: BTreeMap<PathBuf, Vec<u8>> =
        files.iter().map(|(name, bytes)| (PathBuf::from(name), bytes.to_vec())).collect();
    let in_memory = InMemory(in_memory);
    if let Ok(contents) = orbax::open(&in_memory, Path::new("_METADATA")) {
        checkpoint::check(&in_memory, &contents);
    }
}
