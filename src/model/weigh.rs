//! A tensor's name and shape -> the layouts it may have, each with what speaks for it and how strongly.
//!
//! Weights are in steps of about a factor of e in the odds, and were set by what is common in published networks; the
//! table over real logs and architectures (`make writers`) shows how well they do. A conclusion from them is never more
//! than likely.

use std::rc::Rc;

use super::{
    layout::{Framework, Layout},
    name::{Convolution, convolution},
    role::Role,
};

/// From this lead over the next layout on, a conclusion is likely and no guess.
pub(super) const LIKELY: f32 = 2.5;

const NAME: f32 = 1.5;
const WORD: f32 = 5.0;
const RARE: f32 = -4.0;
const SQUARE_MAP: f32 = 3.0;
const COLOURS: f32 = 1.0;
const ROUND_COUNT: f32 = 0.5;
/// Of a layer's other tensors: their number of channels leaves hardly any doubt.
pub(super) const OUTPUTS: f32 = 6.0;
/// Of the run's other tensors.
pub(super) const RUN: f32 = 3.0;

/// What can speak for a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    /// Where a window or a map lies.
    Extent,
    /// The kind of the name.
    Name,
    /// A word for a kind of convolution.
    Word,
    /// The layer's other tensors.
    Outputs,
    /// The run's other tensors.
    Run,
}

/// One thing that speaks for a layout, or against it where the weight is negative.
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

/// The layouts that a tensor in this role may have; none where its number of axes fits no layout.
pub(super) fn candidates(
    tag: &str,
    habit: (Framework, &'static str),
    role: Role,
    axes: &[usize],
) -> Vec<Candidate> {
    let word = convolution(tag);
    let layouts: &[Layout] = match (role, axes.len()) {
        (Role::Kernel, 2) => &[Layout::Io, Layout::Oi],
        (Role::Kernel, 3) => &[Layout::Wio, Layout::Oiw, Layout::Wim, Layout::Woi, Layout::Iow],
        (Role::Kernel, 4) => &[Layout::Hwio, Layout::Oihw, Layout::Hwim, Layout::Hwoi, Layout::Iohw],
        (Role::Kernel, 5) => &[Layout::Dhwio, Layout::Oidhw, Layout::Dhwoi, Layout::Iodhw],
        (Role::Activation | Role::Input, 2) => &[Layout::Nc],
        (Role::Activation | Role::Input, 3) => &[Layout::Nwc, Layout::Ncw],
        (Role::Activation | Role::Input | Role::Image, 4) => &[Layout::Nhwc, Layout::Nchw],
        (Role::Activation | Role::Input, 5) => &[Layout::Ndhwc, Layout::Ncdhw],
        _ => &[],
    };
    layouts.iter().map(|layout| candidate(*layout, word, habit, axes)).collect()
}

fn candidate(
    layout: Layout,
    word: Option<(Convolution, &'static str)>,
    (framework, text): (Framework, &'static str),
    axes: &[usize],
) -> Candidate {
    let mut candidate = Candidate { layout, votes: Vec::new() };
    if layout.framework() == framework {
        candidate.vote(Ground::Name, NAME, text);
    }
    let extent = layout.extent(axes);
    if layout.is_activation() {
        map_votes(&mut candidate, &extent, axes);
    } else {
        window_votes(&mut candidate, &extent, axes);
        word_votes(&mut candidate, word, axes);
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
    let place =
        if first || matches!(candidate.layout, Layout::Dhwio | Layout::Dhwoi) { "first" } else { "last" };
    candidate.vote(
        Ground::Extent,
        window_weight(extent, *longest),
        format!("a window of {} comes {place}", by(extent)),
    );
}

/// How common a window is: small, odd and square ones are; those of one row or column may be long.
fn window_weight(extent: &[usize], longest: usize) -> f32 {
    let is_square = extent.windows(2).all(|pair| pair[0] == pair[1]);
    let is_line = extent.iter().filter(|length| **length > 1).count() <= 1;
    let size = match longest {
        0..=7 => 0.0,
        8..=11 => -2.5,
        12..=16 => -3.5,
        17..=32 => -4.0,
        _ => -5.0,
    };
    let odd = if extent.iter().all(|length| *length <= 7 && length % 2 == 1) { 1.0 } else { 0.0 };
    let uneven = if is_square || is_line { 0.0 } else { -3.0 };
    size + odd + uneven
}

fn word_votes(candidate: &mut Candidate, word: Option<(Convolution, &'static str)>, axes: &[usize]) {
    let layout = candidate.layout;
    let length = |letter| layout.axis(letter).map(|axis| axes[axis]);
    let is_named_depthwise = matches!(word, Some((Convolution::Depthwise, _)));
    // Grouped convolutions have one input channel for each filter and the ordinary layout: in PyTorch always, in Flax too.
    let is_grouped = is_named_depthwise && length('I') == Some(1) && length('O') != Some(1);
    let kind = match layout {
        _ if layout.is_transposed() => Convolution::Transposed,
        _ if layout.is_depthwise() && (length('I') != Some(1) || length('M') == Some(1)) => {
            Convolution::Depthwise
        }
        _ if layout.is_depthwise() => return candidate.vote(Ground::Word, RARE, String::new()),
        _ if is_grouped => Convolution::Depthwise,
        _ => return,
    };
    match word {
        Some((named, word)) if named == kind => {
            let kind = match kind {
                Convolution::Depthwise => "depthwise",
                Convolution::Transposed => "transposed",
            };
            candidate.vote(Ground::Word, WORD, format!("\"{word}\" names a {kind} convolution"));
        }
        _ => candidate.vote(Ground::Word, RARE, String::new()),
    }
}
