//! A growing file -> the places of its records, read from header to header without the payloads.
//!
//! The scanner remembers its position. It never returns a record before all of it is there, never goes past bytes that may
//! still be filled, and never gives up: after a broken header it searches for the next whole one.

use std::io;

use super::{
    frame::{HEADER_BYTES, Header, find_header, header},
    no_crcs::{HEAD_BYTES, bare_headers, bare_length, ends_well, has_end, has_no_crcs, is_begun},
    place::Place,
};

use crate::source::window::Peek;

const SEARCH_BYTES: usize = 64 << 10;
/// After this many bytes, a search pauses so that other files can be scanned.
const SEARCH_AT_ONCE: u64 = 16 << 20;
/// If bytes look like a header without a CRC, the end of their record is checked, which takes a separate read. This is the most
/// such checks before a pause, and the most per file.
const LOOKS_AT_ONCE: u32 = 4 << 10;
const MOST_LOOKS: u32 = 1 << 20;

/// Why no record can begin at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The CRC of the length is wrong.
    LengthCrc,
    /// The length, with a right CRC, is above the limit.
    TooLong(u64),
    /// Zeros that nobody will fill any more.
    Hole,
    /// The length has no CRC, as in the whole file, and no record ends after this many bytes.
    NoEnd(u64),
}

/// What the scanner found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanResult {
    /// A whole record.
    Record(Place),
    /// Nothing more for now; all whole records were returned.
    End,
    /// Zeros in the place of a header: wait until they are filled.
    Hole {
        /// The first zero byte.
        offset: u64,
    },
    /// The search for a header after a broken one is not finished: call again to continue.
    Searching,
    /// The bytes from `offset` up to `resumed` hold no record; `resumed` is `None` while no record was found after them.
    Gap {
        /// The first lost byte.
        offset: u64,
        /// Where the next record begins.
        resumed: Option<u64>,
        /// Why these bytes are lost.
        why: Broken,
    },
}

#[derive(Clone, Copy, Debug)]
struct Lost {
    from: u64,
    search: u64,
    why: Broken,
    /// Whether the record may become whole when the file grows.
    may_grow: bool,
}

/// A position in a file, from which records are read.
#[derive(Clone, Debug)]
pub struct Scanner {
    offset: u64,
    max_payload: u64,
    lost: Option<Lost>,
    /// Whether the writer is known to compute no CRCs.
    has_no_crcs: bool,
    /// How many record ends were checked in searches.
    n_looks: u32,
    /// The length of the file when a search after a record that goes beyond its end found nothing.
    fruitless: Option<u64>,
}

impl Scanner {
    /// Starts at the file's first byte; payloads above `max_payload` bytes count as damage.
    #[must_use]
    pub fn new(max_payload: u64) -> Self {
        let (has_no_crcs, n_looks) = (false, 0);
        Self { offset: 0, max_payload, lost: None, has_no_crcs, n_looks, fruitless: None }
    }

    /// The byte up to which the file has been understood.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Makes the next call return the record at `place` again, because it could not be used yet.
    pub fn back_to(&mut self, place: Place) {
        self.offset = place.offset;
    }

    /// Continues to the next record of a file that is `file_len` bytes long. `settled` means that nobody has written to
    /// the file for so long that holes in it count as damage.
    ///
    /// # Errors
    /// Errors of the source; the scanner keeps its position and may be called again.
    pub fn next(&mut self, file: &mut impl Peek, file_len: u64, settled: bool) -> io::Result<ScanResult> {
        if self.lost.is_some() {
            return self.search(file, file_len);
        }
        let Ok(bytes) = <&[u8; HEADER_BYTES]>::try_from(file.peek(self.offset, HEADER_BYTES)?) else {
            return Ok(ScanResult::End);
        };
        let bytes = *bytes;
        if self.offset == 0 && !settled && is_begun(&bytes, file_len) {
            return Ok(ScanResult::End);
        }
        let why = match self.header(&bytes, file)? {
            Header::Payload(len) => {
                let place = Place { offset: self.offset, len };
                let is_bare = bare_length(&bytes).is_some();
                let is_beyond = place.end() > file_len;
                if is_beyond && !(is_bare && settled && self.fruitless != Some(file_len)) {
                    return Ok(ScanResult::End);
                }
                if is_beyond || (is_bare && !has_end(file, place, self.max_payload)?) {
                    let (from, search) = (self.offset, self.offset + 1);
                    self.lost = Some(Lost { from, search, why: Broken::NoEnd(len), may_grow: is_beyond });
                    return self.search(file, file_len);
                }
                self.offset = place.end();
                return Ok(ScanResult::Record(place));
            }
            Header::Hole if !settled => return Ok(ScanResult::Hole { offset: self.offset }),
            Header::Hole => Broken::Hole,
            Header::BadCrc => Broken::LengthCrc,
            Header::TooLong(len) => Broken::TooLong(len),
        };
        self.lost = Some(Lost { from: self.offset, search: self.offset + 1, why, may_grow: false });
        self.search(file, file_len)
    }

