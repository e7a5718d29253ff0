//! Kernels and normalisations in the order of a network -> whether the channels from one layer to the next match if the kernels are
//! ordinary convolutions, or if they are transposed ones, which have inputs and outputs exchanged.
//!
//! In `main.0: 100x64x4x4`, `main.3: 64x32x4x4` the outputs of the first are the inputs of the second only if both are transposed.

use std::{ops::Range, sync::Arc};

use super::super::layout::Framework;

/// How many layers before and after a kernel are considered.
pub(super) const REACH: usize = 4;

/// The gain if a layer has as many inputs as the layer before it has outputs.
const JOINT: f32 = 5.0;
/// The cost if an ordinary convolution follows a transposed one, or the reverse.
const SWITCH: f32 = 2.0;
/// The cost of reading a kernel with one input or one output as depthwise.
const DEPTHWISE: f32 = 2.0;
/// The cost of reading a kernel as one that enlarges a single channel.
const ENLARGES_ONE: f32 = 5.0;
/// The largest weight of a conclusion if only names give the order of layers.
pub(super) const MOST_OF_NAMES: f32 = 3.0;

/// How a layer's outputs depend on its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConvolutionKind {
    Ordinary,
    Transposed,
    /// Each channel separately, as in a normalisation or a depthwise convolution.
    EachChannel,
}

impl ConvolutionKind {
    const ALL: [Self; 3] = [Self::Ordinary, Self::Transposed, Self::EachChannel];
}

/// The channels of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LayerChannels {
    /// The first and the last two axes of a kernel, and how many there are.
    Kernel { first: [usize; 2], last: [usize; 2], rank: usize },
    /// A tensor of one axis in a layer without a kernel: a normalisation, with as many inputs as outputs.
    Vector(usize),
}

impl LayerChannels {
    /// The channels of a tensor with these axes.
    pub(super) fn of(axes: &[usize]) -> Option<Self> {
        match *axes {
            // One number for all channels, such as the slope of an activation, does not show how many channels there are.
            [] | [1] => None,
            [length] => Some(Self::Vector(length)),
            [a, b, ..] => {
                let [.., c, d] = *axes else { return None };
                Some(Self::Kernel { first: [a, b], last: [c, d], rank: axes.len() })
            }
        }
    }

    /// Input and output channels.
    fn channels(self, framework: Framework, reading: ConvolutionKind) -> [usize; 2] {
        let [inputs, outputs] = match (self, framework) {
            (Self::Vector(length), _) => return [length, length],
            (Self::Kernel { first: [o, i], .. }, Framework::PyTorch) => [i, o],
            (Self::Kernel { last, .. }, Framework::TensorFlow) => last,
        };
        match reading {
            ConvolutionKind::Ordinary => [inputs, outputs],
            ConvolutionKind::Transposed => [outputs, inputs],
            ConvolutionKind::EachChannel => [inputs.max(outputs); 2],
        }
    }

    /// The cost of this reading; `None` if it is impossible.
    fn cost(self, framework: Framework, reading: ConvolutionKind) -> Option<f32> {
        let [inputs, outputs] = self.channels(framework, ConvolutionKind::Ordinary);
        match (self, reading) {
            (Self::Vector(_), ConvolutionKind::EachChannel) => Some(0.0),
            (Self::Vector(_), _) => None,
            (Self::Kernel { .. }, ConvolutionKind::EachChannel) => {
                (inputs.min(outputs) == 1).then_some(DEPTHWISE)
            }
            (Self::Kernel { .. }, ConvolutionKind::Transposed) if outputs == 1 => Some(ENLARGES_ONE),
            (Self::Kernel { .. }, _) => Some(0.0),
        }
    }

    /// Whether it is a kernel with a window of one element, as far as its outer axes show.
    fn is_point(self, framework: Framework) -> bool {
        self.has_window(framework, |length| length == 1)
    }

    /// Whether it is a kernel with a window of even lengths, which ordinary convolutions rarely have.
    fn is_even(self, framework: Framework) -> bool {
        self.has_window(framework, |length| length.is_multiple_of(2))
    }

