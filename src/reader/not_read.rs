//! The first bytes of a file -> what it is, if it is of a kind that is known and not read.

/// What would mend it, for files with weights that are not read.
#[must_use]
pub fn kind_of(first: &[u8]) -> Option<&'static str> {
    // A safetensors file begins with any length of its header, and then the header.
    if first.get(8) == Some(&b'{') {
        return None;
    }
    match first {
        // The file identifier of a FlatBuffer stands after the offset of its root.
        [_, _, _, _, b'T', b'F', b'L', b'3', ..] => Some(
            "it is a TFLite model, which is not read: its numbers were converted for a device, so open the checkpoint or the SavedModel that it was made from",
        ),
        [b'G', b'G', b'U', b'F', ..] => Some(
            "it is a GGUF file, which is not read: its numbers were converted, and often rounded, so open the safetensors or PyTorch files that it was made from",
        ),
        [b'v', b'e', b'r', b's', b'i', b'o', b'n', b' ', b'h', b't', b't', b'p', ..] => Some(
            "it is the pointer that Git LFS keeps in place of the file: fetch the file itself with `git lfs pull`",
        ),
        [0x1f, 0x8b, 8, ..] => Some("it is compressed with gzip, which is not read: unpack it with `gunzip`"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            Some("it is compressed with xz, which is not read: unpack it with `unxz`")
        }
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => {
            Some("it is compressed with bzip2, which is not read: unpack it with `bunzip2`")
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Some("it is compressed with Zstandard, which is not read: unpack it with `unzstd`")
        }
        [b'<', b'!', b'D' | b'd', ..] | [b'<', b'h' | b'H', b't' | b'T', ..] => {
            Some("it is a page of the web and no checkpoint: the download may have failed")
        }
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
        for (first, word) in [
            (&b"version https://git-lfs"[..], "git lfs pull"),
            (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "gunzip"),
            (b"\xfd7zXZ\0\0", "unxz"),
            (b"BZh91AY", "bunzip2"),
            (b"\x28\xb5\x2f\xfd\x04", "unzstd"),
            (b"<!DOCTYPE html>", "page of the web"),
            (b"<html>", "page of the web"),
        ] {
            assert!(kind_of(first).is_some_and(|text| text.contains(word)), "{word}");
        }
        // A safetensors file whose header has 559,903 bytes, and a pickle.
        assert_eq!(kind_of(b"\x1f\x8b\x08\0\0\0\0\0{\"a\""), None);
        assert_eq!(kind_of(b"\x80\x02}q\0"), None);
        assert_eq!(kind_of(b"TFL3"), None);
        assert_eq!(kind_of(b""), None);
    }
}
