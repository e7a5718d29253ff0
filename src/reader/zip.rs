//! A zip archive -> where the bytes of its members are.
//!
//! Source: PKWARE's APPNOTE 6.3.10, sections 4.3 to 4.5. Only the central directory is read, and the local header of a member
//! that is asked for. PyTorch and Keras store their numbers as they are, so members that are compressed are only read for formats that
//! ask for their [`Place`]. The reader of a format says what the members mean.

use std::collections::BTreeMap;

use super::{
    contents::{Checksum, OpenError, Sum},
    input::Input,
};

/// The most bytes of a central directory that are read: more than those of all archives of [`MOST_MEMBERS`] members.
const MOST_DIRECTORY_BYTES: u64 = 48 << 20;

/// The most bytes of all names. What is no UTF-8 in them has three bytes each as a text.
const MOST_NAME_BYTES: usize = 32 << 20;

/// The most members of an archive.
const MOST_MEMBERS: usize = 300_000;

const END: &[u8] = b"PK\x05\x06";
const END_LEN: u64 = 22;
const END_64: &[u8] = b"PK\x06\x06";
const END_64_LEN: u64 = 56;
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const LOCATOR_64_LEN: u64 = 20;
const ENTRY: &[u8] = b"PK\x01\x02";
const ENTRY_LEN: usize = 46;
const LOCAL: &[u8] = b"PK\x03\x04";
const LOCAL_LEN: u64 = 30;
const LONGEST_COMMENT: u64 = 0xffff;

/// The members of an archive, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Its files; directories are left out.
    pub members: BTreeMap<Box<str>, Member>,
}

/// A member of an archive, as the central directory describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// How its bytes are stored.
    pub packing: Packing,
    /// The length of its bytes when they are unpacked.
    pub len: u64,
    /// The CRC of its bytes when they are unpacked.
    pub crc32: u32,
    packed_len: u64,
    header: u64,
}

/// How the bytes of a member are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As they are.
    Stored,
    /// With Deflate.
    Deflated,
    /// Compressed in another way.
    Compressed,
    /// Encrypted.
    Encrypted,
}

/// Where the bytes of a member are in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The first of them.
    pub offset: u64,
    /// How many are stored.
    pub len: u64,
    /// Whether they are compressed with Deflate.
    pub is_deflated: bool,
}

/// Reads the central directory.
///
/// # Errors
/// `NotWhole` if the archive has no end, as one that is being written. `Damaged` if its parts contradict each other. `NotRead` if
/// it has several files or too many members.
pub fn open(input: &dyn Input) -> Result<Archive, OpenError> {
    let directory = Directory::find(input)?;
    let bytes = input.bytes(directory.offset, directory.len)?;
    let mut members = BTreeMap::new();
    let (mut rest, mut n_name_bytes) = (bytes.as_slice(), 0);
    for _ in 0..directory.n_members {
        let (name, member, after) = entry(rest)?;
        rest = after;
        n_name_bytes += name.len();
        if n_name_bytes > MOST_NAME_BYTES {
            return Err(OpenError::NotRead("the names of the archive's members are too long".to_owned()));
        }
        if name.ends_with('/') {
            continue;
        }
        if members.insert(name.clone(), member).is_some() {
            return Err(damaged(format!("it has two members `{name}`")));
        }
    }
    if rest.is_empty() {
        Ok(Archive { members })
    } else {
        Err(damaged("its directory is longer than its members"))
    }
}

