//! The lengths of a tensor's axes, with a product that fits an `isize`.

use std::fmt;

/// The length of each axis, the slowest first. The product of all lengths fits an `isize`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape(Vec<usize>);

/// Why lengths are no shape. Both are facts about the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// An axis of negative length.
    #[error("axis {axis} has the length {length}")]
    Negative {
        /// The axis, from 0.
        axis: usize,
        /// Its length as logged.
        length: i64,
    },
    /// More elements than an address space can hold.
    #[error("the product of the axes' lengths overflows")]
    Overflow,
}

impl Shape {
    /// Takes lengths as logged.
    ///
    /// # Errors
    /// Negative lengths, and products that overflow. An axis of length 0 makes any product 0.
    pub fn new(dims: &[i64]) -> Result<Self, ShapeError> {
        let mut axes = Vec::with_capacity(dims.len());
        for (axis, &length) in dims.iter().enumerate() {
            axes.push(usize::try_from(length).map_err(|_| ShapeError::Negative { axis, length })?);
        }
        let empty = axes.contains(&0);
        let product = axes.iter().try_fold(1_usize, |product, &length| product.checked_mul(length));
        match product {
            Some(elements) if isize::try_from(elements).is_ok() => Ok(Self(axes)),
            _ if empty => Ok(Self(axes)),
            _ => Err(ShapeError::Overflow),
        }
    }

    /// The lengths, slowest axis first.
    #[must_use]
    pub fn axes(&self) -> &[usize] {
        &self.0
    }

    /// The number of axes.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// The number of elements: 1 for rank 0, 0 where an axis is empty.
    #[must_use]
    pub fn elements(&self) -> usize {
        if self.0.contains(&0) { 0 } else { self.0.iter().product() }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths: Vec<String> = self.0.iter().map(usize::to_string).collect();
        write!(f, "[{}]", lengths.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dims: &[i64], expected: Result<usize, ShapeError>) {
        assert_eq!(Shape::new(dims).map(|shape| shape.elements()), expected);
    }

    #[test]
    fn products_are_known_to_fit() {
        check(&[], Ok(1));
        check(&[5, 5, 3, 64], Ok(4800));
        check(&[i64::MAX, 0, i64::MAX], Ok(0));
        check(&[3, -1], Err(ShapeError::Negative { axis: 1, length: -1 }));
        check(&[1 << 32, 1 << 32], Err(ShapeError::Overflow));
        check(&[i64::MAX, 2], Err(ShapeError::Overflow));
    }
}
