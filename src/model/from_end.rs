//! Names sorted by their letters from the last to the first, so that names with the same end are next to each other.

use std::{cmp::Ordering, sync::Arc};

/// Text that is ordered by its letters from the last to the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FromEnd(pub(super) Arc<str>);

impl Ord for FromEnd {
    fn cmp(&self, other: &Self) -> Ordering {
        from_end(self.0.as_bytes(), other.0.as_bytes())
    }
}

/// Compares from the last byte to the first, eight at once: within these eight, the last is the most significant.
pub(super) fn from_end(mut a: &[u8], mut b: &[u8]) -> Ordering {
    #[cfg(test)]
    super::visits::count();
    while let (Some((a_before, a_end)), Some((b_before, b_end))) =
        (a.split_last_chunk(), b.split_last_chunk())
    {
        match u64::from_le_bytes(*a_end).cmp(&u64::from_le_bytes(*b_end)) {
            Ordering::Equal => (a, b) = (a_before, b_before),
            order => return order,
        }
    }
    a.iter().rev().cmp(b.iter().rev())
}

impl PartialOrd for FromEnd {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_order_is_that_of_the_letters_from_the_last_to_the_first(a in "[ab\u{e4}/]{0,20}", b in "[ab\u{e4}/]{0,20}") {
            let turned = |text: &str| text.bytes().rev().collect::<Vec<u8>>();
            prop_assert_eq!(FromEnd(a.as_str().into()).cmp(&FromEnd(b.as_str().into())), turned(&a).cmp(&turned(&b)));
        }
    }
}
