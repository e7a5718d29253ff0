//! Checkpoints that TensorFlow and Keras wrote, and bytes that they would not write.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use proptest::{prelude::*, sample::Index};
use serde_json::Value as Json;

use super::*;
use crate::{
    event::wire::Span,
    reader::{
        input::InMemory,
        kinds,
        naming::tags,
        pieces::{self, Wanted},
        truth_tests::{beside, digest, truths, wrong_moment},
    },
};

const LIBRARY: &str = "tensorflow";

fn texts(list: &Json) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// What is wrong with a tensor; its digest is compared only if its numbers can be read.
fn check_tensor(files: &InMemory, contents: &Contents, number: usize, expected: &Json) -> Option<String> {
    let tensor = &contents.tensors[number];
    let dtype = tensor.dtype.as_ref().map_or_else(ToString::to_string, |dtype| dtype.name().to_owned());
    let shape: Vec<u64> =
        expected["shape"].as_array().unwrap().iter().map(|len| len.as_u64().unwrap()).collect();
    let stored = texts(&expected["stored_name"]);
    let is_named = stored.is_empty() || stored.contains(&*tensor.name[0]);
    if dtype != expected["dtype"] || tensor.shape != shape || !is_named {
        return Some(format!("{:?} {dtype} {:?}", tensor.name, tensor.shape));
    }
    let digest = digest(files, contents, number);
    (digest != expected["sha256"]).then_some(digest)
}

/// Compares a checkpoint with what was in memory when it was saved.
fn check(truth: &Json) -> Vec<String> {
    let path = PathBuf::from(truth["path"].as_str().unwrap());
    let files = beside(LIBRARY, &path);
    let contents = match kinds::open(&files, &path) {
        Ok(contents) => contents,
        Err(error) => return vec![format!("{}: {error}", path.display())],
    };
    let mut wrong = Vec::new();
    let mut say = |message: String| wrong.push(format!("{}: {message}", path.display()));
    let (named, unread) = (tags(&contents), texts(&truth["unread"]));
    let mut others: BTreeSet<String> = named.iter().map(|named| named.tag.clone()).collect();
    for (tag, expected) in truth["tensors"].as_object().unwrap() {
        let Some(number) = named.iter().position(|named| named.tag == *tag) else {
            say(format!("no {tag}"));
            continue;
        };
        others.remove(tag);
        let is_optimizers = expected["kind"] == "optimizer";
        if named[number].is_optimizers != is_optimizers {
            say(format!("{tag}: is it the optimizer's? {}", !is_optimizers));
        }
        let is_counter = truth["format"] == "tensorflow-v1" && tag == "global_step";
        if unread.contains(tag) || is_counter {
            assert!(contents.tensors[number].pieces.is_empty());
        } else if let Some(found) = check_tensor(&files, &contents, number, expected) {
            say(format!("{tag}: {found} is not {expected}"));
        }
    }
    if others != texts(&truth["others"]) {
        say(format!("it also lists {others:?}"));
    }
    wrong_moment(&contents, truth).into_iter().for_each(&mut say);
    if contents.format.name() != truth["format"] || contents.remarks.is_empty() != unread.is_empty() {
        say(format!("{:?} {:?}", contents.format, contents.remarks));
    }
    wrong
}

