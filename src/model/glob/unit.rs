//! The units of a glob, each of which matches one letter, and the search for the first place where a row of units matches.

/// The most bytes of a glob, and so the most letters in a row.
pub(super) const LONGEST_GLOB: usize = 1_000;

/// What matches one letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LetterPattern {
    Letter(char),
    Any,
    Class(Class),
}

/// One letter of a set, or one letter outside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Class {
    is_negated: bool,
    /// The first and the last letter of each range, in order and not overlapping.
    ranges: Box<[(char, char)]>,
}

impl Class {
    /// Accepts ranges in any order, which may overlap.
    pub(super) fn new(is_negated: bool, mut ranges: Vec<(char, char)>) -> Self {
        ranges.sort_unstable();
        ranges.dedup_by(|next, kept| {
            let is_joined = u32::from(next.0) <= u32::from(kept.1) + 1;
            if is_joined {
                kept.1 = kept.1.max(next.1);
            }
            is_joined
        });
        Self { is_negated, ranges: ranges.into() }
    }

    fn takes(&self, letter: char) -> bool {
        let before = self.ranges.partition_point(|(_, last)| *last < letter);
        self.ranges.get(before).is_some_and(|(first, _)| *first <= letter) != self.is_negated
    }
}

impl LetterPattern {
    pub(super) fn takes(&self, letter: char) -> bool {
        match self {
            Self::Letter(own) => *own == letter,
            Self::Any => true,
            Self::Class(class) => class.takes(letter),
        }
    }

    /// The memory that it needs, as a number of letters.
    pub(super) fn n_pieces(&self) -> usize {
        match self {
            Self::Letter(_) | Self::Any => 1,
            Self::Class(class) => class.ranges.len().max(1),
        }
    }

    /// The letters at which its answer changes: from each of them on it matches what it did not match before, or the reverse.
    fn bounds(&self) -> Vec<u32> {
        let of = |(first, last): (char, char)| [u32::from(first), u32::from(last) + 1];
        match self {
            Self::Letter(letter) => of((*letter, *letter)).into(),
            Self::Any => Vec::new(),
            Self::Class(class) => class.ranges.iter().copied().flat_map(of).collect(),
        }
    }
}

/// A row of units that is searched for in names: letter by letter, all places at once, one bit per unit ("shift-and"). A letter
/// costs one look-up and one step per 64 units, whatever the letters before it were.
#[derive(Clone, Debug)]
pub(super) struct Search {
    n_units: usize,
    /// The letters at which the set of units that match changes.
    bounds: Box<[u32]>,
    /// For the letters before the first bound, and from each bound on, the units that match them, in words of 64 bits.
    masks: Box<[u64]>,
}

const WORD: usize = u64::BITS as usize;
/// For this few bounds, checking one after the other is faster than a binary search.
const FEW_BOUNDS: usize = 8;
/// A unit takes at least one byte of its glob.
const MOST_WORDS: usize = LONGEST_GLOB.div_ceil(WORD);

impl Search {
    /// Needs at least one unit.
    pub(super) fn new(units: &[LetterPattern]) -> Self {
        let mut bounds: Vec<u32> = units.iter().flat_map(LetterPattern::bounds).collect();
        bounds.sort_unstable();
        bounds.dedup();
        let n_words = units.len().div_ceil(WORD);
        let mut masks = vec![0; (bounds.len() + 1) * n_words];
        let firsts = std::iter::once(0).chain(bounds.iter().copied());
        for (first, mask) in firsts.zip(masks.chunks_exact_mut(n_words)) {
            // Between the bounds of two ranges there may be numbers that are not letters; no name contains them.
            let Some(letter) = (first..=u32::from(char::MAX)).find_map(char::from_u32) else { continue };
            for (idx, _) in units.iter().enumerate().filter(|(_, unit)| unit.takes(letter)) {
                mask[idx / WORD] |= 1 << (idx % WORD);
            }
        }
        Self { n_units: units.len(), bounds: bounds.into(), masks: masks.into() }
    }

    /// The number of steps per letter.
    pub(super) fn n_words(&self) -> usize {
        self.n_units.div_ceil(WORD)
    }

