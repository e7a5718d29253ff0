//! Databases that no writer would make.

use std::path::Path;

use super::{
    database::{Database, StoredValue},
    open::add,
};
use crate::reader::{contents::OpenError, input::InMemory, opened::OpenedFiles};

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A manifest or a node with this body.
fn framed(magic: u32, body: &[u8]) -> Vec<u8> {
    let len = (4 + 8 + 2 + body.len() + 4) as u64;
    let mut bytes = [&magic.to_be_bytes()[..], &len.to_le_bytes(), &[0, 0], body].concat();
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

fn node(body: &[u8]) -> Vec<u8> {
    framed(0x0cdb_20de, body)
}

/// A table of one file.
fn table(path: &str) -> Vec<u8> {
    [&[1][..], &varint(path.len() as u64), &[0], path.as_bytes()].concat()
}

/// A manifest whose root lies at the start of a file.
fn manifest(path: &str, height: u8, len: u64) -> Vec<u8> {
    let body =
        [&[0; 16][..], &[0, 100, 100, 4, 0], &table(path), &[1, 1, height, 0, 0], &varint(len), &[0; 12]];
    framed(0x0cdb_3a2a, &body.concat())
}

/// A node without children of one key with the value `v`.
fn leaf(key: &str) -> Vec<u8> {
    let body = [&[0, 0, 1][..], &varint(key.len() as u64), key.as_bytes(), &[1, 0], b"v"];
    node(&body.concat())
}

/// A node of some height whose children are all at the same place, with the keys `a`, `b` and so on.
fn interior(height: u8, count: u8, (path, len): (&str, u64)) -> Vec<u8> {
    let zeros = vec![0; usize::from(count)];
    let ones = vec![1; usize::from(count)];
    let keys: Vec<u8> = (0..count).map(|number| b'a' + number).collect();
    let lens = varint(len).repeat(usize::from(count));
    let shared = &zeros[1..];
    let body = [&[height][..], &table(path), &[count], shared, &ones, &ones, &keys, &zeros, &zeros, &lens];
    node(&[&body.concat()[..], &zeros, &zeros, &zeros].concat())
}

fn read(files: &[(&str, Vec<u8>)]) -> Result<Database, OpenError> {
    let files = InMemory(files.iter().map(|(name, bytes)| ((*name).into(), bytes.clone())).collect());
    let mut database = Database::default();
    add(Path::new(""), &mut OpenedFiles::new(&files), &mut database)?;
    Ok(database)
}

#[test]
fn keys_are_made_of_what_is_common_and_of_their_own() {
    let leaf = leaf("x");
    let root = interior(1, 2, ("d/1", leaf.len() as u64));
    let manifest = manifest("d/0", 1, root.len() as u64);
    let database = read(&[("manifest.ocdbt", manifest), ("d/0", root), ("d/1", leaf)]).unwrap();
    assert_eq!(database.get("ax"), Some(&StoredValue::Held(b"v"[..].into())));
    assert!(database.get("bx").is_some() && database.get("x").is_none());
}

#[test]
fn a_tree_that_leads_back_to_itself_ends() {
    let len = interior(5, 20, ("d/0", 200)).len() as u64;
    let root = interior(5, 20, ("d/0", len));
    assert_eq!(root.len() as u64, len);
    let error = read(&[("manifest.ocdbt", manifest("d/0", 5, len)), ("d/0", root)]).unwrap_err();
    assert!(matches!(&error, OpenError::Damaged(reason) if reason.contains("height")), "{error}");
}

#[test]
fn few_nodes_that_make_a_large_tree_are_refused() {
    let mut files = vec![("0".to_owned(), leaf("x"))];
    for height in 1..=8_u8 {
        let (below, bytes) = files.last().unwrap();
        let next = interior(height, 20, (below, bytes.len() as u64));
        files.push((height.to_string(), next));
    }
    let (root, bytes) = files.last().unwrap();
    files.push(("manifest.ocdbt".to_owned(), manifest(root, 8, bytes.len() as u64)));
    let files: Vec<(&str, Vec<u8>)> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    assert!(matches!(read(&files), Err(OpenError::NotRead(_))));
}

#[test]
fn nothing_outside_of_its_directory_is_opened() {
    for path in ["../secret", "/etc/passwd", "d/../../a"] {
        let error = read(&[("manifest.ocdbt", manifest(path, 0, 30))]).unwrap_err();
        assert!(matches!(&error, OpenError::Damaged(reason) if reason.contains("below")), "{error}");
    }
}

#[test]
fn wrong_checksums_are_damage_and_a_node_that_is_not_there_is_waited_for() {
    let leaf = leaf("x");
    let manifest = manifest("d/0", 0, leaf.len() as u64);
    for at in [14, manifest.len() - 1] {
        let mut wrong = manifest.clone();
        wrong[at] ^= 1;
        let error = read(&[("manifest.ocdbt", wrong), ("d/0", leaf.clone())]).unwrap_err();
        assert!(matches!(&error, OpenError::Damaged(reason) if reason.contains("checksum")), "{error}");
    }
    assert!(matches!(read(&[("manifest.ocdbt", manifest.clone())]), Err(OpenError::NotWhole(_))));
    let cut = leaf[..leaf.len() - 1].to_vec();
    assert!(matches!(read(&[("manifest.ocdbt", manifest), ("d/0", cut)]), Err(OpenError::NotWhole(_))));
}

/// A body with the rest of it after a table of files.
fn body(height: u8, paths: usize, rest: &[&[u8]]) -> Vec<u8> {
    let table =
        [&varint(paths as u64)[..], &vec![0; paths.saturating_sub(1)], &vec![0; paths], &vec![0; paths]];
    node(&[&[height][..], &table.concat(), &rest.concat()].concat())
}

fn refused(root: Vec<u8>) -> OpenError {
    read(&[("manifest.ocdbt", manifest("d/0", 0, root.len() as u64)), ("d/0", root)]).unwrap_err()
}

#[test]
fn no_memory_is_taken_for_more_files_or_entries_than_a_database_may_have() {
    let error = refused(body(0, 20_001, &[&[0]]));
    assert!(matches!(&error, OpenError::NotRead(reason) if reason.contains("20000 files")), "{error}");
    let error = refused(body(0, 0, &[&varint(500_001), &vec![0; 4 * 500_001]]));
    assert!(matches!(&error, OpenError::NotRead(reason) if reason.contains("500000 entries")), "{error}");
}

/// A node of 2,000 children at the same place, whose keys begin with the same bytes and stand before all keys below.
fn wide(height: u8, long: usize, (path, len): (&str, u64)) -> Vec<u8> {
    let count = 2_000;
    let zeros = vec![0; count];
    let shared = varint(long as u64).repeat(count - 1);
    let own = [varint(long as u64 + 2), vec![2; count - 1]].concat();
    let common = varint(long as u64 + 2).repeat(count);
    let keys: Vec<u8> = (0..count as u16).flat_map(u16::to_be_bytes).collect();
    let keys = [&vec![b'k'; long][..], &keys].concat();
    let lens = varint(len).repeat(count);
    let count = varint(count as u64);
    let places = [&zeros[..], &zeros, &lens, &zeros, &zeros, &zeros].concat();
    node(&[&[height][..], &table(path), &count, &shared, &own, &common, &keys, &places].concat())
}

#[test]
fn long_keys_of_many_levels_are_refused() {
    let below = wide(1, 0, ("d/2", 50));
    let root = wide(2, 15_000, ("d/1", below.len() as u64));
    let manifest = manifest("d/0", 2, root.len() as u64);
    let error = read(&[("manifest.ocdbt", manifest), ("d/0", root), ("d/1", below)]).unwrap_err();
    assert!(matches!(&error, OpenError::Damaged(reason) if reason.contains("too long")), "{error}");
}
