//! Checkpoints that PyTorch wrote, and bytes that it would not write.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::*;
use crate::reader::{
    contents::StoredTensor,
    input::InMemory,
    pieces::{Wanted, read as read_numbers},
};

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints/pytorch")
}

fn opened(bytes: &[u8]) -> Result<Contents, OpenError> {
    let path = PathBuf::from("model.pt");
    open(&InMemory(BTreeMap::from([(path.clone(), bytes.to_vec())])), &path)
}

/// Type, shape and digest of the numbers of a tensor.
fn facts(files: &InMemory, contents: &Contents, number: usize) -> (String, Vec<u64>, String) {
    let wanted = Wanted { contents, number, limit: 1 << 30 };
    let tensor = read_numbers(files, &wanted).unwrap();
    let digest =
        Sha256::digest(&tensor.bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let shape = contents.tensors[number].shape.clone();
    (tensor.dtype.name().to_owned(), shape, digest)
}

fn is_named(tensor: &StoredTensor, parts: &Json) -> bool {
    tensor.name.iter().map(|part| &**part).eq(parts
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part.as_str().unwrap()))
}

/// Compares a checkpoint with what was in memory before it was saved.
fn check(truth: &Json) -> Vec<String> {
    let path = PathBuf::from(truth["path"].as_str().unwrap());
    let bytes = fs::read(fixtures().join(&path)).unwrap();
    let files = InMemory(BTreeMap::from([(path.clone(), bytes)]));
    let contents = match open(&files, &path) {
        Ok(contents) => contents,
        Err(error) => return vec![format!("{}: {error}", path.display())],
    };
    let mut wrong = Vec::new();
    let mut say = |message: String| wrong.push(format!("{}: {message}", path.display()));
    let mut n_listed = 0;
    for (name, expected) in truth["tensors"].as_object().unwrap() {
        let number = contents.tensors.iter().position(|tensor| is_named(tensor, &expected["stored_name"]));
        let Some(number) = number else {
            say(format!("no {name}"));
            continue;
        };
        n_listed += 1;
        let shape: Vec<u64> =
            expected["shape"].as_array().unwrap().iter().map(|len| len.as_u64().unwrap()).collect();
        let expected = (expected["dtype"].as_str().unwrap(), shape, expected["sha256"].as_str().unwrap());
        let (dtype, shape, digest) = facts(&files, &contents, number);
        if (dtype.as_str(), shape.clone(), digest.as_str()) != expected {
            say(format!("{name}: {dtype} {shape:?} {digest} is not {expected:?}"));
        }
    }
    let others = truth["listed"].as_object().cloned().unwrap_or_default();
    let n_others = others.len();
    for (name, expected) in others {
        let tensor = contents.tensors.iter().find(|tensor| *tensor.name[0] == *name).unwrap();
        let dtype = tensor.dtype.as_ref().map_or_else(ToString::to_string, |dtype| dtype.name().to_owned());
        let found = serde_json::json!([dtype, tensor.shape]);
        if !tensor.pieces.is_empty() || !expected.is_null() && found != expected {
            say(format!("{name}: {found} is not {expected}"));
        }
    }
    if contents.tensors.len() != n_listed + n_others {
        let names: Vec<String> = contents.tensors.iter().map(|tensor| tensor.name.join("/")).collect();
        say(format!("it lists {names:?}"));
    }
    let step = contents.step.as_ref().map(|step| (step.value, step.found_in.as_str()));
    if step != truth["step"].as_i64().zip(truth["step_in"].as_str()) {
        say(format!("step {step:?}"));
    }
    let epoch = contents.epoch.as_ref().map(|epoch| epoch.value);
    if epoch != truth["epoch"].as_i64() {
        say(format!("epoch {epoch:?}"));
    }
    if contents.remarks.is_empty() != truth["listed"].is_null() {
        say(format!("remarks {:?}", contents.remarks));
    }
    wrong
}

fn truths() -> Vec<Json> {
    let truth: Json = serde_json::from_slice(&fs::read(fixtures().join("truth.json")).unwrap()).unwrap();
    let cases = truth.as_object().unwrap().values();
    cases.flat_map(|case| case["checkpoints"].as_array().unwrap().clone()).collect()
}