    /// The text after the first match in `text`.
    pub(super) fn after_first<'t>(&self, text: &'t str) -> Option<&'t str> {
        let n_words = self.n_words();
        if n_words == 1 {
            return self.after_first_in_a_word(text);
        }
        let (last_word, last_bit) = ((self.n_units - 1) / WORD, (self.n_units - 1) % WORD);
        // The bit of a unit says that the letters up to here match the units up to and including this one.
        let mut places = [0_u64; MOST_WORDS];
        let places = &mut places[..n_words];
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            let mask = &self.masks[self.row(letter) * n_words..][..n_words];
            let mut carry = 1;
            for (place, mask) in places.iter_mut().zip(mask) {
                (*place, carry) = ((*place << 1 | carry) & mask, *place >> (WORD - 1));
            }
            if places[last_word] >> last_bit & 1 == 1 {
                return Some(letters.as_str());
            }
        }
        None
    }

    /// The same for up to 64 units, which is nearly always enough: three times as fast.
    fn after_first_in_a_word<'t>(&self, text: &'t str) -> Option<&'t str> {
        let (last, mut places) = (1 << (self.n_units - 1), 0_u64);
        let end = text.char_indices().find_map(|(at, letter)| {
            places = (places << 1 | 1) & self.masks[self.row(letter)];
            (places & last != 0).then(|| at + letter.len_utf8())
        })?;
        Some(&text[end..])
    }

    /// The index of the set of units that match a letter.
    fn row(&self, letter: char) -> usize {
        let is_before = |bound: &u32| *bound <= u32::from(letter);
        if self.bounds.len() <= FEW_BOUNDS {
            return self.bounds.iter().map(|bound| usize::from(is_before(bound))).sum();
        }
        self.bounds.partition_point(is_before)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unit() -> impl Strategy<Value = LetterPattern> {
        let letter = || prop::sample::select(vec!['a', 'b', 'c', '\u{d7ff}', '\u{e000}', '\u{10ffff}', '\0']);
        let range = (letter(), letter()).prop_map(|(a, b)| (a.min(b), a.max(b)));
        let class = (any::<bool>(), prop::collection::vec(range, 1..4));
        prop_oneof![
            4 => letter().prop_map(LetterPattern::Letter),
            2 => Just(LetterPattern::Any),
            2 => class.prop_map(|(is_negated, ranges)| LetterPattern::Class(Class::new(is_negated, ranges))),
        ]
    }

    proptest! {
        #[test]
        fn the_first_place_is_that_of_a_look_at_each(units in prop::collection::vec(unit(), 1..6), text in "[abc\u{d7ff}\u{e000}\u{10ffff}\0]{0,12}") {
            let letters: Vec<char> = text.chars().collect();
            let is_place = |window: &[char]| units.iter().zip(window).all(|(unit, letter)| unit.takes(*letter));
            let place = letters.windows(units.len()).position(is_place);
            let rest = place.map(|place| letters[place + units.len()..].iter().collect::<String>());
            prop_assert_eq!(Search::new(&units).after_first(&text), rest.as_deref());
        }

        #[test]
        fn rows_of_more_than_a_word_are_found(before in 0_usize..100, n_any in 60_usize..200) {
            let mut units = vec![LetterPattern::Any; n_any];
            units.push(LetterPattern::Letter('b'));
            let text = format!("{}b{}b", "a".repeat(before), "a".repeat(n_any));
            let after = if before >= n_any { &text[before + 1..] } else { "" };
            prop_assert_eq!(Search::new(&units).after_first(&text), Some(after));
        }

        #[test]
        fn a_class_is_of_the_letters_of_its_ranges(ranges in prop::collection::vec(("[a-j]", "[a-j]"), 1..8), letter in "[a-j]") {
            let first = |text: &String| text.chars().next().unwrap();
            let ranges: Vec<_> = ranges.iter().map(|(a, b)| (first(a).min(first(b)), first(a).max(first(b)))).collect();
            let letter = first(&letter);
            let expected = ranges.iter().any(|(from, to)| (*from..=*to).contains(&letter));
            let class = Class::new(false, ranges);
            prop_assert_eq!(class.takes(letter), expected);
            prop_assert!(class.ranges.windows(2).all(|pair| u32::from(pair[0].1) + 1 < u32::from(pair[1].0)));
        }
    }
}
