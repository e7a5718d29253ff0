//! Numbers -> the two ends of the colour scale, and a level for each number between them.

use super::{
    choices::Range,
    colormap::{Code, NAN, NEG_INF, POS_INF},
    moments::Moments,
    quantile,
    real::{Real, all_finite, extent},
    zscale,
};
use crate::tensor::values::Values;

/// The two ends: `lo` gets level 0 and `hi` level 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub lo: f64,
    /// The upper end; equal to the lower one for a constant.
    pub hi: f64,
    /// The level of all numbers if the ends are equal.
    pub constant_level: u8,
}

/// How many numbers are not part of a range, or are beyond its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// Finite, below the lower or above the upper end.
    pub clipped: u64,
    /// Not a number.
    pub nan: u64,
    /// Plus or minus infinity.
    pub inf: u64,
}

impl std::ops::AddAssign for Outside {
    fn add_assign(&mut self, other: Self) {
        self.clipped += other.clipped;
        self.nan += other.nan;
        self.inf += other.inf;
    }
}

/// The interval of a range over these numbers; 0 to 0 if no number is finite. TensorFlow's images are scaled by
/// [`super::tensorflow`]; here their ranges are that of the finite numbers (`tf1`) and 0 to 1 (`tf2`).
#[must_use]
pub fn interval<T: Real>(range: Range, numbers: &[T]) -> Interval {
    let ends = match range {
        Range::Fixed(lo, hi) => Some((lo, hi)),
        Range::MinMax | Range::Tf1 | Range::Symmetric => extent(numbers),
        Range::Percentile(share) => quantile::ends(share, numbers),
        Range::Std(times) => Moments::of(numbers).ends(times),
        Range::ZScale => zscale::ends(zscale::samples(numbers)),
        Range::Tf2 => Some((0.0, 1.0)),
    };
    Interval::of_ends(range, ends)
}

/// Like [`interval`], for either width of float.
#[must_use]
pub fn interval_of(range: Range, values: &Values) -> Interval {
    match values {
        Values::F32(x) => interval(range, x),
        Values::F64(x) => interval(range, x),
    }
}

/// Adding it to a float below 2^51 rounds that float to an integer, halves to even; the integer is then in the lowest bits.
const ROUND_TO_EVEN: f64 = 6_755_399_441_055_744.0;

impl Interval {
    /// The interval between these ends of a range; 0 to 0 if there are none. For `symmetric`, the ends are those of the numbers.
    #[must_use]
    pub fn of_ends(range: Range, ends: Option<(f64, f64)>) -> Self {
        let (lo, hi) = ends.unwrap_or_default();
        let (lo, hi) = if range == Range::Symmetric {
            let m = lo.abs().max(hi.abs());
            (-m, m)
        } else {
            (lo, hi)
        };
        // Many standard deviations of large numbers may be more than a float can hold.
        let (lo, hi) = (lo.clamp(f64::MIN, f64::MAX), hi.clamp(f64::MIN, f64::MAX));
        Self { lo, hi, constant_level: if range.is_signed() { 128 } else { 0 } }
    }

