//! Two tensors of one shape -> how far apart they are, as a whole and group by group.

use super::{filters::relative, groups::Groups, numbers::scale};

use crate::tensor::values::Values;

/// How far apart two groups of elements are, over elements that are finite in both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    /// How many elements were finite in both.
    pub compared: u64,
    /// The L2 norm of a - b.
    pub difference: f64,
    /// The L2 norm of a.
    pub norm_a: f64,
    /// The L2 norm of b.
    pub norm_b: f64,
    /// The cosine of the angle between both, from -1 to 1; `None` if one of them is zero, or so much shorter than the other
    /// that float64 cannot hold the square of their ratio.
    pub cosine: Option<f64>,
}

impl Likeness {
    /// norm(a - b) / norm(b); `None` if b is zero, or if float64 cannot hold the quotient or one of the norms.
    #[must_use]
    pub fn relative(&self) -> Option<f64> {
        relative(self.difference, self.norm_b)
    }

    /// 1 - cosine, from 0 to 2. It is exact also for small angles, where the cosine differs from 1 only in its last digits.
    #[must_use]
    pub fn rotation(&self) -> Option<f64> {
        let cosine = self.cosine?;
        // norm(a - b)^2 = (norm(a) - norm(b))^2 + 2 norm(a) norm(b) (1 - cosine), divided by norm(a) norm(b).
        let stretch = (self.norm_a - self.norm_b).abs();
        let (of_a, of_b) = (self.difference / self.norm_a, (self.difference + stretch) / self.norm_b);
        // The rounding error of the subtraction is this product, in units of the last digit of 1; that of the cosine is one
        // unit. So norms of very different lengths hide the angle.
        if of_a * of_b < 1.0 {
            let turn = (self.difference - stretch).max(0.0) / self.norm_a;
            return Some(turn * of_b / 2.0);
        }
        Some(1.0 - cosine)
    }
}

/// Compares each group of `a` with the group of `b` whose number is in `of_b`; without `of_b`, with that of the same number.
///
/// Both tensors have the shape for which the groups were made.
#[must_use]
pub fn likenesses(a: &Values, b: &Values, groups: &Groups, of_b: Option<&[usize]>) -> Vec<Likeness> {
    match (a, b) {
        (Values::F32(a), Values::F32(b)) => compare(a, b, groups, of_b),
        (Values::F32(a), Values::F64(b)) => compare(a, b, groups, of_b),
        (Values::F64(a), Values::F32(b)) => compare(a, b, groups, of_b),
        (Values::F64(a), Values::F64(b)) => compare(a, b, groups, of_b),
    }
}

#[derive(Clone, Copy, Default)]
struct PairSums {
    compared: u64,
    difference: f64,
    a: f64,
    b: f64,
    product: f64,
}

fn compare<A, B>(a: &[A], b: &[B], groups: &Groups, of_b: Option<&[usize]>) -> Vec<Likeness>
where
    A: Copy + Into<f64>,
    B: Copy + Into<f64>,
{
    let bases = groups.bases();
    let pair = |group: usize, at: usize| -> Option<(f64, f64)> {
        let at_b = of_b.map_or(at, |of_b| at - bases[group] + bases[of_b[group]]);
        let (a, b): (f64, f64) = (a[at].into(), b[at_b].into());
        (a.is_finite() && b.is_finite()).then_some((a, b))
    };
    let mut greatest = vec![0.0_f64; groups.n()];
    groups.each(|group, at| {
        if let Some((a, b)) = pair(group, at) {
            greatest[group] = greatest[group].max(a.abs()).max(b.abs());
        }
    });
    let scales: Vec<f64> = greatest.into_iter().map(scale).collect();
    let mut sums = vec![PairSums::default(); groups.n()];
    groups.each(|group, at| {
        if let Some((a, b)) = pair(group, at) {
            let (a, b, sums) = (a * scales[group], b * scales[group], &mut sums[group]);
            sums.compared += 1;
            sums.difference += (a - b).powi(2);
            sums.a += a * a;
            sums.b += b * b;
            sums.product += a * b;
        }
    });
    sums.iter().zip(scales).map(|(sums, scale)| sums.likeness(scale)).collect()
}

