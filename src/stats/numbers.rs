//! Elements -> the usual numbers: extremes, mean, deviation, norms, and how many are zero, NaN or infinite.

use super::groups::Groups;
use crate::tensor::values::Values;

/// Numbers about some elements.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// How many elements.
    pub elements: u64,
    /// How many are not a number.
    pub nan: u64,
    /// How many are plus or minus infinity.
    pub inf: u64,
    /// Numbers about the finite elements; `None` if there are none.
    pub finite: Option<Finite>,
}

/// Numbers about finite elements; there is at least one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finite {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// The standard deviation of the population: divided by the count.
    pub sd: f64,
    /// The sum of absolute values.
    pub l1: f64,
    /// The root of the sum of squares. It does not overflow or underflow unless the result does.
    pub l2: f64,
    /// The share of zeros among finite elements, from 0 to 1. For a channel it is the `APoZ`, the average percentage of zeros
    /// (Hu et al. 2016, arXiv 1607.03250), as a share.
    pub zero_share: f64,
}

impl Finite {
    /// The greatest absolute value.
    #[must_use]
    pub fn max_abs(&self) -> f64 {
        self.min.abs().max(self.max.abs())
    }
}

/// The numbers of each group.
#[must_use]
pub fn numbers(values: &Values, groups: &Groups) -> Vec<Statistics> {
    match values {
        Values::F32(x) => numbers_of(x, groups),
        Values::F64(x) => numbers_of(x, groups),
    }
}

/// What the first pass over a group finds.
#[derive(Clone, Copy)]
struct Extent {
    nan: u64,
    inf: u64,
    zeros: u64,
    finite: u64,
    min: f64,
    max: f64,
}

impl Extent {
    const EMPTY: Self =
        Self { nan: 0, inf: 0, zeros: 0, finite: 0, min: f64::INFINITY, max: f64::NEG_INFINITY };

    fn take(&mut self, x: f64) {
        if x.is_finite() {
            self.finite += 1;
            self.zeros += u64::from(x == 0.0);
            self.min = self.min.min(x);
            self.max = self.max.max(x);
        } else if x.is_nan() {
            self.nan += 1;
        } else {
            self.inf += 1;
        }
    }

    fn scale(&self) -> f64 {
        if self.finite == 0 { 1.0 } else { scale(self.min.abs().max(self.max.abs())) }
    }
}

/// Sums of scaled elements.
#[derive(Clone, Copy, Default)]
struct Sums {
    plain: f64,
    absolute: f64,
    squares: f64,
    deviations: f64,
}

/// The first pass finds the extent, so that the elements can be scaled before they are summed; the second finds the mean, so that
/// the deviations are exact.
fn numbers_of<T: Copy + Into<f64>>(x: &[T], groups: &Groups) -> Vec<Statistics> {
    let mut extents = vec![Extent::EMPTY; groups.n()];
    groups.each(|group, at| extents[group].take(x[at].into()));
    let scales: Vec<f64> = extents.iter().map(Extent::scale).collect();
    let mut sums = vec![Sums::default(); groups.n()];
    groups.each(|group, at| {
        let x = x[at].into() * scales[group];
        if x.is_finite() {
            let sums = &mut sums[group];
            sums.plain += x;
            sums.absolute += x.abs();
            sums.squares += x * x;
        }
    });
    let means: Vec<f64> =
        extents.iter().zip(&sums).map(|(extent, sums)| sums.plain / extent.finite as f64).collect();
    groups.each(|group, at| {
        let x = x[at].into() * scales[group];
        if x.is_finite() {
            sums[group].deviations += (x - means[group]).powi(2);
        }
    });
    let all = extents.iter().zip(&scales).zip(sums.iter().zip(&means));
    all.map(|((extent, scale), (sums, mean))| extent.numbers(*scale, sums, *mean)).collect()
}

impl Extent {
    fn numbers(&self, scale: f64, sums: &Sums, scaled_mean: f64) -> Statistics {
        let n = self.finite as f64;
        let is_constant = self.min == self.max;
        let finite = (self.finite > 0).then(|| Finite {
            min: self.min,
            max: self.max,
            // Sums of equal numbers are rounded; the number itself is not.
            mean: if is_constant { self.min } else { (scaled_mean / scale).clamp(self.min, self.max) },
            sd: if is_constant { 0.0 } else { (sums.deviations / n).sqrt() / scale },
            l1: sums.absolute / scale,
            l2: sums.squares.sqrt() / scale,
            zero_share: self.zeros as f64 / n,
        });
        let elements = self.finite + self.nan + self.inf;
        Statistics { elements, nan: self.nan, inf: self.inf, finite }
    }
}

/// The largest power of two that is used as a scale; the least is its inverse. So elements stay exact and finite.
const LARGEST_EXPONENT: i32 = 1000;

/// A power of two that scales numbers up to `max_abs` to about 1, so that their squares neither overflow nor underflow.
pub(super) fn scale(max_abs: f64) -> f64 {
    if max_abs == 0.0 {
        return 1.0;
    }
    let exponent = max_abs.log2().floor() as i32;
    2_f64.powi(-exponent.clamp(-LARGEST_EXPONENT, LARGEST_EXPONENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(x: &[f64], expected: Option<[f64; 7]>) {
        let found = numbers(&Values::F64(x.to_vec()), &Groups::whole(x.len()))[0];
        let found = found.finite.map(|f| [f.min, f.max, f.mean, f.sd, f.l1, f.l2, f.zero_share]);
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-14 * b.abs();
        let is_near = match (found, expected) {
            (Some(found), Some(expected)) => found.into_iter().zip(expected).all(|(a, b)| near(a, b)),
            (found, expected) => found == expected,
        };
        assert!(is_near, "{x:?} {found:?}");
    }

    /// From the definitions, computed by hand.
    #[test]
    fn extremes_of_float64_do_not_spoil_the_sums() {
        check(&[3.0, -4.0, 0.0, 1.0], Some([-4.0, 3.0, 0.0, 6.5_f64.sqrt(), 8.0, 26_f64.sqrt(), 0.25]));
        check(&[3e300, -4e300], Some([-4e300, 3e300, -5e299, 3.5e300, 7e300, 5e300, 0.0]));
        check(
            &[3e-320, -4e-320].map(|x: f64| x),
            Some([-4e-320, 3e-320, -5e-321, 3.5e-320, 7e-320, 5e-320, 0.0]),
        );
        check(&[0.1; 10], Some([0.1, 0.1, 0.1, 0.0, 1.0, 0.1_f64.hypot(0.3), 0.0]));
        check(&[0.0, -0.0], Some([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]));
        check(&[f64::NAN, f64::INFINITY], None);
        check(&[], None);
    }
}
