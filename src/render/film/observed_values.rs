//! The numbers of all steps, step by step -> which kinds of numbers occur in frames, without keeping the numbers.

use crate::{
    render::real::{Real, extent},
    tensor::values::Values,
};

/// What is remembered about the numbers so far: the extremes of the finite ones, and which non-finite ones there were.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ObservedValues {
    /// The least and the greatest finite number; `None` if there was none.
    pub extent: Option<(f64, f64)>,
    /// Whether a NaN was among them.
    pub nan: bool,
    /// Whether plus infinity was among them.
    pub pos_inf: bool,
    /// Whether minus infinity was among them.
    pub neg_inf: bool,
}

impl ObservedValues {
    /// Adds the numbers of a step: those from which the range of a whole layer is computed.
    pub fn take(&mut self, values: &Values) {
        match values {
            Values::F32(x) => self.take_numbers(x),
            Values::F64(x) => self.take_numbers(x),
        }
    }

    fn take_numbers<T: Real>(&mut self, numbers: &[T]) {
        self.extent = match (self.extent, extent(numbers)) {
            (Some((lo, hi)), Some((least, greatest))) => Some((lo.min(least), hi.max(greatest))),
            (known, new) => known.or(new),
        };
        for x in numbers.iter().filter(|x| !x.is_finite()) {
            let x: f64 = (*x).into();
            self.nan |= x.is_nan();
            self.pos_inf |= x == f64::INFINITY;
            self.neg_inf |= x == f64::NEG_INFINITY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_steps_are_covered_and_what_is_not_finite_is_remembered() {
        let mut observed = ObservedValues::default();
        observed.take_numbers(&[f32::NAN]);
        assert_eq!((observed.extent, observed.nan), (None, true));
        observed.take_numbers(&[-1.0_f32, 0.5, f32::NEG_INFINITY]);
        assert_eq!((observed.extent, observed.pos_inf, observed.neg_inf), (Some((-1.0, 0.5)), false, true));
        observed.take_numbers(&[0.25, 2.0, f64::INFINITY]);
        assert_eq!((observed.extent, observed.pos_inf), (Some((-1.0, 2.0)), true));
    }
}
