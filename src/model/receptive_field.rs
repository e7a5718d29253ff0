//! Which part of the network's input an element of a layer's output sees, followed from layer to layer.
//!
//! Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks" (Distill, 2019): through a window of
//! length k, dilation d and stride s, the field grows by (k - 1) d j, and the distance j of neighbours becomes j s.

/// Receptive field and distance of neighbouring elements, in elements of the input, along one to three axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReceptiveField {
    field: Vec<usize>,
    distance: Vec<usize>,
}

/// A window that moves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SlidingWindow {
    /// Its lengths.
    pub(super) window: Vec<usize>,
    /// How far it moves.
    pub(super) strides: Vec<usize>,
    /// How far its elements are apart; may be empty, which means 1.
    pub(super) dilations: Vec<usize>,
}

impl ReceptiveField {
    /// An element of the input sees itself.
    pub(super) fn of_input(axes: usize) -> Self {
        Self { field: vec![1; axes], distance: vec![1; axes] }
    }

    /// The field after a window; `None` where its lengths are not known, or where the numbers are too large for a real network.
    pub(super) fn through(&self, step: &SlidingWindow) -> Option<Self> {
        let axes = self.field.len();
        let dilation = |axis: usize| step.dilations.get(axis).copied().unwrap_or(1);
        if step.window.len() != axes || step.strides.len() != axes {
            return None;
        }
        let mut next = self.clone();
        for axis in 0..axes {
            let reach = step.window[axis].checked_sub(1)?.checked_mul(dilation(axis))?;
            next.field[axis] = next.field[axis].checked_add(reach.checked_mul(self.distance[axis])?)?;
            next.distance[axis] = next.distance[axis].checked_mul(step.strides[axis])?;
        }
        Some(next)
    }

    /// The field of the sum or the stack of two outputs; `None` where their elements have different distances.
    pub(super) fn joined(&self, other: &Self) -> Option<Self> {
        if self.distance != other.distance {
            return None;
        }
        let field = self.field.iter().zip(&other.field).map(|(a, b)| *a.max(b)).collect();
        Some(Self { field, distance: self.distance.clone() })
    }

    /// The fields along the first axis, and along the others.
    pub(super) fn split_first(&self) -> Option<(Self, Self)> {
        let part = |axes: std::ops::Range<usize>| Self {
            field: self.field[axes.clone()].to_vec(),
            distance: self.distance[axes].to_vec(),
        };
        (self.field.len() > 1).then(|| (part(0..1), part(1..self.field.len())))
    }

    /// The field along these axes and then along the other ones.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.field.extend(&other.field);
        self.distance.extend(&other.distance);
        self
    }

    /// The receptive field.
    pub(super) fn field(&self) -> &[usize] {
        &self.field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(window: usize, stride: usize, dilation: usize) -> SlidingWindow {
        SlidingWindow { window: vec![window; 2], strides: vec![stride; 2], dilations: vec![dilation; 2] }
    }

    #[test]
    fn fields_are_those_of_the_paper() {
        // AlexNet's, as the paper lists them: conv1 to pool5.
        let alexnet = [
            (step(11, 4, 1), 11),
            (step(3, 2, 1), 19),
            (step(5, 1, 1), 51),
            (step(3, 2, 1), 67),
            (step(3, 1, 1), 99),
            (step(3, 1, 1), 131),
            (step(3, 1, 1), 163),
            (step(3, 2, 1), 195),
        ];
        let mut reach = ReceptiveField::of_input(2);
        for (step, field) in alexnet {
            reach = reach.through(&step).unwrap();
            assert_eq!(reach.field(), [field; 2]);
        }
        assert_eq!(ReceptiveField::of_input(2).through(&step(3, 1, 4)).unwrap().field(), [9, 9]);
        let strided = ReceptiveField::of_input(2).through(&step(3, 2, 1)).unwrap();
        assert_eq!(strided.joined(&ReceptiveField::of_input(2)), None);
    }
}
