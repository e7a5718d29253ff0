//! A graph's edges -> the part of the network's input that an element of each output sees.

use super::{
    super::{
        network::OperationKind,
        receptive_field::{ReceptiveField, SlidingWindow},
    },
    ops::{is_elementwise, is_pool, layer_of},
    walk::{FoundLayer, GraphWalk},
};

impl GraphWalk<'_> {
    /// The dilation of a convolution whose input was split into batches, which is how TensorFlow dilates on some devices.
    pub(super) fn spread(&self, idx: usize, axes: usize) -> Option<Vec<usize>> {
        let before = self.input(idx, 0).filter(|before| &*self.node(*before).op == "SpaceToBatchND")?;
        let block = &self.node(self.input(before, 1)?).attributes.ints;
        // A constant list may be shortened: its last number then repeats.
        let block = block.iter().chain(std::iter::repeat(block.last()?)).take(axes);
        Some(block.filter_map(|length| usize::try_from(*length).ok()).collect())
    }

    pub(super) fn see(&self, idx: usize, found: Option<&FoundLayer>) -> Option<ReceptiveField> {
        let node = self.node(idx);
        if let Some(found) = found {
            let data = layer_of(&node.op)?.data_input;
            let moved = matches!(found.kind, OperationKind::Transposed(_) | OperationKind::Dense);
            let data = self.input(idx, data)?;
            let data = if found.is_spread { self.input(data, 0)? } else { data };
            let before = self.data_at(data, found.kind.spatial_axes())?;
            return if moved { None } else { before.through(&found.step) };
        }
        match &*node.op {
            op if is_pool(op) => {
                let attributes = &node.attributes;
                let first = attributes.data_format.as_deref().is_some_and(|format| format.starts_with("NC"));
                let axes = attributes.ksize.len().checked_sub(2)?;
                let of_map = |all: &[i64]| of_map_axes(all, first, axes);
                let step = SlidingWindow {
                    window: of_map(&attributes.ksize),
                    strides: of_map(&attributes.strides),
                    dilations: Vec::new(),
                };
                self.data_at(self.input(idx, 0)?, axes)?.through(&step)
            }
            // It joins what was split before a layer; the dilation was already counted at that layer.
            op if is_elementwise(op) || op == "BatchToSpaceND" || self.is_change_of_layout(idx) => {
                let is_lost = |input: usize| self.sees[input].is_none() && self.is_behind_layer[input];
                if node.inputs.iter().flatten().any(|input| is_lost(*input)) {
                    return None;
                }
                let mut seen = node.inputs.iter().flatten().filter_map(|input| self.sees[*input].clone());
                let first = seen.next()?;
                seen.try_fold(first, |joined, other| joined.joined(&other))
            }
            _ => None,
        }
    }

    /// The field of a layer's input: the data itself where no layer comes before it; `None` where one cannot be followed.
    fn data_at(&self, start: usize, axes: usize) -> Option<ReceptiveField> {
        match &self.sees[start] {
            Some(seen) => (seen.field().len() == axes).then(|| seen.clone()),
            None => (!self.is_behind_layer[start]).then(|| ReceptiveField::of_input(axes)),
        }
    }

    /// Whether only the axis of the channels moves.
    fn is_change_of_layout(&self, idx: usize) -> bool {
        let order = self.input(idx, 1).map(|order| &*self.node(order).attributes.ints);
        &*self.node(idx).op == "Transpose" && matches!(order, Some([0, 2, 3, 1] | [0, 3, 1, 2]))
    }
}

/// From numbers for all axes of an activation, those for the map's axes.
pub(super) fn of_map_axes(all: &[i64], channels_first: bool, axes: usize) -> Vec<usize> {
    let first = if channels_first { 2 } else { 1 };
    let numbers: Vec<usize> = all.iter().filter_map(|n| usize::try_from(*n).ok()).collect();
    let of_map = numbers.get(first..).unwrap_or_default();
    let of_map = if channels_first { of_map } else { &of_map[..of_map.len().saturating_sub(1)] };
    // The axis that was added for a one-dimensional convolution comes first.
    of_map[of_map.len().saturating_sub(axes)..].to_vec()
}