impl Archive {
    /// Reads a member that is not longer than `most` bytes, and checks it.
    ///
    /// # Errors
    /// `Damaged` if it is not there or its checksum is wrong. `NotRead` if it is too long, compressed or encrypted.
    pub fn read(&self, input: &dyn Input, name: &str, most: u64) -> Result<Vec<u8>, OpenError> {
        let member = self.members.get(name).ok_or_else(|| damaged(format!("it has no member `{name}`")))?;
        let offset = member.offset(input).map_err(|error| within(name, error))?;
        if member.len > most {
            let len = member.len;
            return Err(OpenError::NotRead(format!(
                "`{name}` in it has {len} bytes; at most {most} are read"
            )));
        }
        let bytes = input.bytes(offset, member.len)?;
        let is_wrong =
            !cfg!(fuzzing) && member.checksum(offset).is_some() && crc32fast::hash(&bytes) != member.crc32;
        if is_wrong { Err(damaged(format!("the checksum of `{name}` in it is wrong"))) } else { Ok(bytes) }
    }
}

impl Member {
    /// Where its bytes begin. Reads its local header, which alone says so.
    ///
    /// # Errors
    /// `NotRead` if it is compressed or encrypted; `Damaged` if its header is not one or its bytes are not all in the archive.
    pub fn offset(&self, input: &dyn Input) -> Result<u64, OpenError> {
        if self.packing == Packing::Deflated {
            return Err(not_read("compressed"));
        }
        self.place(input).map(|place| place.offset)
    }

    /// Where its bytes are, as they are or with Deflate.
    ///
    /// # Errors
    /// `NotRead` if it is encrypted or compressed in another way; `Damaged` if its header is not one or its bytes are not all in the
    /// archive.
    pub fn place(&self, input: &dyn Input) -> Result<Place, OpenError> {
        let is_deflated = match self.packing {
            Packing::Stored => false,
            Packing::Deflated => true,
            Packing::Compressed => return Err(not_read("compressed in an unusual way")),
            Packing::Encrypted => return Err(not_read("encrypted")),
        };
        let header = input.bytes(self.header, LOCAL_LEN)?;
        if !header.starts_with(LOCAL) {
            return Err(damaged("the header of an archive's member is not where the directory says"));
        }
        let offset =
            self.header + LOCAL_LEN + u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
        let end = offset.checked_add(self.packed_len);
        let is_long = !is_deflated && self.len != self.packed_len;
        if is_long || end.is_none_or(|end| end > input.len()) {
            return Err(damaged("an archive's member is longer than what is stored of it"));
        }
        Ok(Place { offset, len: self.packed_len, is_deflated })
    }

    /// The checksum of its bytes, which begin at `offset`; none if the writer did not make one: PyTorch writes 0 then
    /// (`torch.serialization.set_crc32_options`).
    #[must_use]
    pub fn checksum(&self, offset: u64) -> Option<Checksum> {
        let checksum = Checksum { offset, len: self.len, expected: Sum::Crc32(self.crc32) };
        (self.crc32 != 0).then_some(checksum)
    }
}

/// Where the central directory is.
struct Directory {
    offset: u64,
    len: u64,
    n_members: usize,
}

impl Directory {
    fn find(input: &dyn Input) -> Result<Self, OpenError> {
        let tail_len = input.len().min(END_LEN + LONGEST_COMMENT + LOCATOR_64_LEN);
        let tail_start = input.len() - tail_len;
        // Most archives have no comment: try the last bytes first.
        let short_len = tail_len.min(END_LEN + LOCATOR_64_LEN);
        let short = input.bytes(input.len() - short_len, short_len)?;
        let (tail, start) = match last_end(&short) {
            Some(_) => (short, input.len() - short_len),
            None => (input.bytes(tail_start, tail_len)?, tail_start),
        };
        let at = last_end(&tail).ok_or_else(|| OpenError::NotWhole("the archive has no end".to_owned()))?;
        let end = &tail[at..];
        let locator = at.checked_sub(LOCATOR_64_LEN as usize).map(|from| &tail[from..at]);
        let end_offset = start + at as u64;
        match locator.filter(|locator| locator.starts_with(LOCATOR_64)) {
            Some(locator) => Self::of_64(input, u64_at(locator, 8), end_offset - LOCATOR_64_LEN),
            None => Self::of_32(end, end_offset),
        }
    }