    /// What a header says; its CRC may be missing.
    fn header(&mut self, bytes: &[u8; HEADER_BYTES], file: &mut impl Peek) -> io::Result<Header> {
        let read = header(bytes, self.max_payload);
        let Some(length) = bare_length(bytes) else { return Ok(read) };
        if read != Header::BadCrc || !self.has_no_crcs(file)? {
            return Ok(read);
        }
        Ok(if length > self.max_payload { Header::TooLong(length) } else { Header::Payload(length) })
    }

    /// Whether the file's writer computes no CRCs.
    ///
    /// # Errors
    /// Errors of the source.
    pub fn has_no_crcs(&mut self, file: &mut impl Peek) -> io::Result<bool> {
        self.has_no_crcs = self.has_no_crcs || has_no_crcs(file)?;
        Ok(self.has_no_crcs)
    }

    fn search(&mut self, file: &mut impl Peek, file_len: u64) -> io::Result<ScanResult> {
        let Some(mut lost) = self.lost else { return Ok(ScanResult::End) };
        let give_way = lost.search.saturating_add(SEARCH_AT_ONCE);
        let most_looks = self.n_looks.saturating_add(LOOKS_AT_ONCE);
        let overlap = if self.has_no_crcs { HEAD_BYTES } else { HEADER_BYTES } - 1;
        let resumed = loop {
            if lost.search > give_way {
                self.lost = Some(lost);
                return Ok(ScanResult::Searching);
            }
            let bytes = file.peek(lost.search, SEARCH_BYTES)?;
            let (seen, more) = (bytes.len(), bytes.len() == SEARCH_BYTES);
            let with_crc = find_header(bytes, self.max_payload);
            // Bytes that may be continued after these are read again with the next ones.
            let n_whole = if more { seen - overlap } else { seen }.min(with_crc.unwrap_or(seen));
            let bare = if self.has_no_crcs { bare_headers(bytes, self.max_payload) } else { Vec::new() };
            let mut bare = bare.into_iter().filter(|(at, _)| *at < n_whole);
            let found = bare.find_map(|(at, len)| {
                let place = Place { offset: lost.search + at as u64, len };
                self.look(file, (place, file_len), most_looks).transpose()
            });
            match found.transpose()? {
                Some(HeaderLook::Right(place)) => break Some(place.offset),
                Some(HeaderLook::Enough(place)) => {
                    self.lost = Some(Lost { search: place.offset, ..lost });
                    return Ok(ScanResult::Searching);
                }
                None => {}
            }
            if let Some(distance) = with_crc {
                break Some(lost.search + distance as u64);
            }
            // The last bytes may be the beginning of a header.
            lost.search += seen.saturating_sub(overlap) as u64;
            if !more {
                break None;
            }
        };
        if resumed.is_none() && lost.may_grow {
            (self.lost, self.fruitless) = (None, Some(file_len));
            return Ok(ScanResult::End);
        }
        self.lost = resumed.is_none().then_some(lost);
        self.offset = resumed.unwrap_or(self.offset);
        Ok(ScanResult::Gap { offset: lost.from, resumed, why: lost.why })
    }

    /// Checks whether a record ends where a header without a CRC says; `None` if it does not.
    fn look(
        &mut self,
        file: &mut impl Peek,
        (place, file_len): (Place, u64),
        most_looks: u32,
    ) -> io::Result<Option<HeaderLook>> {
        if place.end() > file_len || self.n_looks >= MOST_LOOKS {
            return Ok(None);
        }
        if self.n_looks >= most_looks {
            return Ok(Some(HeaderLook::Enough(place)));
        }
        self.n_looks += 1;
        Ok(ends_well(file, place, self.max_payload)?.then_some(HeaderLook::Right(place)))
    }
}

/// The result of checking bytes that look like a header without a CRC.
enum HeaderLook {
    Right(Place),
    /// There were too many checks: pause before this one is checked.
    Enough(Place),
}

#[cfg(test)]
mod tests;
