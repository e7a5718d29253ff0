//! The bytes of a piece as they are stored -> its elements: what compressed them is undone.

use std::{
    borrow::Cow,
    io::{self, Read},
};

use bytes::Bytes;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::{input::Input, read_error::ReadError};

mod filter;

/// How the elements of a piece are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packing {
    /// Where the stored bytes are.
    pub stored: Stored,
    /// What has to be undone, in the order in which it is undone.
    pub codecs: Vec<Codec>,
    /// How many bytes that gives. Fewer or more are damage.
    pub len: u64,
}

/// Where the stored bytes of a piece are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// In the file, from the piece's offset: so many bytes.
    InFile(u64),
    /// They were read with the head, because they lie inside something that is compressed, or stand for many equal elements.
    Held(Bytes),
}

/// A step of unpacking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Zstandard (RFC 8878).
    Zstd,
    /// Deflate with the header of zlib (RFC 1950).
    Zlib,
    /// Deflate alone (RFC 1951), as in zip archives.
    Deflate,
    /// Deflate with the header of gzip (RFC 1952).
    Gzip,
    /// The last four bytes are the CRC32C of the others, little-endian.
    Crc32c,
    /// The first bytes of all elements of this size stand first, then the second bytes, and so on, as HDF5's filter `shuffle` does.
    Shuffle(u32),
    /// LZF, as h5py's filter writes it.
    Lzf,
    /// The last four bytes are HDF5's Fletcher-32 of the others, little-endian.
    Fletcher32,
    /// They have this CRC (IEEE 802.3), as the members of zip archives have.
    Crc32(u32),
    /// So many bytes stand before the elements.
    After(u32),
    /// Each element is a number of Protocol Buffers (varint), of which this many of the lowest bytes count.
    Varints(u8),
}

impl Packing {
    /// Whether unpacking compares a checksum.
    #[must_use]
    pub fn has_checksum(&self) -> bool {
        let compares = |codec: &Codec| {
            matches!(codec, Codec::Zlib | Codec::Gzip | Codec::Crc32c | Codec::Crc32(_) | Codec::Fletcher32)
        };
        self.codecs.iter().any(compares)
    }

    /// Unpacks the piece whose stored bytes begin at `offset` of its file. `limit` bytes are allowed at most, before and after.
    ///
    /// # Errors
    /// `Damaged` if the bytes are not what the codec writes or give another length; see [`ReadError`].
    pub fn unpack(&self, input: &dyn Input, offset: u64, limit: u64) -> Result<Vec<u8>, ReadError> {
        let stored_len = if let Stored::InFile(len) = self.stored { len } else { 0 };
        let needed = self.len.max(stored_len);
        if needed > limit {
            return Err(ReadError::TooLarge { needed, limit });
        }
        let stored = match &self.stored {
            Stored::InFile(len) => {
                let end = offset.saturating_add(*len);
                let bytes = input.bytes(offset, *len);
                Cow::Owned(bytes.map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof => ReadError::Cut(end),
                    io::ErrorKind::OutOfMemory => ReadError::NoMemory(*len),
                    _ => ReadError::Io(error),
                })?)
            }
            Stored::Held(bytes) => Cow::Borrowed(&**bytes),
        };
        let stored_len = stored.len() as u64;
        let damaged = || ReadError::Damaged { offset, len: stored_len };
        let mut bytes = stored;
        for (at, codec) in self.codecs.iter().enumerate() {
            // What follows takes off checksums and what stands before the elements.
            let most =
                self.codecs[at + 1..].iter().map(|codec| codec.extra()).fold(self.len, u64::saturating_add);
            bytes = Cow::Owned(codec.undo(&bytes, most).ok_or_else(damaged)?);
        }
        if bytes.len() as u64 == self.len { Ok(bytes.into_owned()) } else { Err(damaged()) }
    }
}

impl Codec {
    /// How many bytes it takes off.
    fn extra(self) -> u64 {
        match self {
            Self::Crc32c | Self::Fletcher32 => 4,
            Self::After(len) => u64::from(len),
            _ => 0,
        }
    }

    /// Undoes it; `None` if the bytes are not what it writes, or are longer than `most`.
    #[must_use]
    pub fn undo(self, bytes: &[u8], most: u64) -> Option<Vec<u8>> {
        match self {
            Self::Zstd => {
                let mut decoder = FrameDecoder::new();
                // Memory is taken for the window that the bytes claim.
                decoder.set_max_window_size(most.max(SMALL_WINDOW));
                unpacked(StreamingDecoder::new_with_decoder(bytes, decoder).ok()?, most)
            }
            Self::Zlib => unpacked(flate2::bufread::ZlibDecoder::new(bytes), most),
            Self::Deflate => unpacked(flate2::bufread::DeflateDecoder::new(bytes), most),
            Self::Gzip => unpacked(flate2::bufread::MultiGzDecoder::new(bytes), most),
            Self::Crc32c => {
                let (content, sum) = bytes.split_last_chunk()?;
                (crc32c::crc32c(content) == u32::from_le_bytes(*sum)).then(|| content.to_vec())
            }
            Self::Crc32(expected) => (crc32fast::hash(bytes) == expected).then(|| bytes.to_vec()),
            Self::After(len) => bytes.get(usize::try_from(len).ok()?..).map(<[u8]>::to_vec),
            Self::Varints(size) => varints(bytes, usize::from(size), most),
            Self::Shuffle(size) => Some(filter::unshuffled(bytes, size as usize)),
            Self::Lzf => filter::unpacked_lzf(bytes, most),
            Self::Fletcher32 => {
                let (content, sum) = bytes.split_last_chunk()?;
                (filter::fletcher32(content) == u32::from_le_bytes(*sum)).then(|| content.to_vec())
            }
        }
    }
}

