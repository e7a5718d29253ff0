//! Any bytes as an HDF5 file of Keras -> it is read or refused, and what is listed is in the file.

#![no_main]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use convscope::reader::{
    input::InMemory,
    keras::open,
    pieces::{Wanted, read},
};
use libfuzzer_sys::fuzz_target;

/// The most bytes of a tensor that is read.
const LIMIT: u64 = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("model.weights.h5");
    let files = InMemory(BTreeMap::from([(PathBuf::from(path), bytes.to_vec())]));
    let Ok(contents) = open(&files, path) else { return };
    for (number, tensor) in contents.tensors.iter().enumerate().take(100) {
        assert!(!tensor.name.is_empty());
        assert!(tensor.pieces.iter().all(|piece| piece.offset <= bytes.len() as u64));
        let _ = read(&files, &Wanted { contents: &contents, number, limit: LIMIT });
    }
});
