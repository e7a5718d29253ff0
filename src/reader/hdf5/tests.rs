//! Files that no writer makes: what a few bytes name again and again takes bounded memory.

use super::tree;
use crate::reader::contents::OpenError;

const SUPERBLOCK_LEN: usize = 96;
const UNDEFINED: [u8; 8] = [0xff; 8];

/// A file that grows: each part that is put into it has an address.
struct Growing(Vec<u8>);

impl Growing {
    fn new() -> Self {
        Self(vec![0; SUPERBLOCK_LEN])
    }

    fn put(&mut self, parts: &[&[u8]]) -> u64 {
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        let at = self.0.len() as u64;
        self.0.extend(parts.concat());
        at
    }

    /// Opens it with a root group of these messages.
    fn open(mut self, messages: &[u8]) -> Result<tree::Tree, OpenError> {
        let len = (messages.len() as u32).to_le_bytes();
        let root = self.put(&[&[1, 0, 1, 0, 1, 0, 0, 0], &len, &[0; 4], messages]);
        let end = self.0.len() as u64;
        let head = b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\x04\0\x10\0\0\0\0\0";
        let places = [[0; 8], UNDEFINED, end.to_le_bytes(), UNDEFINED, [0; 8], root.to_le_bytes()].concat();
        let start = [head.as_slice(), &places].concat();
        self.0[..start.len()].copy_from_slice(&start);
        tree::read(&self.0.as_slice())
    }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(8), 0);
    [&[kind, 0], (body.len() as u16).to_le_bytes().as_slice(), &[0; 4], &body].concat()
}

fn u64s(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn is_too_much(result: &Result<tree::Tree, OpenError>) -> bool {
    matches!(result, Err(OpenError::NotRead(message)) if message.contains("MiB"))
}

#[test]
fn a_header_of_very_many_messages_is_not_read() {
    let opened = |len: usize| {
        let mut file = Growing::new();
        let zeros = file.put(&[&vec![0; len]]);
        file.open(&message(0x10, &u64s(&[zeros, len as u64])))
    };
    assert!(opened(1 << 20).is_ok());
    assert!(is_too_much(&opened(8 << 20)));
}

#[test]
fn texts_that_attributes_share_are_counted_each_time() {
    // A list of texts of any length, all of which are the same object of the heap.
    let opened = |n_attributes: usize, text: &[u8]| {
        let mut file = Growing::new();
        let len = (text.len() as u64).to_le_bytes();
        let whole = (16 + 16 + text.len() as u64 + 16).to_le_bytes();
        let heap = file.put(&[b"GCOL\x01\0\0\0", &whole, &[1, 0, 1, 0, 0, 0, 0, 0], &len, text, &[0; 16]]);
        let one = [(text.len() as u32).to_le_bytes().as_slice(), &heap.to_le_bytes(), &[1, 0, 0, 0]].concat();
        let form = b"\x19\x01\0\0\x10\0\0\0\x13\0\0\0\x01\0\0\0";
        let space = [[1, 1, 0, 0, 0, 0, 0, 0], 1_000_u64.to_le_bytes()].concat();
        let attribute =
            [b"\x01\0\x05\0\x10\0\x10\0name\0\0\0\0".as_slice(), form, &space, &one.repeat(1_000)].concat();
        file.open(&message(0x0c, &attribute).repeat(n_attributes))
    };
    assert!(opened(10, &[b'x'; 1_000]).is_ok());
    assert!(is_too_much(&opened(100, &[b'x'; 1_000])));
}

#[test]
fn one_name_of_very_many_links_is_counted_each_time() {
    let opened = |n_links: u16| {
        let mut file = Growing::new();
        let names = file.put(&[&vec![b'n'; 1 << 16], &[0; 8]]);
        let heap = file.put(&[b"HEAP\0\0\0\0", &u64s(&[(1 << 16) + 8, 0, names])]);
        let entry = [&u64s(&[0, u64::MAX]), [0; 24].as_slice()].concat();
        let table = file.put(&[b"SNOD\x01\0", &n_links.to_le_bytes(), &entry.repeat(usize::from(n_links))]);
        let tree = file.put(&[b"TREE\0\0\x01\0", &UNDEFINED, &UNDEFINED, &u64s(&[0, table])]);
        file.open(&message(0x11, &u64s(&[tree, heap])))
    };
    assert_eq!(opened(100).unwrap().n_links, 100);
    assert!(is_too_much(&opened(2_000)));
}