/// The window that each decoder of Zstandard has at least (RFC 8878, 3.1.1.1.2).
const SMALL_WINDOW: u64 = 8 << 20;

/// The lowest `size` bytes of each number; `None` if one does not end or they are longer than `most`.
fn varints(mut bytes: &[u8], size: usize, most: u64) -> Option<Vec<u8>> {
    const LONGEST: usize = 10;
    let mut elements = Vec::new();
    while !bytes.is_empty() {
        let len = bytes.iter().take(LONGEST).position(|byte| *byte < 0x80)? + 1;
        let (varint, rest) = bytes.split_at(len);
        let number = varint.iter().rev().fold(0_u64, |number, byte| number << 7 | u64::from(byte & 0x7f));
        elements.extend_from_slice(number.to_le_bytes().get(..size)?);
        if elements.len() as u64 > most {
            return None;
        }
        bytes = rest;
    }
    Some(elements)
}

fn unpacked(packed: impl Read, most: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    packed.take(most.saturating_add(1)).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= most).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"convolution convolution convolution";
    // As Python's `compression.zstd.compress`, `zlib.compress`, the same with `wbits=-15` and `gzip.compress(mtime=0)` pack this text.
    const ZSTD: &[u8] = b"(\xb5/\xfd\x04X\x95\x00\x00`convolution \x01\x00\xafK\x12iI%\x04";
    const ZLIB: &[u8] = b"x\xdaK\xce\xcf+\xcb\xcf)-\xc9\xcc\xcfSH\xc6\xce\x06\x00\x04\xb4\x0e\x81";
    const DEFLATE: &[u8] = b"K\xce\xcf+\xcb\xcf)-\xc9\xcc\xcfSH\xc6\xce\x06\x00";
    const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03K\xce\xcf+\xcb\xcf)-\xc9\xcc\xcfSH\xc6\xce\x06\x007\x1e\x908#\x00\x00\x00";

    fn unpack(bytes: &[u8], codecs: &[Codec], len: usize) -> Result<Vec<u8>, ReadError> {
        let stored = Stored::InFile(bytes.len() as u64);
        Packing { stored, codecs: codecs.to_vec(), len: len as u64 }.unpack(&bytes, 0, 100)
    }

    #[test]
    fn what_other_programs_packed_is_unpacked() {
        for (codec, bytes) in
            [(Codec::Zstd, ZSTD), (Codec::Zlib, ZLIB), (Codec::Deflate, DEFLATE), (Codec::Gzip, GZIP)]
        {
            assert_eq!(unpack(bytes, &[codec], TEXT.len()).unwrap(), TEXT, "{codec:?}");
            let held =
                Packing { stored: Stored::Held(Bytes::copy_from_slice(bytes)), codecs: vec![codec], len: 35 };
            assert_eq!(held.unpack(&&b""[..], 7, 100).unwrap(), TEXT, "{codec:?}");
            for len in [0, TEXT.len() - 1, TEXT.len() + 1, 99] {
                let wrong = unpack(bytes, &[codec], len);
                assert!(matches!(wrong, Err(ReadError::Damaged { .. })), "{codec:?} {len}");
            }
            let cut = unpack(&bytes[..bytes.len() / 2], &[codec], TEXT.len());
            assert!(matches!(cut, Err(ReadError::Damaged { .. })), "{codec:?}");
        }
    }

    #[test]
    fn a_checksum_behind_the_bytes_is_compared_and_taken_off() {
        // Castagnoli's check value.
        let mut bytes = b"123456789\x83\x92\x06\xe3".to_vec();
        assert_eq!(unpack(&bytes, &[Codec::Crc32c], 9).unwrap(), b"123456789");
        bytes[0] ^= 1;
        assert!(matches!(unpack(&bytes, &[Codec::Crc32c], 9), Err(ReadError::Damaged { .. })));
        assert!(matches!(unpack(b"123", &[Codec::Crc32c], 0), Err(ReadError::Damaged { .. })));
    }

    #[test]
    fn a_checksum_of_the_unpacked_is_compared_and_what_stands_before_is_left_out() {
        let unpack = |sum| unpack(DEFLATE, &[Codec::Deflate, Codec::Crc32(sum), Codec::After(12)], 23);
        // As Python's `zlib.crc32` gives it.
        assert_eq!(unpack(0x3890_1e37).unwrap(), &TEXT[12..]);
        assert!(matches!(unpack(0x3890_1e38), Err(ReadError::Damaged { .. })));
    }

    #[test]
    fn numbers_of_protocol_buffers_are_cut_to_their_elements() {
        // 1, 300, and -2 as it is written in ten bytes.
        let packed = [1, 0xac, 2, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(unpack(&packed, &[Codec::Varints(2)], 6).unwrap(), [1, 0, 44, 1, 0xfe, 0xff]);
        for (bytes, len) in [(&packed[..12], 6), (&packed, 4), (&packed, 8), (&[0xff; 11], 2)] {
            let wrong = unpack(bytes, &[Codec::Varints(2)], len);
            assert!(matches!(wrong, Err(ReadError::Damaged { .. })), "{bytes:?} {len}");
        }
    }

    #[test]
    fn no_more_memory_is_taken_than_allowed() {
        assert!(matches!(
            unpack(ZLIB, &[Codec::Zlib], 101),
            Err(ReadError::TooLarge { needed: 101, limit: 100 })
        ));
        assert!(matches!(unpack(&[0; 101], &[], 1), Err(ReadError::TooLarge { needed: 101, limit: 100 })));
    }
}
