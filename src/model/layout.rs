//! Which axis is which: the layouts of kernels and activations, and the choice among them by name and shape.

use super::{
    Reason,
    name::{self, Convolution},
    role::Role,
};
use crate::tensor::shape::Shape;

/// The order of a tensor's axes, slowest first, as the usual letters: N sample, C channel, I input channel, O output channel,
/// M channel multiplier, D depth, H height, W width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Convolution, TensorFlow.
    Hwio,
    /// Convolution, PyTorch.
    Oihw,
    /// Depthwise convolution, TensorFlow.
    Hwim,
    /// Transposed convolution, TensorFlow.
    Hwoi,
    /// Transposed convolution, PyTorch.
    Iohw,
    /// Convolution, TFLite.
    Ohwi,
    /// One-dimensional convolution, TensorFlow.
    Wio,
    /// One-dimensional convolution, PyTorch.
    Oiw,
    /// Three-dimensional convolution, TensorFlow.
    Dhwio,
    /// Three-dimensional convolution, PyTorch.
    Oidhw,
    /// Activation, TensorFlow.
    Nhwc,
    /// Activation, PyTorch.
    Nchw,
    /// One-dimensional activation, TensorFlow.
    Nwc,
    /// One-dimensional activation, PyTorch.
    Ncw,
    /// Three-dimensional activation, TensorFlow.
    Ndhwc,
    /// Three-dimensional activation, PyTorch.
    Ncdhw,
    /// Dense layer, TensorFlow.
    Io,
    /// Dense layer, PyTorch.
    Oi,
    /// Dense layer's activation.
    Nc,
}

impl Layout {
    /// All layouts.
    pub const ALL: [Self; 19] = [
        Self::Hwio,
        Self::Oihw,
        Self::Hwim,
        Self::Hwoi,
        Self::Iohw,
        Self::Ohwi,
        Self::Wio,
        Self::Oiw,
        Self::Dhwio,
        Self::Oidhw,
        Self::Nhwc,
        Self::Nchw,
        Self::Nwc,
        Self::Ncw,
        Self::Ndhwc,
        Self::Ncdhw,
        Self::Io,
        Self::Oi,
        Self::Nc,
    ];

    /// The letters, slowest axis first.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hwio => "HWIO",
            Self::Oihw => "OIHW",
            Self::Hwim => "HWIM",
            Self::Hwoi => "HWOI",
            Self::Iohw => "IOHW",
            Self::Ohwi => "OHWI",
            Self::Wio => "WIO",
            Self::Oiw => "OIW",
            Self::Dhwio => "DHWIO",
            Self::Oidhw => "OIDHW",
            Self::Nhwc => "NHWC",
            Self::Nchw => "NCHW",
            Self::Nwc => "NWC",
            Self::Ncw => "NCW",
            Self::Ndhwc => "NDHWC",
            Self::Ncdhw => "NCDHW",
            Self::Io => "IO",
            Self::Oi => "OI",
            Self::Nc => "NC",
        }
    }

    /// The layout of these letters.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name().eq_ignore_ascii_case(name))
    }

    /// The position of the axis of this letter.
    #[must_use]
    pub fn axis(self, letter: char) -> Option<usize> {
        self.name().find(letter)
    }

    /// The number of axes.
    #[must_use]
    pub fn rank(self) -> usize {
        self.name().len()
    }

    /// Whether it is a layout of activations (and inputs) and not of kernels.
    #[must_use]
    pub fn is_activation(self) -> bool {
        self.name().starts_with('N')
    }
}

/// Windows of convolutions are hardly ever wider; channel counts hardly ever this small on two axes at once.
const WIDEST_WINDOW: usize = 15;

fn is_window(h: usize, w: usize) -> bool {
    h.max(w) <= WIDEST_WINDOW && (h == w || h == 1 || w == 1)
}

/// Whether the first two axes look like a window and the last two do not.
pub(super) fn is_front_window([h, w, i, o]: [usize; 4]) -> bool {
    is_window(h, w) && !(is_window(i, o) && i == o)
}

/// Whether the last two axes look like a window and the first two do not.
pub(super) fn is_back_window([o, i, h, w]: [usize; 4]) -> bool {
    is_window(h, w) && !(is_window(o, i) && o == i)
}

/// The layout of a tensor in this role, and the ground for it.
#[must_use]
pub fn layout(tag: &str, role: Role, shape: &Shape) -> Option<(Layout, Reason)> {
    match role {
        Role::Kernel => kernel_layout(tag, shape),
        Role::Activation | Role::Input => activation_layout(tag, shape),
        Role::Bias | Role::Image | Role::Other => None,
    }
}