#[test]
fn everything_that_tensorflow_saved_comes_back() {
    let truths = truths(LIBRARY);
    assert!(truths.len() > 15);
    let wrong: Vec<String> = truths.iter().flat_map(check).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A number as Protocol Buffers and tables write it.
fn number(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A block of entries, with the kind of its compression and its CRC after it.
fn block(entries: &[(&[u8], &[u8])], kind: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in entries {
        bytes.extend([vec![0], number(key.len() as u64), number(value.len() as u64)].concat());
        bytes.extend([*key, *value].concat());
    }
    bytes.extend([0, 0, 0, 0, 1, 0, 0, 0, kind]);
    bytes.extend(crate::record::crc::masked(&bytes).to_le_bytes());
    bytes
}

fn handle(at: usize, block: &[u8]) -> Vec<u8> {
    [number(at as u64), number(block.len() as u64 - 5)].concat()
}

/// A table with one block of entries, and an index that names it as `times` blocks.
fn table_of(entries: &[(&[u8], &[u8])], kind: u8, times: u8) -> Vec<u8> {
    let data = block(entries, kind);
    let place = handle(0, &data);
    let keys: Vec<[u8; 1]> = (0..times).map(|time| [b'~' - times + time]).collect();
    let index = block(&keys.iter().map(|key| (key.as_slice(), place.as_slice())).collect::<Vec<_>>(), 0);
    let mut footer = [place, handle(data.len(), &index)].concat();
    footer.resize(40, 0);
    [data, index, footer, 0xdb47_7524_8b80_fb57_u64.to_le_bytes().to_vec()].concat()
}

const HEADER: (&[u8], &[u8]) = (b"", b"\x08\x01\x1a\x02\x08\x01");
/// Two float32 at the beginning of the only file of numbers.
const TWO: &[u8] = b"\x08\x01\x12\x04\x12\x02\x08\x02\x28\x08";

/// Opens a bundle of 16 bytes of numbers.
fn opened(index: Vec<u8>) -> Result<Contents, OpenError> {
    let files = [("a.index", index), ("a.data-00000-of-00001", (0..16).collect())];
    let files = files.into_iter().map(|(name, bytes)| (PathBuf::from(name), bytes));
    open(&InMemory(files.collect()), Path::new("a.index"))
}

fn opened_with(key: &[u8], value: &[u8]) -> Result<Contents, OpenError> {
    opened(table_of(&[HEADER, (key, value)], 0, 1))
}

fn fixture(case: &str) -> (InMemory, PathBuf) {
    let truths = truths(LIBRARY);
    let paths = truths.iter().map(|truth| PathBuf::from(truth["path"].as_str().unwrap()));
    let path = paths.into_iter().find(|path| path.starts_with(case)).unwrap();
    (beside(LIBRARY, &path), path)
}

#[test]
fn a_table_that_a_test_makes_is_read() {
    let contents = opened_with(b"a", TWO).unwrap();
    assert_eq!((contents.tensors.len(), &*contents.tensors[0].name[0]), (1, "a"));
    let piece = &contents.tensors[0].pieces[0];
    assert_eq!((piece.file, piece.offset, piece.is_big_endian), (1, 0, false));
}

#[test]
fn a_file_that_is_cut_is_not_whole() {
    for case in ["tf1_saver", "tf1_v1_format"] {
        let (files, path) = fixture(case);
        let bytes = files.0[&path].clone();
        for len in 0..bytes.len() {
            let mut cut = files.clone();
            cut.0.insert(path.clone(), bytes[..len].to_vec());
            assert!(matches!(open(&cut, &path), Err(OpenError::NotWhole(_))), "{case} cut at {len}");
        }
    }
    let (mut files, path) = fixture("tf2_savedmodel");
    let data = path.with_file_name("variables.data-00000-of-00001");
    files.0.get_mut(&data).unwrap().pop();
    assert!(matches!(open(&files, &path), Err(OpenError::NotWhole(_))));
}

#[test]
fn a_flipped_bit_of_an_index_is_seen() {
    let (files, path) = fixture("tf2_checkpoint");
    let bytes = files.0[&path].clone();
    // Places in the footer are followed by zeros up to the magic number, and the first place is not used.
    let entries = bytes.len() - 48;
    for at in 0..bytes.len() {
        let mut flipped = files.clone();
        flipped.0.get_mut(&path).unwrap()[at] ^= 1 << (at % 8);
        let opened = open(&flipped, &path);
        // Between entries and index stands an empty block that nobody reads.
        assert!(opened.is_err() || at + 64 > entries, "byte {at}");
    }
}

#[test]
fn flipped_bits_of_a_single_file_are_borne() {
    let (files, path) = fixture("tf1_v1_partitioned");
    let len = files.0[&path].len();
    for at in (0..len).filter(|at| *at < 3_000 || at % 7 == 0) {
        let mut flipped = files.clone();
        flipped.0.get_mut(&path).unwrap()[at] ^= 1 << (at % 8);
        let Ok(contents) = open(&flipped, &path) else { continue };
        for piece in contents.tensors.iter().flat_map(|tensor| &tensor.pieces) {
            assert!(piece.offset < len as u64);
        }
    }
}

#[test]
fn a_file_of_numbers_that_is_missing_costs_its_tensors_alone() {
    let (mut files, path) = fixture("tf1_sharded");
    files.0.remove(&path.with_file_name("model.ckpt-10.data-00000-of-00003"));
    let contents = open(&files, &path).unwrap();
    let read = contents.tensors.iter().filter(|tensor| !tensor.pieces.is_empty()).count();
    assert!(read > 0 && read < contents.tensors.len());
    let remark =
        "model.ckpt-10.data-00000-of-00003 cannot be opened, which holds 5 tensors (such as \"bn/beta\")";
    assert!(contents.remarks[0].starts_with(remark), "{:?}", contents.remarks);
    files.0.retain(|file, _| file == &path);
    assert!(matches!(open(&files, &path), Err(OpenError::NotWhole(_))));
}

#[test]
fn a_shard_of_the_old_format_is_opened_with_the_first() {
    let (mut files, path) = fixture("tf1_v1_sharded");
    let second = path.with_file_name("model.ckpt-10-00001-of-00003");
    assert!(matches!(open(&files, &second), Err(OpenError::Unknown)));
    files.0.remove(&second);
    let contents = open(&files, &path).unwrap();
    assert!(contents.remarks[0].contains("model.ckpt-10-00001-of-00003"), "{:?}", contents.remarks);
}

#[test]
fn entries_that_contradict_themselves_are_damage() {
    let is_damaged = |value: &[u8]| matches!(opened_with(b"a", value), Err(OpenError::Damaged(_)));
    assert!(is_damaged(b"\x08\x01\x12\x04\x12\x02\x08\x03\x28\x08"), "three elements of 8 bytes");
    assert!(is_damaged(&[TWO, b"\x18\x01"].concat()), "a second file");
    assert!(
        is_damaged(&[b"\x08\x01\x12\x0d\x12\x0b\x08".as_slice(), &[0xff; 9], b"\x01"].concat()),
        "length -1"
    );
    assert!(is_damaged(b"\x08\x01\x12\x02\x18\x01"), "no shape");
    assert!(is_damaged(&[TWO, b"\x3a\x06\x0a\x04\x08\x01\x10\x01"].concat()), "a part without entry");
    assert!(is_damaged(&[TWO, b"\x3a\x06\x0a\x04\x08\x02\x10\x01"].concat()), "a part outside");
    assert!(is_damaged(&[b"\x08\x01\x12\x42".as_slice(), &b"\x12\x00".repeat(33)].concat()), "33 axes");
    assert!(is_damaged(b"\x08"), "an entry that ends too early");
    let at_end = [TWO, b"\x20", &[0xff; 9], b"\x01"].concat();
    assert!(matches!(opened_with(b"a", &at_end), Err(OpenError::NotWhole(_))), "offset 2^64 - 1");
}

#[test]
fn tables_that_no_writer_makes_are_refused() {
    let reason = |index| opened(index).unwrap_err().to_string();
    assert!(reason(table_of(&[("a".as_bytes(), TWO)], 0, 1)).contains("no header"));
    assert!(reason(table_of(&[HEADER, (b"b", TWO), (b"a", TWO)], 0, 1)).contains("not sorted"));
    assert!(reason(table_of(&[HEADER, (b"a", TWO), (b"a", TWO)], 0, 1)).contains("not sorted"));
    assert!(reason(table_of(&[HEADER], 0, 2)).contains("over each other"));
    assert!(reason(table_of(&[HEADER], 1, 1)).contains("Snappy"));
    assert!(reason(table_of(&[HEADER], 9, 1)).contains("unknown way 9"));
    assert!(reason(table_of(&[HEADER, (&b"a".repeat(20_000), TWO)], 0, 1)).contains("impossible"));
    assert!(matches!(opened(b"faiss".repeat(20)), Err(OpenError::Unknown)));
    assert!(matches!(opened(Vec::new()), Err(OpenError::NotWhole(_))));
}

/// The entries of an index that TensorFlow wrote.
fn entries_of(case: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (files, path) = fixture(case);
    let (index, mut entries) = (files.0[&path].as_slice(), Vec::new());
    let take: table::TakeBytes<'_> = &mut |key, value| {
        entries.push((key.to_vec(), value.to_vec()));
        Ok(())
    };
    table::Table::open(&index).unwrap().read_all(take).unwrap();
    entries
}

proptest! {
    /// An index with right CRCs, of which a few bytes are not those that TensorFlow wrote.
    #[test]
    fn entries_of_any_bytes_are_read_or_refused(
        changes in prop::collection::vec((any::<Index>(), any::<Index>(), any::<u8>()), 1..4),
        case in prop::sample::select(vec!["tf1_partitioned", "tf_keras_slots", "tf1_types"]),
    ) {
        let (mut files, path) = fixture(case);
        let mut entries = entries_of(case);
        for (entry, at, byte) in changes {
            let (_, value) = entry.get_mut(&mut entries);
            let at = at.index(value.len());
            value[at] = byte;
        }
        let entries: Vec<(&[u8], &[u8])> =
            entries.iter().map(|(key, value)| (key.as_slice(), value.as_slice())).collect();
        files.0.insert(path.clone(), table_of(&entries, 0, 1));
        if let Ok(contents) = open(&files, &path) {
            for number in 0..contents.tensors.len() {
                let _ = pieces::read(&files, &Wanted { contents: &contents, number, limit: 1 << 20 });
            }
        }
    }

    #[test]
    fn graphs_of_any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = object_graph::read(&bytes);
        let _ = v1::saved::read_values(&mut bytes.as_slice(), Span { at: 0, end: bytes.len() as u64 });
    }
}

