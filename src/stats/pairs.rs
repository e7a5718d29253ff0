//! Filters or channels -> the pairs that are alike.

use super::{
    groups::{GroupKind, Groups},
    rows::{Measure, Rows},
};
use crate::tensor::values::Values;

/// Pairs with a likeness above this one are counted.
pub const ALIKE_ABOVE: f64 = 0.95;
/// The most filters or channels that are compared with one another.
pub const MOST_COMPARED: usize = 4096;
/// The most multiplications for a comparison: about two seconds on one core.
pub const MOST_PRODUCTS: u64 = 1 << 31;
/// The most elements that are kept as float64 for a comparison: 256 MiB.
pub const MOST_ELEMENTS: usize = 1 << 25;
/// The most pairs that are listed; all are counted.
pub const MOST_LISTED: usize = 1000;

/// Why filters or channels were not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMany {
    /// More than are compared.
    #[error("{n} are more than the {most} that are compared with one another")]
    Groups {
        /// How many there are.
        n: usize,
        /// How many there may be.
        most: usize,
    },
    /// Each has so many elements that comparing all of them takes too long.
    #[error("comparing {n} of {elements} elements each takes more than {most} multiplications")]
    Products {
        /// How many there are.
        n: usize,
        /// The elements of each.
        elements: usize,
        /// The most multiplications.
        most: u64,
    },
    /// All together have too many elements.
    #[error("{n} of {elements} elements each are more than the {most} elements that are compared")]
    Elements {
        /// How many there are.
        n: usize,
        /// The elements of each.
        elements: usize,
        /// How many elements there may be.
        most: usize,
    },
}

/// Two that are alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The one with the lower number.
    pub first: usize,
    /// The other.
    pub second: usize,
    /// For filters the cosine, above 0.95 or below -0.95; for channels the correlation, above 0.95.
    pub likeness: f64,
}

/// The pairs of a tensor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairs {
    /// How many there are.
    pub count: u64,
    /// The most alike of them, the strongest first, at most [`MOST_LISTED`].
    pub listed: Vec<Pair>,
}

/// How many rows are compared with each row while it is in the cache.
const ROWS_AT_ONCE: usize = 16;

/// Finds duplicate filters or duplicate channels. If some elements are not finite, two are compared over the elements that are
/// finite in both.
///
/// # Errors
/// If comparing would take too long or too much memory.
pub fn alike(values: &Values, groups: &Groups) -> Result<Pairs, TooMany> {
    let n = groups.n();
    let products = (n as u64).saturating_mul(n.saturating_sub(1) as u64) / 2;
    within(groups, MOST_COMPARED, products, MOST_PRODUCTS)?;
    let is_filters = groups.unit == Some(GroupKind::Filter);
    let measure = if is_filters { Measure::Cosine } else { Measure::Correlation };
    let rows = Rows::new(values, groups, measure);
    let mut pairs = Pairs::default();
    for block in (0..rows.n()).step_by(ROWS_AT_ONCE) {
        for second in block + 1..rows.n() {
            for first in block..(block + ROWS_AT_ONCE).min(second) {
                let Some(likeness) = rows.likeness(first, &rows, second) else { continue };
                if likeness > ALIKE_ABOVE || (is_filters && likeness < -ALIKE_ABOVE) {
                    pairs.take(Pair { first, second, likeness });
                }
            }
        }
    }
    pairs.keep_strongest();
    Ok(pairs)
}

/// Checks the bounds before any memory is taken.
pub(super) fn within(groups: &Groups, most: usize, pairs: u64, most_products: u64) -> Result<(), TooMany> {
    let (n, elements) = (groups.n(), groups.elements());
    if n > most {
        return Err(TooMany::Groups { n, most });
    }
    if n.saturating_mul(elements) > MOST_ELEMENTS {
        return Err(TooMany::Elements { n, elements, most: MOST_ELEMENTS });
    }
    if pairs.saturating_mul(elements as u64) > most_products {
        return Err(TooMany::Products { n, elements, most: most_products });
    }
    Ok(())
}

impl Pairs {
    fn take(&mut self, pair: Pair) {
        self.count += 1;
        self.listed.push(pair);
        // Millions of pairs are possible if all are equal.
        if self.listed.len() >= 4 * MOST_LISTED {
            self.keep_strongest();
        }
    }

    fn keep_strongest(&mut self) {
        self.listed.sort_by(|a, b| {
            let by_strength = b.likeness.abs().total_cmp(&a.likeness.abs());
            by_strength.then((a.first, a.second).cmp(&(b.first, b.second)))
        });
        self.listed.truncate(MOST_LISTED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::layout::Layout, tensor::shape::Shape};

    #[test]
    fn all_pairs_are_counted_and_the_strongest_listed() {
        let n = 60_usize;
        let groups = Groups::of(Layout::Oi, &Shape::new(&[60, 3]).unwrap()).unwrap();
        let values = Values::F32([1.0, 2.0, -1.0].repeat(n));
        let pairs = alike(&values, &groups).unwrap();
        assert_eq!((pairs.count, pairs.listed.len()), (60 * 59 / 2, MOST_LISTED));
        assert!(pairs.listed.iter().all(|pair| pair.first < pair.second && pair.likeness <= 1.0));
    }

    #[test]
    fn nothing_is_alike_where_nothing_has_a_direction() {
        let check = |x: &[f32], dims: &[i64]| {
            let groups = Groups::of(Layout::Hwio, &Shape::new(dims).unwrap()).unwrap();
            assert_eq!(alike(&Values::F32(x.to_vec()), &groups), Ok(Pairs::default()), "{dims:?}");
        };
        check(&[0.0; 8], &[2, 2, 1, 2]);
        check(&[f32::NAN; 8], &[2, 2, 1, 2]);
        check(&[], &[0, 2, 1, 2]);
        check(&[], &[2, 2, 1, 0]);
    }

    #[test]
    fn what_takes_too_long_is_refused_before_it_begins() {
        let check = |dims: &[i64], expected: &str| {
            let groups = Groups::of(Layout::Oi, &Shape::new(dims).unwrap()).unwrap();
            let refused = alike(&Values::F32(Vec::new()), &groups).unwrap_err();
            assert_eq!(refused.to_string(), expected);
        };
        check(&[5000, 2], "5000 are more than the 4096 that are compared with one another");
        check(&[4096, 512], "comparing 4096 of 512 elements each takes more than 2147483648 multiplications");
        check(
            &[2, 1 << 26],
            "2 of 67108864 elements each are more than the 33554432 elements that are compared",
        );
    }
}
