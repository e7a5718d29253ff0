//! Directories that PyTorch and Lightning wrote, and bytes that they would not write.

use std::path::{Path, PathBuf};

use crate::reader::{
    contents::{Contents, OpenError},
    input::InMemory,
    kinds,
    pieces::{self, Wanted},
    read_error::ReadError,
    truth_tests::{beside, check, n_read_of_changed, truths},
};

#[test]
fn everything_that_was_saved_in_parts_comes_back() {
    let truths = truths("dcp");
    assert!(truths.len() > 5);
    let wrong: Vec<String> = truths.iter().flat_map(|truth| check("dcp", truth)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn directory(name: &str) -> (PathBuf, InMemory) {
    let path = PathBuf::from(name).join(".metadata");
    let files = beside("dcp", &path);
    (path, files)
}

const OF_TWO: &str = "fsdp2/checkpoint-30";

#[test]
fn slots_of_optimizers_are_kept_apart() {
    let (path, files) = directory(OF_TWO);
    let named = crate::reader::naming::tags(&kinds::open(&files, &path).unwrap());
    let of_optimizer: Vec<&str> =
        named.iter().filter(|named| named.is_optimizers).map(|named| named.tag.as_str()).collect();
    assert!(of_optimizer.contains(&"optim/state/conv1.weight/exp_avg"), "{of_optimizer:?}");
    assert!(of_optimizer.iter().all(|tag| tag.starts_with("optim/")));
    assert!(named.iter().any(|named| named.tag == "bn1.running_mean" && !named.is_optimizers));
}

#[test]
fn a_file_of_numbers_that_is_missing_costs_its_tensors_alone() {
    let (path, mut files) = directory(OF_TWO);
    let gone = path.with_file_name("__1_0.distcp");
    files.0.remove(&gone).unwrap();
    let contents = kinds::open(&files, &path).unwrap();
    assert_eq!(contents.missing, [gone]);
    assert!(contents.remarks[0].contains("__1_0.distcp"), "{:?}", contents.remarks);
    let is_there = |name: &str| {
        let tensor = contents.tensors.iter().find(|tensor| *tensor.name[1] == *name).unwrap();
        !tensor.pieces.is_empty()
    };
    // The second process has a part of the first kernel, and none of the one that has a single output.
    assert!(!is_there("conv1.weight"));
    assert!(is_there("one.weight"));
}

#[test]
fn every_cut_is_not_whole() {
    let (path, files) = directory("axes/latest");
    for name in [".metadata", "__0_0.distcp"] {
        let whole = files.0[&path.with_file_name(name)].clone();
        for len in 0..whole.len() {
            let mut cut = files.clone();
            cut.0.insert(path.with_file_name(name), whole[..len].to_vec());
            let error = kinds::open(&cut, &path).unwrap_err();
            let is_begun = name == ".metadata" && len < 2;
            assert!(matches!(error, OpenError::NotWhole(_)) || is_begun, "{name} {len}: {error}");
        }
    }
}

#[test]
fn files_with_changed_bytes_are_read_or_refused() {
    let mut n_read = 0;
    for truth in truths("dcp") {
        let path = PathBuf::from(truth["path"].as_str().unwrap());
        n_read += n_read_of_changed(&beside("dcp", &path), &path);
    }
    assert!(n_read > 0);
}

/// Opens a directory of which the first of these bytes of a file are changed to the others.
fn changed(name: &str, from: &[u8], to: &[u8]) -> (InMemory, Result<Contents, OpenError>) {
    let (path, mut files) = directory(OF_TWO);
    let bytes = files.0.get_mut(&path.with_file_name(name)).unwrap();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(from.len()).position(|some| some == from) {
        bytes[at + found..at + found + to.len()].copy_from_slice(to);
        at += found + to.len();
    }
    assert!(at > 0);
    let opened = kinds::open(&files, &path);
    (files, opened)
}

#[test]
fn names_that_leave_the_directory_are_not_opened() {
    let (_, opened) = changed(".metadata", b"__1_0.distcp", b"../../../abc");
    let contents = opened.unwrap();
    assert!(contents.remarks[0].contains("../../../abc"), "{:?}", contents.remarks);
    assert!(contents.missing.is_empty());
}

#[test]
fn other_files_of_this_name_are_no_checkpoints() {
    let (_, opened) = changed(".metadata", b"Metadata", b"Megadata");
    assert!(matches!(opened, Err(OpenError::Unknown)), "{opened:?}");
    let path = Path::new(".metadata");
    for bytes in [&b"{\"version\": 3}"[..], b"\x80\x02}q\0."] {
        let files = InMemory([(path.to_owned(), bytes.to_vec())].into_iter().collect());
        assert!(matches!(kinds::open(&files, path), Err(OpenError::Unknown)));
    }
}

#[test]
fn a_chunk_of_another_shape_than_the_metadata_say_is_not_read() {
    // The type of all tensors.
    let (_, opened) = changed(".metadata", b"float32", b"float16");
    let contents = opened.unwrap();
    assert!(contents.remarks.iter().any(|remark| remark.contains("another type")), "{:?}", contents.remarks);
    assert!(
        contents
            .tensors
            .iter()
            .filter(|tensor| tensor.shape.len() == 4)
            .all(|tensor| tensor.pieces.is_empty())
    );
}

#[test]
fn a_changed_number_is_damage() {
    let (path, mut files) = directory(OF_TWO);
    let contents = kinds::open(&files, &path).unwrap();
    let piece = &contents.tensors[0].pieces[1];
    let file = files.0.get_mut(&contents.files[piece.file as usize]).unwrap();
    file[piece.offset as usize] ^= 1;
    let read = pieces::read(&files, &Wanted { contents: &contents, number: 0, limit: 1 << 20 });
    assert!(matches!(read, Err(ReadError::Damaged { .. })));
}