fn kernel_layout(tag: &str, shape: &Shape) -> Option<(Layout, Reason)> {
    let torch = is_torch_name(tag);
    let by_habit = |of_torch, of_tensorflow| {
        let framework = if torch { "PyTorch" } else { "TensorFlow" };
        (
            if torch { of_torch } else { of_tensorflow },
            Reason::guess(format!("the name is of {framework}'s kind")),
        )
    };
    match *shape.axes() {
        [_, _] => Some(by_habit(Layout::Oi, Layout::Io)),
        [a, _, c] => Some(match (a <= WIDEST_WINDOW, c <= WIDEST_WINDOW) {
            (true, false) => (Layout::Wio, Reason::likely(format!("a small window of {a} comes first"))),
            (false, true) => (Layout::Oiw, Reason::likely(format!("a small window of {c} comes last"))),
            _ => by_habit(Layout::Oiw, Layout::Wio),
        }),
        [a, b, c, d] => {
            Some(four_axes(tag, [a, b, c, d]).unwrap_or_else(|| by_habit(Layout::Oihw, Layout::Hwio)))
        }
        [a, b, c, d, e] => Some(match (a.max(b).max(c) <= WIDEST_WINDOW, c.max(d).max(e) <= WIDEST_WINDOW) {
            (true, false) => {
                (Layout::Dhwio, Reason::likely(format!("a small window of {a}x{b}x{c} comes first")))
            }
            (false, true) => {
                (Layout::Oidhw, Reason::likely(format!("a small window of {c}x{d}x{e} comes last")))
            }
            _ => by_habit(Layout::Oidhw, Layout::Dhwio),
        }),
        _ => None,
    }
}

fn four_axes(tag: &str, axes: [usize; 4]) -> Option<(Layout, Reason)> {
    let [a, b, c, d] = axes;
    let (ordinary, transposed, window) = match (is_front_window(axes), is_back_window(axes)) {
        (true, false) => (Layout::Hwio, Layout::Hwoi, format!("a small window of {a}x{b} comes first")),
        (false, true) => (Layout::Oihw, Layout::Iohw, format!("a small window of {c}x{d} comes last")),
        _ => return None,
    };
    let named =
        |word: &str, kind: &str| Reason::likely(format!("{window}; \"{word}\" names a {kind} convolution"));
    Some(match name::convolution(tag) {
        // PyTorch's depthwise kernels have one input channel and the ordinary layout.
        Some((Convolution::Depthwise, word)) if ordinary == Layout::Hwio => {
            (Layout::Hwim, named(word, "depthwise"))
        }
        Some((Convolution::Transposed, word)) => (transposed, named(word, "transposed")),
        _ => (ordinary, Reason::likely(window)),
    })
}

fn activation_layout(tag: &str, shape: &Shape) -> Option<(Layout, Reason)> {
    let torch = is_torch_name(tag);
    let by_habit = |of_torch, of_tensorflow| {
        let framework = if torch { "PyTorch" } else { "TensorFlow" };
        (
            if torch { of_torch } else { of_tensorflow },
            Reason::guess(format!("the name is of {framework}'s kind")),
        )
    };
    match *shape.axes() {
        [_, _] => Some((Layout::Nc, Reason::likely("two axes: samples and channels"))),
        [_, _, _] => Some(by_habit(Layout::Ncw, Layout::Nwc)),
        [_, b, c, d] => Some(match (b == c, c == d) {
            (true, false) => {
                (Layout::Nhwc, Reason::likely(format!("a square map of {b}x{c}, then {d} channels")))
            }
            (false, true) => {
                (Layout::Nchw, Reason::likely(format!("{b} channels, then a square map of {c}x{d}")))
            }
            // Colour images are the common case of maps that are not square.
            (false, false) if d == 3 && b > 4 => (Layout::Nhwc, Reason::likely("three channels come last")),
            (false, false) if b == 3 && d > 4 => (Layout::Nchw, Reason::likely("three channels come first")),
            _ => by_habit(Layout::Nchw, Layout::Nhwc),
        }),
        [_, _, _, _, _] => Some(by_habit(Layout::Ncdhw, Layout::Ndhwc)),
        _ => None,
    }
}

/// PyTorch joins names by dots and says `weight` in the singular.
fn is_torch_name(tag: &str) -> bool {
    name::is_dotted(tag) || matches!(name::hint(tag), Some((_, "weight")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_layouts_are_one_to_one() {
        for layout in Layout::ALL {
            assert_eq!(Layout::from_name(layout.name()), Some(layout));
        }
        assert_eq!(Layout::Hwio.axis('O'), Some(3));
        assert_eq!(Layout::Oihw.axis('W'), Some(3));
        assert_eq!(Layout::Nhwc.axis('O'), None);
    }
}
