//! A file -> a check of each of its records: what is wrong, and where.
//!
//! Damage is skipped as in [`scan`](super::scan). Payloads are read piece by piece: memory is never allocated by a length
//! that a file claims.

use std::io;

use super::{
    crc::Digest,
    frame::FOOTER_BYTES,
    no_crcs::has_no_crcs,
    place::Place,
    scan::{Broken, ScanResult, Scanner},
};

use crate::source::window::Peek;

/// How many bytes are read together; few enough to stay in the processor's cache.
const PIECE_BYTES: u64 = 128 << 10;
/// The most faults that are listed; a file of noise has one every few bytes. Further faults are only counted.
pub const MOST_FAULTS: usize = 1_000;

/// What is known about a file after all of its bytes were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileCheck {
    /// Whole records that hold events, with right CRCs if their writer computes CRCs.
    pub records: u64,
    /// How many of them have zeros in the place of the payload's CRC, because their writer computes none.
    pub unchecked: u64,
    /// The bytes of all whole records. Together with the lost and the unfinished bytes they make up the file.
    pub whole_bytes: u64,
    /// The first [`MOST_FAULTS`] faults, in order.
    pub faults: Vec<DamagedRange>,
    /// How many faults there are in total.
    pub n_faults: u64,
    /// What follows the last whole record of a file that somebody may still be writing.
    pub unfinished: Option<Unfinished>,
}

/// Bytes that are lost for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DamagedRange {
    /// The first lost byte.
    pub offset: u64,
    /// What is wrong there.
    pub what: Wrong,
    /// How many bytes are lost.
    pub lost_bytes: u64,
    /// Where the next record begins; `None` if there is none up to the file's end.
    pub resumed: Option<u64>,
}

/// What is wrong at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// No record begins here.
    Header(Broken),
    /// The CRC of a record's payload is wrong.
    PayloadCrc,
    /// The record is undamaged, but holds no event, for this reason.
    NotAnEvent(&'static str),
}

/// The end of a file that may still grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The first byte after the last whole record.
    pub offset: u64,
    /// How many bytes there are.
    pub bytes: u64,
    /// Whether they are zeros that a network file system has not filled yet.
    pub is_hole: bool,
}

/// What is known about a file before it is checked, and what counts as damage.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Its length in bytes.
    pub len: u64,
    /// Whether nobody has written to it for so long that holes in it count as damage.
    pub is_settled: bool,
    /// The longest payload, in bytes; longer ones count as damage.
    pub max_payload: u64,
}

/// Checks every record of a file. `why_no_event` says why a whole record is no event; `None` if it is one.
///
/// # Errors
/// Errors of the source, and those of `why_no_event`.
pub fn check<P: Peek>(
    file: &mut P,
    extent: Extent,
    mut why_no_event: impl FnMut(&mut P, Place) -> io::Result<Option<&'static str>>,
) -> io::Result<FileCheck> {
    let Extent { len: file_len, is_settled, max_payload } = extent;
    let mut scanner = Scanner::new(max_payload);
    let mut checked = FileCheck::default();
    loop {
        match scanner.next(file, file_len, is_settled)? {
            ScanResult::Record(place) => match check_payload(file, place, |_, _| ())? {
                payload @ (Payload::Right | Payload::Unchecked) => {
                    if let Some(reason) = why_no_event(file, place)? {
                        checked.add_record(Wrong::NotAnEvent(reason), place, file_len);
                        continue;
                    }
                    checked.records += 1;
                    checked.unchecked += u64::from(payload == Payload::Unchecked);
                    checked.whole_bytes += place.end() - place.offset;
                }
                Payload::Wrong => checked.add_record(Wrong::PayloadCrc, place, file_len),
                // The file was cut while it was read.
                Payload::Cut => return Ok(checked.ends(place.offset, file_len, false)),
            },
            ScanResult::Gap { offset, resumed, why } => {
                let lost_bytes = resumed.unwrap_or(file_len).saturating_sub(offset);
                checked.add(DamagedRange { offset, what: Wrong::Header(why), lost_bytes, resumed });
                if resumed.is_none() {
                    return Ok(checked);
                }
            }
            ScanResult::Searching => {}
            ScanResult::Hole { offset } => return Ok(checked.ends(offset, file_len, true)),
            ScanResult::End => return Ok(checked.ends(scanner.offset(), file_len, false)),
        }
    }
}

