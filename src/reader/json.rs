//! The bytes of a JSON -> a bound for what it takes to read it, before it is read.

/// How many separators it has, those in its texts included: at least as many as it has entries. Each entry takes memory while the
/// JSON is read.
#[must_use]
pub fn entries_of_json(json: &[u8]) -> usize {
    json.iter().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{')).count()
}
