//! Texts that are compressed separately -> one gzip file (RFC 1952) that consists of them.
//!
//! A compressed text ends at a byte boundary and refers to nothing before it. So it is compressed once and can be used at any place in
//! many files. The checksum of a file is computed from the checksums of its texts.

use crc32fast::Hasher;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// An empty last block.
const LAST_BLOCK: [u8; 2] = [3, 0];
/// The most bytes in a stored block.
const MOST_STORED: usize = 0xffff;
/// By how many bytes the compressor's output buffer grows at a time.
const ROOM: usize = 16 << 10;

/// A compressed text.
pub(super) struct Deflated {
    /// Blocks of RFC 1951, none of which is the last.
    pub(super) blocks: Box<[u8]>,
    sum: Hasher,
}

impl Deflated {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut sum = Hasher::new();
        sum.update(text);
        Self { blocks: deflate(text), sum }
    }

    /// The length of the text.
    pub(super) fn text_len(&self) -> usize {
        usize::try_from(self.sum.total_len()).expect("the text was in memory")
    }

    /// The text.
    pub(super) fn text(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.text_len());
        let mut inflater = Decompress::new(false);
        while text.len() < self.text_len() {
            let read = usize::try_from(inflater.total_in()).expect("the blocks are in memory");
            let status = inflater.decompress_vec(&self.blocks[read..], &mut text, FlushDecompress::Sync);
            assert!(status.is_ok_and(|status| status != Status::StreamEnd), "our own blocks are complete");
        }
        text
    }
}

fn deflate(text: &[u8]) -> Box<[u8]> {
    let mut compressor = Compress::new(Compression::default(), false);
    let mut blocks = Vec::with_capacity(text.len() / 16 + ROOM);
    loop {
        let read = usize::try_from(compressor.total_in()).expect("the text is in memory");
        compressor
            .compress_vec(&text[read..], &mut blocks, FlushCompress::Full)
            .expect("a compressor without a dictionary takes any text");
        let is_read = compressor.total_in() == text.len() as u64;
        // If the buffer is not full, everything that was read has been written.
        if is_read && blocks.len() < blocks.capacity() {
            return blocks.into();
        }
        blocks.reserve(ROOM);
    }
}

/// A gzip file that is being written.
pub(super) struct Gzip(Hasher);

impl Gzip {
    /// Its first bytes: magic, deflate, no flags, no time, no level, unknown system.
    pub(super) const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

    pub(super) fn new() -> Self {
        Self(Hasher::new())
    }

    /// Appends a compressed text.
    pub(super) fn put_deflated(&mut self, file: &mut Vec<u8>, text: &Deflated) {
        self.0.combine(&text.sum);
        file.extend(&*text.blocks);
    }

    /// Appends a short text without compression.
    pub(super) fn put_stored(&mut self, file: &mut Vec<u8>, text: &[u8]) {
        self.0.update(text);
        for part in text.chunks(MOST_STORED) {
            let len = u16::try_from(part.len()).expect("chunks are no longer than a block");
            file.push(0);
            file.extend(len.to_le_bytes());
            file.extend((!len).to_le_bytes());
            file.extend(part);
        }
    }

    /// Appends the last bytes.
    pub(super) fn put_end(self, file: &mut Vec<u8>) {
        // The format stores the length modulo 2^32.
        let len = self.0.total_len() as u32;
        file.extend(LAST_BLOCK);
        file.extend(self.0.finalize().to_le_bytes());
        file.extend(len.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use proptest::prelude::*;

    use super::*;

    fn unzipped(file: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        GzDecoder::new(file).read_to_end(&mut text).unwrap();
        text
    }

    fn check(texts: &[Vec<u8>]) {
        let (mut gzip, mut file) = (Gzip::new(), Gzip::HEADER.to_vec());
        for (idx, text) in texts.iter().enumerate() {
            if idx % 2 == 0 {
                let deflated = Deflated::of(text);
                assert_eq!(&deflated.text(), text);
                gzip.put_deflated(&mut file, &deflated);
            } else {
                gzip.put_stored(&mut file, text);
            }
        }
        gzip.put_end(&mut file);
        assert_eq!(unzipped(&file), texts.concat());
    }

    proptest! {
        #[test]
        fn texts_come_back_in_order(texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8)) {
            check(&texts);
        }
    }

    #[test]
    fn long_texts_come_back() {
        let noise =
            |n: u32| (0..n).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect::<Vec<u8>>();
        check(&[noise(100_000), noise(50_000), b"{\"run\":\".\"},".repeat(20_000), Vec::new()]);
    }
}