    fn has_window(self, framework: Framework, is_so: impl Fn(usize) -> bool) -> bool {
        match (self, framework) {
            (Self::Vector(_), _) => false,
            (Self::Kernel { last: [a, b], rank, .. }, Framework::PyTorch) => {
                is_so(b) && (is_so(a) || rank == 3)
            }
            (Self::Kernel { first: [a, b], rank, .. }, Framework::TensorFlow) => {
                is_so(a) && (is_so(b) || rank == 3)
            }
        }
    }

    fn rank(self) -> Option<usize> {
        match self {
            Self::Kernel { rank, .. } => Some(rank),
            Self::Vector(_) => None,
        }
    }
}

/// What the names of two layers have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NameRelation {
    /// Everything except the number at the end: they belong to one sequence.
    Sequence,
    /// Everything except one number in the path: they have the same position in numbered modules.
    Place,
    /// The module that contains them.
    Module,
}

impl NameRelation {
    fn of(a: &str, b: &str) -> Option<Self> {
        let mut different =
            a.split('/').rev().zip(b.split('/').rev()).enumerate().filter(|(_, (a, b))| a != b);
        let (first, next) = (different.next(), different.next());
        if a.matches('/').count() != b.matches('/').count() || next.is_some() {
            let ((module, _), (other, _)) = (a.rsplit_once('/')?, b.rsplit_once('/')?);
            return (module == other).then_some(Self::Module);
        }
        match first? {
            (0, (a, b)) if words(a).chain(words(b)).next().is_none() => Some(Self::Sequence),
            (0, _) => Some(Self::Module),
            (_, (a, b)) => words(a).eq(words(b)).then_some(Self::Place),
        }
    }
}

/// The parts of a name between its numbers.
fn words(key: &str) -> impl Iterator<Item = &str> {
    key.split(|c: char| c.is_ascii_digit()).filter(|word| !word.is_empty())
}

/// The layers around a kernel, in the order of their names.
#[derive(Debug)]
pub(super) struct LayerSequence {
    /// The channels of each, and whether numbers in the names, not words, put it after the layer before.
    pub(super) layers: Vec<(LayerChannels, bool)>,
    /// The position of the kernel.
    pub(super) own: usize,
    /// Kernels of as many axes whose names have something in common with its own.
    kin: Vec<(usize, NameRelation)>,
}

impl LayerSequence {
    /// The sequence of a layer and the layers beside it, which are identified by their names.
    pub(super) fn of(
        beside: &[(Arc<str>, LayerChannels)],
        own: usize,
        (key, layer): (&str, LayerChannels),
    ) -> Self {
        let mut all: Vec<(&str, LayerChannels)> =
            beside.iter().map(|(key, layer)| (&**key, *layer)).collect();
        all.insert(own, (key, layer));
        let own = put_after_their_convolution(&mut all, own);
        let own = without_pairs_in_order_of_letters(&mut all, own);
        let is_behind = |at: usize| {
            let is_between = |at: usize| matches!(all[at].1, LayerChannels::Vector(_));
            at > 0
                && numbers_between(all[at - 1].0, all[at].0)
                    .is_some_and(|n| n > 1 || is_between(at) || is_between(at - 1))
        };
        let kin = |at: usize| {
            let is_alike =
                at != own && layer.rank().is_some_and(|rank| rank > 2 && all[at].1.rank() == Some(rank));
            is_alike.then(|| NameRelation::of(key, all[at].0)).flatten().map(|kin| (at, kin))
        };
        let layers = (0..all.len()).map(|at| (all[at].1, is_behind(at))).collect();
        Self { layers, own, kin: (0..all.len()).filter_map(kin).collect() }
    }

    /// How much more evidence there is for a transposed convolution than for an ordinary one; negative if an ordinary one fits better.
    /// `None` if nothing can be concluded, because there are as many inputs as outputs, or no other layer.
    pub(super) fn lead_of_transposed(&self, framework: Framework) -> Option<f32> {
        self.lead_at(framework, self.own)
    }

    fn lead_at(&self, framework: Framework, own: usize) -> Option<f32> {
        let [inputs, outputs] = self.layers.get(own)?.0.channels(framework, ConvolutionKind::Transposed);
        if inputs == outputs || self.part(own, |_| true).len() == 1 {
            return None;
        }
        let numbered = self.lead(framework, own, |is_numbered| is_numbered);
        let named = self.lead(framework, own, |_| true);
        let lead = numbered + (named - numbered).clamp(-MOST_OF_NAMES, MOST_OF_NAMES);
        // Without a neighbour with matching channels, only the change of direction speaks for an ordinary convolution, and a transposed
        // depthwise one looks the same.
        let is_open = outputs == 1 || named.min(numbered) > -JOINT;
        Some(if is_open { lead.max(0.0) } else { lead })
    }