    fn of_32(end: &[u8], end_offset: u64) -> Result<Self, OpenError> {
        if u16_at(end, 4) != 0 || u16_at(end, 6) != 0 {
            return Err(several_files());
        }
        let (len, offset) = (u64::from(u32_at(end, 12)), u64::from(u32_at(end, 16)));
        Self { offset, len, n_members: usize::from(u16_at(end, 10)) }.checked(end_offset)
    }

    fn of_64(input: &dyn Input, offset: u64, before: u64) -> Result<Self, OpenError> {
        let is_before = offset.checked_add(END_64_LEN).is_some_and(|end| end <= before);
        let end = if is_before { input.bytes(offset, END_64_LEN)? } else { Vec::new() };
        if !end.starts_with(END_64) {
            return Err(damaged("the archive's long end is not where its locator says"));
        }
        if u32_at(&end, 16) != 0 || u32_at(&end, 20) != 0 {
            return Err(several_files());
        }
        let n_members = usize::try_from(u64_at(&end, 32)).unwrap_or(usize::MAX);
        Self { offset: u64_at(&end, 48), len: u64_at(&end, 40), n_members }.checked(offset)
    }

    fn checked(self, end_offset: u64) -> Result<Self, OpenError> {
        if self.offset.checked_add(self.len) != Some(end_offset) {
            return Err(damaged("the archive's directory does not end where its end begins"));
        }
        if self.n_members > MOST_MEMBERS || self.len > MOST_DIRECTORY_BYTES {
            let n_members = self.n_members;
            let message = format!(
                "the archive has {n_members} members, and a directory of {} bytes; at most {MOST_MEMBERS} are read, and \
                 {MOST_DIRECTORY_BYTES} bytes",
                self.len
            );
            return Err(OpenError::NotRead(message));
        }
        Ok(self)
    }
}

/// Where the last end record is whose comment goes to the end of the file.
fn last_end(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(END_LEN as usize)?;
    (0..=last).rev().find(|at| {
        let end = &tail[*at..];
        end.starts_with(END) && END_LEN as usize + usize::from(u16_at(end, 20)) == end.len()
    })
}

/// The first entry of a directory, and what follows it.
fn entry(bytes: &[u8]) -> Result<(Box<str>, Member, &[u8]), OpenError> {
    let too_short = || damaged("the archive's directory ends within a member");
    let (fixed, rest) = bytes.split_at_checked(ENTRY_LEN).ok_or_else(too_short)?;
    if !fixed.starts_with(ENTRY) {
        return Err(damaged("the archive's directory has something that is no member"));
    }
    let (name, rest) = rest.split_at_checked(usize::from(u16_at(fixed, 28))).ok_or_else(too_short)?;
    let (extra, rest) = rest.split_at_checked(usize::from(u16_at(fixed, 30))).ok_or_else(too_short)?;
    let (_, rest) = rest.split_at_checked(usize::from(u16_at(fixed, 32))).ok_or_else(too_short)?;
    let packing = match (u16_at(fixed, 8) & 1, u16_at(fixed, 10)) {
        (1, _) => Packing::Encrypted,
        (_, 0) => Packing::Stored,
        (_, 8) => Packing::Deflated,
        _ => Packing::Compressed,
    };
    let mut member = Member {
        packing,
        len: u64::from(u32_at(fixed, 24)),
        crc32: u32_at(fixed, 16),
        packed_len: u64::from(u32_at(fixed, 20)),
        header: u64::from(u32_at(fixed, 42)),
    };
    widen(&mut member, extra).ok_or_else(|| damaged("a member of the archive has no long length"))?;
    Ok((String::from_utf8_lossy(name).into(), member, rest))
}

