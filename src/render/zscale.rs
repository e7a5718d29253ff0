//! Numbers -> the interval of IRAF's `zscale`: a line through the sorted samples, without the samples that are far from it.
//!
//! The reference is astropy's `ZScaleInterval` with its defaults: 1,000 samples, contrast 0.25, at least half of the samples and
//! at least 5 are kept, those beyond 2.5 standard deviations are rejected with their neighbours, at most 5 rounds.

use super::real::Real;

/// How many samples are taken.
pub const SAMPLES: u64 = 1_000;
const CONTRAST: f64 = 0.25;
const MOST_REJECTED: f64 = 0.5;
const LEAST_KEPT: usize = 5;
const REJECTED_BEYOND: f64 = 2.5;
const ROUNDS: usize = 5;
/// The share of all samples that is rejected together with a rejected one.
const GROWTH: f64 = 0.01;

/// The N for which every Nth of `n` finite numbers is a sample, from the first on, up to [`SAMPLES`].
#[must_use]
pub fn stride(n: u64) -> u64 {
    (n / SAMPLES).max(1)
}

/// The samples of numbers in memory, in the order of the numbers.
#[must_use]
pub fn samples<T: Real>(numbers: &[T]) -> Vec<f64> {
    let n = numbers.iter().filter(|x| x.is_finite()).count() as u64;
    let finite = numbers.iter().filter(|x| x.is_finite());
    finite.step_by(stride(n) as usize).take(SAMPLES as usize).map(|x| (*x).into()).collect()
}

/// The interval of these samples; `None` if there are none.
#[must_use]
pub fn ends(mut samples: Vec<f64>) -> Option<(f64, f64)> {
    samples.sort_by(f64::total_cmp);
    let (lo, hi) = (*samples.first()?, *samples.last()?);
    if lo == hi {
        // The slope of a constant would be only a rounding error.
        return Some((lo, hi));
    }
    let n = samples.len();
    let least_kept = LEAST_KEPT.max((n as f64 * MOST_REJECTED) as usize);
    let mut is_bad = vec![false; n];
    let (mut kept, mut kept_before) = (n, n + 1);
    let mut slope = 0.0;
    for _ in 0..ROUNDS {
        if kept >= kept_before || kept < least_kept {
            break;
        }
        let line = Line::through(&samples, &is_bad);
        slope = line.slope;
        reject(&samples, line, &mut is_bad);
        kept_before = kept;
        kept = is_bad.iter().filter(|bad| !**bad).count();
    }
    if kept < least_kept {
        return Some((lo, hi));
    }
    // The slope of sorted numbers is never negative, but rounding may make it so.
    let slope = slope.max(0.0) / CONTRAST;
    let center = (n - 1) / 2;
    let median = f64::midpoint(samples[center], samples[n / 2]);
    // With few samples the line may reach beyond them.
    Some((lo.max(median - (center as f64 - 1.0) * slope), hi.min(median + (n - center) as f64 * slope)))
}

#[derive(Clone, Copy)]
struct Line {
    slope: f64,
    at_zero: f64,
}

impl Line {
    /// By least squares, against the positions.
    fn through(samples: &[f64], is_bad: &[bool]) -> Self {
        let good =
            || samples.iter().enumerate().zip(is_bad).filter(|(_, bad)| !**bad).map(|(point, _)| point);
        let n = good().count() as f64;
        let (mean_x, mean_y) = (
            good().map(|(x, _)| x as f64).sum::<f64>() / n,
            // A sum of large numbers may overflow although their mean does not.
            good().map(|(_, y)| y / n).sum::<f64>(),
        );
        let (mut products, mut squares) = (0.0, 0.0);
        for (x, y) in good() {
            products += (x as f64 - mean_x) * (y - mean_y);
            squares += (x as f64 - mean_x) * (x as f64 - mean_x);
        }
        let slope = products / squares;
        Self { slope, at_zero: mean_y - slope * mean_x }
    }

    fn distance(self, x: usize, y: f64) -> f64 {
        y - (self.slope * x as f64 + self.at_zero)
    }
}

/// Marks samples that are too far from the line, with their neighbours, and the neighbours of samples that were marked before.
fn reject(samples: &[f64], line: Line, is_bad: &mut [bool]) {
    let distances: Vec<f64> = samples.iter().enumerate().map(|(x, y)| line.distance(x, *y)).collect();
    let good = || distances.iter().zip(&*is_bad).filter(|(_, bad)| !**bad).map(|(distance, _)| *distance);
    let n = good().count() as f64;
    let mean = good().sum::<f64>() / n;
    let threshold = REJECTED_BEYOND * (good().map(|d| (d - mean) * (d - mean)).sum::<f64>() / n).sqrt();
    for (bad, distance) in is_bad.iter_mut().zip(&distances) {
        *bad |= distance.abs() > threshold;
    }
    // NumPy's convolution of the marks with ones, cut to the same length.
    let width = ((samples.len() as f64 * GROWTH) as usize).max(1);
    let (before, after) = (width - 1 - (width - 1) / 2, (width - 1) / 2);
    let marked = is_bad.to_vec();
    for (idx, bad) in is_bad.iter_mut().enumerate() {
        let last = (idx + after).min(marked.len() - 1);
        *bad = marked[idx.saturating_sub(before)..=last].contains(&true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_constant_numbers_have_an_interval() {
        assert_eq!(ends(samples::<f32>(&[])), None);
        assert_eq!(ends(samples(&[f32::NAN, 2.0])), Some((2.0, 2.0)));
        assert_eq!(ends(samples(&[3.0_f32; 50])), Some((3.0, 3.0)));
        assert_eq!(ends(samples(&[1.0, 0.0, 2.0])), Some((0.0, 2.0)));
    }

    #[test]
    fn samples_are_spread_over_all_numbers() {
        let numbers: Vec<f64> = (0..2_999).map(f64::from).collect();
        let samples = samples(&numbers);
        assert_eq!((samples.len(), samples[1], samples[999]), (1_000, 2.0, 1_998.0));
    }
}
