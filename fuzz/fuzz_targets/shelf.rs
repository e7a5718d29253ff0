//! Any bytes as a save on the shelf, and as its description with what follows it -> it is refused, or what is listed is in the file.

#![no_main]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use convscope::{
    proto::{Event, Summary, TensorProto, event::What, summary::Value, summary::value},
    reader::{
        input::InMemory,
        shelf::{HEAD_TAG, open},
    },
    record::write::append_record,
};
use libfuzzer_sys::fuzz_target;
use prost::Message as _;

#[path = "../checkpoint.rs"]
mod checkpoint;
#[path = "../memory.rs"]
mod memory;

fuzz_target!(|bytes: &[u8]| {
    check(bytes.to_vec());
    // The description ends with a line, and the tensors follow.
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let mut file = Vec::new();
    append_record(&mut file, b"");
    append_record(&mut file, &described(&bytes[..end]));
    file.extend_from_slice(&bytes[bytes.len().min(end + 1)..]);
    check(file);
});

/// The record of a description.
fn described(json: &[u8]) -> Vec<u8> {
    let tensor = TensorProto { string_val: vec![json.to_vec().into()], ..TensorProto::default() };
    let tag = HEAD_TAG.as_bytes().to_vec().into();
    let value = Value { tag, value: Some(value::Value::Tensor(tensor)), ..Value::default() };
    let what = What::Summary(Summary { value: vec![value] });
    Event { what: Some(what), ..Event::default() }.encode_to_vec()
}

fn check(file: Vec<u8>) {
    let path = Path::new("a.convscope-shelf");
    let files = InMemory(BTreeMap::from([(PathBuf::from(path), file)]));
    if let Ok(kept) = open(&files.0[path].as_slice(), path, Vec::new()) {
        assert_eq!(kept.facts.len(), kept.checkpoint.contents.tensors.len());
        checkpoint::check(&files, &kept.checkpoint.contents);
    }
}
