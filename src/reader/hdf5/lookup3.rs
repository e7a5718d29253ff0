//! The checksum that HDF5 has over its newer structures: `hashlittle` of Bob Jenkins' lookup3, which is in the public domain.

use super::fault::{Read, damaged};

/// The bytes before a checksum, which are the last four; the checksum is compared.
///
/// # Errors
/// `Damaged` if it is wrong.
pub fn checked<'a>(bytes: &'a [u8], structure: &str) -> Read<&'a [u8]> {
    let (body, sum) =
        bytes.split_last_chunk::<4>().ok_or_else(|| damaged("a structure in it ends too early"))?;
    // A fuzzer would not get past it.
    if !cfg!(fuzzing) && u32::from_le_bytes(*sum) != hash(body) {
        return Err(damaged(format!("the checksum of a structure `{structure}` in it is wrong")));
    }
    Ok(body)
}

/// The hash of some bytes.
#[must_use]
pub fn hash(bytes: &[u8]) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(bytes.len() as u32);
    let (mut a, mut b, mut c) = (start, start, start);
    let mut rest = bytes;
    while rest.len() > 12 {
        a = a.wrapping_add(word(rest, 0));
        b = b.wrapping_add(word(rest, 4));
        c = c.wrapping_add(word(rest, 8));
        for (place, turn) in [4, 6, 8, 16, 19, 4].into_iter().enumerate() {
            match place % 3 {
                0 => (a, c) = (a.wrapping_sub(c) ^ c.rotate_left(turn), c.wrapping_add(b)),
                1 => (b, a) = (b.wrapping_sub(a) ^ a.rotate_left(turn), a.wrapping_add(c)),
                _ => (c, b) = (c.wrapping_sub(b) ^ b.rotate_left(turn), b.wrapping_add(a)),
            }
        }
        rest = &rest[12..];
    }
    if rest.is_empty() {
        return c;
    }
    a = a.wrapping_add(word(rest, 0));
    b = b.wrapping_add(word(rest, 4));
    c = c.wrapping_add(word(rest, 8));
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

/// The four bytes at a place, with 0 for those after the end.
fn word(bytes: &[u8], at: usize) -> u32 {
    let byte = |idx: usize| u32::from(bytes.get(at + idx).copied().unwrap_or(0));
    byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_author() {
        // As the driver of the author's lookup3.c prints them.
        assert_eq!(hash(b""), 0xdead_beef);
        assert_eq!(hash(b"Four score and seven years ago"), 0x1777_0551);
    }
}
