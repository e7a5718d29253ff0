//! Archives that NumPy wrote, and bytes that it would not write.

use std::path::{Path, PathBuf};

use crate::reader::{
    contents::{Contents, OpenError},
    input::InMemory,
    kinds,
    pieces::{self, Wanted},
    read_error::ReadError,
    truth_tests::{beside, check, fixtures, look, n_read_of_changed, truths},
};

#[test]
fn everything_that_numpy_saved_comes_back() {
    let truths = truths("npz");
    assert!(truths.len() > 7);
    let wrong: Vec<String> = truths.iter().flat_map(|truth| check("npz", truth)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All archives.
fn all_files() -> impl Iterator<Item = (PathBuf, InMemory)> {
    truths("npz").into_iter().map(|truth| {
        let path = PathBuf::from(truth["path"].as_str().unwrap());
        let files = beside("npz", &path);
        (path, files)
    })
}

#[test]
fn archives_of_data_are_no_checkpoints() {
    for name in ["digits", "curve"] {
        let path = PathBuf::from(format!("no_networks/{name}.npz"));
        assert!(fixtures("npz").join(&path).is_file());
        let error = kinds::open(&beside("npz", &path), &path).unwrap_err();
        assert!(matches!(error, OpenError::Unknown), "{error}");
    }
}

#[test]
fn every_cut_is_not_whole() {
    let (path, files) = all_files().next().unwrap();
    let whole = files.0[&path].clone();
    for len in 1..whole.len() {
        let cut = InMemory([(path.clone(), whole[..len].to_vec())].into_iter().collect());
        let error = kinds::open(&cut, &path).unwrap_err();
        let is_begun = len < 4 && matches!(error, OpenError::Unknown);
        assert!(matches!(error, OpenError::NotWhole(_)) || is_begun, "{len}: {error}");
    }
}

#[test]
fn files_with_changed_bytes_are_read_or_refused() {
    assert!(all_files().map(|(path, files)| n_read_of_changed(&files, &path)).sum::<usize>() > 0);
}

/// Opens an archive of which the first of these bytes are changed to the others.
fn changed(name: &str, from: &[u8], to: &[u8]) -> (InMemory, Result<Contents, OpenError>) {
    let path = Path::new(name);
    let mut files = beside("npz", path);
    let bytes = files.0.get_mut(path).unwrap();
    let at = bytes.windows(from.len()).position(|some| some == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    let opened = kinds::open(&files, path);
    (files, opened)
}

#[test]
fn a_changed_number_is_damage() {
    let (files, contents) = changed("torch_names/weights_10.npz", b"\n", b"\n\x01\x02");
    let contents = contents.unwrap();
    let read = |number| pieces::read(&files, &Wanted { contents: &contents, number, limit: 1 << 20 });
    let is_damaged = |number| matches!(read(number), Err(ReadError::Damaged { .. }));
    assert_eq!((0..contents.tensors.len()).filter(|number| is_damaged(*number)).count(), 1);
}

#[test]
fn a_shape_that_contradicts_the_length_is_damage() {
    for (from, to) in [("(8, 3, 5, 5)", "(8, 3, 5, 6)"), ("(8, 3, 5, 5)", "(8, 3, 5, 4)"), ("(8,)", "(9,)")] {
        let (_, opened) = changed("torch_names/weights_10.npz", from.as_bytes(), to.as_bytes());
        assert!(matches!(opened, Err(OpenError::Damaged(_))), "{opened:?}");
    }
    let (files, opened) = changed("torch_names/weights_10.npz", b"NUMPY", b"numpy");
    assert!(matches!(opened, Err(OpenError::Damaged(_))), "{opened:?}");
    assert!(!look(&files, Path::new("torch_names/weights_10.npz")));
}