/// Replaces the fields of 32 bits that say "too large" by those of 64 bits, which follow in this order (4.5.3).
fn widen(member: &mut Member, mut extra: &[u8]) -> Option<()> {
    const TOO_LARGE: u64 = 0xffff_ffff;
    const LONG: u16 = 1;
    let fields = [&mut member.len, &mut member.packed_len, &mut member.header];
    let large: Vec<&mut u64> = fields.into_iter().filter(|field| **field == TOO_LARGE).collect();
    if large.is_empty() {
        return Some(());
    }
    let mut long = loop {
        let (head, rest) = extra.split_at_checked(4)?;
        let (body, rest) = rest.split_at_checked(usize::from(u16_at(head, 2)))?;
        if u16_at(head, 0) == LONG {
            break body;
        }
        extra = rest;
    };
    for field in large {
        let (value, rest) = long.split_first_chunk::<8>()?;
        (*field, long) = (u64::from_le_bytes(*value), rest);
    }
    Some(())
}

fn damaged(message: impl Into<String>) -> OpenError {
    OpenError::Damaged(message.into())
}

fn not_read(packing: &str) -> OpenError {
    let advice = "unpack the archive and pack it again without compression and encryption";
    OpenError::NotRead(format!("the archive's member is {packing}: {advice}"))
}

fn several_files() -> OpenError {
    OpenError::NotRead("the archive is cut into several files: join them first".to_owned())
}

