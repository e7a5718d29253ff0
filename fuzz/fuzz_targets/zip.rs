//! Any bytes as a zip archive -> it is read or refused, and each member is where it is said to be.

#![no_main]

use convscope::reader::zip;
use libfuzzer_sys::fuzz_target;

#[path = "../memory.rs"]
mod memory;

/// The most bytes of a member that is read.
const LIMIT: u64 = 1 << 12;

fuzz_target!(|bytes: &[u8]| {
    let Ok(archive) = zip::open(&bytes) else { return };
    for (name, member) in archive.members.iter().take(100) {
        assert!(!name.ends_with('/'));
        let offset = member.offset(&bytes);
        if let Ok(offset) = offset {
            let end = offset.checked_add(member.len).expect("the end of a member is a number");
            assert!(end <= bytes.len() as u64, "`{name}` ends at {end}");
        }
        match (archive.read(&bytes, name, LIMIT), offset) {
            (Ok(read), Ok(offset)) => {
                let stored = &bytes[offset as usize..];
                assert_eq!(read, stored[..member.len as usize], "`{name}`");
                assert!(member.len <= LIMIT);
            }
            (Ok(_), Err(error)) => panic!("`{name}` was read, and has no place: {error}"),
            (Err(_), _) => {}
        }
    }
});
