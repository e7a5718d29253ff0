//! What a tensor does in its layer, according to its name and its shape.

use super::{
    layout::Layout,
    name::{Hint, Name},
    reason::Reason,
};
use crate::tensor::shape::Shape;

/// What a tensor does in its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The weights.
    Kernel,
    /// The bias.
    Bias,
    /// The output.
    Activation,
    /// The input of the network.
    Input,
    /// A picture that its writer encoded.
    Image,
    /// Anything else.
    Other,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 6] =
        [Self::Kernel, Self::Bias, Self::Activation, Self::Input, Self::Image, Self::Other];

    /// One word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Bias => "bias",
            Self::Activation => "activation",
            Self::Input => "input",
            Self::Image => "image",
            Self::Other => "other",
        }
    }

    /// Whether tensors in this role can have this layout.
    #[must_use]
    pub fn has(self, layout: Layout) -> bool {
        match self {
            Self::Kernel => !layout.is_activation(),
            Self::Activation | Self::Input | Self::Image => layout.is_activation(),
            Self::Bias | Self::Other => true,
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// The role that a tag suggests, where the number of axes allows it.
pub(super) fn by_name(name: &Name<'_>, shape: &Shape) -> Option<(Role, Reason)> {
    let (hint, word) = name.hint?;
    let role = match (hint, shape.rank()) {
        // A single letter is weak evidence.
        (Hint::Bias, 2..) if word.len() == 1 => return None,
        (Hint::Kernel, 2..=5) => Role::Kernel,
        (Hint::Bias, 1..=5) => Role::Bias,
        (Hint::Activation, 2..=5) => Role::Activation,
        (Hint::Input, 3..=5) => Role::Input,
        (Hint::Other, _) => Role::Other,
        _ => return None,
    };
    Some((role, Reason::likely(format!("the name says \"{word}\""))))
}

/// The role of a tensor whose name is that of a layer with a kernel: hooks log a layer's output under the layer's name.
pub(super) fn by_layer(layer: &str, shape: &Shape) -> Option<(Role, Reason)> {
    let reason = || Reason::likely(format!("the name is that of the layer \"{layer}\", which has a kernel"));
    (2..=5).contains(&shape.rank()).then(|| (Role::Activation, reason()))
}

/// The role of a tensor with one axis and no telling name, beside a kernel with as many outputs.
pub(super) fn by_kernel(kernel: &Shape, shape: &Shape) -> Option<(Role, Reason)> {
    let ([first, .., last], [own]) = (kernel.axes(), shape.axes()) else { return None };
    let reason = || Reason::guess(format!("it is as long as the outputs of the layer's kernel, {own}"));
    (own == first || own == last).then(|| (Role::Bias, reason()))
}

/// The role of a tensor whose name is that of a module that contains layers.
pub(super) fn by_module(module: &str, shape: &Shape) -> Option<(Role, Reason)> {
    let reason = || Reason::likely(format!("the name is that of the module \"{module}\", which has layers"));
    (2..=5).contains(&shape.rank()).then(|| (Role::Activation, reason()))
}

/// Up to this length, two short axes are more often a window than a map.
const USUAL_WINDOW: usize = 7;
/// Windows of convolutions are hardly ever wider than this.
const WIDEST_WINDOW: usize = 15;
/// With more inputs than this, windows are 3 or 1 wide, and wider axes are those of a map.
const MOST_INPUTS_OF_WIDE: usize = 64;

fn is_window(h: usize, w: usize) -> bool {
    h == w && h <= WIDEST_WINDOW
}

/// Whether the axes can be the window of a kernel with this number of inputs.
fn is_window_over(h: usize, w: usize, inputs: usize) -> bool {
    let is_wide = h > 3;
    is_window(h, w) && (!is_wide || (inputs <= MOST_INPUTS_OF_WIDE && (h % 2 == 1 || h == 4)))
}

/// The role that only the shape suggests: a guess.
pub(super) fn by_shape(is_module: bool, shape: &Shape) -> (Role, Reason) {
    let small =
        |window: [usize; 2]| format!("a small window of {}x{} beside two channel axes", window[0], window[1]);
    match *shape.axes() {
        // PyTorch's kernels are called weight: a tensor that has only the name of a module is the module's output.
        [_, _, _, _] if is_module => {
            (Role::Activation, Reason::guess("four axes, under a name of PyTorch's kind without \"weight\""))
        }
        // Without a helpful name, only square windows count: [1, 7, 7, 512] is one sample of an activation.
        [h, w, i, o] if is_window_over(h, w, i) && !is_window(i, o) => {
            (Role::Kernel, Reason::guess(small([h, w])))
        }
        [h, w, i, o] if h.max(w).max(i).max(o) <= USUAL_WINDOW && h == w && i == o => {
            (Role::Kernel, Reason::guess("all four axes are as short as those of a window"))
        }
        // One sample with many small maps is far more common than one filter with as many inputs.
        [o, i, h, w] if o > 1 && is_window_over(h, w, i) && !is_window(o, i) => {
            (Role::Kernel, Reason::guess(small([h, w])))
        }
        [_, _, _, _] => (Role::Activation, Reason::guess("four axes without a small window")),
        _ => (Role::Other, Reason::guess("neither the name nor the shape says what it is")),
    }
}