#[test]
fn everything_that_pytorch_saved_comes_back() {
    let wrong: Vec<String> = truths().iter().flat_map(check).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An archive of a pickle and storages of 4 bytes each.
fn archive(pickle: &[u8], n_storages: usize) -> Vec<u8> {
    let names: Vec<String> = (0..n_storages).map(|key| format!("a/data/{key}")).collect();
    let storages = names.iter().map(|name| (name.as_str(), [1, 2, 3, 4].as_slice()));
    zipped(&[("a/data.pkl", pickle)].into_iter().chain(storages).collect::<Vec<_>>())
}

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in members {
        let offset = (out.len() as u32).to_le_bytes();
        let len = (data.len() as u32).to_le_bytes();
        let crc = crc32fast::hash(data).to_le_bytes();
        let fixed = [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0], crc.as_slice(), &len, &len].concat();
        let fixed = [&fixed, (name.len() as u16).to_le_bytes().as_slice(), &[0, 0]].concat();
        directory
            .extend([b"PK\x01\x02\x14\x00", fixed.as_slice(), &[0; 10], &offset, name.as_bytes()].concat());
        out.extend([b"PK\x03\x04", fixed.as_slice(), name.as_bytes(), data].concat());
    }
    let count = (members.len() as u16).to_le_bytes();
    let (len, offset) = ((directory.len() as u32).to_le_bytes(), (out.len() as u32).to_le_bytes());
    out.extend(directory);
    out.extend([b"PK\x05\x06", [0; 4].as_slice(), &count, &count, &len, &offset, &[0, 0]].concat());
    out
}

/// The instructions that push a tensor of bytes.
fn tensor(offset: u8, sizes: &[u8], strides: &[u8]) -> Vec<u8> {
    let numbers = |numbers: &[u8]| {
        let each = numbers.iter().flat_map(|number| [b'K', *number]);
        [b"(".to_vec(), each.collect(), b"t".to_vec()].concat()
    };
    [
        b"ctorch._utils\n_rebuild_tensor_v2\n((Vstorage\nctorch\nByteStorage\nV0\nVcpu\nK\x04tQ".as_slice(),
        &[b'K', offset],
        &numbers(sizes),
        &numbers(strides),
        b"\x89NtR",
    ]
    .concat()
}

fn pickled(parts: &[&[u8]]) -> Result<Contents, OpenError> {
    opened(&archive(&[&[0x80, 2], parts.concat().as_slice(), b"."].concat(), 1))
}

fn names(contents: &Contents) -> Vec<String> {
    contents.tensors.iter().map(|tensor| tensor.name.join("/")).collect()
}

#[test]
fn a_tensor_stays_within_its_storage() {
    let is_read = |offset, sizes: &[u8], strides: &[u8]| {
        let contents = pickled(&[&tensor(offset, sizes, strides)]).unwrap();
        assert_eq!(contents.tensors.len(), 1);
        assert_eq!(contents.remarks.is_empty(), !contents.tensors[0].pieces.is_empty());
        contents.remarks.is_empty()
    };
    assert!(is_read(0, &[4], &[1]) && is_read(3, &[], &[]) && is_read(1, &[2, 2], &[2, 0]));
    assert!(is_read(9, &[0, 5], &[5, 1]) && is_read(0, &[200, 200], &[0, 0]));
    assert!(!is_read(1, &[4], &[1]) && !is_read(4, &[], &[]) && !is_read(0, &[2, 2], &[3, 1]));
    assert!(!is_read(0, &[255; 9], &[0; 9]));
    assert!(!is_read(0, &[2], &[1, 1]));
}

#[test]
fn a_storage_that_is_not_there_spoils_one_tensor() {
    let bytes = archive(&[b"\x80\x02(".as_slice(), &tensor(0, &[4], &[1]), b"t."].concat(), 0);
    let contents = opened(&bytes).unwrap();
    assert_eq!(contents.tensors.len(), 1);
    assert!(contents.remarks[0].contains("`0`"), "{:?}", contents.remarks);
}

