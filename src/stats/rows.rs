//! Groups' elements -> rows whose dot products are cosines or correlations.

use super::{groups::Groups, numbers::scale};

use crate::tensor::values::Values;

/// How likeness is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// The cosine of the angle between two.
    Cosine,
    /// Pearson's correlation.
    Correlation,
}

/// One row per group, scaled by a power of two; centred for correlations.
pub(super) struct Rows {
    measure: Measure,
    len: usize,
    values: Vec<f64>,
    norms: Vec<Norm>,
}

/// The length of a row.
#[derive(Clone, Copy)]
enum Norm {
    /// All its elements are finite.
    Whole(f64),
    /// Some are not: likeness is computed over the elements that are finite in both rows.
    Holed,
    /// It has no direction: all zero, or constant if correlations are computed.
    None,
}

impl Rows {
    /// Takes 8 bytes of memory per element of the tensor; the caller has limited these.
    pub(super) fn new(values: &Values, groups: &Groups, measure: Measure) -> Self {
        let len = groups.elements();
        let mut values = groups.gather(values, 0..groups.n());
        // There may be rows without elements, for which `chunks` cannot be used.
        let norms = (0..groups.n()).map(|idx| prepare(&mut values[idx * len..][..len], measure)).collect();
        Self { measure, len, values, norms }
    }

    pub(super) fn n(&self) -> usize {
        self.norms.len()
    }

    fn row(&self, idx: usize) -> &[f64] {
        &self.values[idx * self.len..][..self.len]
    }

    /// From -1 to 1; `None` if one of both has no direction.
    pub(super) fn likeness(&self, idx: usize, others: &Self, other: usize) -> Option<f64> {
        let (a, b) = (self.row(idx), others.row(other));
        match (self.norms[idx], others.norms[other]) {
            (Norm::None, _) | (_, Norm::None) => None,
            (Norm::Whole(norm_a), Norm::Whole(norm_b)) => {
                Some((dot(a, b) / (norm_a * norm_b)).clamp(-1.0, 1.0))
            }
            _ => self.likeness_of_finite(a, b),
        }
    }

    fn likeness_of_finite(&self, a: &[f64], b: &[f64]) -> Option<f64> {
        let both = a.iter().zip(b).filter(|(a, b)| a.is_finite() && b.is_finite());
        let (mut a, mut b): (Vec<f64>, Vec<f64>) = both.unzip();
        match (prepare(&mut a, self.measure), prepare(&mut b, self.measure)) {
            (Norm::Whole(norm_a), Norm::Whole(norm_b)) => {
                Some((dot(&a, &b) / (norm_a * norm_b)).clamp(-1.0, 1.0))
            }
            _ => None,
        }
    }
}

/// Scales and centres a row. A row with elements that are not finite is only scaled: its centre depends on the other row.
fn prepare(row: &mut [f64], measure: Measure) -> Norm {
    let finite = || row.iter().copied().filter(|x| x.is_finite());
    let (min, max) =
        finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), x| (min.min(x), max.max(x)));
    let is_constant = min >= max;
    if (measure == Measure::Correlation && is_constant) || (min == 0.0 && max == 0.0) || min > max {
        return Norm::None;
    }
    let has_holes = row.iter().any(|x| !x.is_finite());
    let scale = scale(min.abs().max(max.abs()));
    for x in row.iter_mut() {
        *x *= scale;
    }
    if has_holes {
        return Norm::Holed;
    }
    if measure == Measure::Correlation {
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        for x in row.iter_mut() {
            *x -= mean;
        }
    }
    let norm = dot(row, row).sqrt();
    if norm > 0.0 { Norm::Whole(norm) } else { Norm::None }
}

/// How many numbers are handled at once, to keep the vector units busy.
const LANES: usize = 8;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::layout::Layout, tensor::shape::Shape};

    #[test]
    fn rows_without_elements_are_like_none() {
        let groups = Groups::of(Layout::Hwio, &Shape::new(&[0, 5, 3, 4]).unwrap()).unwrap();
        for measure in [Measure::Cosine, Measure::Correlation] {
            let rows = Rows::new(&Values::F32(Vec::new()), &groups, measure);
            assert_eq!(rows.n(), 4);
            assert_eq!(rows.likeness(0, &rows, 3), None);
        }
    }
}
