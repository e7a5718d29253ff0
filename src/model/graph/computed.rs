//! Kernels that a graph computes from variables: fake quantisation, binarisation, masks, spectral and weight normalisation.

use std::collections::HashSet;

use super::{
    ops::{LayerOp, is_passing, is_source, layer_of},
    walk::{GraphWalk, LONGEST_WAY},
};
use crate::model::{
    layout::Layout,
    name::{Hint, Name},
    network::OperationKind,
};

/// The most nodes examined to find what a kernel is computed from; spectral normalisation needs a few dozen.
const MOST_NODES: usize = 256;

/// Whether the search continues through transposed tensors too: their axes differ from the kernel's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turned {
    No,
    Too,
}

/// How a kernel is computed.
pub(super) struct Computed {
    /// The node whose output is the kernel.
    pub(super) kernel: usize,
    /// The variable with the same number of axes that it is computed from.
    pub(super) variable: Option<usize>,
}

impl GraphWalk<'_> {
    /// What a convolution receives as a kernel with `rank` axes, where this is not a variable.
    pub(super) fn computed(&self, start: usize, rank: usize) -> Computed {
        let kernel = self.behind_passing(start).unwrap_or(start);
        let variables = self.before_kernel(kernel, Turned::No).into_iter().filter_map(|idx| {
            let axes = self.axes(idx).filter(|axes| self.is_variable(idx) && axes.len() == rank)?;
            let elements = axes.iter().fold(1_usize, |product, length| product.saturating_mul(*length));
            let is_called_kernel = matches!(Name::of(&self.node(idx).name).hint, Some((Hint::Kernel, _)));
            Some(((elements, is_called_kernel), idx))
        });
        // A gain has fewer elements than the kernel and a mask has as many; among equal candidates the nearest is used.
        let best = variables.reduce(|best, other| if other.0 > best.0 { other } else { best });
        let variable = best.map(|(_, idx)| idx);
        Computed { kernel, variable }
    }

    /// The nodes that a kernel is computed from, the nearest first, up to the first convolution on each path.
    fn before_kernel(&self, kernel: usize, turned: Turned) -> Vec<usize> {
        let (mut nodes, mut met) = (vec![kernel], HashSet::from([kernel]));
        let mut at = 0;
        while at < nodes.len() && nodes.len() < MOST_NODES && self.looks_left.get() > 0 {
            let idx = nodes[at];
            at += 1;
            self.looks_left.set(self.looks_left.get() - 1);
            let is_convolution =
                layer_of(&self.node(idx).op).is_some_and(|layer| layer.kind != OperationKind::Dense);
            let is_turned = turned == Turned::No && &*self.node(idx).op == "Transpose";
            let is_end =
                is_convolution || is_turned || self.is_variable(idx) || is_source(&self.node(idx).op);
            if !is_end {
                nodes.extend(
                    self.node(idx).inputs.iter().flatten().copied().filter(|input| met.insert(*input)),
                );
            }
        }
        nodes
    }

    /// The matrix products between a variable and the kernel that is computed from it.
    pub(super) fn products_of_kernels(&self) -> HashSet<usize> {
        let mut products = HashSet::new();
        for idx in 0..self.graph.nodes.len() {
            let Some(LayerOp { kind, kernel_input, .. }) = layer_of(&self.node(idx).op) else { continue };
            let Some(start) = self.input(idx, kernel_input).filter(|_| kind != OperationKind::Dense) else {
                continue;
            };
            if self.variable_behind(start).0.is_some() {
                continue;
            }
            let rank = kind.kernel_layout("").map_or(0, Layout::rank);
            let Computed { kernel, variable: Some(variable) } = self.computed(start, rank) else { continue };
            let nodes = self.before_kernel(kernel, Turned::Too);
            let is_product = |idx: &&usize| &*self.node(**idx).op == "MatMul";
            let of_variable = |idx: &&usize| self.before_kernel(**idx, Turned::Too).contains(&variable);
            products.extend(nodes.iter().filter(is_product).filter(of_variable).copied());
        }
        products
    }

    /// The first node, going back, that does more than pass its input on.
    pub(super) fn behind_passing(&self, start: usize) -> Option<usize> {
        let mut idx = start;
        for _ in 0..LONGEST_WAY {
            match self.input(idx, 0) {
                Some(next) if is_passing(&self.node(idx).op) => idx = next,
                _ => return Some(idx),
            }
        }
        None
    }
}