    /// The smallest interval that covers both.
    #[must_use]
    pub fn cover(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi), ..self }
    }

    /// Between this interval, of a layer, and that of a tile: the centre moves linearly, and the half-width is
    /// `s^(1-share) * s_j^share`. A constant tile has no width; then the result has none either, unless the share is 0.
    #[must_use]
    pub fn blend(self, tile: Self, share: f64) -> Self {
        if share == 0.0 || share == 1.0 {
            return if share == 0.0 { self } else { tile };
        }
        let half = |interval: Self| interval.hi / 2.0 - interval.lo / 2.0;
        let center = |interval: Self| interval.hi / 2.0 + interval.lo / 2.0;
        let center = center(self) * (1.0 - share) + center(tile) * share;
        let half = half(self).powf(1.0 - share) * half(tile).powf(share);
        Self {
            lo: (center - half).clamp(f64::MIN, f64::MAX),
            hi: (center + half).clamp(f64::MIN, f64::MAX),
            ..self
        }
    }

    /// Whether both ends are the same number.
    #[must_use]
    pub fn is_constant(self) -> bool {
        self.lo == self.hi
    }

    /// The position of a finite number between the ends, from 0 to 1.
    #[must_use]
    pub fn position(self, x: f64) -> f64 {
        let span = self.hi - self.lo;
        if span.is_finite() {
            ((x - self.lo) / span).clamp(0.0, 1.0)
        } else {
            // The difference of two large numbers may overflow; that of their halves does not.
            ((x / 2.0 - self.lo / 2.0) / (self.hi / 2.0 - self.lo / 2.0)).clamp(0.0, 1.0)
        }
    }

    /// Writes the code of each number: the level round-half-even(255 u), or the code of a number that is not finite.
    pub fn codes<T: Real>(self, numbers: &[T], codes: &mut [Code]) {
        let (lo, span) = (self.lo, self.hi - self.lo);
        if self.is_constant() || !span.is_finite() {
            for (code, x) in codes.iter_mut().zip(numbers) {
                *code = self.code((*x).into());
            }
            return;
        }
        for (code, x) in codes.iter_mut().zip(numbers) {
            let x: f64 = (*x).into();
            let u = ((x - lo) / span).clamp(0.0, 1.0);
            *code = (255.0 * u + ROUND_TO_EVEN).to_bits() as Code & 0xff;
        }
        if !all_finite(numbers) {
            for (code, x) in codes.iter_mut().zip(numbers).filter(|(_, x)| !x.is_finite()) {
                *code = self.code((*x).into());
            }
        }
    }

    fn code(self, x: f64) -> Code {
        if x.is_nan() {
            NAN
        } else if x.is_infinite() {
            if x > 0.0 { POS_INF } else { NEG_INF }
        } else if self.is_constant() {
            self.constant_level.into()
        } else {
            (255.0 * self.position(x) + ROUND_TO_EVEN).to_bits() as Code & 0xff
        }
    }

    /// Counts the numbers that are outside of the interval or not finite. `extent` is the [`extent`] of these numbers.
    #[must_use]
    pub fn outside<T: Real>(self, numbers: &[T], extent: Option<(f64, f64)>) -> Outside {
        let mut outside = Outside::default();
        let is_within = extent.is_some_and(|(lo, hi)| lo >= self.lo && hi <= self.hi);
        if is_within && all_finite(numbers) {
            return outside;
        }
        for x in numbers {
            let x: f64 = (*x).into();
            if x.is_nan() {
                outside.nan += 1;
            } else if x.is_infinite() {
                outside.inf += 1;
            } else if x < self.lo || x > self.hi {
                outside.clipped += 1;
            }
        }
        outside
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(range: Range, numbers: &[f64], expected: &[Code]) {
        let mut codes = vec![0; numbers.len()];
        interval(range, numbers).codes(numbers, &mut codes);
        assert_eq!(codes, expected, "{range:?} {numbers:?}");
    }

    #[test]
    fn levels_by_definition() {
        check(Range::MinMax, &[0.0, 0.5, 1.0], &[0, 128, 255]);
        check(Range::Symmetric, &[-1.0, 0.0, 2.0], &[64, 128, 255]);
        check(Range::Fixed(0.0, 1.0), &[-3.0, 0.25, 9.0], &[0, 64, 255]);
    }

    #[test]
    fn constants_and_what_is_not_finite() {
        check(Range::MinMax, &[7.0, 7.0], &[0, 0]);
        check(Range::Symmetric, &[0.0, 0.0], &[128, 128]);
        check(
            Range::MinMax,
            &[f64::NAN, 1.0, f64::INFINITY, 2.0, f64::NEG_INFINITY],
            &[NAN, 0, POS_INF, 255, NEG_INF],
        );
        check(Range::MinMax, &[f64::NAN, f64::NAN], &[NAN, NAN]);
        check(Range::MinMax, &[f64::MIN, 0.0, f64::MAX], &[0, 128, 255]);
        check(Range::MinMax, &[0.0, 5e-324], &[0, 255]);
    }

    proptest! {
        #[test]
        fn levels_are_monotone_and_zero_is_the_middle(
            mut numbers in prop::collection::vec(-1e30_f32..1e30, 2..80),
            scale in prop::sample::select(vec![1.0_f32, 1e-8, 1e-30, 1e-38]),
        ) {
            for x in &mut numbers {
                *x *= scale;
            }
            numbers.push(0.0);
            numbers.sort_by(f32::total_cmp);
            let interval = interval(Range::Symmetric, &numbers);
            let mut codes = vec![0; numbers.len()];
            interval.codes(&numbers, &mut codes);
            prop_assert!(codes.is_sorted());
            let zero = numbers.iter().position(|x| *x == 0.0).unwrap();
            prop_assert_eq!(codes[zero], 128);
        }
    }
}