#[test]
fn circles_and_depth_end() {
    // A list that contains itself and a tensor; a hundred thousand lists in one another.
    let contents = pickled(&[b"]q\x00(h\x00", &tensor(0, &[4], &[1]), b"e"]).unwrap();
    assert_eq!(names(&contents), ["1"]);
    let contents = pickled(&[&b"]".repeat(100_000), &tensor(0, &[4], &[1]), &b"a".repeat(100_000)]).unwrap();
    assert!(contents.tensors.is_empty() && contents.remarks[0].contains("nested"), "{:?}", contents.remarks);
}

#[test]
fn what_is_met_without_end_is_not_read() {
    // Each of eight lists contains the one before it ten times.
    let mut lists = [b"(".as_slice(), &tensor(0, &[4], &[1]), b"lq\x00"].concat();
    for number in 0..8 {
        let again = [b'h', number].repeat(10);
        lists.extend([b"0(".as_slice(), &again, &[b'l', b'q', number + 1]].concat());
    }
    assert_eq!(pickled(&[&lists]).unwrap().tensors.len(), 1);
    // Dictionaries give each tensor a name for each way to it.
    let mut dicts = [b"(Vw\n".as_slice(), &tensor(0, &[4], &[1]), b"dq\x00"].concat();
    for number in 0..8 {
        let again: Vec<u8> = (0..10).flat_map(|key| [b'K', key, b'h', number]).collect();
        dicts.extend([b"0(".as_slice(), &again, &[b'd', b'q', number + 1]].concat());
    }
    assert!(matches!(pickled(&[&dicts]), Err(OpenError::NotRead(_))));
    // The same without a tensor has nothing to be found.
    let empty = lists.split_off(tensor(0, &[4], &[1]).len() + 1);
    assert!(pickled(&[b"(", &empty]).unwrap().tensors.is_empty());
}

#[test]
fn a_long_name_is_not_copied_for_each_tensor() {
    let key = [b"X\x00\x00\x20\x00".as_slice(), &vec![b'a'; 2 << 20], b"q\x00"].concat();
    let one = [b"h\x00".as_slice(), &tensor(0, &[4], &[1])].concat();
    let contents = pickled(&[&key, b"0]((", &one, b"d(", &one, b"de"]).unwrap();
    assert_eq!(contents.tensors.len(), 2);
    assert_eq!(contents.tensors[0].name[1].len(), 1000);
}

#[test]
fn the_last_of_equal_names_is_kept() {
    let entry = |offset| [b"Vw\n".as_slice(), &tensor(offset, &[1], &[1])].concat();
    let contents = pickled(&[b"(", &entry(0), &entry(2), b"d"]).unwrap();
    assert_eq!(names(&contents), ["w"]);
    let first = pickled(&[&tensor(0, &[1], &[1])]).unwrap().tensors[0].pieces[0].offset;
    assert!(contents.tensors[0].pieces[0].offset > first);
}

#[test]
fn nothing_is_executed_and_foreign_calls_are_looked_through() {
    let call = [b"cos\nsystem\n(".as_slice(), &tensor(0, &[4], &[1]), b"tR"].concat();
    assert_eq!(names(&pickled(&[&call]).unwrap()), ["0"]);
    let state = [b"cmy\nNet\n)\x81}Vweight\n".as_slice(), &tensor(0, &[4], &[1]), b"sb"].concat();
    assert_eq!(names(&pickled(&[&state]).unwrap()), ["weight"]);
}

#[test]
fn counters_are_found_in_many_forms() {
    let step = |pickle: &[u8]| pickled(&[pickle]).unwrap().step.map(|step| (step.value, step.found_in));
    let found = |value, name: &str| Some((value, name.to_owned()));
    assert_eq!(step(b"(Vglobal_step\nK\x05Vstep\nK\x06d"), found(5, "global_step"));
    assert_eq!(step(b"(Vmeta\n(Viter\nM\x00\x01dd"), found(256, "meta.iter"));
    assert_eq!(step(b"(Vstep\nG\x40\x08\x00\x00\x00\x00\x00\x00d"), found(3, "step"));
    assert_eq!(step(b"(Vstep\nG\x40\x08\x00\x00\x00\x00\x00\x01d"), None);
    assert_eq!(step(b"(Vstep\nJ\xff\xff\xff\xffd"), None);
    let numpy = b"(Vstep\ncnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(Vi2\nK\x00K\x01tR(K\x03V>\nNNNtbU\x02\x01\x02tRd";
    assert_eq!(step(numpy), found(258, "step"));
}

