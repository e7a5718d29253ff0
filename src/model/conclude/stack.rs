//! Biases of two axes -> the extra first axis of a tensor, which counts copies of a network or layers of one kind and is not
//! part of the convolution.
//!
//! JAX's `pmap` stores the parameters of all devices one after the other, and a scan over layers those of all layers: a kernel of
//! 3x3x64x64 becomes 8x3x3x64x64, and its bias of 64 becomes 8x64. The kernel alone could be one of three dimensions.

use super::{
    super::{layout::Framework, name::Hint, reason::Reason, role::Role},
    bias::Bias,
    facts_draft::{FactsDraft, FirstAxis},
    majority::Stacks,
};

/// A single letter is weak evidence. Beside weights with one axis more and with the same first and last axes, it names a stack of
/// biases: Haiku calls them `w` and `b`.
pub(super) fn settle_letters(drafts: &mut [FactsDraft<'_>]) {
    let weights: Vec<&[usize]> = drafts
        .iter()
        .filter(|draft| matches!(draft.name.hint, Some((Hint::Kernel, _))))
        .map(FactsDraft::all_axes)
        .collect();
    let goes_with = |axes: &[usize], weights: &[usize]| {
        axes.len() > 1
            && weights.len() == axes.len() + 1
            && (weights.first(), weights.last()) == (axes.first(), axes.last())
    };
    for draft in drafts.iter_mut().filter(|draft| draft.role.is_none() && !draft.item.is_picture) {
        let is_letter = matches!(draft.name.hint, Some((Hint::Bias, _)));
        if is_letter && weights.iter().any(|weights| goes_with(draft.all_axes(), weights)) {
            let reason = "it is called like a bias, and the layer's weights have its first and its last axis";
            draft.role = Some((Role::Bias, Reason::likely(reason)));
        }
    }
}

/// Separates the extra first axis from the tensors of a layer, where there is one.
pub(super) fn settle_stack(drafts: &mut [FactsDraft<'_>], stacks: &Stacks) {
    let biases: Vec<Bias> = drafts.iter().filter_map(Bias::of).collect();
    if biases.contains(&Bias::Single) {
        return;
    }
    let scales: Vec<bool> = drafts.iter().map(|draft| is_scale(draft, &biases)).collect();
    for (draft, _) in drafts.iter_mut().zip(&scales).filter(|(_, is_scale)| **is_scale) {
        draft.role =
            Some((Role::Other, Reason::likely("it has the axes of its bias: a scale, and no kernel")));
    }
    let is_kernel = |draft: &&FactsDraft<'_>| matches!(draft.name.hint, Some((Hint::Kernel, _)));
    let framework =
        drafts.iter().find(is_kernel).map_or(Framework::PyTorch, |kernel| kernel.custom.framework);
    let biases: Vec<Bias> = biases.into_iter().map(|bias| stacks.read(bias, framework)).collect();
    if biases.contains(&Bias::Single) {
        return;
    }
    let of_layer = biases.iter().find_map(|bias| stack_of_layer(drafts, *bias));
    let others = drafts.iter_mut().zip(scales).filter(|(draft, is_scale)| !is_scale && !draft.is_told());
    for (draft, _) in others {
        let is_kernel = matches!(draft.name.hint, Some((Hint::Kernel, _)));
        let [count, others @ ..] = draft.all_axes() else { continue };
        let is_usual = stacks.most == Some(*count);
        let is_of_layer = of_layer.is_some_and(|[stack, _]| stack == *count);
        // PyTorch's order has no layout with such an axis, so a mistake would remove the picture.
        let is_of_run = biases.is_empty()
            && draft.custom.framework == Framework::TensorFlow
            && stacks.fit(*count, others)
            && (is_usual || others.len() == 4);
        let is_stacked = match draft.name.hint {
            Some((Hint::Kernel, _)) => (is_of_layer || is_of_run) && others.len() > 1,
            Some((Hint::Bias, _)) => is_of_layer && others.len() == 1,
            _ => is_usual && others.len() == 4 && draft.is(Role::Activation),
        };
        draft.first_axis = if is_stacked {
            let bias = of_layer.map_or("biases of the run have it".to_owned(), |[n, length]| {
                format!("the bias of {n}x{length} has it")
            });
            FirstAxis::Stack(format!(
                "the first axis, of {count}, is that of copies, layers or blocks, as {bias}"
            ))
        } else if is_kernel && !biases.is_empty() {
            FirstAxis::Unclear
        } else {
            FirstAxis::OfLayout
        };
    }
}

/// Whether the tensor is named like a kernel but has the same axes as its bias: then it is a scale.
fn is_scale(draft: &FactsDraft<'_>, biases: &[Bias]) -> bool {
    let is_its = |bias: &Bias| match *bias {
        Bias::Stack(axes) => axes == draft.all_axes(),
        Bias::Column(count) => draft.all_axes() == [count, 1],
        Bias::Single => false,
    };
    matches!(draft.name.hint, Some((Hint::Kernel, _))) && !draft.is_told() && biases.iter().any(is_its)
}

/// The axes of a two-axis bias: the first is the first axis of all kernels of the layer, the second their number of outputs.
fn stack_of_layer(drafts: &[FactsDraft<'_>], bias: Bias) -> Option<[usize; 2]> {
    let Bias::Stack([count, length]) = bias else { return None };
    let goes_with = |draft: &FactsDraft<'_>| {
        let [first, others @ .., before, last] = draft.all_axes() else { return false };
        let outputs = match draft.custom.framework {
            Framework::TensorFlow => *last,
            Framework::PyTorch => *others.first().unwrap_or(before),
        };
        *first == count && (outputs == length || before.checked_mul(*last) == Some(length))
    };
    let is_kernel = |draft: &&FactsDraft<'_>| matches!(draft.name.hint, Some((Hint::Kernel, _)));
    let mut kernels = drafts.iter().filter(is_kernel).peekable();
    (kernels.peek().is_some() && kernels.all(goes_with)).then_some([count, length])
}
