//! Two tensors of one shape -> the first minus the second, as a tensor.

use super::groups::Groups;
use crate::tensor::{
    Tensor,
    dtype::DType,
    values::{Values, values},
};

/// From which filter of the first tensor each filter of the second is subtracted.
#[derive(Clone, Copy, Debug)]
pub struct FilterOrder<'a> {
    /// The filters of both.
    pub groups: &'a Groups,
    /// For each filter of the first tensor, the number of the filter of the second that is subtracted from it.
    pub of_b: &'a [usize],
}

/// a - b, element by element, as float32 if both fit that, otherwise as float64. NaN where one of them is NaN, or both are the
/// same infinity.
///
/// Both tensors have the same shape, which is that of the groups in the order.
#[must_use]
pub fn difference(a: &Tensor, b: &Tensor, order: Option<FilterOrder<'_>>) -> Tensor {
    let x = values(a);
    let y = order.map_or_else(|| values(b), |order| ordered(b, order));
    let (dtype, bytes): (DType, Vec<u8>) = if let (Values::F32(x), Values::F32(y)) = (&x, &y) {
        (DType::Float32, x.iter().zip(y).flat_map(|(x, y)| (x - y).to_le_bytes()).collect())
    } else {
        let (x, y) = (wide(&x), wide(&y));
        (DType::Float64, x.iter().zip(&*y).flat_map(|(x, y)| (x - y).to_le_bytes()).collect())
    };
    Tensor { dtype, shape: a.shape.clone(), bytes: bytes.into(), frames: a.frames.clone() }
}

/// The elements of a tensor, with its filters in the order of their partners.
#[must_use]
pub fn ordered(b: &Tensor, order: FilterOrder<'_>) -> Values {
    let from = places(&order, b.shape.elements());
    match values(b) {
        Values::F32(x) => Values::F32(from.into_iter().map(|at| x[at]).collect()),
        Values::F64(x) => Values::F64(from.into_iter().map(|at| x[at]).collect()),
    }
}

/// For each element of the first tensor, the position of the element of the second that is subtracted from it.
fn places(order: &FilterOrder<'_>, elements: usize) -> Vec<usize> {
    let bases = order.groups.bases();
    let mut from = vec![0; elements];
    order.groups.each(|group, at| from[at] = at - bases[group] + bases[order.of_b[group]]);
    from
}

fn wide(values: &Values) -> std::borrow::Cow<'_, [f64]> {
    match values {
        Values::F32(x) => x.iter().map(|x| f64::from(*x)).collect(),
        Values::F64(x) => x.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::layout::Layout,
        tensor::{frames::Frames, shape::Shape},
    };

    fn tensor(dims: &[i64], x: &[f32]) -> Tensor {
        let bytes: Vec<u8> = x.iter().flat_map(|x| x.to_le_bytes()).collect();
        Tensor {
            dtype: DType::Float32,
            shape: Shape::new(dims).unwrap(),
            bytes: bytes.into(),
            frames: Frames::default(),
        }
    }

    #[test]
    fn filters_are_subtracted_from_their_partners() {
        let (a, b) = (tensor(&[2, 2], &[1.0, 2.0, 3.0, 4.0]), tensor(&[2, 2], &[10.0, 20.0, 30.0, 40.0]));
        let check = |difference: &Tensor, expected: &[f32]| {
            assert_eq!(values(difference), Values::F32(expected.to_vec()));
        };
        check(&difference(&a, &b, None), &[-9.0, -18.0, -27.0, -36.0]);
        let groups = Groups::of(Layout::Io, &a.shape).unwrap();
        check(
            &difference(&a, &b, Some(FilterOrder { groups: &groups, of_b: &[1, 0] })),
            &[-19.0, -8.0, -37.0, -26.0],
        );
    }
}