#[test]
fn other_kinds_are_named() {
    let not_read = |bytes: &[u8], word: &str| {
        let error = opened(bytes).unwrap_err();
        assert!(matches!(error, OpenError::NotRead(_)) && error.to_string().contains(word), "{error}");
    };
    not_read(&[b"\x1f\x8b", [0; 30].as_slice()].concat(), "gzip");
    not_read(b"version https://git-lfs.github.com/spec/v1", "git lfs pull");
    not_read(&[[b'a'; 257].as_slice(), b"ustar", &[0; 300]].concat(), "tar");
    not_read(b"\x80\x02}q\x00.                ", "torch.save");
    not_read(&zipped(&[("model/saved_model.pb", b"x")]), "data.pkl");
    assert!(matches!(opened(b"GGUF                  "), Err(OpenError::Unknown)));
    assert!(matches!(opened(b""), Err(OpenError::NotWhole(_))));
    assert!(matches!(opened(&[0; 4096]), Err(OpenError::NotWhole(_))));
}

#[test]
fn a_damaged_pickle_is_damage() {
    for pickle in [
        b"\x80\x02".as_slice(),
        b"\x80\x02R.",
        b"\x80\x02h\x05.",
        b"\x80\x02e.",
        b"\xff.",
        b"T\xff\xff\xff\xff.",
    ] {
        let result = opened(&archive(pickle, 0));
        assert!(matches!(result, Err(OpenError::Damaged(_))), "{pickle:?} {result:?}");
    }
}

#[test]
fn claims_take_no_memory() {
    // Numbers of the memo, lengths of texts, and of marks.
    for pickle in
        [b"Nr\xff\xff\xff\x7f.".as_slice(), b"B\xff\xff\xff\x7fx.", b"\x8e\xff\xff\xff\xff\xff\xff\xff\xffx."]
    {
        assert!(opened(&archive(pickle, 0)).is_err());
    }
    assert!(matches!(opened(&archive(&b"(".repeat(20_000), 0)), Err(OpenError::NotRead(_))));
}

#[test]
fn many_small_objects_take_bounded_memory() {
    // A list and a dictionary have room for four entries when they have one.
    for (one, count) in [(b"]Na0".as_slice(), 1_400_000), (b"}NNs0", 900_000), (b"N", 9_000_000)] {
        let result = pickled(&[&one.repeat(count), b"N"]);
        assert!(
            matches!(&result, Err(OpenError::NotRead(message)) if message.contains("objects")),
            "{result:?}"
        );
    }
    assert!(pickled(&[&b"]Na0".repeat(500_000), b"N"]).is_ok());
}

#[test]
fn a_tuple_that_many_tensors_have_as_their_shape_is_not_copied() {
    let sizes = [b"(".as_slice(), &b"K\x01".repeat(1_000_000), b"tq\x000"].concat();
    let one = b"ctorch._utils\n_rebuild_tensor_v2\n((Vstorage\nctorch\nByteStorage\nV0\nVcpu\nK\x04tQK\0h\0h\0\x89NtR";
    // Copied, they would take 160 GB.
    let contents = pickled(&[&sizes, b"(", &one.repeat(10_000), b"t"]).unwrap();
    assert!(contents.tensors.is_empty());
    assert!(contents.remarks[0].contains("10000 tensors") && contents.remarks[0].contains("axes"));
}

/// Small files of each form.
fn samples() -> Vec<Vec<u8>> {
    let names = ["old_form/views.pt", "lists/lists.pt", "unread/quantized.pt"];
    names.iter().map(|name| fs::read(fixtures().join(name)).unwrap()).collect()
}

#[test]
fn every_cut_is_not_whole() {
    for bytes in samples() {
        for len in 0..bytes.len() {
            assert!(matches!(opened(&bytes[..len]), Err(OpenError::NotWhole(_))), "{len} of {}", bytes.len());
        }
    }
}

#[test]
fn no_flipped_byte_panics() {
    for bytes in samples() {
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= [1, 0x20, 0x80][at % 3];
            let _ = opened(&bytes);
        }
    }
}
