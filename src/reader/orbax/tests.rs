//! Checkpoints that Orbax, Flax, Keras and `TensorStore` wrote, and bytes that they would not write.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use proptest::{prelude::*, sample::Index};
use serde_json::Value as Json;

use crate::reader::{
    contents::{Contents, OpenError},
    input::InMemory,
    kinds,
    moment::{Axis, Moment},
    naming::tags,
    pieces::{self, Wanted},
    truth_tests::{below, digest, truths, wrong_moment},
};

/// What the libraries write now, and what they wrote in 2023.
const LIBRARIES: [&str; 2] = ["jax", "jax_old"];

/// The files of the case of a checkpoint.
fn files_of(path: &Path) -> InMemory {
    files_in(LIBRARIES[0], path)
}

fn files_in(library: &str, path: &Path) -> InMemory {
    below(library, Path::new(path.iter().next().unwrap()))
}

fn texts(list: &Json) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// What is wrong with a tensor.
fn check_tensor(files: &InMemory, contents: &Contents, number: usize, expected: &Json) -> Option<String> {
    let tensor = &contents.tensors[number];
    let dtype = tensor.dtype.as_ref().map_or_else(ToString::to_string, |dtype| dtype.name().to_owned());
    let shape: Vec<u64> =
        expected["shape"].as_array().unwrap().iter().map(|len| len.as_u64().unwrap()).collect();
    if dtype != expected["dtype"] || tensor.shape != shape {
        return Some(format!("{:?} {dtype} {:?}", tensor.name, tensor.shape));
    }
    let digest = digest(files, contents, number);
    (digest != expected["sha256"]).then_some(digest)
}

/// Compares a checkpoint with what was in memory when it was saved.
fn check(library: &str, truth: &Json) -> Vec<String> {
    let path = PathBuf::from(truth["path"].as_str().unwrap());
    let files = files_in(library, &path);
    let contents = match kinds::open(&files, &path) {
        Ok(contents) => contents,
        Err(error) => return vec![format!("{}: {error}", path.display())],
    };
    let mut wrong = Vec::new();
    let mut say = |message: String| wrong.push(format!("{}: {message}", path.display()));
    let named = tags(&contents);
    let mut others: BTreeSet<String> = named.iter().map(|named| named.tag.clone()).collect();
    for (tag, expected) in truth["tensors"].as_object().unwrap() {
        let Some(number) = named.iter().position(|named| named.tag == *tag) else {
            say(format!("no {tag}"));
            continue;
        };
        others.remove(tag);
        if named[number].is_optimizers != (expected["kind"] == "optimizer") {
            say(format!("{tag}: is it the optimizer's? {}", named[number].is_optimizers));
        }
        if let Some(found) = check_tensor(&files, &contents, number, expected) {
            say(format!("{tag}: {found} is not {expected}"));
        }
    }
    if others != texts(&truth["others"]) {
        say(format!("it also lists {others:?}"));
    }
    wrong_moment(&contents, truth).into_iter().for_each(&mut say);
    if let Some(step) = truth["step_in_name"].as_i64() {
        let moment = Moment::of(&contents, contents.place(&path), 0);
        if (moment.axis, moment.value) != (Axis::Step, step) {
            say(format!("{moment:?} is not step {step}"));
        }
    }
    if contents.format.name() != truth["format"] || !contents.remarks.is_empty() {
        say(format!("{:?} {:?}", contents.format, contents.remarks));
    }
    wrong
}

