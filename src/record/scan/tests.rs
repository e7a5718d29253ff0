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

fn check(bytes: &[u8], expected: &[ScanResult]) {
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
    assert_eq!(next(30), ScanResult::Record(first));
    for len in 19..38 {
        assert_eq!(next(len), ScanResult::End);
    }
    assert_eq!(next(38), ScanResult::Record(Place { offset: 19, len: 3 }));
    assert_eq!(next(38), ScanResult::End);
}

#[test]
fn a_hole_is_waited_for_and_then_read() {
    let bytes = file_of(&[b"one", b"two"]);
    let mut holey = bytes.clone();
    holey[19..].fill(0);
    let mut scanner = Scanner::new(CAP);
    let mut next = |bytes: &[u8], settled| scanner.next(&mut &*bytes, bytes.len() as u64, settled).unwrap();
    next(&holey, false);
    assert_eq!(next(&holey, false), ScanResult::Hole { offset: 19 });
    assert_eq!(next(&bytes, false), ScanResult::Record(Place { offset: 19, len: 3 }));
}

#[test]
fn a_hole_in_a_settled_file_is_jumped() {
    let mut bytes = file_of(&[b"one", b"two", b"three"]);
    bytes[19..38].fill(0);
    let mut scanner = Scanner::new(CAP);
    let mut next = || scanner.next(&mut &*bytes, bytes.len() as u64, true).unwrap();
    next();
    assert_eq!(next(), ScanResult::Gap { offset: 19, resumed: Some(38), why: Broken::Hole });
    assert_eq!(next(), ScanResult::Record(Place { offset: 38, len: 5 }));
}

#[test]
fn damage_is_jumped_and_counted() {
    let mut bytes = file_of(&[b"one", b"two", b"three"]);
    bytes[19] ^= 1;
    check(
        &bytes,
        &[
            ScanResult::Record(Place { offset: 0, len: 3 }),
            ScanResult::Gap { offset: 19, resumed: Some(38), why: Broken::LengthCrc },
            ScanResult::Record(Place { offset: 38, len: 5 }),
            ScanResult::End,
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
                ScanResult::Gap { offset: 0, resumed: Some(12), why: Broken::TooLong(length) },
                ScanResult::Record(Place { offset: 12, len: 5 }),
            ],
        );
    }
}

#[test]
fn a_lost_file_goes_on_when_a_header_arrives() {
    let mut bytes = vec![9; 100_000];
    let mut scanner = Scanner::new(CAP);
    let mut next = |bytes: &[u8]| scanner.next(&mut &*bytes, bytes.len() as u64, false).unwrap();
    assert_eq!(next(&bytes), ScanResult::Gap { offset: 0, resumed: None, why: Broken::LengthCrc });
    let whole = file_of(&[b"late"]);
    bytes.extend(&whole[..7]);
    assert_eq!(next(&bytes), ScanResult::Gap { offset: 0, resumed: None, why: Broken::LengthCrc });
    bytes.extend(&whole[7..]);
    assert_eq!(next(&bytes), ScanResult::Gap { offset: 0, resumed: Some(100_000), why: Broken::LengthCrc });
    assert_eq!(next(&bytes), ScanResult::Record(Place { offset: 100_000, len: 4 }));
}

/// An event of one value, with its fields in the order in which protobuf libraries write them.
fn event(step: u8, len: u8) -> Vec<u8> {
    let mut bytes = vec![9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x10, step, 0x2a, len];
    bytes.extend(vec![step; usize::from(len)]);
    bytes
}

