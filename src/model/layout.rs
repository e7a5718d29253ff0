//! Which axis is which: the layouts of kernels and activations.
//!
//! There are more layouts here than other programs have names for: without `WIM`, `WOI`, `IOW`, `DHWOI` and `IODHW`, kernels
//! of Keras and PyTorch would have no layout, and so no picture.

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
    /// One-dimensional depthwise convolution, TensorFlow.
    Wim,
    /// One-dimensional transposed convolution, TensorFlow.
    Woi,
    /// One-dimensional transposed convolution, PyTorch.
    Iow,
    /// Three-dimensional convolution, TensorFlow.
    Dhwio,
    /// Three-dimensional convolution, PyTorch.
    Oidhw,
    /// Three-dimensional transposed convolution, TensorFlow.
    Dhwoi,
    /// Three-dimensional transposed convolution, PyTorch.
    Iodhw,
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
    pub const ALL: [Self; 24] = [
        Self::Hwio,
        Self::Oihw,
        Self::Hwim,
        Self::Hwoi,
        Self::Iohw,
        Self::Ohwi,
        Self::Wio,
        Self::Oiw,
        Self::Wim,
        Self::Woi,
        Self::Iow,
        Self::Dhwio,
        Self::Oidhw,
        Self::Dhwoi,
        Self::Iodhw,
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
            Self::Wim => "WIM",
            Self::Woi => "WOI",
            Self::Iow => "IOW",
            Self::Dhwio => "DHWIO",
            Self::Oidhw => "OIDHW",
            Self::Dhwoi => "DHWOI",
            Self::Iodhw => "IODHW",
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

    /// Whether each input channel has filters of its own.
    #[must_use]
    pub fn is_depthwise(self) -> bool {
        self.axis('M').is_some()
    }

    /// Whether it is a layout of transposed convolutions: output channels are where other layouts have their input channels.
    #[must_use]
    pub fn is_transposed(self) -> bool {
        matches!(self, Self::Hwoi | Self::Iohw | Self::Woi | Self::Iow | Self::Dhwoi | Self::Iodhw)
    }

    /// The layout with one more axis in front, used as an axis of the map or of the window; `None` where there is no such layout.
    #[must_use]
    pub fn stacked(self) -> Option<Self> {
        match self {
            Self::Hwio => Some(Self::Dhwio),
            Self::Hwoi => Some(Self::Dhwoi),
            Self::Wio => Some(Self::Hwio),
            Self::Wim => Some(Self::Hwim),
            Self::Woi => Some(Self::Hwoi),
            Self::Io => Some(Self::Wio),
            Self::Nhwc => Some(Self::Ndhwc),
            _ => None,
        }
    }

    /// Whether it is a layout of activations (and inputs) and not of kernels.
    #[must_use]
    pub fn is_activation(self) -> bool {
        self.name().starts_with('N')
    }
}

/// The framework whose convention a layout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framework {
    /// Channels last: TensorFlow, Keras, Flax.
    TensorFlow,
    /// Channels first: PyTorch.
    PyTorch,
}

impl Layout {
    /// The framework whose convention this is.
    #[must_use]
    pub fn framework(self) -> Framework {
        match self {
            Self::Oihw
            | Self::Iohw
            | Self::Oiw
            | Self::Iow
            | Self::Oidhw
            | Self::Iodhw
            | Self::Nchw
            | Self::Ncw
            | Self::Ncdhw
            | Self::Oi => Framework::PyTorch,
            _ => Framework::TensorFlow,
        }
    }

    /// The number of output channels of a kernel, or of channels of an activation, that has these axes.
    #[must_use]
    pub fn outputs(self, axes: &[usize]) -> Option<usize> {
        let length = |letter| self.axis(letter).and_then(|axis| axes.get(axis)).copied();
        match self {
            _ if self.is_depthwise() => length('I')?.checked_mul(length('M')?),
            _ if self.is_activation() => length('C'),
            _ => length('O'),
        }
    }

    /// The lengths of a kernel's window or of an activation's map: depth, height, width, without the axes that it does not have.
    #[must_use]
    pub fn extent(self, axes: &[usize]) -> Vec<usize> {
        ['D', 'H', 'W'].into_iter().filter_map(|letter| axes.get(self.axis(letter)?).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::*;
    use crate::model::role::Role;

    /// The layouts that vocabulary.json has for a role, by their number of axes. The Python package is checked against it too.
    fn shared(role: Role) -> BTreeMap<usize, BTreeSet<String>> {
        let vocabulary: Value = serde_json::from_str(include_str!("vocabulary.json")).unwrap();
        serde_json::from_value(vocabulary["layouts"][role.name()].clone()).unwrap()
    }

    #[test]
    fn the_recorder_in_python_has_the_same_layouts() {
        for role in [Role::Kernel, Role::Activation, Role::Input] {
            let mut own = BTreeMap::<usize, BTreeSet<String>>::new();
            for layout in Layout::ALL.into_iter().filter(|layout| role.has(*layout)) {
                own.entry(layout.rank()).or_default().insert(layout.name().to_owned());
            }
            assert_eq!(shared(role), own, "{}", role.name());
        }
    }

    #[test]
    fn letters_and_layouts_are_one_to_one() {
        for layout in Layout::ALL {
            assert_eq!(Layout::from_name(layout.name()), Some(layout));
        }
        assert_eq!(Layout::Hwio.axis('O'), Some(3));
        assert_eq!(Layout::Oihw.axis('W'), Some(3));
        assert_eq!(Layout::Nhwc.axis('O'), None);
        assert_eq!(Layout::Hwim.outputs(&[3, 3, 16, 2]), Some(32));
        assert_eq!(Layout::Ncdhw.extent(&[1, 2, 3, 4, 5]), [3, 4, 5]);
    }
}