    /// Whether the next layer is a normalisation whose channels match the outputs only if the kernel is transposed.
    pub(super) fn is_normalised_as_transposed(&self, framework: Framework) -> bool {
        let Some((own, _)) = self.layers.get(self.own) else { return false };
        let [inputs, outputs] = own.channels(framework, ConvolutionKind::Transposed);
        inputs != outputs && self.layers.get(self.own + 1) == Some(&(LayerChannels::Vector(outputs), true))
    }

    /// Whether a layer of the same sequence is transposed, and only the order of names says that this one is not.
    pub(super) fn is_outvoted(&self, framework: Framework, lead: f32) -> bool {
        let mut sequence = self.kin.iter().filter(|(_, kin)| *kin == NameRelation::Sequence);
        let is_transposed = |at| self.lead_at(framework, at).is_some_and(|lead| lead > 0.0);
        lead >= -MOST_OF_NAMES && sequence.any(|(at, _)| is_transposed(*at))
    }

    /// Whether a layer whose name differs in only one number is transposed, or a layer of the same sequence may be.
    pub(super) fn has_open_relative(&self, framework: Framework) -> bool {
        let is_open = |(at, kin): &(usize, NameRelation)| {
            let layer = self.layers[*at].0;
            let [inputs, outputs] = layer.channels(framework, ConvolutionKind::Transposed);
            match self.lead_at(framework, *at) {
                _ if *kin == NameRelation::Module || layer.is_point(framework) => false,
                Some(lead) => lead > 0.0 || (lead == 0.0 && outputs != 1 && *kin == NameRelation::Sequence),
                None => inputs == outputs && layer.is_even(framework) && *kin == NameRelation::Sequence,
            }
        };
        self.kin.iter().any(is_open)
    }

    /// Whether a layer of the same module, or one whose name differs in only one number, is an ordinary convolution.
    pub(super) fn has_ordinary_relative(&self, framework: Framework) -> bool {
        let is_ordinary = |at: usize| {
            let lead = self.lead_at(framework, at).filter(|_| !self.layers[at].0.is_point(framework));
            lead.is_some_and(|lead| lead < 0.0)
        };
        self.kin.iter().any(|(at, _)| is_ordinary(*at))
    }

    fn lead(&self, framework: Framework, own: usize, is_joined: impl Fn(bool) -> bool) -> f32 {
        let part = self.part(own, is_joined);
        let layers = &self.layers[part.clone()];
        let best = |is_transposed: bool| best(layers, framework, (own - part.start, is_transposed));
        best(true) - best(false)
    }

    /// The layers around a kernel that are a part of the network with it.
    fn part(&self, own: usize, is_joined: impl Fn(bool) -> bool) -> Range<usize> {
        let Some((LayerChannels::Kernel { rank, .. }, _)) = self.layers.get(own) else { return own..own + 1 };
        // A kernel with another number of axes belongs to another part of the network.
        let is_part = |layer: LayerChannels| layer.rank().is_none_or(|other| other == *rank);
        let from = (0..own)
            .rev()
            .take_while(|at| is_joined(self.layers[at + 1].1) && is_part(self.layers[*at].0))
            .last()
            .unwrap_or(own);
        let to = (own + 1..self.layers.len())
            .take_while(|at| is_joined(self.layers[*at].1) && is_part(self.layers[*at].0))
            .last()
            .unwrap_or(own);
        from..to + 1
    }
}