/// The file of a writer that computes no CRCs, with the places of its records.
fn without_crcs(payloads: &[Vec<u8>]) -> (Vec<u8>, Vec<Place>) {
    let (mut bytes, mut places) = (Vec::new(), Vec::new());
    for payload in payloads {
        places.push(Place { offset: bytes.len() as u64, len: payload.len() as u64 });
        bytes.extend((payload.len() as u64).to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(payload);
        bytes.extend([0; 4]);
    }
    (bytes, places)
}

fn all_found(bytes: &[u8], settled: bool) -> Vec<ScanResult> {
    let (mut scanner, mut all) = (Scanner::new(CAP), Vec::new());
    loop {
        match scanner.next(&mut &*bytes, bytes.len() as u64, settled).unwrap() {
            ScanResult::Searching => {}
            last @ (ScanResult::End | ScanResult::Hole { .. } | ScanResult::Gap { resumed: None, .. }) => {
                all.push(last);
                return all;
            }
            found => all.push(found),
        }
    }
}

#[test]
fn a_wrong_length_without_a_crc_costs_its_record_alone() {
    let events: Vec<Vec<u8>> = (1..=9).map(|step| event(step, 100)).collect();
    let (bytes, places) = without_crcs(&events);
    for damaged in 1..8 {
        let at = places[damaged].offset as usize;
        for wrong in [0_u64, 1, 50, 112, 114, 128, 200, 258, 600, CAP - 1, CAP + 1, u64::MAX] {
            let mut bytes = bytes.clone();
            bytes[at..at + 8].copy_from_slice(&wrong.to_le_bytes());
            let records: Vec<Place> = all_found(&bytes, true)
                .iter()
                .filter_map(|found| if let ScanResult::Record(place) = found { Some(*place) } else { None })
                .collect();
            let expected = [&places[..damaged], &places[damaged + 1..]].concat();
            assert_eq!(records, expected, "record {damaged} of length {wrong}");
        }
    }
    // Nobody knows yet whether a record that goes beyond the end is still being written.
    let at = places[3].offset as usize;
    let mut growing = bytes.clone();
    growing[at..at + 8].copy_from_slice(&(CAP - 1).to_le_bytes());
    assert_eq!(all_found(&growing, false).len(), 4);
    let cut = &bytes[..bytes.len() - 30];
    assert_eq!(all_found(cut, true), all_found(cut, false), "a cut end is no damage");
    // A damaged header does not affect the records before it.
    let mut garbled = bytes.clone();
    garbled[at..at + 12].fill(0xee);
    let gap = ScanResult::Gap { offset: at as u64, resumed: Some(places[4].offset), why: Broken::LengthCrc };
    assert_eq!(all_found(&garbled, true)[3], gap);
    assert_eq!(all_found(&garbled, true).len(), 10);
}

#[test]
fn a_file_without_crcs_is_read_as_it_grows_byte_by_byte() {
    let events: Vec<Vec<u8>> = (1..=4).map(|step| event(step, 100)).collect();
    let (bytes, places) = without_crcs(&events);
    let (mut scanner, mut records) = (Scanner::new(CAP), Vec::new());
    for len in 0..=bytes.len() {
        loop {
            match scanner.next(&mut &bytes[..len], len as u64, false).unwrap() {
                ScanResult::Record(place) => records.push(place),
                ScanResult::End | ScanResult::Hole { .. } => break,
                other => panic!("{other:?} at {len} bytes"),
            }
        }
    }
    assert_eq!(records, places);
}

#[test]
fn what_looks_like_headers_everywhere_takes_a_bounded_number_of_looks() {
    let (mut bytes, _) = without_crcs(&[event(1, 10), event(2, 10)]);
    let damaged = bytes.len();
    bytes.extend([0xee; 16]);
    // A header, and an event that is only a time; no record ends there.
    let trap = [&[9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 1, 1, 1, 1, 1, 1, 1, 1][..], &[7; 4]].concat();
    bytes.extend(trap.repeat(3 * MOST_LOOKS as usize / 2));
    let mut scanner = Scanner::new(CAP);
    let (mut n_turns, mut found) = (0, ScanResult::Searching);
    while !matches!(found, ScanResult::Gap { .. }) {
        found = scanner.next(&mut &*bytes, bytes.len() as u64, true).unwrap();
        n_turns += 1;
    }
    assert_eq!(found, ScanResult::Gap { offset: damaged as u64, resumed: None, why: Broken::LengthCrc });
    assert_eq!(scanner.n_looks, MOST_LOOKS);
    assert!((100..1_000).contains(&n_turns), "{n_turns}");
}

proptest! {
    #[test]
    fn damage_without_crcs_invents_no_record_before_it_and_the_scan_ends(
        lens in prop::collection::vec(0_u8..100, 3..20),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let events: Vec<Vec<u8>> =
            lens.iter().zip(1..).map(|(len, step)| event(step, *len)).collect();
        let (mut bytes, places) = without_crcs(&events);
        let kept = places[2].offset as usize;
        let mut first = bytes.len();
        for (at, byte) in flips {
            let at = kept + at.index(bytes.len() - kept);
            bytes[at] = byte;
            first = first.min(at);
        }
        let found = all_found(&bytes, true);
        let whole = places.iter().filter(|place| place.end() <= first as u64);
        for (place, found) in whole.zip(&found) {
            prop_assert_eq!(*found, ScanResult::Record(*place));
        }
        // The results are consecutive.
        let mut at = 0;
        for found in found {
            match found {
                ScanResult::Record(place) => {
                    prop_assert_eq!(place.offset, at);
                    at = place.end();
                }
                ScanResult::Gap { offset, resumed, .. } => {
                    prop_assert_eq!(offset, at);
                    prop_assert!(resumed.is_none_or(|resumed| resumed > at));
                    at = resumed.unwrap_or(bytes.len() as u64);
                }
                _ => {}
            }
        }
        prop_assert!(at <= bytes.len() as u64);
    }

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
            while let ScanResult::Record(place) = scanner.next(&mut &bytes[..end], end as u64, false).unwrap() {
                places.push(place);
            }
        }
        prop_assert_eq!(places, expected);
    }
}
