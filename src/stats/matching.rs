//! Two kernels -> which filter of the second corresponds to which filter of the first.

use super::{
    assignment::assignment,
    groups::Groups,
    pairs::{TooMany, within},
    rows::{Measure, Rows},
};
use crate::tensor::values::Values;

/// How filters of two kernels are paired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Match {
    /// By their numbers.
    #[default]
    Index,
    /// So that the sum of the pairs' cosines is greatest.
    Cosine,
}

impl Match {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Index, Self::Cosine];

    /// The name by which users choose it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Cosine => "cosine",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.name() == name)
    }
}

/// The most filters that are paired.
pub const MOST_MATCHED: usize = 2048;
/// The most multiplications for comparing all with all: some seconds on one core.
pub const MOST_PRODUCTS: u64 = 1 << 33;

/// For each filter of `a`, the number of the filter of `b` that is its partner, so that the sum of cosines is greatest. For a
/// filter without direction (all zero, or nothing finite) all cosines count as 0.
///
/// # Errors
/// If comparing would take too long or too much memory.
pub fn match_filters(a: &Values, b: &Values, groups: &Groups) -> Result<Vec<usize>, TooMany> {
    let n = groups.n();
    within(groups, MOST_MATCHED, (n as u64).saturating_mul(n as u64), MOST_PRODUCTS)?;
    let (a, b) = (Rows::new(a, groups, Measure::Cosine), Rows::new(b, groups, Measure::Cosine));
    let mut costs = vec![0.0; n * n];
    // A few rows of a stay in the cache while all rows of b are read.
    for block in (0..n).step_by(ROWS_AT_ONCE) {
        for second in 0..n {
            for first in block..(block + ROWS_AT_ONCE).min(n) {
                costs[first * n + second] = -a.likeness(first, &b, second).unwrap_or(0.0);
            }
        }
    }
    Ok(assignment(&costs, n))
}

const ROWS_AT_ONCE: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{model::layout::Layout, tensor::shape::Shape};

    proptest! {
        #[test]
        fn a_shuffled_copy_gives_the_shuffle_back(
            order in Just((0..9_usize).collect::<Vec<_>>()).prop_shuffle(),
            numbers in prop::collection::vec(-1.0_f32..1.0, 9 * 18),
            layout in prop::sample::select(vec![Layout::Hwio, Layout::Oihw, Layout::Ohwi, Layout::Iohw]),
        ) {
            let lengths = layout.name().chars().map(|letter| match letter { 'O' => 9, 'I' => 2, _ => 3 });
            let shape = Shape::new(&lengths.collect::<Vec<_>>()).unwrap();
            let groups = Groups::of(layout, &shape).unwrap();
            let mut copy = vec![0.0; numbers.len()];
            for (filter, from) in order.iter().enumerate() {
                for offset in groups.offsets() {
                    copy[groups.bases()[filter] + offset] = numbers[groups.bases()[*from] + offset];
                }
            }
            // Filter j of the copy is filter order[j] of the original.
            let found = match_filters(&Values::F32(copy), &Values::F32(numbers), &groups).unwrap();
            prop_assert_eq!(found, order);
        }
    }

    #[test]
    fn filters_without_elements_are_paired_all_the_same() {
        let groups = Groups::of(Layout::Hwio, &Shape::new(&[0, 5, 3, 4]).unwrap()).unwrap();
        let none = Values::F32(Vec::new());
        let mut found = match_filters(&none, &none, &groups).unwrap();
        found.sort_unstable();
        assert_eq!(found, [0, 1, 2, 3]);
    }

    #[test]
    fn too_many_filters_are_refused_before_it_begins() {
        let groups = Groups::of(Layout::Oi, &Shape::new(&[3000, 2]).unwrap()).unwrap();
        let none = Values::F32(Vec::new());
        let refused = match_filters(&none, &none, &groups).unwrap_err();
        assert_eq!(refused, TooMany::Groups { n: 3000, most: 2048 });
    }
}
