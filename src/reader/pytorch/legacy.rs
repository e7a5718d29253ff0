//! What `torch.save` wrote before PyTorch 1.6, and what it writes with `_use_new_zipfile_serialization=False`.
//!
//! Source: `_legacy_save` and `_legacy_load` in `torch/serialization.py`. Five pickles follow one another: a magic number, the
//! version of the protocol, facts of the system, the object, and the keys of the storages. Then the storages stand in the order of
//! the keys, each after the number of its elements in 8 bytes. All numbers are little-endian.

use std::collections::HashMap;

use crate::reader::{contents::OpenError, input::Input};

use super::{
    assembly::{Assembly, Storages, Stored, counter},
    counter::{epochs, steps},
    dtype::Element,
    fault::{in_file, too_many},
    pickle::{self, Fault},
    value::{Node, Value, Values},
    view::{Storage, storage},
    walk::tensors,
};

/// The number that such a file begins with, as a pickle of protocol 2 or later holds it: `LONG1`, its length, and its bytes.
const MAGIC: [u8; 12] = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// The version of the protocol, the only one there was.
const PROTOCOL: i64 = 1001;

/// The first bytes of such a file that are read at once. The pickles of most models have fewer.
const FIRST_BYTES: u64 = 256 << 10;

/// The most bytes of one pickle.
const MOST_PICKLE_BYTES: u64 = 48 << 20;

/// The same number in protocols 0 and 1.
const MAGIC_TEXT: &[u8] = b"L119547037146038801333356L\n.";

/// Whether a file that begins so is one, as far as it goes.
pub(super) fn is_begun_by(head: &[u8]) -> bool {
    let begins = |bytes: &[u8], magic: &[u8]| bytes.iter().zip(magic).all(|(is, must)| is == must);
    // Protocols 2 to 5 write the number in one way; frames begin with protocol 4.
    match head {
        [0x80, 2 | 3, number @ ..] | [0x80, 4 | 5, 0x95, _, _, _, _, _, _, _, _, number @ ..] => {
            begins(number, &MAGIC)
        }
        [0x80, 4 | 5, ..] => head.len() < 11,
        _ => begins(head, MAGIC_TEXT),
    }
}

/// Reads such a file.
pub(super) fn read(input: &dyn Input) -> Result<Assembly, OpenError> {
    let mut pickles = Pickles { input, at: 0 };
    // The magic number, which is known already.
    pickles.next()?;
    let protocol = pickles.next()?.root;
    if protocol != Value::Int(PROTOCOL) {
        return Err(OpenError::NotRead("it was written by an unknown version of PyTorch".to_owned()));
    }
    // Facts of the system: the sizes of C's types and its order of bytes, which say nothing of the numbers.
    pickles.next()?;
    let values = pickles.next()?;
    let keys = pickles.next()?;
    let mut storages = InFile::read(input, pickles.at, &keys, &values)?;
    let mut assembly = Assembly::default();
    assembly.step = counter(steps(&values), input, &mut storages);
    assembly.epoch = counter(epochs(&values), input, &mut storages);
    let tensors = tensors(&values, &[]).map_err(too_many)?;
    // The objects take as much memory as the tensors that follow.
    drop((values, keys));
    assembly.add(tensors, &mut storages);
    Ok(assembly)
}

/// Pickles that follow one another.
struct Pickles<'a> {
    input: &'a dyn Input,
    at: u64,
}

impl Pickles<'_> {
    fn next(&mut self) -> Result<Values, OpenError> {
        let left = self.input.len().saturating_sub(self.at);
        let mut len = FIRST_BYTES.min(left);
        // A pickle does not say how long it is.
        loop {
            match pickle::read(self.input.bytes(self.at, len)?) {
                Err(Fault::EndsEarly) if len == MOST_PICKLE_BYTES => {
                    return Err(too_many("bytes of its pickle"));
                }
                Err(Fault::EndsEarly) if len < left => len = (len * 8).min(left).min(MOST_PICKLE_BYTES),
                Err(fault) => return Err(in_file(&fault)),
                Ok(values) => {
                    self.at += values.len as u64;
                    return Ok(values);
                }
            }
        }
    }
}

/// Storages that follow the pickles.
struct InFile {
    found: HashMap<String, Stored>,
}

impl InFile {
    fn read(input: &dyn Input, start: u64, keys: &Values, values: &Values) -> Result<Self, OpenError> {
        let named = named_storages(values);
        let mut at = start;
        let mut found = HashMap::new();
        for key in keys.tuple(keys.root).unwrap_or_default() {
            let key = keys.text(*key).unwrap_or_default().into_owned();
            let Some(dtype) = named.get(&key) else {
                return Err(OpenError::Damaged(format!("nothing in it uses the storage `{key}`")));
            };
            let Ok(dtype) = dtype else {
                return Err(OpenError::NotRead(
                    "its storages are of an element type that is not read".to_owned(),
                ));
            };
            let count = input.bytes(at, 8)?.try_into().map_or(0, u64::from_le_bytes);
            let len = count.checked_mul(dtype.bytes() as u64);
            let (offset, end) = (at + 8, len.and_then(|len| (at + 8).checked_add(len)));
            let Some((len, end)) = len.zip(end).filter(|(_, end)| *end <= input.len()) else {
                return Err(OpenError::NotWhole("it ends within the numbers of a tensor".to_owned()));
            };
            found.insert(key, Stored { offset, len, is_big_endian: false, checksum: None });
            at = end;
        }
        Ok(Self { found })
    }
}

/// The element type of each storage that a pickle names.
fn named_storages(values: &Values) -> HashMap<String, Element> {
    let persistent = values.nodes.iter().enumerate().filter(|(_, node)| matches!(node, Node::Persistent(_)));
    let storages = persistent.filter_map(|(at, _)| storage(values, Value::Node(at as u32)));
    let mut named = HashMap::new();
    for Storage { key, dtype, .. } in storages {
        named.entry(key).or_insert(dtype);
    }
    named
}

impl Storages for InFile {
    fn find(&mut self, storage: &Storage) -> Result<Stored, String> {
        let found = self.found.get(&storage.key).cloned();
        found.ok_or_else(|| "the file has no storage with their numbers".to_owned())
    }
}