#[test]
fn types_that_are_not_read_are_listed_and_text_is_not() {
    let contents = opened_with(b"a", b"\x08\x15\x28\x08").unwrap();
    assert_eq!(contents.tensors[0].dtype, Err("variant".into()));
    assert!(opened_with(b"a", b"\x08\x07\x28\x08").unwrap().tensors.is_empty());
}

#[test]
fn numbers_of_a_machine_with_the_first_byte_first() {
    let header: (&[u8], &[u8]) = (b"", b"\x08\x01\x10\x01\x1a\x02\x08\x01");
    let step: (&[u8], &[u8]) = (b"global_step", b"\x08\x03\x12\x00\x28\x04");
    let contents = opened(table_of(&[header, step], 0, 1)).unwrap();
    assert!(contents.tensors[0].pieces[0].is_big_endian);
    assert_eq!(contents.step.map(|step| step.value), Some(0x0001_0203));
}

#[test]
fn a_graph_of_objects_that_cannot_be_read_costs_the_names_alone() {
    let graph: (&[u8], &[u8]) = (object_graph::KEY.as_bytes(), b"\x08\x07\x28\x10");
    let contents = opened(table_of(&[HEADER, graph, (b"a", TWO)], 0, 1)).unwrap();
    assert_eq!(contents.tensors.len(), 1);
    assert!(contents.remarks[0].starts_with("the names of its variables"), "{:?}", contents.remarks);
}

#[test]
fn compressed_blocks_of_the_old_format_are_told_of() {
    let files = [(PathBuf::from("a.ckpt"), table_of(&[HEADER], 1, 1))].into_iter().collect();
    let contents = open(&InMemory(files), Path::new("a.ckpt")).unwrap();
    assert!(contents.remarks[0].contains("Snappy"), "{:?}", contents.remarks);
}
