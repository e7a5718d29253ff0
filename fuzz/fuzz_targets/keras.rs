//! Any bytes as a `.keras` archive, as the configuration or the weights in one, as a list of files with weights, and as what is beside
//! a backup. It is read or refused, and what is listed is in the files. CRCs of members are not compared in this build.

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

/// Weights of Keras 3, which say what the layers are called, and older ones, which do not.
const WEIGHTS: &[u8] = include_bytes!("../../tests/fixtures/checkpoints/keras/sharded/net_00003.weights.h5");
const OLDER_WEIGHTS: &[u8] = include_bytes!("../../tests/fixtures/checkpoints/keras/keras35/net.weights.h5");
/// A model of three layers, of which one is within another.
const CONFIG: &[u8] = br#"{"class_name":"Sequential","config":{"name":"net","layers":[
    {"class_name":"Conv2D","config":{"name":"stem","use_bias":false}},
    {"class_name":"TimeDistributed","config":{"name":"td","layer":{"class_name":"Dense","config":{"name":"head"}}}},
    {"class_name":"Functional","config":{"name":"inner","layers":[
        {"class_name":"BatchNormalization","config":{"name":"norm","scale":false,"center":true}}]}}]}}"#;

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"PK") {
        check(&[("model.keras", bytes)]);
    } else if bytes.first().is_some_and(u8::is_ascii) {
        check(&[("model.keras", &archive(bytes, OLDER_WEIGHTS))]);
        check(&[("net.weights.json", bytes), ("net_00000.weights.h5", WEIGHTS)]);
        check(&[("latest.weights.h5", WEIGHTS), ("training_metadata.json", bytes)]);
    } else {
        check(&[("model.keras", &archive(CONFIG, bytes))]);
    }
});

/// An archive without checksums.
fn archive(config: &[u8], weights: &[u8]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in [("config.json", config), ("model.weights.h5", weights)] {
        let len = (data.len() as u32).to_le_bytes();
        let name_len = (name.len() as u16).to_le_bytes();
        let fixed = [&[20, 0], [0; 12].as_slice(), &len, &len, &name_len].concat();
        let offset = (bytes.len() as u32).to_le_bytes();
        directory.extend([b"PK\x01\x02\x14\0", &*fixed, &[0; 12], &offset, name.as_bytes()].concat());
        bytes.extend([b"PK\x03\x04", &*fixed, &[0; 2], name.as_bytes(), data].concat());
    }
    let (len, offset) = ((directory.len() as u32).to_le_bytes(), (bytes.len() as u32).to_le_bytes());
    bytes.extend(directory);
    bytes.extend([b"PK\x05\x06\0\0\0\0\x02\0\x02\0", len.as_slice(), &offset, &[0; 2]].concat());
    bytes
}

fn check(files: &[(&str, &[u8])]) {
    let in_memory: BTreeMap<PathBuf, Vec<u8>> =
        files.iter().map(|(name, bytes)| (PathBuf::from(name), bytes.to_vec())).collect();
    let in_memory = InMemory(in_memory);
    if let Ok(contents) = open(&in_memory, Path::new(files[0].0)) {
        checkpoint::check(&in_memory, &contents);
    }
}
