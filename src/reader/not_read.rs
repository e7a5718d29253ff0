//! The first bytes of a file -> what it is, if it is of a kind that is known and not read.

/// What would mend it, for files with weights that are not read.
#[must_use]
pub fn kind_of(first: &[u8]) -> Option<&'static str> {
    match first {
        // The file identifier of a FlatBuffer stands after the offset of its root.
        [_, _, _, _, b'T', b'F', b'L', b'3', ..] => Some(
            "it is a TFLite model, which is not read: its numbers were converted for a device, so open the checkpoint or the SavedModel that it was made from",
        ),
        [b'G', b'G', b'U', b'F', ..] => Some(
            "it is a GGUF file, which is not read: its numbers were converted, and often rounded, so open the safetensors or PyTorch files that it was made from",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_their_first_bytes() {
        assert!(kind_of(b"\x1c\0\0\0TFL3\x14\0 \0").is_some_and(|text| text.contains("TFLite")));
        assert!(kind_of(b"GGUF\x03\0\0\0").is_some_and(|text| text.contains("GGUF")));
        assert_eq!(kind_of(b"TFL3"), None);
        assert_eq!(kind_of(b""), None);
    }
}