/// The score of the best reading of all layers in which the kernel is transposed, or is not.
fn best(layers: &[(LayerChannels, bool)], framework: Framework, (own, is_transposed): (usize, bool)) -> f32 {
    // The best score for each reading of the last layer so far, and for whether the last ordinary or transposed convolution was transposed.
    let mut best: Vec<(ConvolutionKind, bool, f32)> =
        vec![(ConvolutionKind::EachChannel, false, 0.0), (ConvolutionKind::EachChannel, true, 0.0)];
    for (at, (layer, _)) in layers.iter().enumerate() {
        let mut next: Vec<(ConvolutionKind, bool, f32)> = Vec::new();
        for reading in ConvolutionKind::ALL {
            let Some(cost) = layer.cost(framework, reading) else { continue };
            if at == own && is_transposed != (reading == ConvolutionKind::Transposed) {
                continue;
            }
            let [inputs, _] = layer.channels(framework, reading);
            for (was, direction, sum) in &best {
                let is_joint = at > 0 && layers[at - 1].0.channels(framework, *was)[1] == inputs;
                let (new, switch) = match reading {
                    ConvolutionKind::EachChannel => (*direction, 0.0),
                    reading => (reading == ConvolutionKind::Transposed, SWITCH),
                };
                let switch = if at > 0 && new != *direction { switch } else { 0.0 };
                let sum = sum - cost - switch + if is_joint { JOINT } else { 0.0 };
                match next.iter_mut().find(|(known, way, _)| (*known, *way) == (reading, new)) {
                    Some((.., best)) => *best = best.max(sum),
                    None => next.push((reading, new, sum)),
                }
            }
        }
        best = next;
    }
    best.into_iter().map(|(.., sum)| sum).fold(f32::NEG_INFINITY, f32::max)
}

/// Moves normalisations after the only convolution of their module, if they are before it only in alphabetical order: `bn`, `conv`.
/// Returns the new position of the layer that was at `own`.
fn put_after_their_convolution(all: &mut [(&str, LayerChannels)], mut own: usize) -> usize {
    for at in 1..all.len() {
        let (key, layer) = all[at];
        let Some((module, name)) = key.rsplit_once('/').filter(|_| layer.rank().is_some()) else { continue };
        let is_worded = |name: &str| name.starts_with(|c: char| !c.is_ascii_digit());
        let kernels =
            all.iter().filter(|(key, layer)| layer.rank().is_some() && within(module, key).is_some());
        if !is_worded(name) || kernels.count() > 1 {
            continue;
        }
        let is_norm = |(key, layer): &(&str, LayerChannels)| {
            layer.rank().is_none() && within(module, key).is_some_and(is_worded)
        };
        let norms = all[..at].iter().rev().take_while(|layer| is_norm(layer)).count();
        all[at - norms..=at].rotate_right(1);
        own = match own {
            _ if own == at => at - norms,
            _ if (at - norms..at).contains(&own) => own + 1,
            _ => own,
        };
    }
    own
}

/// Removes normalisations that are before the convolution of the same number only in alphabetical order: of `bn1` and `conv1`, either
/// may be the first in the network. Returns the new position of the layer that was at `own`.
fn without_pairs_in_order_of_letters(all: &mut Vec<(&str, LayerChannels)>, own: usize) -> usize {
    let kernels: Vec<&str> =
        all.iter().filter(|(_, layer)| layer.rank().is_some()).map(|(key, _)| *key).collect();
    let is_in_pair = |(at, (key, layer)): (usize, &(&str, LayerChannels))| {
        let is_norm = at < own && layer.rank().is_none();
        is_norm && kernels.iter().any(|kernel| is_pair(key, kernel))
    };
    let removed: Vec<usize> =
        all.iter().enumerate().filter(|layer| is_in_pair(*layer)).map(|(at, _)| at).collect();
    for at in removed.iter().rev() {
        all.remove(*at);
    }
    own - removed.len()
}

/// Whether these are the names of a normalisation and of a convolution with the same number in one module: `a/bn1`, `a/conv1`.
fn is_pair(norm: &str, convolution: &str) -> bool {
    const NORMALISATIONS: [&str; 4] = ["bn", "norm", "batchnorm", "batch_norm"];
    let split = |key: &str| key.rfind('/').map_or(0, |at| at + 1);
    let (norm_at, convolution_at) = (split(norm), split(convolution));
    let Some(number) = convolution[convolution_at..].strip_prefix("conv") else { return false };
    let name = &norm[norm_at..];
    let is_norm = NORMALISATIONS.iter().any(|word| name.strip_prefix(word) == Some(number));
    norm[..norm_at] == convolution[..convolution_at] && is_norm
}

/// The rest of a name that begins with the name of a module.
fn within<'a>(module: &str, key: &'a str) -> Option<&'a str> {
    key.strip_prefix(module)?.strip_prefix('/')
}

