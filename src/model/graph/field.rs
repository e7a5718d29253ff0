//! A graph's edges -> what an element of each output sees of the network's input.

use super::{
    super::{
        network::OperationKind,
        reach::{Reach, Step},
    },
    Found, LONGEST_WAY, Walk,
    ops::{is_elementwise, layer_of},
};

impl Walk<'_> {
    /// The dilation of a convolution whose input was spread over batches, which is how TensorFlow dilates on some devices.
    pub(super) fn spread(&self, idx: usize, axes: usize) -> Option<Vec<usize>> {
        let before = self.input(idx, 0).filter(|before| &*self.node(*before).op == "SpaceToBatchND")?;
        let block = &self.node(self.input(before, 1)?).attributes.ints;
        // A constant list may be shortened to its last number.
        let block = block.iter().chain(std::iter::repeat(block.last()?)).take(axes);
        Some(block.filter_map(|length| usize::try_from(*length).ok()).collect())
    }

    pub(super) fn see(&self, idx: usize, found: Option<&Found>) -> Option<Reach> {
        let node = self.node(idx);
        if let Some(found) = found {
            let (_, _, data) = layer_of(&node.op)?;
            let moved = matches!(found.kind, OperationKind::Transposed(_) | OperationKind::Dense);
            let data = self.input(idx, data)?;
            let data = if found.is_spread { self.input(data, 0)? } else { data };
            let before = self.data_at(data, found.kind.spatial_axes())?;
            return if moved { None } else { before.through(&found.step) };
        }
        match &*node.op {
            "MaxPool" | "AvgPool" | "MaxPool3D" | "AvgPool3D" => {
                let attributes = &node.attributes;
                let first = attributes.data_format.as_deref().is_some_and(|format| format.starts_with("NC"));
                let axes = attributes.ksize.len().checked_sub(2)?;
                let of_map = |all: &[i64]| of_map_axes(all, first, axes);
                let step = Step {
                    window: of_map(&attributes.ksize),
                    strides: of_map(&attributes.strides),
                    dilations: Vec::new(),
                };
                self.data_at(self.input(idx, 0)?, axes)?.through(&step)
            }
            // It puts together what was spread before a layer, which has been counted there.
            op if is_elementwise(op) || op == "BatchToSpaceND" => {
                let mut seen = node.inputs.iter().flatten().filter_map(|input| self.sees[*input].clone());
                let first = seen.next()?;
                seen.try_fold(first, |joined, other| joined.joined(&other))
            }
            _ => None,
        }
    }

    /// What the data that goes into a layer sees: itself, where the network begins.
    fn data_at(&self, start: usize, axes: usize) -> Option<Reach> {
        if let Some(seen) = &self.sees[start] {
            return (seen.field().len() == axes).then(|| seen.clone());
        }
        let mut idx = start;
        for _ in 0..LONGEST_WAY {
            let node = self.node(idx);
            if node.inputs.iter().flatten().next().is_none() {
                return Some(Reach::of_input(axes));
            }
            if !is_elementwise(&node.op) && &*node.op != "Reshape" {
                return None;
            }
            idx = self.input(idx, 0)?;
            if self.sees[idx].is_some() {
                return None;
            }
        }
        None
    }
}

/// Of numbers for all axes of an activation, those of the map's.
pub(super) fn of_map_axes(all: &[i64], channels_first: bool, axes: usize) -> Vec<usize> {
    let first = if channels_first { 2 } else { 1 };
    let numbers: Vec<usize> = all.iter().filter_map(|n| usize::try_from(*n).ok()).collect();
    let of_map = numbers.get(first..).unwrap_or_default();
    let of_map = if channels_first { of_map } else { &of_map[..of_map.len().saturating_sub(1)] };
    // The axis that a one-dimensional convolution got comes first.
    of_map[of_map.len().saturating_sub(axes)..].to_vec()
}
