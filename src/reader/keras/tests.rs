//! Files that Keras and h5py wrote, and bytes that they would not write.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde_json::Value as Json;

use crate::reader::{
    contents::{Contents, OpenError},
    input::InMemory,
    kinds,
    naming::tags,
    pieces::{self, Wanted},
    truth_tests::{beside, digest, truths, wrong_moment},
};

/// What is wrong with a tensor.
fn check_tensor(files: &InMemory, contents: &Contents, number: usize, expected: &Json) -> Option<String> {
    let tensor = &contents.tensors[number];
    let dtype = tensor.dtype.as_ref().map_or_else(ToString::to_string, |dtype| dtype.name().to_owned());
    let shape: Vec<u64> =
        expected["shape"].as_array().unwrap().iter().map(|len| len.as_u64().unwrap()).collect();
    let is_named = expected["stored_name"].as_array().is_none_or(|name| name[0] == *tensor.name[0]);
    if dtype != expected["dtype"] || tensor.shape != shape || !is_named {
        return Some(format!("{:?} {dtype} {:?}", tensor.name, tensor.shape));
    }
    if expected["sha256"] == "" {
        return (!tensor.pieces.is_empty()).then(|| "it has pieces".to_owned());
    }
    let digest = digest(files, contents, number);
    (digest != expected["sha256"]).then_some(digest)
}

/// Compares a checkpoint with what was in memory when it was saved.
fn check(family: &str, truth: &Json) -> Vec<String> {
    let path = PathBuf::from(truth["path"].as_str().unwrap());
    let files = beside(family, &path);
    let contents = match kinds::open(&files, &path) {
        Ok(contents) => contents,
        Err(error) => return vec![format!("{}: {error}", path.display())],
    };
    let mut wrong = Vec::new();
    let mut say = |message: String| wrong.push(format!("{}: {message}", path.display()));
    let named = tags(&contents);
    let mut others: BTreeSet<&str> = named.iter().map(|named| named.tag.as_str()).collect();
    for (tag, expected) in truth["tensors"].as_object().unwrap() {
        let Some(number) = named.iter().position(|named| named.tag == *tag) else {
            say(format!("no {tag}"));
            continue;
        };
        others.remove(tag.as_str());
        if named[number].is_optimizers != (expected["kind"] == "optimizer") {
            say(format!("{tag}: is it the optimizer's? {}", named[number].is_optimizers));
        }
        if let Some(found) = check_tensor(&files, &contents, number, expected) {
            say(format!("{tag}: {found} is not {expected}"));
        }
    }
    let expected = truth["others"].as_array();
    if expected.is_some_and(|expected| !others.iter().copied().eq(expected.iter().filter_map(Json::as_str))) {
        say(format!("it also lists {others:?}"));
    }
    wrong_moment(&contents, truth).into_iter().for_each(&mut say);
    let is_model = contents.keras_model.is_some();
    if contents.format.name() != truth["format"] || truth["has_model"] != is_model {
        say(format!("{:?}, a model: {is_model}", contents.format));
    }
    let remarks: Vec<&Json> = truth["remarks"].as_array().into_iter().flatten().collect();
    let is_said = |(found, expected): (&String, &&Json)| found.contains(expected.as_str().unwrap());
    if contents.remarks.len() != remarks.len() || !contents.remarks.iter().zip(&remarks).all(is_said) {
        say(format!("{:?}", contents.remarks));
    }
    wrong
}

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

/// Opens a file and reads its small tensors. What comes out does not matter, but that it ends without a panic.
fn look(files: &InMemory, path: &Path) -> bool {
    let Ok(contents) = kinds::open(files, path) else { return false };
    for number in 0..contents.tensors.len().min(100) {
        let _ = pieces::read(files, &Wanted { contents: &contents, number, limit: 1 << 16 });
    }
    let _ = tags(&contents);
    true
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
    const ODD: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
    let rounds =
        std::env::var("CONVSCOPE_MUTATIONS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(60);
    // Numbers that look random and are the same each time (Knuth's MMIX).
    let mut state = 1_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut n_read = 0;
    for (path, files) in all_files() {
        let whole = files.0[&path].clone();
        for _ in 0..rounds {
            let mut bytes = whole.clone();
            for _ in 0..=random(4) {
                let (at, len) = (random(bytes.len()), 1 + random(8));
                let value = ODD[random(ODD.len())];
                let end = bytes.len().min(at + len);
                bytes[at..end].fill(value);
            }
            let mut changed = files.clone();
            changed.0.insert(path.clone(), bytes);
            n_read += usize::from(look(&changed, &path));
        }
    }
    assert!(n_read > 0);
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
