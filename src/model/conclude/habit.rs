//! What most tensors of a run have in common, which settles those that nothing else does.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        Confidence,
        layout::{Framework, Layout},
        role::Role,
    },
    Draft,
    stack::Bias,
};

/// So many of a run's tensors must agree before the others are taken to be alike.
const MOST: f32 = 0.8;
/// So many of a run's biases are many.
const MANY: f32 = 0.1;
const N_LAYOUTS: usize = Layout::ALL.len();

/// How many tensors of a run clearly have which layout, as kernels and as activations. They are counted and taken back one by one.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    kernels: [usize; N_LAYOUTS],
    activations: [usize; N_LAYOUTS],
    /// Biases of one axis, and those of two by their lengths.
    single_biases: usize,
    stacked_biases: BTreeMap<[usize; 2], usize>,
}

/// What a tensor counts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Counted {
    #[default]
    Nothing,
    Kernel(Layout),
    Activation(Layout),
    Bias(Bias),
}

impl Counted {
    /// By what was written down of it or by its layer, before anything is concluded from the run's habit.
    pub(super) fn of(draft: &Draft<'_>) -> Self {
        let layout = draft.claimed.as_ref().or(draft.weighed.as_ref());
        let clear =
            layout.filter(|(_, reason)| draft.axes().len() > 2 && reason.confidence >= Confidence::Likely);
        match (clear, &draft.role) {
            (Some((layout, _)), Some((Role::Kernel, _))) => Self::Kernel(*layout),
            (Some((layout, _)), Some((Role::Activation, _))) => Self::Activation(*layout),
            _ => Bias::of(draft).map_or(Self::Nothing, Self::Bias),
        }
    }
}

/// Which of the run's habits a tensor hangs on, because nothing stronger settles its layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Hears {
    #[default]
    Nothing,
    OfKernels,
    OfActivations,
}

impl Hears {
    pub(super) fn of(draft: &Draft<'_>) -> Self {
        match &draft.role {
            _ if draft.claimed.is_some() || draft.candidates.len() < 2 => Self::Nothing,
            Some((Role::Kernel, _)) => Self::OfKernels,
            _ => Self::OfActivations,
        }
    }
}

impl Counts {
    /// Counts a tensor for one thing and no longer for another.
    pub(super) fn change(&mut self, old: Counted, new: Counted) {
        if let Some(count) = self.of(old) {
            *count -= 1;
        }
        if let Counted::Bias(Bias::Stack(length)) = old
            && self.stacked_biases.get(&length) == Some(&0)
        {
            self.stacked_biases.remove(&length);
        }
        if let Some(count) = self.of(new) {
            *count += 1;
        }
    }

    fn of(&mut self, counted: Counted) -> Option<&mut usize> {
        match counted {
            Counted::Nothing => None,
            Counted::Kernel(layout) => self.kernels.get_mut(layout as usize),
            Counted::Activation(layout) => self.activations.get_mut(layout as usize),
            Counted::Bias(Bias::Single) => Some(&mut self.single_biases),
            Counted::Bias(Bias::Stack(length)) => Some(self.stacked_biases.entry(length).or_default()),
        }
    }
}

/// What most tensors of a run have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Habit {
    pub(super) kernels: Option<(Framework, String)>,
    pub(super) activations: Option<(Framework, String)>,
    pub(super) stacks: Stacks,
}

/// The axes of biases of two, as far as their first is common in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stacks {
    /// The first of most biases.
    pub(super) most: Option<usize>,
    some: BTreeMap<usize, BTreeSet<usize>>,
}

impl Stacks {
    /// Whether many biases have such a first axis, and one of them such a second one as a kernel with these other axes has.
    pub(super) fn fit(&self, first: usize, others: &[usize]) -> bool {
        self.some.get(&first).is_some_and(|seconds| others.iter().any(|other| seconds.contains(other)))
    }

    fn of(counts: &Counts) -> Self {
        let mut firsts: BTreeMap<usize, (usize, BTreeSet<usize>)> = BTreeMap::new();
        for ([first, second], count) in &counts.stacked_biases {
            let (total, seconds) = firsts.entry(*first).or_default();
            *total += count;
            seconds.insert(*second);
        }
        let total = (counts.single_biases + counts.stacked_biases.values().sum::<usize>()) as f32;
        let is_part = |count: usize, part: f32| count > 1 && count as f32 >= part * total;
        let most = firsts.iter().find(|(_, (count, _))| is_part(*count, MOST)).map(|(first, _)| *first);
        let some = firsts.into_iter().filter(|(_, (count, _))| is_part(*count, MANY));
        Self { most, some: some.map(|(first, (_, seconds))| (first, seconds)).collect() }
    }
}

impl Habit {
    /// Whether what speaks to such tensors is the same.
    pub(super) fn is_same_for(&self, other: &Self, hears: Hears) -> bool {
        match hears {
            Hears::Nothing => true,
            Hears::OfKernels => self.kernels == other.kernels,
            Hears::OfActivations => self.activations == other.activations,
        }
    }

    pub(super) fn of(counts: &Counts) -> Self {
        let kernels = common(&counts.kernels, "kernels");
        let activations = common(&counts.activations, "activations").or(kernels.clone());
        Self { kernels, activations, stacks: Stacks::of(counts) }
    }
}

fn common(counts: &[usize; N_LAYOUTS], what: &str) -> Option<(Framework, String)> {
    let counted = || {
        Layout::ALL
            .into_iter()
            .map(|layout| (layout, counts[layout as usize]))
            .filter(|(_, count)| *count > 0)
    };
    let total: usize = counts.iter().sum();
    [Framework::TensorFlow, Framework::PyTorch].into_iter().find_map(|framework| {
        let of_it = || counted().filter(|(layout, _)| layout.framework() == framework);
        let (layout, _) = of_it().max_by_key(|(layout, count)| (*count, layout.name()))?;
        let n_of_it: usize = of_it().map(|(_, count)| count).sum();
        let agrees = n_of_it as f32 >= MOST * total as f32;
        agrees.then(|| (framework, format!("the run's other {what} are {}", layout.name())))
    })
}