/// By how much one layer comes after the other according to names that are only numbers: `main/3` after `main/0`, but not `conv2`
/// after `conv1`. Blocks, and layers in a list, may be numbered in reverse order. In a sequence there is a function between two
/// convolutions, which has a number too.
fn numbers_between(before: &str, after: &str) -> Option<u64> {
    let split = |key: &str| key.rfind('/').map_or((0, 0), |at| (at, at + 1));
    let ((before_end, before_last), (after_end, after_last)) = (split(before), split(after));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| is_number(text));
    let (first, second) = (number(&before[before_last..])?, number(&after[after_last..])?);
    (before[..before_end] == after[..after_end]).then(|| second.saturating_sub(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the sequence alone says about each kernel.
    fn leads(framework: Framework, axes: &[&[usize]]) -> Vec<f32> {
        let layers: Vec<(LayerChannels, bool)> =
            axes.iter().map(|axes| (LayerChannels::of(axes).unwrap(), true)).collect();
        let lead = |own| {
            LayerSequence { layers: layers.clone(), own, kin: Vec::new() }
                .lead_of_transposed(framework)
                .unwrap()
        };
        (0..layers.len()).filter(|at| axes[*at].len() > 1).map(lead).collect()
    }

    #[test]
    fn a_generator_is_transposed_and_its_discriminator_is_not() {
        let generator: [&[usize]; 3] = [&[100, 64, 4, 4], &[64, 32, 4, 4], &[32, 3, 4, 4]];
        assert!(leads(Framework::PyTorch, &generator).iter().all(|lead| *lead > 6.0));
        let discriminator: [&[usize]; 3] = [&[32, 3, 4, 4], &[64, 32, 4, 4], &[1, 64, 4, 4]];
        assert!(leads(Framework::PyTorch, &discriminator).iter().all(|lead| *lead < -6.0));
        let with_norms: [&[usize]; 5] = [&[100, 64, 4, 4], &[64], &[64, 32, 4, 4], &[32], &[32, 3, 4, 4]];
        assert!(leads(Framework::PyTorch, &with_norms).iter().all(|lead| *lead > 6.0));
        let in_tensorflow: [&[usize]; 3] = [&[5, 5, 256, 512], &[5, 5, 128, 256], &[5, 5, 3, 128]];
        assert!(leads(Framework::TensorFlow, &in_tensorflow).iter().all(|lead| *lead > 6.0));
    }

    #[test]
    fn an_autoencoder_turns_in_the_middle() {
        let halves: [&[usize]; 4] = [&[8, 1, 3, 3], &[16, 8, 3, 3], &[16, 8, 3, 3], &[8, 1, 3, 3]];
        let leads = leads(Framework::PyTorch, &halves);
        assert!(leads[0] <= 0.0 && leads[1] < 0.0 && leads[2] > 5.0 && leads[3] >= 2.0, "{leads:?}");
    }

    #[test]
    fn layers_beside_one_another_say_nothing() {
        let branches: [&[usize]; 4] =
            [&[256, 2048, 1, 1], &[256, 2048, 3, 3], &[256, 2048, 3, 3], &[256, 2048, 3, 3]];
        assert!(leads(Framework::PyTorch, &branches).iter().all(|lead| lead.abs() <= 3.0));
    }

    #[test]
    fn depthwise_convolutions_are_not_transposed() {
        let mobile: [&[usize]; 5] =
            [&[3, 3, 3, 32], &[3, 3, 32, 1], &[1, 1, 32, 64], &[3, 3, 64, 1], &[1, 1, 64, 128]];
        assert!(leads(Framework::TensorFlow, &mobile).iter().all(|lead| *lead < 0.0));
        let mobile: [&[usize]; 5] =
            [&[32, 3, 3, 3], &[32, 1, 3, 3], &[64, 32, 1, 1], &[64, 1, 3, 3], &[128, 64, 1, 1]];
        assert!(leads(Framework::PyTorch, &mobile).iter().all(|lead| *lead <= 0.0));
    }

    #[test]
    fn only_numbers_are_an_order() {
        assert_eq!(numbers_between("main/0", "main/3"), Some(3));
        assert_eq!(numbers_between("0", "3"), Some(3));
        for (before, after) in [
            ("main/0/conv", "main/1/norm"),
            ("net/conv1", "net/conv2"),
            ("main/0", "main/0/conv"),
            ("a/0", "b/1"),
        ] {
            assert_eq!(numbers_between(before, after), None);
        }
    }
}
