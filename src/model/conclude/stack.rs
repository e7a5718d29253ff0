//! Biases of two axes -> the axis in front of a tensor that counts copies of a network or layers of one kind, and is none of the
//! convolution's.
//!
//! JAX's `pmap` keeps the parameters of each device, a scan over layers those of each layer, one behind the other: a kernel of
//! 3x3x64x64 is stored as 8x3x3x64x64 then, and its bias of 64 as 8x64. The kernel alone could be one of three dimensions.

use super::{
    super::{
        name::{Hint, is_of_attention},
        role::Role,
    },
    Draft,
    habit::Stacks,
};

/// How a tensor counts among the biases of its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bias {
    Single,
    /// So many, one behind the other.
    Stack(usize),
}

impl Bias {
    /// Of a tensor that is called a bias. Those of attention have an axis for the heads, and Keras keeps two in one for a GRU.
    pub(super) fn of(draft: &Draft<'_>) -> Option<Self> {
        let is_called_so = matches!(draft.name.hint, Some((Hint::Bias, word)) if word.len() > 1);
        let layer = &draft.name.layer;
        let has_other_axis = || is_of_attention(layer) || layer.to_lowercase().contains("gru");
        if !is_called_so || draft.item.is_picture || has_other_axis() {
            return None;
        }
        match *draft.all_axes() {
            [_] => Some(Self::Single),
            [count, _] if count > 1 => Some(Self::Stack(count)),
            _ => None,
        }
    }
}

/// Takes the axis in front from the tensors of a layer, where it has one.
pub(super) fn settle_stack(drafts: &mut [Draft<'_>], stacks: &Stacks) {
    let biases: Vec<Bias> = drafts.iter().filter_map(Bias::of).collect();
    if biases.contains(&Bias::Single) {
        return;
    }
    let of_layer = stack_of_layer(drafts);
    for draft in drafts.iter_mut().filter(|draft| !draft.is_told()) {
        let [count, rest @ ..] = draft.all_axes() else { continue };
        let is_usual = stacks.most == Some(*count);
        let is_of_layer = of_layer.as_ref().is_some_and(|(stack, _)| stack == count);
        let is_of_run = of_layer.is_none() && (is_usual || (rest.len() == 4 && stacks.has(*count)));
        let is_stacked = match draft.name.hint {
            _ if !is_of_layer && !is_of_run => false,
            Some((Hint::Kernel, _)) => rest.len() > 1 || (is_of_layer && rest.len() == 1),
            Some((Hint::Bias | Hint::Other, _)) => rest.len() == 1,
            _ => rest.len() == 4 && is_usual && draft.is(Role::Activation),
        };
        if !is_stacked {
            continue;
        }
        let bias = of_layer.as_ref().map_or("biases of the run have it", |(_, words)| words);
        draft.stack = Some(format!("the first axis, of {count}, is that of copies or of layers, as {bias}"));
        // A scale of one axis is no kernel.
        draft.role.take_if(|(role, _)| rest.len() == 1 && *role == Role::Kernel);
    }
}

/// The axis in front by the layer alone: a bias of two axes whose first is the kernel's first, and whose second is another axis of
/// the kernel; or the scale of a normalisation with the same two axes.
fn stack_of_layer(drafts: &[Draft<'_>]) -> Option<(usize, String)> {
    let stacks = |draft: &&Draft<'_>| matches!(Bias::of(draft), Some(Bias::Stack(_)));
    drafts.iter().filter(stacks).find_map(|bias| {
        let [count, length] = *bias.all_axes() else { return None };
        let goes_with = |draft: &Draft<'_>| match *draft.all_axes() {
            [first, second] => first == count && second == length,
            [first, ref rest @ ..] => first == count && rest.contains(&length),
            [] => false,
        };
        let is_kernel = |draft: &&Draft<'_>| match draft.name.hint {
            Some((Hint::Kernel, _)) => true,
            Some((Hint::Other, _)) => draft.all_axes() == bias.all_axes(),
            _ => false,
        };
        let mut kernels = drafts.iter().filter(is_kernel).peekable();
        let is_stack = kernels.peek().is_some() && kernels.all(goes_with);
        is_stack.then(|| (count, format!("the bias of {count}x{length} has it")))
    })
}
