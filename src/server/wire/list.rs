//! The entries of a list -> their JSON, and the JSON before and after them.

use serde::Serialize;

/// Appends an entry, after a comma unless it is the first.
pub(in crate::server) fn push(entries: &mut Vec<u8>, entry: &impl Serialize) {
    if !entries.is_empty() {
        entries.push(b',');
    }
    serde_json::to_writer(entries, entry).expect("text, numbers and lists become JSON");
}

/// The JSON before and after the entries of a list; `list` itself is empty.
pub(in crate::server) fn around(list: &impl Serialize) -> (String, String) {
    let text = serde_json::to_string(list).expect("text, numbers and lists become JSON");
    let opened = text.find("[]").expect("the list is empty") + 1;
    (text[..opened].to_owned(), text[opened..].to_owned())
}
