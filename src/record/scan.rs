//! A growing file -> the places of its records, hopping from header to header.
//!
//! The scanner remembers where it stands. It never gives a record before all of it is there, never goes past a place
//! that may still be filled, and never stops for good: behind a broken header it looks for the next whole one.

use std::io;

use super::{
    frame::{FOOTER_BYTES, HEADER_BYTES, Header, find_header, header},
    no_crcs::has_no_crcs,
};
use crate::source::window::Peek;

const SEARCH_BYTES: usize = 64 << 10;
/// After so many bytes of a search others get their turn.
const SEARCH_AT_ONCE: u64 = 16 << 20;

/// Where a record lies in its file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The first byte of the header.
    pub offset: u64,
    /// The payload's length.
    pub len: u64,
}

impl Place {
    /// The first byte of the payload.
    #[must_use]
    pub fn payload(self) -> u64 {
        self.offset + HEADER_BYTES as u64
    }

    /// The byte after the record.
    #[must_use]
    pub fn end(self) -> u64 {
        self.payload() + self.len + FOOTER_BYTES as u64
    }
}

/// Why a place cannot be a record's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The CRC of the length is wrong.
    LengthCrc,
    /// The length, with a right CRC, is beyond the cap.
    TooLong(u64),
    /// Zeros that nobody fills any more.
    Hole,
}

/// What the scanner came upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A whole record.
    Record(Place),
    /// Nothing more for now; all that is whole has been given.
    End,
    /// Zeros where a header will be: wait for them to be filled.
    Hole {
        /// The first zero byte.
        offset: u64,
    },
    /// A header is being looked for behind a broken one: ask again to go on.
    Searching,
    /// Bytes from `offset` up to `resumed` hold no record; `resumed` is `None` while none was found behind them.
    Gap {
        /// The first lost byte.
        offset: u64,
        /// Where records go on.
        resumed: Option<u64>,
        /// Why this place is lost.
        why: Broken,
    },
}

#[derive(Clone, Copy, Debug)]
struct Lost {
    from: u64,
    search: u64,
    why: Broken,
}

/// A place in a file from which records are read on.
#[derive(Clone, Debug)]
pub struct Scanner {
    offset: u64,
    max_payload: u64,
    lost: Option<Lost>,
    /// Whether the writer is known to compute no CRCs.
    has_no_crcs: bool,
}

impl Scanner {
    /// Starts at the file's first byte; payloads above `max_payload` bytes are taken for damage.
    #[must_use]
    pub fn new(max_payload: u64) -> Self {
        Self { offset: 0, max_payload, lost: None, has_no_crcs: false }
    }

    /// The byte up to which the file has been understood.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Gives the record at `place` again when asked next, because it could not be used yet.
    pub fn back_to(&mut self, place: Place) {
        self.offset = place.offset;
    }

    /// Goes on to the next record of a file that is `file_len` bytes long. `settled` says that nobody has written to
    /// the file for so long that holes in it are damage.
    ///
    /// # Errors
    /// As the source's; the scanner stays where it is and may be asked again.
    pub fn next(&mut self, file: &mut impl Peek, file_len: u64, settled: bool) -> io::Result<Found> {
        if self.lost.is_some() {
            return self.search(file);
        }
        let Ok(bytes) = <&[u8; HEADER_BYTES]>::try_from(file.peek(self.offset, HEADER_BYTES)?) else {
            return Ok(Found::End);
        };
        let bytes = *bytes;
        let why = match self.header(&bytes, file)? {
            Header::Payload(len) => {
                let place = Place { offset: self.offset, len };
                if place.end() > file_len {
                    return Ok(Found::End);
                }
                self.offset = place.end();
                return Ok(Found::Record(place));
            }
            Header::Hole if !settled => return Ok(Found::Hole { offset: self.offset }),
            Header::Hole => Broken::Hole,
            Header::BadCrc => Broken::LengthCrc,
            Header::TooLong(len) => Broken::TooLong(len),
        };
        self.lost = Some(Lost { from: self.offset, search: self.offset + 1, why });
        self.search(file)
    }

    /// What a header says, whose CRC may be none at all.
    fn header(&mut self, bytes: &[u8; HEADER_BYTES], file: &mut impl Peek) -> io::Result<Header> {
        let read = header(bytes, self.max_payload);
        let [l0, l1, l2, l3, l4, l5, l6, l7, 0, 0, 0, 0] = *bytes else { return Ok(read) };
        if read != Header::BadCrc || !self.has_no_crcs(file)? {
            return Ok(read);
        }
        let length = u64::from_le_bytes([l0, l1, l2, l3, l4, l5, l6, l7]);
        Ok(if length > self.max_payload { Header::TooLong(length) } else { Header::Payload(length) })
    }

    /// Whether the file's writer computes no CRCs.
    ///
    /// # Errors
    /// As the source's.
    pub fn has_no_crcs(&mut self, file: &mut impl Peek) -> io::Result<bool> {
        self.has_no_crcs = self.has_no_crcs || has_no_crcs(file)?;
        Ok(self.has_no_crcs)
    }

