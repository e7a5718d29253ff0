//! Entries of a list -> their JSON, and that of what stands around them.

use serde::Serialize;

/// Appends an entry, after a comma where others are there.
pub(in crate::server) fn push(entries: &mut Vec<u8>, entry: &impl Serialize) {
    if !entries.is_empty() {
        entries.push(b',');
    }
    serde_json::to_writer(entries, entry).expect("text, numbers and lists become JSON");
}

/// What stands before and after the entries of a list that is empty here.
pub(in crate::server) fn around(list: &impl Serialize) -> (String, String) {
    let text = serde_json::to_string(list).expect("text, numbers and lists become JSON");
    let opened = text.find("[]").expect("the list is empty") + 1;
    (text[..opened].to_owned(), text[opened..].to_owned())
}
