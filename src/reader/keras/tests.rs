//! Files that Keras and h5py wrote, and bytes that they would not write.

use std::path::PathBuf;

use crate::reader::{
    contents::OpenError,
    input::InMemory,
    kinds,
    truth_tests::{beside, check, look, n_read_of_changed, truths},
};

#[test]
fn everything_that_keras_saved_comes_back() {
    let truths = truths("keras");
    assert!(truths.len() > 15);
    let wrong: Vec<String> = truths.iter().flat_map(|truth| check("keras", truth)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn everything_that_h5py_saved_comes_back() {
    let truths = truths("hdf5");
    assert!(truths.len() > 9);
    let wrong: Vec<String> = truths.iter().flat_map(|truth| check("hdf5", truth)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files of both families, with those beside them.
fn all_files() -> Vec<(PathBuf, InMemory)> {
    let of_family = |family: &'static str| {
        truths(family).into_iter().map(move |truth| {
            let path = PathBuf::from(truth["path"].as_str().unwrap());
            let files = beside(family, &path);
            (path, files)
        })
    };
    of_family("keras").chain(of_family("hdf5")).collect()
}

#[test]
fn files_that_are_cut_are_not_whole() {
    for (path, files) in all_files() {
        let whole = files.0[&path].clone();
        // An index of several files is no shorter for being cut at its last line.
        if path.extension().is_some_and(|ending| ending == "json") {
            continue;
        }
        for part in 1..20 {
            let mut cut = files.clone();
            cut.0.insert(path.clone(), whole[..whole.len() * part / 20].to_vec());
            assert!(!look(&cut, &path), "{} cut at {part} of 20", path.display());
        }
    }
}

#[test]
fn files_with_changed_bytes_are_read_or_refused() {
    assert!(all_files().iter().map(|(path, files)| n_read_of_changed(files, path)).sum::<usize>() > 0);
}

#[test]
fn a_list_of_too_many_files_is_not_read() {
    let opened = |n: usize| {
        let names = vec![r#""b""#; n].join(",");
        let list = format!(r#"{{"weight_map":{{"a":[{names}]}}}}"#).into_bytes();
        let path = PathBuf::from("m.weights.json");
        kinds::open(&InMemory([(path.clone(), list)].into_iter().collect()), &path)
    };
    assert_eq!(opened(1_000).unwrap().remarks.len(), 1);
    assert!(matches!(opened(600_000), Err(OpenError::NotRead(_))));
}

#[test]
fn what_is_wrong_within_an_archive_is_said_of_the_member() {
    let (path, files) =
        all_files().into_iter().find(|(path, _)| path.extension().unwrap() == "keras").unwrap();
    let mut bytes = files.0[&path].clone();
    let weights = bytes.windows(8).position(|eight| eight == b"\x89HDF\r\n\x1a\n").unwrap();
    bytes[weights] = 0;
    // The checksum of a member is compared when its numbers are read.
    let error = kinds::open(&InMemory([(path.clone(), bytes)].into_iter().collect()), &path).unwrap_err();
    assert!(matches!(&error, OpenError::Damaged(message) if message.contains("model.weights.h5")), "{error}");
}
