//! A tensor's name and shape -> the layouts it may have, each with the evidence for it and its strength.
//!
//! A weight of 1 multiplies the odds by about e. The weights were set by what is common in published networks; the
//! tables over real logs and 268 published networks (`make writers`) show how good the conclusions are. A conclusion from them
//! is never more than likely.

use std::rc::Rc;

use super::{
    layout::{Framework, Layout},
    name::{Convolution, convolution},
    role::Role,
};

/// With at least this lead over the next layout, a conclusion is "likely" and not a guess.
pub(super) const LIKELY: f32 = 2.5;

/// Weight of the convention that a name follows.
pub(super) const NAME: f32 = 1.5;
/// Weight of the name that a PyTorch module gives its kernel.
pub(super) const MODULE_WEIGHT: f32 = 2.4;
/// Weight of such a name where PyTorch's writer logged it.
pub(super) const BOTH: f32 = 3.0;
/// Weight of a kind of convolution that the name does not mention.
const RARE: f32 = -4.0;
/// Weight of a transposed convolution with a window of even lengths, which are rare for ordinary convolutions.
const RARE_EVEN: f32 = -2.0;
/// Weight of a kernel with one filter for each of many channels, which is no rarer than one filter over all of them.
const RARE_EACH: f32 = -2.0;
/// Weight of a transposed convolution with a window of one element, which would enlarge nothing.
const RARE_POINT: f32 = -6.0;
/// Weight of the layout of TFLite and MLX, in logs about which nothing else is known.
const RARE_OHWI: f32 = -2.0;
/// Weight of a word that names only such a convolution.
const WORD: f32 = 9.0;
/// Weight of a word for enlarging, which also names ordinary convolutions after a resizing.
pub(super) const WORD_OF_ENLARGING: f32 = 3.0;
/// Weight of the same word where the window has one element: enough for a guess.
const WORD_OF_ENLARGING_POINT: f32 = 3.6;
/// Weight of a word for a first convolution, which is hardly ever transposed.
const WORD_OF_FIRST: f32 = 3.0;
const SQUARE_MAP: f32 = 3.0;
const COLOURS: f32 = 1.0;
const ROUND_COUNT: f32 = 0.5;
const FIRST_INPUTS: f32 = 0.5;
const ODD_COUNT: f32 = -1.0;
/// Weight of a layer's other tensors: their number of channels leaves hardly any doubt.
pub(super) const OUTPUTS: f32 = 6.0;
/// Weight of the run's other tensors.
pub(super) const RUN: f32 = 3.0;
/// The most weight of the layers before and after.
pub(super) const SEQUENCE: f32 = 8.0;

/// The same for a window of one element, which is hardly ever that of a transposed convolution.
pub(super) const SEQUENCE_OF_POINT: f32 = 4.0;
/// The most weight of an order of layers that comes only from names, for a convolution that a word may name as transposed.
pub(super) const NAMES_BESIDE_WORD: f32 = 1.4;
/// The least weight for a transposed convolution that is followed by a normalisation of its outputs.
pub(super) const NORMALISED: f32 = 5.0;
/// Weight for a transposed convolution where the layers before and after do not distinguish the two kinds.
pub(super) const OPEN: f32 = 1.8;

/// The framework whose convention a name follows, how far that can be relied on, and the phrase that says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Custom {
    pub(super) framework: Framework,
    pub(super) weight: f32,
    pub(super) text: &'static str,
}

/// What can be evidence for a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    /// The position of a window or a map among the axes.
    Extent,
    /// The convention of the name.
    Name,
    /// How common the kind of convolution is.
    Kind,
    /// A word for a kind of convolution.
    Word,
    /// Numbers of channels.
    Count,
    /// The layers before and after.
    Sequence,
    /// The layer's other tensors.
    Outputs,
    /// The run's other tensors.
    Run,
}

/// One piece of evidence for a layout, or against it where the weight is negative.
#[derive(Clone, Debug)]
pub(super) struct Vote {
    pub(super) ground: Ground,
    pub(super) weight: f32,
    pub(super) text: Rc<str>,
}

/// A layout that a tensor may have.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) layout: Layout,
    pub(super) votes: Vec<Vote>,
}

impl Candidate {
    pub(super) fn score(&self) -> f32 {
        self.votes.iter().map(|vote| vote.weight).sum()
    }

    pub(super) fn vote(&mut self, ground: Ground, weight: f32, text: impl Into<Rc<str>>) {
        self.votes.push(Vote { ground, weight, text: text.into() });
    }

