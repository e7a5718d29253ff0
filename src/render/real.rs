//! A trait of `f32` and `f64`, and the least and the greatest of many numbers.

use std::cmp::Ordering;

/// A float of a tensor.
pub trait Real: Copy + PartialOrd + Into<f64> {
    /// Greater than all finite floats.
    const INFINITY: Self;
    /// Less than all finite floats.
    const NEG_INFINITY: Self;
    /// Whether it is neither NaN nor infinite.
    fn is_finite(self) -> bool;
    /// An order of all floats; finite ones are in their usual order.
    fn total_cmp(&self, other: &Self) -> Ordering;
}

impl Real for f32 {
    const INFINITY: Self = Self::INFINITY;
    const NEG_INFINITY: Self = Self::NEG_INFINITY;
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    fn total_cmp(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }
}

impl Real for f64 {
    const INFINITY: Self = Self::INFINITY;
    const NEG_INFINITY: Self = Self::NEG_INFINITY;
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    fn total_cmp(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }
}

/// How many numbers are handled at once, to keep all vector units busy.
const LANES: usize = 16;

/// The least and the greatest finite number; `None` if there is none.
#[must_use]
pub fn extent<T: Real>(numbers: &[T]) -> Option<(f64, f64)> {
    let (mut least, mut greatest) = ([T::INFINITY; LANES], [T::NEG_INFINITY; LANES]);
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    let mut take = |lane: usize, x: T| {
        let finite = x.is_finite();
        let (low, high) = if finite { (x, x) } else { (T::INFINITY, T::NEG_INFINITY) };
        least[lane] = if low < least[lane] { low } else { least[lane] };
        greatest[lane] = if high > greatest[lane] { high } else { greatest[lane] };
    };
    for chunk in chunks {
        for (lane, x) in chunk.iter().enumerate() {
            take(lane, *x);
        }
    }
    for x in rest {
        take(0, *x);
    }
    let lo = least.into_iter().map(Into::into).fold(f64::INFINITY, f64::min);
    let hi = greatest.into_iter().map(Into::into).fold(f64::NEG_INFINITY, f64::max);
    (lo <= hi).then_some((lo, hi))
}

/// Whether all are finite. It has no branch per number, which is several times faster than stopping at the first non-finite one.
pub(super) fn all_finite<T: Real>(numbers: &[T]) -> bool {
    numbers.iter().fold(true, |finite, x| finite & x.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_extent_is_that_of_the_finite_numbers(numbers in prop::collection::vec(any::<f32>(), 0..100)) {
            let finite: Vec<f64> = numbers.iter().filter(|x| x.is_finite()).map(|x| f64::from(*x)).collect();
            let least = finite.iter().copied().reduce(f64::min);
            let greatest = finite.iter().copied().reduce(f64::max);
            prop_assert_eq!(extent(&numbers), least.zip(greatest));
        }
    }
}
