//! A kernel's filters -> the numbers that only filters have: strength relative to the others, whether dead, roughness.

use super::{
    groups::Groups,
    numbers::{Statistics, scale},
};

use crate::tensor::values::Values;

/// Numbers with one entry per filter.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterNumbers {
    /// The median of the L2 norms of the filters that have finite elements.
    pub median_l2: Option<f64>,
    /// L2 norm / median L2 norm; `None` if the median is 0 or missing, or if float64 cannot hold one of the numbers.
    pub rel: Vec<Option<f64>>,
    /// Whether the greatest absolute value is below 0.01 of that of the whole kernel; `None` if no element is finite.
    pub dead: Vec<Option<bool>>,
    /// See [`roughness`].
    pub roughness: Vec<Option<f64>>,
}

/// A filter is called dead below this share of the kernel's greatest absolute value.
pub const DEAD_BELOW: f64 = 0.01;

pub(super) fn filter_numbers(
    values: &Values,
    groups: &Groups,
    whole: &Statistics,
    each: &[Statistics],
) -> FilterNumbers {
    let l2 = || each.iter().map(|numbers| numbers.finite.map(|finite| finite.l2));
    let median_l2 = median(l2().flatten().collect());
    let max_abs = whole.finite.map_or(0.0, |finite| finite.max_abs());
    FilterNumbers {
        median_l2,
        rel: l2().map(|l2| relative(l2?, median_l2?)).collect(),
        dead: each.iter().map(|numbers| Some(numbers.finite?.max_abs() < DEAD_BELOW * max_abs)).collect(),
        roughness: roughness(values, groups),
    }
}

/// One norm divided by another.
pub(super) fn relative(norm: f64, measure: f64) -> Option<f64> {
    let is_measure = measure > 0.0 && measure.is_finite();
    is_measure.then(|| norm / measure).filter(|relative| relative.is_finite())
}

/// Like `numpy.median`: the mean of the two in the middle if the count is even.
fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let (upper, lower) = (numbers.len() / 2, numbers.len().checked_sub(1)? / 2);
    Some(numbers[lower] / 2.0 + numbers[upper] / 2.0)
}

/// This many elements are gathered at once, 32 MiB.
const ELEMENTS_AT_ONCE: usize = 1 << 22;
/// The number of float32 in a cache line.
const FILTERS_AT_ONCE: usize = 16;

/// The mean of squared differences between neighbours along all axes of the window, over twice the variance of the filter.
///
/// Differences are taken within each input channel, between elements that are both finite. White noise of N elements gives
/// N/(N - 1) on average (von Neumann 1941, doi:10.1214/aoms/1177731677, for a line); smooth filters give much less, a
/// chessboard 2. `None` for windows without neighbours and for constant filters.
#[must_use]
pub fn roughness(values: &Values, groups: &Groups) -> Vec<Option<f64>> {
    let [_, window @ ..] = groups.lengths();
    if window == [1, 1, 1] || groups.elements() == 0 {
        return vec![None; groups.n()];
    }
    let at_once = (ELEMENTS_AT_ONCE / groups.elements()).clamp(1, FILTERS_AT_ONCE);
    let mut all = Vec::with_capacity(groups.n());
    for first in (0..groups.n()).step_by(at_once) {
        let filters = groups.gather(values, first..(first + at_once).min(groups.n()));
        all.extend(filters.chunks_exact(groups.elements()).map(|filter| roughness_of(filter, window)));
    }
    all
}

fn roughness_of(filter: &[f64], [depth, height, width]: [usize; 3]) -> Option<f64> {
    let finite = || filter.iter().copied().filter(|x| x.is_finite());
    let max_abs = finite().map(f64::abs).fold(0.0, f64::max);
    let (min, max) =
        finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), x| (min.min(x), max.max(x)));
    if min >= max {
        return None;
    }
    let scale = scale(max_abs);
    let n = finite().count() as f64;
    let mean = finite().map(|x| x * scale).sum::<f64>() / n;
    let variance = finite().map(|x| (x * scale - mean).powi(2)).sum::<f64>() / n;
    let (mut squares, mut pairs) = (0.0, 0_u64);
    for (at, x) in filter.iter().enumerate() {
        let neighbours = [
            (at % width + 1 < width, 1),
            (at / width % height + 1 < height, width),
            (at / (width * height) % depth + 1 < depth, width * height),
        ];
        for (_, distance) in neighbours.into_iter().filter(|(is_there, _)| *is_there) {
            let difference = (filter[at + distance] * scale) - x * scale;
            if difference.is_finite() {
                squares += difference * difference;
                pairs += 1;
            }
        }
    }
    (pairs > 0).then(|| squares / pairs as f64 / (2.0 * variance))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::layout::Layout, tensor::shape::Shape};

    #[test]
    fn medians_are_numpys() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn a_filter_is_dead_below_a_hundredth_of_the_strongest() {
        let values = Values::F32(vec![1.0, -0.5, 0.0099, 0.0, -0.0099, 0.0101, f32::NAN, f32::NAN]);
        let groups = Groups::of(Layout::Oi, &Shape::new(&[4, 2]).unwrap()).unwrap();
        let found = crate::stats::summary::summary(&values, Some(&groups)).filters.unwrap();
        assert_eq!(found.dead, [Some(false), Some(true), Some(false), None]);
        assert_eq!(found.rel[3], None);
    }

    #[test]
    fn norms_beyond_float64_are_compared_with_nothing() {
        let values = Values::F64(vec![f64::MAX, f64::MAX, 1.0, 1.0, f64::MAX, f64::MAX]);
        let groups = Groups::of(Layout::Oi, &Shape::new(&[3, 2]).unwrap()).unwrap();
        let found = crate::stats::summary::summary(&values, Some(&groups)).filters.unwrap();
        assert_eq!((found.median_l2, found.rel), (Some(f64::INFINITY), vec![None; 3]));
        assert_eq!(relative(f64::INFINITY, 1.0), None);
        assert_eq!(relative(1.0, 5e-324), None);
        assert_eq!(relative(3.0, 2.0), Some(1.5));
    }

    /// From the definition: a chessboard's neighbours all differ by 2 and its variance is 1.
    #[test]
    fn a_chessboard_is_rough_and_a_pointwise_kernel_has_no_roughness() {
        let board: Vec<f64> = (0..16).map(|at| if (at / 4 + at % 4) % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let check = |x: &[f64], dims: &[i64], expected: Option<f64>| {
            let groups = Groups::of(Layout::Oihw, &Shape::new(dims).unwrap()).unwrap();
            let found = roughness(&Values::F64(x.to_vec()), &groups)[0];
            assert_eq!(found.map(|found| (found * 1e12).round() / 1e12), expected);
        };
        check(&board, &[1, 1, 4, 4], Some(2.0));
        check(&board.iter().map(|x| x * 1e-300).collect::<Vec<_>>(), &[1, 1, 4, 4], Some(2.0));
        check(&board, &[1, 16, 1, 1], None);
        check(&[0.3; 16], &[1, 1, 4, 4], None);
    }
}