impl FileCheck {
    fn add(&mut self, fault: DamagedRange) {
        self.n_faults += 1;
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        }
    }

    /// Adds a record whose length is right but whose payload is not usable.
    fn add_record(&mut self, what: Wrong, place: Place, file_len: u64) {
        let lost_bytes = place.end() - place.offset;
        let resumed = (place.end() < file_len).then_some(place.end());
        self.add(DamagedRange { offset: place.offset, what, lost_bytes, resumed });
    }

    fn ends(mut self, offset: u64, file_len: u64, is_hole: bool) -> Self {
        let bytes = file_len.saturating_sub(offset);
        self.unfinished = (bytes > 0).then_some(Unfinished { offset, bytes, is_hole });
        self
    }
}

/// What the CRC after a payload says about the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// The payload is undamaged.
    Right,
    /// The writer of this file computes no CRCs, and wrote zeros in their place.
    Unchecked,
    /// The payload is damaged.
    Wrong,
    /// The file ends before the record does.
    Cut,
}

/// Compares a record's payload with its CRC, piece by piece; `each` receives the pieces and their positions in the file.
///
/// # Errors
/// Errors of the source.
pub fn check_payload(
    file: &mut impl Peek,
    place: Place,
    mut each: impl FnMut(u64, &[u8]),
) -> io::Result<Payload> {
    let (mut at, end) = (place.payload(), place.payload() + place.len);
    let mut digest = Digest::default();
    while at < end {
        let piece = file.peek(at, (end - at).min(PIECE_BYTES) as usize)?;
        if piece.is_empty() {
            return Ok(Payload::Cut);
        }
        digest.add(piece);
        each(at, piece);
        at += piece.len() as u64;
    }
    let footer = <[u8; FOOTER_BYTES]>::try_from(file.peek(end, FOOTER_BYTES)?);
    Ok(match footer {
        Ok(footer) if digest.masked() == u32::from_le_bytes(footer) => Payload::Right,
        Ok([0, 0, 0, 0]) if has_no_crcs(file)? => Payload::Unchecked,
        Ok(_) => Payload::Wrong,
        Err(_) => Payload::Cut,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::write::append_record;

    const CAP: u64 = 1 << 20;

    fn file_of(payloads: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for payload in payloads {
            append_record(&mut bytes, payload);
        }
        bytes
    }

    fn checked(bytes: &[u8], settled: bool) -> FileCheck {
        check_with(bytes, settled, |_| None)
    }

    fn check_with(
        bytes: &[u8],
        is_settled: bool,
        why_no_event: impl Fn(&[u8]) -> Option<&'static str>,
    ) -> FileCheck {
        let extent = Extent { len: bytes.len() as u64, is_settled, max_payload: CAP };
        let payload = |place: Place| &bytes[place.payload() as usize..][..place.len as usize];
        check(&mut &*bytes, extent, |_, place| Ok(why_no_event(payload(place)))).unwrap()
    }

    #[test]
    fn a_whole_record_that_is_no_event_is_a_fault_of_its_own() {
        let bytes = file_of(&[b"one", b"no event", b"three"]);
        let found = check_with(&bytes, true, |payload| (payload == b"no event").then_some("a reason"));
        let what = Wrong::NotAnEvent("a reason");
        assert_eq!(found.faults, [DamagedRange { offset: 19, what, lost_bytes: 24, resumed: Some(43) }]);
        assert_eq!((found.records, found.whole_bytes, found.unfinished), (2, 40, None));
    }

    #[test]
    fn whole_files_have_no_faults() {
        let large = vec![7; 300_000];
        let bytes = file_of(&[b"", b"one", &large]);
        let expected = FileCheck { records: 3, whole_bytes: bytes.len() as u64, ..FileCheck::default() };
        assert_eq!(checked(&bytes, true), expected);
        assert_eq!(checked(b"", true), FileCheck::default());
    }

    /// The file of a writer that computes no CRCs of payloads; if `of_lengths`, none of lengths either.
    fn without_crcs(payloads: &[&[u8]], of_lengths: bool) -> Vec<u8> {
        let mut bytes = file_of(payloads);
        let mut at = 0;
        for payload in payloads {
            let end = at + 12 + payload.len() + 4;
            bytes[end - 4..end].fill(0);
            if of_lengths {
                bytes[at + 8..at + 12].fill(0);
            }
            at = end;
        }
        bytes
    }

    #[test]
    fn a_writer_without_crcs_is_known_by_its_first_record() {
        let first = b"\x09\0\0\0\0\0\0\xf0\x3f\x1a\x0dbrain.Event:2";
        let large = vec![7; 300_000];
        for of_lengths in [false, true] {
            let bytes = without_crcs(&[first, b"two", &large], of_lengths);
            let found = checked(&bytes, true);
            assert_eq!((found.records, found.unchecked, found.n_faults), (3, 3, 0));
            let mut damaged = bytes.clone();
            let end = damaged.len();
            damaged[end - 4..].fill(1);
            assert_eq!(checked(&damaged, true).n_faults, 1, "a CRC that is there is compared");
        }
        // Zeros in the place of data that a disk has lost are damage, in the first record as well.
        let mut bytes = file_of(&[first, b"two"]);
        bytes[12 + first.len()..][..4].fill(0);
        assert_eq!(checked(&bytes, true).n_faults, 1);
        let mut bytes = file_of(&[first, b"two"]);
        let end = bytes.len();
        bytes[end - 4..].fill(0);
        assert_eq!(checked(&bytes, true).n_faults, 1);
        let no_event = without_crcs(&[b"one", b"two"], false);
        assert_eq!(checked(&no_event, true).n_faults, 2);
    }

    #[test]
    fn a_wrong_payload_costs_its_record_alone() {
        let mut bytes = file_of(&[b"one", b"two", b"three"]);
        bytes[19 + 12] ^= 1;
        let fault = DamagedRange { offset: 19, what: Wrong::PayloadCrc, lost_bytes: 19, resumed: Some(38) };
        let found = checked(&bytes, true);
        assert_eq!((found.records, found.faults, found.unfinished), (2, vec![fault], None));
    }

    #[test]
    fn a_cut_end_is_unfinished_and_a_wrong_length_is_a_fault() {
        let mut bytes = file_of(&[b"one", b"two"]);
        let cut = checked(&bytes[..30], true);
        assert_eq!(cut.unfinished, Some(Unfinished { offset: 19, bytes: 11, is_hole: false }));
        assert_eq!((cut.records, cut.n_faults), (1, 0));
        bytes[19] ^= 1;
        let broken = checked(&bytes, true);
        let what = Wrong::Header(Broken::LengthCrc);
        assert_eq!(broken.faults, [DamagedRange { offset: 19, what, lost_bytes: 19, resumed: None }]);
    }

    #[test]
    fn zeros_are_waited_for_until_the_file_has_settled() {
        let mut bytes = file_of(&[b"one"]);
        bytes.extend([0; 100]);
        let open = checked(&bytes, false);
        assert_eq!(open.unfinished, Some(Unfinished { offset: 19, bytes: 100, is_hole: true }));
        assert_eq!(checked(&bytes, true).n_faults, 1);
    }

    #[test]
    fn the_list_of_faults_is_bounded_and_their_count_is_not() {
        let mut one = file_of(&[b"x"]);
        one[12] ^= 1;
        let checked = checked(&one.repeat(MOST_FAULTS + 5), true);
        assert_eq!((checked.faults.len(), checked.n_faults), (MOST_FAULTS, MOST_FAULTS as u64 + 5));
    }

    proptest! {
        #[test]
        fn records_faults_and_the_end_cover_the_file(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
            flips in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 0..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let payloads: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
            let mut bytes = file_of(&payloads);
            bytes.truncate(cut.index(bytes.len() + 1));
            let len = bytes.len();
            for (at, bit) in flips.iter().filter(|_| len > 0) {
                let at = at.index(len);
                bytes[at] ^= 1 << bit;
            }
            let checked = checked(&bytes, true);
            let lost: u64 = checked.faults.iter().map(|fault| fault.lost_bytes).sum();
            let open = checked.unfinished.map_or(0, |end| end.bytes);
            prop_assert_eq!(checked.whole_bytes + lost + open, bytes.len() as u64);
            if flips.is_empty() {
                prop_assert_eq!(checked.n_faults, 0);
            }
        }
    }
}
