//! The tensors of a layer -> layouts that agree with one another: kernel, bias and activations have the same channels.

use std::collections::HashSet;

use super::{
    super::{
        layout::Layout,
        name::is_of_table,
        role::Role,
        weigh::{Candidate, Ground, OUTPUTS},
    },
    choice::choose,
    facts_draft::FactsDraft,
};

/// The members of a layer that say something about channels: kernels, activations, and the length of the bias.
#[derive(Default)]
pub(super) struct Layer {
    kernels: Vec<usize>,
    activations: Vec<usize>,
    bias: Option<usize>,
}

impl Layer {
    pub(super) fn of(drafts: &[FactsDraft<'_>]) -> Self {
        let mut layer = Self::default();
        let kernels = drafts.iter().filter(|draft| draft.is(Role::Kernel));
        let names: HashSet<&str> = kernels.map(|draft| &*draft.name.layer).collect();
        let mut is_of_name = false;
        for (idx, draft) in drafts.iter().enumerate() {
            match draft.role {
                Some((Role::Kernel, _)) => layer.kernels.push(idx),
                Some((Role::Activation, _)) => layer.activations.push(idx),
                // A bias of another module may have been added because of the end of its name. The layer's own bias has priority.
                Some((Role::Bias, _)) if length_of_bias(draft.axes()).is_some() => {
                    let is_own = names.contains(&*draft.name.layer);
                    if is_own || !is_of_name {
                        layer.bias = length_of_bias(draft.axes());
                    }
                    is_of_name |= is_own;
                }
                _ => {}
            }
        }
        layer
    }

    /// Marks lookup tables of which it stays unclear which axis has the rows, because no bias has their number.
    pub(super) fn doubt_tables(&self, drafts: &mut [FactsDraft<'_>]) {
        for draft in drafts.iter_mut().filter(|draft| self.bias.is_none() && draft.claimed.is_none()) {
            draft.has_unclear_rows |=
                draft.axes().len() == 2 && draft.is(Role::Kernel) && is_of_table(&draft.name.layer);
        }
    }
}

/// How many elements a bias has, of which all axes but one are 1.
fn length_of_bias(axes: &[usize]) -> Option<usize> {
    let mut longer = axes.iter().filter(|length| **length != 1);
    match (axes, longer.next(), longer.next()) {
        ([], ..) | (_, _, Some(_)) => None,
        (_, length, _) => Some(length.copied().unwrap_or(1)),
    }
}

/// Chooses among the candidates of each tensor of a layer so that they agree.
pub(super) fn weigh(drafts: &mut [FactsDraft<'_>], layer: &Layer) {
    let activations: Vec<Vec<Candidate>> =
        layer.activations.iter().map(|idx| with_bias(&drafts[*idx], layer.bias)).collect();
    let mut outputs = layer.bias.map(|bias| (bias, format!("the layer's bias has {bias} elements")));
    let near = different(drafts, layer, &activations);
    for idx in &layer.kernels {
        // The depthwise kernel of a separable convolution has other outputs than the bias and the activation.
        let is_inner = layer.kernels.len() > 1
            && drafts[*idx].name.hint.is_some_and(|(_, word)| word.contains("depthwise"));
        if is_inner {
            drafts[*idx].weighed = choose(&drafts[*idx].candidates);
            continue;
        }
        let candidates = with_bias(&drafts[*idx], layer.bias);
        let candidates = with_activations(candidates, drafts[*idx].axes(), &near);
        drafts[*idx].weighed = choose(&candidates);
        if let Some((layout, _)) = &drafts[*idx].weighed
            && let Some(n) = layout.outputs(drafts[*idx].axes())
        {
            let fits_one = near
                .iter()
                .any(|(axes, near)| near.iter().any(|other| other.layout.outputs(axes) == Some(n)));
            if fits_one {
                outputs = Some((n, format!("the layer's kernel has {n} outputs")));
            }
        }
    }
    for (idx, mut candidates) in layer.activations.iter().zip(activations) {
        if let Some((n, text)) = &outputs {
            candidates = agreeing(candidates, drafts[*idx].axes(), *n, text);
        }
        drafts[*idx].weighed = choose(&candidates);
    }
    for draft in drafts.iter_mut().filter(|draft| draft.is(Role::Input) || draft.is(Role::Image)) {
        draft.weighed = choose(&draft.candidates);
    }
}

/// How many activations of a layer are compared with its kernels; more would add nothing.
const MOST_NEAR: usize = 16;

/// The activations of a layer that differ in their axes.
fn different<'a>(
    drafts: &[FactsDraft<'a>],
    layer: &Layer,
    activations: &'a [Vec<Candidate>],
) -> Vec<(&'a [usize], &'a [Candidate])> {
    let mut seen = HashSet::new();
    let all = layer.activations.iter().zip(activations);
    let new = all.filter(|(idx, _)| seen.insert(drafts[**idx].axes()));
    new.map(|(idx, candidates)| (drafts[*idx].axes(), candidates.as_slice())).take(MOST_NEAR).collect()
}

fn with_bias(draft: &FactsDraft<'_>, bias: Option<usize>) -> Vec<Candidate> {
    let candidates = draft.candidates.clone();
    match bias {
        Some(bias) if draft.is(Role::Kernel) => {
            agreeing(candidates, draft.axes(), bias, &format!("the layer's bias has {bias} elements"))
        }
        _ => candidates,
    }
}

/// Raises the weight of candidates with this number of outputs and lowers that of the others, if there are both.
fn agreeing(mut candidates: Vec<Candidate>, axes: &[usize], outputs: usize, text: &str) -> Vec<Candidate> {
    let agrees = |candidate: &Candidate| has_outputs(candidate.layout, axes, outputs);
    if candidates.iter().any(agrees) {
        for candidate in &mut candidates {
            let weight = if agrees(candidate) { OUTPUTS } else { -OUTPUTS };
            candidate.vote(Ground::Outputs, weight, text);
        }
    }
    candidates
}

/// Whether a tensor has this number of outputs. A transposed depthwise convolution has as many outputs as inputs.
fn has_outputs(layout: Layout, axes: &[usize], outputs: usize) -> bool {
    let length = |letter| layout.axis(letter).map(|axis| axes[axis]);
    let is_each_alone = layout.is_transposed() && length('O') == Some(1) && length('I') == Some(outputs);
    is_each_alone || layout.outputs(axes) == Some(outputs)
}

/// Weighs a kernel's candidates by how well they fit the layer's activations.
fn with_activations(
    mut candidates: Vec<Candidate>,
    axes: &[usize],
    activations: &[(&[usize], &[Candidate])],
) -> Vec<Candidate> {
    for (near_axes, near) in activations {
        let channels_of = |candidate: &Candidate| {
            let own = candidate.layout.outputs(axes);
            near.iter()
                .filter(|other| own.is_some() && other.layout.outputs(near_axes) == own)
                .map(Candidate::score)
                .fold(None, |best: Option<f32>, score| Some(best.map_or(score, |best| best.max(score))))
        };
        let agreements: Vec<Option<f32>> = candidates.iter().map(channels_of).collect();
        if agreements.iter().all(Option::is_none) {
            continue;
        }
        let freely = near.iter().map(Candidate::score).fold(f32::NEG_INFINITY, f32::max);
        for (candidate, agreement) in candidates.iter_mut().zip(agreements) {
            let weight = agreement.map_or(-OUTPUTS, |score| OUTPUTS + score - freely);
            let outputs = candidate.layout.outputs(axes).unwrap_or(0);
            candidate.vote(Ground::Outputs, weight, format!("the layer's activation has {outputs} channels"));
        }
    }
    candidates
}
