//! A tag and a shape -> what the tensor does in its layer.

use super::{
    Reason,
    layout::{is_back_window, is_front_window},
    name::{Hint, hint},
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
    /// What the network is fed.
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

    /// The role of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// The role of a series and the ground for it: first what its tag says, then what its shape says.
#[must_use]
pub fn role(tag: &str, shape: &Shape) -> (Role, Reason) {
    let by_name = hint(tag).and_then(|(hint, word)| {
        let role = match (hint, shape.rank()) {
            (Hint::Kernel, 2..=5) => Role::Kernel,
            (Hint::Bias, 1) => Role::Bias,
            (Hint::Activation, 2..=5) => Role::Activation,
            (Hint::Input, 3..=5) => Role::Input,
            _ => return None,
        };
        Some((role, Reason::likely(format!("the name says \"{word}\""))))
    });
    by_name.unwrap_or_else(|| by_shape(shape))
}

fn by_shape(shape: &Shape) -> (Role, Reason) {
    let small =
        |window: [usize; 2]| format!("a small window of {}x{} beside two channel axes", window[0], window[1]);
    match *shape.axes() {
        // Without a name, only square windows count: [1, 7, 7, 512] is one sample of an activation.
        [h, w, i, o] if h == w && is_front_window([h, w, i, o]) => {
            (Role::Kernel, Reason::guess(small([h, w])))
        }
        // One sample with many small maps is far more common than one filter with as many inputs.
        [o, i, h, w] if o > 1 && h == w && is_back_window([o, i, h, w]) => {
            (Role::Kernel, Reason::guess(small([h, w])))
        }
        [_, _, _, _] => (Role::Activation, Reason::guess("four axes without a small window")),
        _ => (Role::Other, Reason::guess("neither the name nor the shape says what it is")),
    }
}
