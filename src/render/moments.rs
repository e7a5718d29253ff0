//! Numbers -> their count, mean and spread, in a form that can be joined with that of other numbers.

use super::real::{Real, extent};

/// Count, mean and sum of squared distances from the mean, of finite numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    n: u64,
    mean: f64,
    squares: f64,
}

/// How many partial sums are computed in parallel: this is fast, and more exact than one long sum.
const LANES: usize = 16;

impl Moments {
    /// The moments of the finite ones of these numbers, in two passes.
    #[must_use]
    pub fn of<T: Real>(numbers: &[T]) -> Self {
        let n = numbers.iter().filter(|x| x.is_finite()).count() as u64;
        if n == 0 {
            return Self::default();
        }
        if let Some((lo, hi)) = extent(numbers).filter(|(lo, hi)| lo == hi) {
            // A constant has no spread, even if rounding changes its mean.
            return Self { n, mean: f64::midpoint(lo, hi), squares: 0.0 };
        }
        let mean = sum(numbers, |x| x) / n as f64;
        // In exact arithmetic this sum is 0. Its rounding error corrects the squares.
        let rest = sum(numbers, |x| x - mean);
        let squares = sum(numbers, |x| (x - mean) * (x - mean)) - rest * rest / n as f64;
        Self { n, mean, squares: squares.max(0.0) }
    }

    /// The moments of both sets of numbers together (Chan and others 1979).
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        if self.n == 0 || other.n == 0 {
            return if self.n == 0 { other } else { self };
        }
        let n = self.n + other.n;
        let share = other.n as f64 / n as f64;
        let distance = other.mean - self.mean;
        Self {
            n,
            mean: self.mean + distance * share,
            squares: self.squares + other.squares + distance * distance * share * self.n as f64,
        }
    }

    /// The mean minus and plus `times` standard deviations of the population; `None` if there is no number.
    #[must_use]
    pub fn ends(self, times: f64) -> Option<(f64, f64)> {
        let reach = times * (self.squares / self.n as f64).sqrt();
        (self.n > 0).then_some((self.mean - reach, self.mean + reach))
    }
}

fn sum<T: Real>(numbers: &[T], term: impl Fn(f64) -> f64) -> f64 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    let of = |x: &T| if x.is_finite() { term((*x).into()) } else { 0.0 };
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += of(x);
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += of(x);
    }
    sums.into_iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_moments_are_those_of_all_numbers() {
        let numbers: Vec<f64> = (0..1000).map(|i| 1e6 + f64::from(i % 37) * 0.01).collect();
        let (first, second) = numbers.split_at(311);
        let (joined, whole) = (Moments::of(first).join(Moments::of(second)), Moments::of(&numbers));
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9;
        assert!(near(joined.mean, whole.mean) && near(joined.squares, whole.squares));
        // numpy.mean and numpy.std of the same numbers.
        let (lo, hi) = whole.ends(1.0).unwrap();
        assert!(near(lo, 1_000_000.072_951_072_8) && near(hi, 1_000_000.286_688_927_1), "{lo} {hi}");
    }

    #[test]
    fn what_is_not_finite_takes_no_part() {
        assert_eq!(Moments::of(&[f32::NAN, f32::INFINITY]).ends(1.0), None);
        assert_eq!(Moments::of(&[f32::NAN, 3.0, 5.0]).ends(2.0), Some((2.0, 6.0)));
        assert_eq!(Moments::of(&[7.5_f32; 40]).ends(3.0), Some((7.5, 7.5)));
    }
}
