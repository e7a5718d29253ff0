//! What HDF5's filters made of bytes -> those bytes.
//!
//! Source: `H5Zshuffle.c` and `H5checksum.c` of HDF5, and the format of liblzf, which h5py's filter writes without its header.

/// Elements of `size` bytes of which the first bytes stood first, then the second bytes, and so on. What is left after the last whole
/// element stays at the end.
pub(super) fn unshuffled(bytes: &[u8], size: usize) -> Vec<u8> {
    let n_elements = bytes.len() / size.max(1);
    if size <= 1 || n_elements <= 1 {
        return bytes.to_vec();
    }
    let (planes, rest) = bytes.split_at(n_elements * size);
    let mut elements = vec![0; planes.len()];
    for (at, plane) in planes.chunks_exact(n_elements).enumerate() {
        for (element, byte) in elements[at..].iter_mut().step_by(size).zip(plane) {
            *element = *byte;
        }
    }
    elements.extend_from_slice(rest);
    elements
}

/// Literals and references to what was unpacked before; `None` if the bytes are no such thing or give more than `most`.
pub(super) fn unpacked_lzf(bytes: &[u8], most: u64) -> Option<Vec<u8>> {
    let most = usize::try_from(most).ok()?;
    let mut unpacked = Vec::new();
    let mut rest = bytes;
    while let Some((control, after)) = rest.split_first() {
        let control = usize::from(*control);
        if control < 32 {
            let (literals, after) = after.split_at_checked(control + 1)?;
            unpacked.extend_from_slice(literals);
            rest = after;
        } else {
            let (more, after) = if control >> 5 == 7 { after.split_first()? } else { (&0, after) };
            let (low, after) = after.split_first()?;
            let len = (control >> 5) + usize::from(*more) + 2;
            let distance = ((control & 0x1f) << 8 | usize::from(*low)) + 1;
            let from = unpacked.len().checked_sub(distance)?;
            // It may refer to bytes that it is about to write.
            (from..from + len).for_each(|at| unpacked.push(unpacked[at]));
            rest = after;
        }
        if unpacked.len() > most {
            return None;
        }
    }
    Some(unpacked)
}

/// HDF5's Fletcher-32: over big-endian words of 16 bits, of which the last may have one byte.
pub(super) fn fletcher32(bytes: &[u8]) -> u32 {
    let folded = |sum: u32| (sum & 0xffff) + (sum >> 16);
    let (mut sum, mut sum_of_sums) = (0_u32, 0_u32);
    for pair in bytes.chunks(2) {
        let word = u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
        sum = folded(sum + u32::from(word));
        sum_of_sums = folded(sum_of_sums + sum);
    }
    sum_of_sums << 16 | sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_put_together_from_their_planes() {
        assert_eq!(unshuffled(&[1, 2, 3, 4, 5, 6, 9], 3), [1, 3, 5, 2, 4, 6, 9]);
        for size in [0, 1, 7, usize::MAX] {
            assert_eq!(unshuffled(&[1, 2, 3], size), [1, 2, 3]);
        }
    }

    #[test]
    fn references_repeat_what_was_unpacked() {
        // Two literals, five bytes from two before, one literal, and a long reference to the byte before.
        let packed = [1, b'a', b'b', 3 << 5, 1, 0, b'c', 7 << 5, 3, 0];
        assert_eq!(unpacked_lzf(&packed, 20).unwrap(), b"abababaccccccccccccc");
        assert_eq!(unpacked_lzf(&packed, 11), None, "too long");
        for len in [1, 2, 4, 6, 8, 9] {
            assert_eq!(unpacked_lzf(&packed[..len], 20), None, "{len}");
        }
        assert_eq!(unpacked_lzf(&[1 << 5, 0], 20), None, "nothing was unpacked before");
    }

    #[test]
    fn checksums_are_those_of_hdf5() {
        // As h5py stores them after chunks of these bytes.
        for (bytes, expected) in FLETCHER {
            assert_eq!(fletcher32(bytes), expected, "{bytes:?}");
        }
    }

    const FLETCHER: [(&[u8], u32); 3] =
        [(b"abcdefgh", 0xe1eb_9195), (b"abcde", 0x4ff0_29c7), (b"\xff\xff\xff\xff\x00\x01", 0x0001_0001)];
}