    fn search(&mut self, file: &mut impl Peek) -> io::Result<Found> {
        let Some(mut lost) = self.lost else { return Ok(Found::End) };
        let give_way = lost.search.saturating_add(SEARCH_AT_ONCE);
        let resumed = loop {
            if lost.search > give_way {
                self.lost = Some(lost);
                return Ok(Found::Searching);
            }
            let bytes = file.peek(lost.search, SEARCH_BYTES)?;
            if let Some(distance) = find_header(bytes, self.max_payload) {
                break Some(lost.search + distance as u64);
            }
            let (seen, more) = (bytes.len(), bytes.len() == SEARCH_BYTES);
            // The last eleven bytes may be a header's beginning.
            lost.search += seen.saturating_sub(HEADER_BYTES - 1) as u64;
            if !more {
                break None;
            }
        };
        self.lost = resumed.is_none().then_some(lost);
        self.offset = resumed.unwrap_or(self.offset);
        Ok(Found::Gap { offset: lost.from, resumed, why: lost.why })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::{crc::masked, write::append_record};

    const CAP: u64 = 1 << 20;

    fn file_of(payloads: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for payload in payloads {
            append_record(&mut bytes, payload);
        }
        bytes
    }

    fn header_claiming(length: u64) -> Vec<u8> {
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(masked(&length.to_le_bytes()).to_le_bytes());
        bytes
    }

    fn check(bytes: &[u8], expected: &[Found]) {
        let mut scanner = Scanner::new(CAP);
        for found in expected {
            let next = scanner.next(&mut &*bytes, bytes.len() as u64, false).unwrap();
            assert_eq!(next, *found);
        }
    }

    #[test]
    fn cut_record_goes_on_from_the_same_offset() {
        let bytes = file_of(&[b"one", b"two"]);
        let mut scanner = Scanner::new(CAP);
        let first = Place { offset: 0, len: 3 };
        let mut next = |len: usize| scanner.next(&mut &bytes[..len], len as u64, false).unwrap();
        assert_eq!(next(30), Found::Record(first));
        for len in 19..38 {
            assert_eq!(next(len), Found::End);
        }
        assert_eq!(next(38), Found::Record(Place { offset: 19, len: 3 }));
        assert_eq!(next(38), Found::End);
    }

    #[test]
    fn a_hole_is_waited_for_and_then_read() {
        let bytes = file_of(&[b"one", b"two"]);
        let mut holey = bytes.clone();
        holey[19..].fill(0);
        let mut scanner = Scanner::new(CAP);
        let mut next =
            |bytes: &[u8], settled| scanner.next(&mut &*bytes, bytes.len() as u64, settled).unwrap();
        next(&holey, false);
        assert_eq!(next(&holey, false), Found::Hole { offset: 19 });
        assert_eq!(next(&bytes, false), Found::Record(Place { offset: 19, len: 3 }));
    }

    #[test]
    fn a_hole_in_a_settled_file_is_jumped() {
        let mut bytes = file_of(&[b"one", b"two", b"three"]);
        bytes[19..38].fill(0);
        let mut scanner = Scanner::new(CAP);
        let mut next = || scanner.next(&mut &*bytes, bytes.len() as u64, true).unwrap();
        next();
        assert_eq!(next(), Found::Gap { offset: 19, resumed: Some(38), why: Broken::Hole });
        assert_eq!(next(), Found::Record(Place { offset: 38, len: 5 }));
    }

    #[test]
    fn damage_is_jumped_and_counted() {
        let mut bytes = file_of(&[b"one", b"two", b"three"]);
        bytes[19] ^= 1;
        check(
            &bytes,
            &[
                Found::Record(Place { offset: 0, len: 3 }),
                Found::Gap { offset: 19, resumed: Some(38), why: Broken::LengthCrc },
                Found::Record(Place { offset: 38, len: 5 }),
                Found::End,
            ],
        );
    }

    #[test]
    fn impossible_lengths_are_damage() {
        for length in [1 << 60, u64::MAX, u64::MAX - 15, CAP + 1] {
            let mut bytes = header_claiming(length);
            bytes.extend(file_of(&[b"after"]));
            check(
                &bytes,
                &[
                    Found::Gap { offset: 0, resumed: Some(12), why: Broken::TooLong(length) },
                    Found::Record(Place { offset: 12, len: 5 }),
                ],
            );
        }
    }

    #[test]
    fn a_lost_file_goes_on_when_a_header_arrives() {
        let mut bytes = vec![9; 100_000];
        let mut scanner = Scanner::new(CAP);
        let mut next = |bytes: &[u8]| scanner.next(&mut &*bytes, bytes.len() as u64, false).unwrap();
        assert_eq!(next(&bytes), Found::Gap { offset: 0, resumed: None, why: Broken::LengthCrc });
        let whole = file_of(&[b"late"]);
        bytes.extend(&whole[..7]);
        assert_eq!(next(&bytes), Found::Gap { offset: 0, resumed: None, why: Broken::LengthCrc });
        bytes.extend(&whole[7..]);
        assert_eq!(next(&bytes), Found::Gap { offset: 0, resumed: Some(100_000), why: Broken::LengthCrc });
        assert_eq!(next(&bytes), Found::Record(Place { offset: 100_000, len: 4 }));
    }

    proptest! {
        #[test]
        fn growth_in_any_pieces_finds_what_was_written(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..12),
            cuts in prop::collection::vec(0_usize..4_000, 0..8),
        ) {
            let mut bytes = Vec::new();
            let mut expected = Vec::new();
            for payload in &payloads {
                expected.push(Place { offset: bytes.len() as u64, len: payload.len() as u64 });
                append_record(&mut bytes, payload);
            }
            let mut ends: Vec<usize> = cuts.iter().map(|cut| *cut.min(&bytes.len())).collect();
            ends.sort_unstable();
            ends.push(bytes.len());
            let mut scanner = Scanner::new(CAP);
            let mut places = Vec::new();
            for end in ends {
                while let Found::Record(place) = scanner.next(&mut &bytes[..end], end as u64, false).unwrap() {
                    places.push(place);
                }
            }
            prop_assert_eq!(places, expected);
        }
    }
}
