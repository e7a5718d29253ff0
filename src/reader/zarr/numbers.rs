//! Positions in a grid -> all of them in turn; axes in another order.

use crate::reader::contents::MOST_AXES;

/// Calls `take` for each position of a grid, the last axis fastest.
///
/// # Errors
/// Those of `take`.
pub(super) fn each<E>(grid: &[u64], mut take: impl FnMut(&[u64]) -> Result<(), E>) -> Result<(), E> {
    if grid.contains(&0) {
        return Ok(());
    }
    let mut position = vec![0_u64; grid.len()];
    loop {
        take(&position)?;
        let next = (0..grid.len()).rev().find(|axis| position[*axis] + 1 < grid[*axis]);
        let Some(axis) = next else { return Ok(()) };
        position[axis] += 1;
        position[axis + 1..].fill(0);
    }
}

/// The product, unless it is too large for a number.
pub(super) fn product(lengths: &[u64]) -> Option<u64> {
    lengths.iter().try_fold(1_u64, |product, length| product.checked_mul(*length))
}

/// Whether an array can have these axes, and chunks of these.
pub(super) fn is_possible(shape: &[u64], chunk: &[u64]) -> bool {
    let is_possible = |length: &u64| i64::try_from(*length).is_ok();
    shape.len() == chunk.len()
        && shape.len() <= MOST_AXES
        && !chunk.contains(&0)
        && shape.iter().chain(chunk).all(is_possible)
}

/// Whether it names each of as many axes once.
pub(super) fn is_order(order: &[usize], axes: usize) -> bool {
    let mut seen = [false; MOST_AXES];
    order.len() == axes
        && axes <= MOST_AXES
        && order.iter().all(|axis| *axis < axes && !std::mem::replace(&mut seen[*axis], true))
}

/// What is stored axis by axis, in the order of the axes that were stored.
pub(super) fn in_order(stored: &[u64], order: &[usize]) -> Vec<u64> {
    let mut lengths = vec![0; stored.len()];
    for (length, axis) in stored.iter().zip(order) {
        lengths[*axis] = *length;
    }
    lengths
}

/// The reverse: what is axis by axis, in the order in which it is stored.
pub(super) fn as_stored(lengths: &[u64], order: &[usize]) -> Vec<u64> {
    order.iter().map(|axis| lengths[*axis]).collect()
}
