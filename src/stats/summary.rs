//! A tensor -> the numbers of the whole tensor and of each filter or channel, and the numbers that only filters have.

use super::{
    filters::{FilterNumbers, filter_numbers},
    groups::{GroupKind, Groups},
    numbers::{Statistics, numbers},
};
use crate::tensor::values::Values;

/// A tensor's numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Numbers of all elements.
    pub whole: Statistics,
    /// What an entry of `each` is for; `None` if the layout is not known.
    pub unit: Option<GroupKind>,
    /// Numbers of each filter or channel.
    pub each: Vec<Statistics>,
    /// The numbers that only filters have, one per filter.
    pub filters: Option<FilterNumbers>,
}

/// The numbers of a tensor, and of its filters or channels if they are known.
#[must_use]
pub fn summary(values: &Values, groups: Option<&Groups>) -> Summary {
    let elements = match values {
        Values::F32(x) => x.len(),
        Values::F64(x) => x.len(),
    };
    let whole = numbers(values, &Groups::whole(elements))[0];
    let each = groups.map_or_else(Vec::new, |groups| numbers(values, groups));
    let of_filters = groups.filter(|groups| groups.unit == Some(GroupKind::Filter));
    let filters = of_filters.map(|groups| filter_numbers(values, groups, &whole, &each));
    Summary { whole, unit: groups.and_then(|groups| groups.unit), each, filters }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{model::layout::Layout, tensor::shape::Shape};

    fn kind() -> impl Strategy<Value = f32> {
        prop_oneof![6 => -9.0_f32..9.0, 1 => Just(0.0), 1 => Just(f32::NAN), 1 => Just(f32::NEG_INFINITY)]
    }

    proptest! {
        /// Also if axes are empty and nothing is finite.
        #[test]
        fn groups_add_up_to_the_whole(
            layout in prop::sample::select(Layout::ALL.to_vec()),
            lengths in prop::collection::vec(0_i64..4, 5),
            numbers in prop::collection::vec(kind(), 1024),
        ) {
            let shape = Shape::new(&lengths[..layout.rank()]).unwrap();
            let values = Values::F32(numbers[..shape.elements()].to_vec());
            let found = summary(&values, Some(&Groups::of(layout, &shape).unwrap()));
            let count = |of: fn(&Statistics) -> u64| found.each.iter().map(of).sum::<u64>();
            prop_assert_eq!(count(|numbers| numbers.elements), found.whole.elements);
            prop_assert_eq!(count(|numbers| numbers.nan), found.whole.nan);
            prop_assert_eq!(count(|numbers| numbers.inf), found.whole.inf);
            let finite = || found.each.iter().filter_map(|numbers| numbers.finite);
            let whole = found.whole.finite;
            prop_assert_eq!(finite().map(|finite| finite.max).reduce(f64::max), whole.map(|whole| whole.max));
            let squares: f64 = finite().map(|finite| finite.l2.powi(2)).sum();
            let expected = whole.map_or(0.0, |whole| whole.l2.powi(2));
            prop_assert!((squares - expected).abs() <= 1e-12 * expected);
            prop_assert!(finite().all(|finite| finite.mean.abs() <= finite.l2 && finite.sd <= finite.l2));
        }
    }
}