impl PairSums {
    fn likeness(&self, scale: f64) -> Likeness {
        let norms = self.a.sqrt() * self.b.sqrt();
        Likeness {
            compared: self.compared,
            difference: self.difference.sqrt() / scale,
            norm_a: self.a.sqrt() / scale,
            norm_b: self.b.sqrt() / scale,
            cosine: (norms > 0.0).then(|| (self.product / norms).clamp(-1.0, 1.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &[f64], b: &[f64], expected: (f64, Option<f64>, Option<f64>)) {
        let (a_values, b_values) = (Values::F64(a.to_vec()), Values::F64(b.to_vec()));
        let found = likenesses(&a_values, &b_values, &Groups::whole(a.len()), None)[0];
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-14 * b.abs();
        let both = [
            (Some(found.difference), Some(expected.0)),
            (found.relative(), expected.1),
            (found.rotation(), expected.2),
        ];
        for (found, expected) in both {
            let is_near =
                found.zip(expected).map_or(found == expected, |(found, expected)| near(found, expected));
            assert!(is_near, "{found:?} {expected:?}: {a:?} {b:?}");
        }
    }

    /// By geometry.
    #[test]
    fn right_angles_and_what_has_no_direction() {
        check(&[3.0, 0.0], &[0.0, 4.0], (5.0, Some(1.25), Some(1.0)));
        check(&[2.0, 0.0], &[-1.0, 0.0], (3.0, Some(3.0), Some(2.0)));
        check(&[3e-300, 0.0], &[0.0, 4e-300], (5e-300, Some(1.25), Some(1.0)));
        check(&[0.0, 0.0], &[1.0, 0.0], (1.0, Some(1.0), None));
        check(&[1.0, 0.0], &[0.0, 0.0], (1.0, None, None));
        check(&[1.0, f64::NAN, 5.0], &[2.0, 1.0, f64::INFINITY], (1.0, Some(0.5), Some(0.0)));
    }

    #[test]
    fn norms_beyond_float64_leave_the_angle() {
        let (a, b) = (Values::F64(vec![f64::MAX; 2]), Values::F64(vec![f64::MIN; 2]));
        let likeness = likenesses(&a, &b, &Groups::whole(2), None)[0];
        assert_eq!((likeness.difference, likeness.relative()), (f64::INFINITY, None));
        assert!(likeness.rotation().is_some_and(|rotation| (rotation - 2.0).abs() < 1e-14), "{likeness:?}");
    }

    /// The angle between (1, 1) and (0, x) is 45 degrees, however large x is.
    #[test]
    fn norms_of_very_different_lengths_have_their_angle() {
        let expected = 1.0 - 0.5_f64.sqrt();
        for large in [1e3, 1e8, 1e18, 1e100] {
            for (a, b) in [([1.0, 1.0], [0.0, large]), ([0.0, large], [1.0, 1.0])] {
                let (a, b) = (Values::F64(a.to_vec()), Values::F64(b.to_vec()));
                let rotation = likenesses(&a, &b, &Groups::whole(2), None)[0].rotation().unwrap();
                assert!((rotation - expected).abs() < 1e-12, "{large}: {rotation}");
            }
        }
    }

    /// The angle t between (1, 0) and (cos t, sin t) has 1 - cos t = t^2 / 2, except for terms too small for float64.
    #[test]
    fn small_angles_are_not_rounded_away() {
        let t = 1e-9_f64;
        let (a, b) = (Values::F64(vec![1.0, 0.0]), Values::F64(vec![t.cos(), t.sin()]));
        let rotation = likenesses(&a, &b, &Groups::whole(2), None)[0].rotation().unwrap();
        assert!((rotation / 5e-19 - 1.0).abs() < 1e-6, "{rotation}");
    }
}
