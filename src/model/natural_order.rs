//! Names in the order in which people number things: `features.2` before `features.10`.

use std::{cmp::Ordering, sync::Arc};

/// Text whose sequences of digits are compared as numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NaturalOrder(pub(super) Arc<str>);

impl Ord for NaturalOrder {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl PartialOrd for NaturalOrder {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Numbers with the same value are distinguished by their digits, so that different texts are never equal.
fn compare(a: &[u8], b: &[u8]) -> Ordering {
    #[cfg(test)]
    super::visits::count();
    // A number may have begun in the common beginning.
    let common = common(a, b);
    let number = a[..common].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (mut at_a, mut at_b) = (common - number, common - number);
    while at_a < a.len() && at_b < b.len() {
        let (number_a, number_b) = (digits(&a[at_a..]), digits(&b[at_b..]));
        if number_a.is_empty() || number_b.is_empty() {
            match a[at_a].cmp(&b[at_b]) {
                Ordering::Equal => (at_a, at_b) = (at_a + 1, at_b + 1),
                order => return order,
            }
            continue;
        }
        let value = |number: &[u8]| number.iter().position(|digit| *digit != b'0').unwrap_or(number.len());
        let (value_a, value_b) = (&number_a[value(number_a)..], &number_b[value(number_b)..]);
        match value_a.len().cmp(&value_b.len()).then_with(|| value_a.cmp(value_b)) {
            Ordering::Equal => (at_a, at_b) = (at_a + number_a.len(), at_b + number_b.len()),
            order => return order,
        }
    }
    (a.len() - at_a).cmp(&(b.len() - at_b)).then_with(|| a.cmp(b))
}

/// The number of equal bytes at the beginning, compared eight at once.
fn common(a: &[u8], b: &[u8]) -> usize {
    let same = |(a, b): &(&[u8; 8], &[u8; 8])| a == b;
    let (a_chunks, b_chunks) = (a.as_chunks().0, b.as_chunks().0);
    let whole = 8 * a_chunks.iter().zip(b_chunks).take_while(same).count();
    whole + a[whole..].iter().zip(&b[whole..]).take_while(|(a, b)| a == b).count()
}

/// The digits that a text begins with.
fn digits(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_in_their_order() {
        let mut names = ["a/10", "a/9/b", "a/2", "a", "b/1", "a/02", "a/9", "a2/1", "a10/1"];
        names.sort_by_key(|name| NaturalOrder((*name).into()));
        assert_eq!(names, ["a", "a/02", "a/2", "a/9", "a/9/b", "a/10", "a2/1", "a10/1", "b/1"]);
    }

    proptest! {
        #[test]
        fn it_is_an_order(a in "[a0-2/]{0,8}", b in "[a0-2/]{0,8}", c in "[a0-2/]{0,8}") {
            let of = |text: &str| NaturalOrder(text.into());
            prop_assert_eq!(of(&a).cmp(&of(&b)), of(&b).cmp(&of(&a)).reverse());
            prop_assert_eq!(of(&a) == of(&b), of(&a).cmp(&of(&b)) == Ordering::Equal);
            if of(&a) <= of(&b) && of(&b) <= of(&c) {
                prop_assert!(of(&a) <= of(&c));
            }
        }
    }
}
