//! The numbers of all tiles -> the order of the tiles on the sheet.

use std::ops::Range;

use super::{
    choices::{ChoiceError, Order},
    stack::Stack,
};

/// The positions of the tiles, in the order in which they will be on the sheet. A tile has `tile_len` numbers. `change` needs the
/// same tiles of the previous step.
///
/// # Errors
/// `change` without a previous step.
pub fn arrange(
    order: Order,
    stack: &Stack,
    tile_len: usize,
    before: Option<&Stack>,
) -> Result<Vec<usize>, ChoiceError> {
    let n = stack.len() / tile_len;
    let tile = |idx: usize| finite_tile(stack, idx * tile_len..(idx + 1) * tile_len);
    let measured = |measure: &dyn Fn(&[f64]) -> f64| {
        greatest_first((0..n).map(|idx| {
            let numbers = tile(idx);
            (!numbers.is_empty()).then(|| measure(&numbers))
        }))
    };
    Ok(match order {
        Order::Index => (0..n).collect(),
        Order::Norm => measured(&norm),
        Order::Mean => measured(&|x| x.iter().sum::<f64>() / x.len() as f64),
        Order::Max => measured(&|x| x.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        Order::Sparsity => measured(&|x| x.iter().filter(|x| **x == 0.0).count() as f64 / x.len() as f64),
        Order::Change => {
            let before = before.ok_or_else(|| {
                let message = "change compares with the step before, and there is none: use index, norm, mean, max, sparsity or similarity";
                ChoiceError::new("order", message)
            })?;
            greatest_first((0..n).map(|idx| {
                let numbers = idx * tile_len..(idx + 1) * tile_len;
                change(stack, before, numbers)
            }))
        }
        Order::Similarity => by_similarity(stack, tile_len),
    })
}

fn finite_tile(stack: &Stack, numbers: Range<usize>) -> Vec<f64> {
    numbers.map(|at| stack.number(at)).filter(|x| x.is_finite()).collect()
}

fn norm(numbers: &[f64]) -> f64 {
    numbers.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// norm(now - before) / norm(before), over numbers that are finite at both steps; `None` if there are none. A change from zeros
/// to anything else is infinite.
fn change(now: &Stack, before: &Stack, numbers: Range<usize>) -> Option<f64> {
    let pairs = numbers.map(|at| (now.number(at), before.number(at)));
    let pairs: Vec<(f64, f64)> =
        pairs.filter(|(now, before)| now.is_finite() && before.is_finite()).collect();
    if pairs.is_empty() {
        return None;
    }
    let distance = pairs.iter().map(|(now, before)| (now - before) * (now - before)).sum::<f64>().sqrt();
    let length = pairs.iter().map(|(_, before)| before * before).sum::<f64>().sqrt();
    Some(if distance == 0.0 { 0.0 } else { distance / length })
}

/// Tiles with equal measures are in the order of their positions; tiles without a measure come last.
fn greatest_first(measures: impl Iterator<Item = Option<f64>>) -> Vec<usize> {
    let mut ranked: Vec<(usize, Option<f64>)> = measures.enumerate().collect();
    ranked.sort_by(|(_, a), (_, b)| match (a, b) {
        // Zero and negative zero are equal here, and no measure is NaN.
        (Some(a), Some(b)) => b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    ranked.into_iter().map(|(idx, _)| idx).collect()
}

/// Begins with the greatest norm; the next tile is always the remaining one with the greatest cosine, among equals the first.
/// Tiles of zeros have no direction and come last. Numbers that are not finite count as zeros.
fn by_similarity(stack: &Stack, tile_len: usize) -> Vec<usize> {
    let numbers: Vec<f64> =
        (0..stack.len()).map(|at| stack.number(at)).map(|x| if x.is_finite() { x } else { 0.0 }).collect();
    let tiles: Vec<&[f64]> = numbers.chunks_exact(tile_len).collect();
    let norms: Vec<f64> = tiles.iter().map(|tile| norm(tile)).collect();
    let (mut left, mut order): (Vec<usize>, Vec<usize>) =
        ((0..tiles.len()).filter(|idx| norms[*idx] > 0.0).collect(), Vec::new());
    let mut next = first_greatest(left.iter().map(|idx| norms[*idx]));
    while let Some(position) = next {
        let current = left.remove(position);
        order.push(current);
        let cosine = |idx: &usize| dot(tiles[current], tiles[*idx]) / (norms[current] * norms[*idx]);
        next = first_greatest(left.iter().map(cosine));
    }
    order.extend((0..tiles.len()).filter(|idx| norms[*idx] == 0.0));
    order
}

fn first_greatest(measures: impl Iterator<Item = f64>) -> Option<usize> {
    let greater = |best: Option<(usize, f64)>, (idx, x): (usize, f64)| match best {
        Some((_, most)) if x <= most => best,
        _ => Some((idx, x)),
    };
    measures.enumerate().fold(None, greater).map(|(idx, _)| idx)
}

/// Partial sums, which vector units compute in parallel.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.into_iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::values::Values;

    fn stack(numbers: &[f64]) -> Stack {
        Stack { values: Values::F64(numbers.to_vec()), components: 1 }
    }

    fn check(order: Order, numbers: &[f64], expected: &[usize]) {
        assert_eq!(arrange(order, &stack(numbers), 2, None).unwrap(), expected, "{order:?}");
    }

    #[test]
    fn the_greatest_comes_first_and_what_has_no_number_last() {
        let numbers = [0.0, 1.0, f64::NAN, f64::INFINITY, -3.0, 0.0, 0.5, 0.5, 0.0, 0.0];
        check(Order::Index, &numbers, &[0, 1, 2, 3, 4]);
        check(Order::Norm, &numbers, &[2, 0, 3, 4, 1]);
        check(Order::Mean, &numbers, &[0, 3, 4, 2, 1]);
        check(Order::Max, &numbers, &[0, 3, 2, 4, 1]);
        check(Order::Sparsity, &numbers, &[4, 0, 2, 3, 1]);
    }

    #[test]
    fn like_ones_stand_together() {
        check(Order::Similarity, &[1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.1, 1.0, 3.0, 0.2], &[4, 0, 3, 1, 2]);
    }

    #[test]
    fn change_is_measured_against_the_step_before() {
        let (now, before) = (stack(&[1.0, 1.0, 5.0, 0.0, 1.0, 0.0]), stack(&[1.0, 1.0, 4.0, 0.0, 0.0, 0.0]));
        assert_eq!(arrange(Order::Change, &now, 2, Some(&before)).unwrap(), [2, 1, 0]);
        let error = arrange(Order::Change, &now, 2, None).unwrap_err();
        assert_eq!(error.option, "order");
    }
}