#[test]
fn everything_that_the_libraries_of_jax_saved_comes_back() {
    let mut wrong = Vec::new();
    for (library, at_least) in LIBRARIES.into_iter().zip([30, 3]) {
        let truths = truths(library);
        assert!(truths.len() >= at_least);
        wrong.extend(truths.iter().flat_map(|truth| check(library, truth)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Opens a checkpoint and reads all of it. Nothing may panic.
fn read_all(files: &InMemory, path: &Path) -> Result<Contents, OpenError> {
    let contents = kinds::open(files, path)?;
    for number in 0..contents.tensors.len() {
        let _ = pieces::read(files, &Wanted { contents: &contents, number, limit: 1 << 20 });
    }
    Ok(contents)
}

fn is_not_whole(error: &OpenError) -> bool {
    matches!(error, OpenError::NotWhole(_) | OpenError::Damaged(_))
}

const DIRECTORY: &str = "v0_bare/step_80/_METADATA";
const FILE: &str = "msgpack/checkpoint_40";

#[test]
fn each_cut_of_a_file_of_flax_is_not_whole() {
    let path = Path::new(FILE);
    let whole = files_of(path).0[path].clone();
    for len in 1..whole.len() {
        let files = InMemory([(path.to_owned(), whole[..len].to_vec())].into());
        let error = kinds::open(&files, path).unwrap_err();
        assert!(matches!(error, OpenError::NotWhole(_)), "{len}: {error}");
    }
    let longer = InMemory([(path.to_owned(), [&whole[..], b"\x01"].concat())].into());
    assert!(matches!(kinds::open(&longer, path), Err(OpenError::Damaged(_))));
}

#[test]
fn each_cut_of_a_file_of_a_directory_is_told() {
    let path = Path::new(DIRECTORY);
    let files = files_of(path);
    let is_read = |path: &Path| !path.ends_with("commit_success.txt");
    for (cut, bytes) in files.0.iter().filter(|(path, _)| is_read(path)) {
        for len in 0..bytes.len() {
            let mut files = files.clone();
            files.0.insert(cut.clone(), bytes[..len].to_vec());
            // What is not needed for the newest version may be cut: nodes of versions before.
            match read_all(&files, path) {
                Ok(contents) => assert!(contents.tensors.len() > 10 && cut.iter().any(|part| part == "d")),
                Err(error) => assert!(is_not_whole(&error), "{} {len}: {error}", cut.display()),
            }
        }
    }
}

#[test]
fn a_directory_that_is_being_written_is_waited_for() {
    let path = Path::new("v0_manager/checkpoints/100/default/_METADATA");
    let files = files_of(path);
    let error = |files: &InMemory, path: &Path| kinds::open(files, path).unwrap_err();
    let moved = |to: &str| {
        let name = |path: &Path| PathBuf::from(path.to_str().unwrap().replace("/100/", to));
        (InMemory(files.0.iter().map(|(path, bytes)| (name(path), bytes.clone())).collect()), name(path))
    };
    let (temporary, its_path) = moved("/100.orbax-checkpoint-tmp-12/");
    assert!(matches!(error(&temporary, &its_path), OpenError::NotWhole(_)));
    // Without the note that it is whole, on a store that cannot rename.
    let mut begun = files.clone();
    let note = Path::new("v0_manager/checkpoints/100/_CHECKPOINT_METADATA");
    let mut of_checkpoint: Json = serde_json::from_slice(&begun.0[note]).unwrap();
    of_checkpoint["commit_timestamp_nsecs"] = Json::Null;
    begun.0.insert(note.to_owned(), of_checkpoint.to_string().into_bytes());
    assert!(kinds::open(&begun, path).is_ok(), "`commit_success.txt` says it too");
    begun.0.remove(&note.with_file_name("commit_success.txt"));
    assert!(matches!(error(&begun, path), OpenError::NotWhole(_)));
    // Nothing but the list of names.
    let alone = InMemory([(path.to_owned(), files.0[path].clone())].into());
    assert!(matches!(error(&alone, path), OpenError::NotWhole(_)));
}

#[test]
fn text_alone_is_no_checkpoint() {
    let path = Path::new("keras/0/model_config/_METADATA");
    assert!(matches!(kinds::open(&files_of(path), path), Err(OpenError::Unknown)));
}

#[test]
fn a_file_of_numbers_that_is_not_there_is_told_and_the_others_are_shown() {
    let path = Path::new("v0_manager/checkpoints/100/default/_METADATA");
    let mut files = files_of(path);
    // The tree is in another file than the large numbers.
    let is_of_numbers =
        |path: &Path| path.starts_with("v0_manager/checkpoints/100/default/ocdbt.process_0/d");
    let of_numbers = files.0.iter().filter(|(path, _)| is_of_numbers(path));
    let largest = of_numbers.max_by_key(|(_, bytes)| bytes.len()).unwrap().0.clone();
    files.0.remove(&largest);
    let contents = kinds::open(&files, path).unwrap();
    assert_eq!(contents.missing, [largest]);
    assert!(!contents.remarks.is_empty());
    let lost = contents.tensors.iter().filter(|tensor| tensor.pieces.is_empty()).count();
    assert!(lost > 0 && lost < contents.tensors.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_flipped_byte_makes_it_panic(
        file in any::<Index>(), at in any::<Index>(), flip in 1_u8.., which in any::<Index>()
    ) {
        const PATHS: [&str; 4] =
            [DIRECTORY, FILE, "variants_plain/10/default/_METADATA", "variants/20/default/_METADATA"];
        let path = Path::new(PATHS[which.index(PATHS.len())]);
        let mut files = files_of(path);
        let files_of_case: Vec<PathBuf> = files.0.keys().cloned().collect();
        let bytes = files.0.get_mut(&files_of_case[file.index(files_of_case.len())]).unwrap();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        let _ = read_all(&files, path);
    }
}

#[test]
fn a_checkpoint_of_which_no_array_is_read_is_told() {
    let metadata = br#"{"tree_metadata":{"a":{"key_metadata":[{"key":"a"}],"value_metadata":{}},
        "b":{"key_metadata":[{"key":"b"}],"value_metadata":{}}},"use_ocdbt":false}"#;
    let zarray = br#"{"zarr_format":2,"shape":[4],"chunks":[4],"dtype":"<f4","compressor":{"id":"blosc"},"order":"C"}"#;
    let files = [("_METADATA", &metadata[..]), ("a/.zarray", zarray), ("b/.zarray", zarray)];
    let files = InMemory(files.iter().map(|(name, bytes)| ((*name).into(), bytes.to_vec())).collect());
    let error = kinds::open(&files, Path::new("_METADATA")).unwrap_err();
    let OpenError::NotRead(reason) = &error else { panic!("{error}") };
    assert!(reason.contains("blosc") && reason.ends_with("1 more of this kind"), "{reason}");
}