    pub(super) fn weight_of(&self, ground: Ground) -> f32 {
        self.votes.iter().filter(|vote| vote.ground == ground).map(|vote| vote.weight).sum()
    }
}

/// The layouts that a tensor in this role may have; none where no layout has its number of axes.
pub(super) fn candidates(tag: &str, custom: Custom, role: Role, axes: &[usize]) -> Vec<Candidate> {
    let word = convolution(tag);
    let layouts: &[Layout] = match (role, axes) {
        (Role::Kernel, [_, _]) => &[Layout::Io, Layout::Oi],
        (Role::Kernel, [_, _, _]) => &[Layout::Wio, Layout::Oiw, Layout::Wim, Layout::Woi, Layout::Iow],
        (Role::Kernel, [o, h, w, _]) if h == w && *h > 1 && o.is_multiple_of(8) => {
            &[Layout::Hwio, Layout::Oihw, Layout::Hwim, Layout::Hwoi, Layout::Iohw, Layout::Ohwi]
        }
        (Role::Kernel, [_, _, _, _]) => {
            &[Layout::Hwio, Layout::Oihw, Layout::Hwim, Layout::Hwoi, Layout::Iohw]
        }
        (Role::Kernel, [_, _, _, _, _]) => &[Layout::Dhwio, Layout::Oidhw, Layout::Dhwoi, Layout::Iodhw],
        (Role::Activation | Role::Input, [_, _]) => &[Layout::Nc],
        (Role::Activation | Role::Input, [_, _, _]) => &[Layout::Nwc, Layout::Ncw],
        (Role::Activation | Role::Input | Role::Image, [_, _, _, _]) => &[Layout::Nhwc, Layout::Nchw],
        (Role::Activation | Role::Input, [_, _, _, _, _]) => &[Layout::Ndhwc, Layout::Ncdhw],
        _ => &[],
    };
    layouts.iter().map(|layout| candidate(*layout, word, custom, axes)).collect()
}