/// Says which member an error is about.
fn within(name: &str, error: OpenError) -> OpenError {
    match error {
        OpenError::Damaged(message) => OpenError::Damaged(format!("`{name}`: {message}")),
        OpenError::NotRead(message) => OpenError::NotRead(format!("`{name}`: {message}")),
        other => other,
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive of stored members.
    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, data) in members {
            let mut fixed = Vec::new();
            fixed.extend([0, 0, 0, 0, 0, 0, 0, 0]);
            fixed.extend(crc32fast::hash(data).to_le_bytes());
            fixed.extend((data.len() as u32).to_le_bytes());
            fixed.extend((data.len() as u32).to_le_bytes());
            fixed.extend((name.len() as u16).to_le_bytes());
            directory.extend([ENTRY, &[20, 0, 20, 0], &fixed, &[0; 12]].concat());
            directory.extend((out.len() as u32).to_le_bytes());
            directory.extend(name.as_bytes());
            out.extend([LOCAL, &[20, 0], &fixed, &[3, 0], name.as_bytes(), b"pad", data].concat());
        }
        let count = (members.len() as u16).to_le_bytes();
        let (len, offset) = ((directory.len() as u32).to_le_bytes(), (out.len() as u32).to_le_bytes());
        out.extend(directory);
        out.extend([END, &[0; 4], &count, &count, &len, &offset, &[0, 0]].concat());
        out
    }

    fn opened(bytes: &[u8]) -> Result<Archive, OpenError> {
        open(&bytes)
    }

    fn replaced(bytes: &[u8], at: usize, new: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        bytes[at..at + new.len()].copy_from_slice(new);
        bytes
    }

    #[test]
    fn members_are_found_and_read() {
        let bytes = archive(&[("a/x", b"one"), ("empty", b""), ("dir/", b"")]);
        let zip = opened(&bytes).unwrap();
        assert_eq!(zip.members.len(), 2);
        assert_eq!(zip.read(&bytes.as_slice(), "a/x", 3).unwrap(), b"one");
        assert_eq!(zip.read(&bytes.as_slice(), "empty", 0).unwrap(), b"");
        assert!(matches!(zip.read(&bytes.as_slice(), "a/x", 2), Err(OpenError::NotRead(_))));
        assert!(matches!(zip.read(&bytes.as_slice(), "b", 9), Err(OpenError::Damaged(_))));
    }

    #[test]
    fn a_comment_is_passed() {
        let mut bytes = archive(&[("x", b"one")]);
        let at = bytes.len() - 2;
        bytes = replaced(&bytes, at, &60_000_u16.to_le_bytes());
        bytes.extend(vec![b'P'; 60_000]);
        assert_eq!(opened(&bytes).unwrap().members.len(), 1);
    }

    #[test]
    fn every_cut_is_not_whole() {
        let bytes = archive(&[("x", b"one"), ("y", b"two")]);
        for len in 0..bytes.len() {
            assert!(matches!(opened(&bytes[..len]), Err(OpenError::NotWhole(_))), "{len}");
        }
    }

    #[test]
    fn no_flipped_byte_panics() {
        let bytes = archive(&[("x", b"one"), ("y", b"two")]);
        for at in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let bytes = replaced(&bytes, at, &[bytes[at] ^ flip]);
                if let Ok(zip) = opened(&bytes) {
                    for name in zip.members.keys() {
                        let _ = zip.read(&bytes.as_slice(), name, 1 << 20);
                    }
                }
            }
        }
    }

    #[test]
    fn compressed_and_encrypted_members_are_named() {
        let bytes = archive(&[("x", b"one")]);
        let entry = bytes.windows(4).position(|four| four == ENTRY).unwrap();
        for (at, value, word) in [(entry + 10, 8, "compressed"), (entry + 8, 1, "encrypted")] {
            let bytes = replaced(&bytes, at, &[value]);
            let error = opened(&bytes).unwrap().read(&bytes.as_slice(), "x", 9).unwrap_err();
            assert!(matches!(&error, OpenError::NotRead(_)), "{error}");
            assert!(error.to_string().contains(word) && error.to_string().contains("`x`"), "{error}");
        }
    }

    #[test]
    fn lies_are_damage() {
        let bytes = archive(&[("x", b"one")]);
        let entry = bytes.windows(4).position(|four| four == ENTRY).unwrap();
        let damaged = |bytes: Vec<u8>| {
            let result = opened(&bytes).and_then(|zip| zip.read(&bytes.as_slice(), "x", 1 << 40));
            assert!(matches!(result, Err(OpenError::Damaged(_))), "{result:?}");
        };
        // The header's place, both lengths, the checksum, the directory's place.
        damaged(replaced(&bytes, entry + 42, &[1]));
        damaged(replaced(&bytes, entry + 20, &[0, 0, 1, 0, 0, 0, 1, 0]));
        damaged(replaced(&bytes, entry + 16, &[1]));
        damaged(replaced(&bytes, bytes.len() - 6, &[1]));
        damaged(archive(&[("x", b"one"), ("x", b"two")]));
    }

    #[test]
    fn names_take_bounded_memory() {
        let names = |letter: &str, count: usize| -> Vec<String> {
            (0..count).map(|number| format!("{}{number}", letter.repeat(60_000))).collect()
        };
        let opened = |names: &[String], letter: u8| {
            let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
            let mut bytes = archive(&members);
            bytes.iter_mut().filter(|byte| **byte == b'n').for_each(|byte| *byte = letter);
            opened(&bytes)
        };
        assert_eq!(opened(&names("n", 150), b'n').unwrap().members.len(), 150);
        assert_eq!(opened(&names("n", 150), 0xff).unwrap().members.len(), 150);
        assert!(matches!(opened(&names("n", 200), 0xff), Err(OpenError::NotRead(_))));
        assert!(matches!(opened(&names("n", 600), b'n'), Err(OpenError::NotRead(_))));
    }

    #[test]
    fn long_lengths_are_read() {
        let mut member = Member {
            packing: Packing::Stored,
            len: 0xffff_ffff,
            crc32: 0,
            packed_len: 7,
            header: 0xffff_ffff,
        };
        let values = [5_u64.to_le_bytes(), 9_u64.to_le_bytes()].concat();
        let extra = [&[9, 9, 1, 0, 0, 1, 0, 16, 0], values.as_slice()].concat();
        assert_eq!(widen(&mut member, &extra), Some(()));
        assert_eq!((member.len, member.packed_len, member.header), (5, 7, 9));
        member.packed_len = 0xffff_ffff;
        assert_eq!(widen(&mut member, &extra[..8]), None);
    }
}
