//! A range of the elements of an array, row by row -> rectangular parts.
//!
//! Flax cuts arrays of more than 1 GiB into chunks of so many elements, wherever that is in a row.

use crate::reader::contents::Region;

/// The parts of an array of this shape that the elements from `from` to before `to` make, in their order.
pub(super) fn regions(shape: &[u64], from: u64, to: u64) -> Vec<Region> {
    let mut regions = Vec::new();
    let mut at = from;
    while at < to {
        let (start, region, count) = largest(shape, at, to - at);
        regions.push(Region { start, shape: region });
        at += count;
    }
    regions
}

/// The largest part that begins with an element and has at most `most`: first index, shape, number of elements.
fn largest(shape: &[u64], at: u64, most: u64) -> (Vec<u64>, Vec<u64>, u64) {
    let mut start = vec![0; shape.len()];
    let mut rest = at;
    for axis in (0..shape.len()).rev() {
        start[axis] = rest % shape[axis];
        rest /= shape[axis];
    }
    let mut part = vec![1; shape.len()];
    let mut inner = 1;
    for axis in (0..shape.len()).rev() {
        // Full rows up to the end of the axis, as far as there are elements.
        part[axis] = (shape[axis] - start[axis]).min(most / inner).max(1);
        if part[axis] < shape[axis] || inner > most {
            return (start, part.clone(), part.iter().product());
        }
        inner *= shape[axis];
    }
    (start, part, inner)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_are_the_elements_in_their_order(
            shape in prop::collection::vec(1_u64..5, 0..5), a in 0_u64..700, b in 0_u64..700
        ) {
            let count: u64 = shape.iter().product();
            let (from, to) = (a.min(b).min(count), a.max(b).min(count));
            let mut found = Vec::new();
            for region in regions(&shape, from, to) {
                let n: u64 = region.shape.iter().product();
                for number in 0..n {
                    let (mut rest, mut at, mut step) = (number, 0, 1);
                    for axis in (0..shape.len()).rev() {
                        at += (region.start[axis] + rest % region.shape[axis]) * step;
                        rest /= region.shape[axis];
                        step *= shape[axis];
                    }
                    found.push(at);
                }
            }
            prop_assert_eq!(found, (from..to).collect::<Vec<_>>());
        }
    }
}