fn candidate(
    layout: Layout,
    word: Option<(Convolution, &'static str)>,
    custom: Custom,
    axes: &[usize],
) -> Candidate {
    let mut candidate = Candidate { layout, votes: Vec::new() };
    if layout.framework() == custom.framework && layout != Layout::Ohwi {
        candidate.vote(Ground::Name, custom.weight, custom.text);
    }
    let extent = layout.extent(axes);
    if layout.is_activation() {
        map_votes(&mut candidate, &extent, axes);
    } else {
        window_votes(&mut candidate, &extent, axes);
        count_votes(&mut candidate, axes);
        kind_votes(&mut candidate, word, &extent, axes);
    }
    candidate
}

fn by(lengths: &[usize]) -> String {
    lengths.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

fn map_votes(candidate: &mut Candidate, extent: &[usize], axes: &[usize]) {
    let channels = candidate.layout.outputs(axes).unwrap_or(0);
    if extent.len() > 1 && extent.windows(2).all(|pair| pair[0] == pair[1]) {
        let text = match candidate.layout.framework() {
            Framework::TensorFlow => format!("a square map of {}, then {channels} channels", by(extent)),
            Framework::PyTorch => format!("{channels} channels, then a square map of {}", by(extent)),
        };
        candidate.vote(Ground::Extent, SQUARE_MAP, text);
    } else if channels == 3 && extent.len() > 1 {
        // Colour images are the common case of maps that are not square.
        candidate.vote(Ground::Extent, COLOURS, "three channels");
    } else if extent.len() > 1 && channels.is_multiple_of(8) {
        candidate.vote(Ground::Extent, ROUND_COUNT, format!("{channels} is a usual number of channels"));
    }
}

fn window_votes(candidate: &mut Candidate, extent: &[usize], axes: &[usize]) {
    let Some(longest) = extent.iter().max() else { return };
    let first = candidate.layout.axis('W').is_some_and(|axis| axis < axes.len() / 2);
    let place = match candidate.layout {
        Layout::Ohwi => "between the channels",
        Layout::Dhwio | Layout::Dhwoi => "first",
        _ if first => "first",
        _ => "last",
    };
    candidate.vote(
        Ground::Extent,
        window_weight(extent, *longest),
        format!("a window of {} comes {place}", by(extent)),
    );
}

/// How common a window is: small, odd and square ones are common; those of one row or column may be long.
fn window_weight(extent: &[usize], longest: usize) -> f32 {
    let is_square = extent.windows(2).all(|pair| pair[0] == pair[1]);
    let is_line = extent.iter().filter(|length| **length > 1).count() <= 1;
    let size = match longest {
        0..=7 => 0.0,
        8..=11 => -2.5,
        12..=16 => -3.5,
        17..=32 => -4.0,
        // Windows over time alone are as long as those over a second.
        _ if is_line && extent.len() > 1 => -4.0,
        _ => -5.0,
    };
    let odd = if extent.iter().all(|length| *length <= 7 && length % 2 == 1) { 1.0 } else { 0.0 };
    // Windows over spectrograms are long along one axis.
    let uneven = match longest {
        _ if is_square || is_line => 0.0,
        0..=7 => -4.0,
        _ => -2.0,
    };
    size + odd + uneven
}

/// Numbers of channels are usually round, except for those of the network's input and its classes.
fn count_votes(candidate: &mut Candidate, axes: &[usize]) {
    let layout = candidate.layout;
    if axes.len() < 3 || layout.is_depthwise() {
        return;
    }
    // A network begins with ordinary convolutions and ends with transposed ones.
    let outer = if layout.is_transposed() { 'O' } else { 'I' };
    let is_usual = |channels: usize| channels < 8 || channels.is_multiple_of(4);
    for letter in ['I', 'O'] {
        let Some(channels) = layout.axis(letter).map(|axis| axes[axis]) else { continue };
        if !is_usual(channels) {
            candidate.vote(Ground::Count, ODD_COUNT, String::new());
        } else if letter == outer && matches!(channels, 1 | 3) {
            let text = format!(
                "{} {}",
                ["one", "three"][channels / 2],
                if outer == 'I' { "input" } else { "output" }
            );
            candidate.vote(Ground::Count, FIRST_INPUTS, text);
        }
    }
}

fn kind_votes(
    candidate: &mut Candidate,
    word: Option<(Convolution, &'static str)>,
    extent: &[usize],
    axes: &[usize],
) {
    let layout = candidate.layout;
    if layout == Layout::Ohwi {
        return candidate.vote(Ground::Kind, RARE_OHWI, String::new());
    }
    let length = |letter| layout.axis(letter).map(|axis| axes[axis]);
    let is_named_depthwise = matches!(word, Some((Convolution::Depthwise, _)));
    // Grouped convolutions have one input channel per filter and the ordinary layout: always in PyTorch, and in Flax too.
    let is_grouped = is_named_depthwise && length('I') == Some(1) && length('O') != Some(1);
    if layout.is_transposed() {
        let is_even = extent.iter().all(|length| length.is_multiple_of(2));
        let weight = match extent.iter().max() {
            Some(1) => RARE_POINT,
            _ if is_even => RARE_EVEN,
            _ => RARE,
        };
        candidate.vote(Ground::Kind, weight, String::new());
        match word {
            Some((Convolution::Transposed, word)) => {
                let text = format!("\"{word}\" names a transposed convolution");
                candidate.vote(Ground::Word, WORD, text);
            }
            Some((Convolution::Enlarging, word)) => {
                let text = format!("\"{word}\" may name a transposed convolution");
                let is_point = extent.iter().all(|length| *length == 1);
                let weight = if is_point { WORD_OF_ENLARGING_POINT } else { WORD_OF_ENLARGING };
                candidate.vote(Ground::Word, weight, text);
            }
            _ => {}
        }
        return;
    }
    if let Some((Convolution::First, word)) = word
        && !layout.is_depthwise()
        && !extent.is_empty()
    {
        candidate.vote(Ground::Word, WORD_OF_FIRST, format!("\"{word}\" names a first convolution"));
    }
    let may_be_depthwise = layout.is_depthwise() && (length('I') != Some(1) || length('M') == Some(1));
    if layout.is_depthwise() {
        // One filter over many channels is equally rare.
        let is_each_alone = length('M') == Some(1) && length('I').is_some_and(|inputs| inputs >= 8);
        candidate.vote(Ground::Kind, if is_each_alone { RARE_EACH } else { RARE }, String::new());
    }
    if (is_named_depthwise && may_be_depthwise) || is_grouped {
        let weight = if is_grouped { WORD + RARE } else { WORD };
        let text = word.map(|(_, word)| format!("\"{word}\" names a depthwise convolution"));
        candidate.vote(Ground::Word, weight, text.unwrap_or_default());
    }
}
