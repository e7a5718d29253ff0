//! What most tensors of a run have in common. This settles the layouts that no other evidence settles.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        layout::{Framework, Layout},
        reason::Confidence,
        role::Role,
    },
    bias::Bias,
    facts_draft::FactsDraft,
};

use crate::model::weigh::{Ground, RUN};

/// The share of a run's tensors that must agree before the others are assumed to be alike.
const MOST: f32 = 0.8;
/// The share of a run's biases that counts as many.
const MANY: f32 = 0.1;
const N_LAYOUTS: usize = Layout::ALL.len();

/// How many tensors of a run clearly have each layout, as kernels and as activations. Single tensors can be added and removed.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    kernels: [usize; N_LAYOUTS],
    activations: [usize; N_LAYOUTS],
    /// The number of biases with one axis, and that of biases with two axes by the lengths of these axes.
    single_biases: usize,
    stacked_biases: BTreeMap<[usize; 2], usize>,
}

/// What a tensor is counted as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum CountedAs {
    #[default]
    Nothing,
    Kernel(Layout),
    Activation(Layout),
    Bias(Bias),
}

impl CountedAs {
    /// Uses the written evidence and the tensor's layer, before anything is concluded from the run's majority.
    pub(super) fn of(draft: &FactsDraft<'_>) -> Self {
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

/// Which majority of the run a tensor's layout depends on, because no stronger evidence settles it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum DependsOn {
    #[default]
    Nothing,
    OfKernels,
    OfActivations,
}

impl DependsOn {
    pub(super) fn of(draft: &FactsDraft<'_>) -> Self {
        match &draft.role {
            _ if draft.claimed.is_some() || draft.candidates.len() < 2 => Self::Nothing,
            Some((Role::Kernel, _)) => Self::OfKernels,
            _ => Self::OfActivations,
        }
    }
}

impl Counts {
    /// Stops counting a tensor as `old` and counts it as `new`.
    pub(super) fn change(&mut self, old: CountedAs, new: CountedAs) {
        if let Some(count) = self.of(old) {
            *count -= 1;
        }
        if let CountedAs::Bias(Bias::Stack(length)) = old
            && self.stacked_biases.get(&length) == Some(&0)
        {
            self.stacked_biases.remove(&length);
        }
        if let Some(count) = self.of(new) {
            *count += 1;
        }
    }

    fn of(&mut self, counted_as: CountedAs) -> Option<&mut usize> {
        match counted_as {
            CountedAs::Nothing => None,
            CountedAs::Kernel(layout) => self.kernels.get_mut(layout as usize),
            CountedAs::Activation(layout) => self.activations.get_mut(layout as usize),
            CountedAs::Bias(Bias::Single | Bias::Column(_)) => Some(&mut self.single_biases),
            CountedAs::Bias(Bias::Stack(length)) => Some(self.stacked_biases.entry(length).or_default()),
        }
    }
}

/// What most tensors of a run have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Majority {
    kernels: AgreementOfOthers,
    activations: AgreementOfOthers,
    pub(super) stacks: Stacks,
}

/// The framework whose layouts most tensors of a kind have, and the sentence that says so; `None` where they do not agree or
/// where there are none.
type Agreement = Option<(Framework, String)>;

/// What all counted tensors have in common, and, for a tensor that is itself counted, what the others have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct AgreementOfOthers {
    all: Agreement,
    without: BTreeMap<usize, Agreement>,
}

impl AgreementOfOthers {
    fn of(counts: &[usize; N_LAYOUTS], say: impl Fn(&[usize; N_LAYOUTS]) -> Agreement) -> Self {
        let counted_as = (0..N_LAYOUTS).filter(|layout| counts[*layout] > 0);
        let without = counted_as.map(|layout| {
            let mut others = *counts;
            others[layout] -= 1;
            (layout, say(&others))
        });
        Self { all: say(counts), without: without.collect() }
    }

    fn beside(&self, layout: Layout) -> &Agreement {
        self.without.get(&(layout as usize)).unwrap_or(&self.all)
    }
}

/// The lengths of the axes of biases with two axes, where the first length is common in the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stacks {
    /// The first axis of most biases.
    pub(super) most: Option<usize>,
    some: BTreeMap<usize, BTreeSet<usize>>,
}

impl Stacks {
    /// How a bias counts in this run. A column (`[n, 1]`) is a stack in TensorFlow's order, and also where many biases of the run
    /// that have more than one element have the same first axis.
    pub(super) fn read(&self, bias: Bias, framework: Framework) -> Bias {
        match bias {
            Bias::Column(count) if framework == Framework::TensorFlow || self.has(count) => {
                Bias::Stack([count, 1])
            }
            Bias::Column(_) => Bias::Single,
            other => other,
        }
    }

    /// Whether many biases have this first axis, and the second axis of one of them is among these other axes of a kernel.
    pub(super) fn fit(&self, first: usize, others: &[usize]) -> bool {
        self.some.get(&first).is_some_and(|seconds| others.iter().any(|other| seconds.contains(other)))
    }

    /// Whether many biases have this first axis.
    pub(super) fn has(&self, first: usize) -> bool {
        self.some.contains_key(&first)
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

impl Majority {
    pub(super) fn of(counts: &Counts) -> Self {
        let of_kernels = common(&counts.kernels, "kernel");
        let of_activations =
            |others: &[usize; N_LAYOUTS]| common(others, "other activation").or(of_kernels.clone());
        Self {
            kernels: AgreementOfOthers::of(&counts.kernels, |others| common(others, "other kernel")),
            activations: AgreementOfOthers::of(&counts.activations, of_activations),
            stacks: Stacks::of(counts),
        }
    }

    /// What the other tensors of the run agree on, for a tensor that depends on them; the tensor itself is not counted.
    pub(super) fn agreement(
        &self,
        depends_on: DependsOn,
        counted_as: CountedAs,
    ) -> Option<&(Framework, String)> {
        let agreement = match (depends_on, counted_as) {
            (DependsOn::Nothing, _) => return None,
            (DependsOn::OfKernels, CountedAs::Kernel(layout)) => self.kernels.beside(layout),
            (DependsOn::OfKernels, _) => &self.kernels.all,
            (DependsOn::OfActivations, CountedAs::Activation(layout)) => self.activations.beside(layout),
            (DependsOn::OfActivations, _) => &self.activations.all,
        };
        agreement.as_ref()
    }
}

/// The framework whose layouts these tensors have, if most have layouts of one framework.
fn common(counts: &[usize; N_LAYOUTS], what: &str) -> Agreement {
    let total: usize = counts.iter().sum();
    let counted_as = || Layout::ALL.into_iter().map(|layout| (layout, counts[layout as usize]));
    [Framework::TensorFlow, Framework::PyTorch].into_iter().find_map(|framework| {
        let of_it = || counted_as().filter(|(layout, count)| *count > 0 && layout.framework() == framework);
        let (layout, count) = of_it().max_by_key(|(layout, count)| (*count, layout.name()))?;
        let n_of_it: usize = of_it().map(|(_, count)| count).sum();
        let agrees = n_of_it as f32 >= MOST * total as f32;
        agrees.then(|| (framework, agreement_text(layout, (count, total), what)))
    })
}

/// The sentence that this number of all tensors have a layout, or at least a layout of the same framework.
fn agreement_text(layout: Layout, (count, total): (usize, usize), what: &str) -> String {
    let name = layout.name();
    match (count, total) {
        (1, 1) => format!("the run's {what} is {name}"),
        _ if count == total => format!("the run's {what}s are {name}"),
        _ if 2 * count > total => format!("most of the run's {what}s are {name}"),
        _ => format!("most of the run's {what}s have layouts like {name}"),
    }
}

impl FactsDraft<'_> {
    /// Adds the vote of the run's majority, if no stronger evidence settles the layout. Returns whether there was one.
    pub(super) fn apply_majority(&mut self, majority: &Majority) -> bool {
        let agreement = majority.agreement(DependsOn::of(self), CountedAs::of(self));
        let Some((framework, text)) = agreement else { return false };
        for candidate in
            self.candidates.iter_mut().filter(|candidate| candidate.layout.framework() == *framework)
        {
            candidate.vote(Ground::Run, RUN, text.clone());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreement(counted_as: &[(CountedAs, usize)], depends_on: DependsOn, own: CountedAs) -> String {
        let mut counts = Counts::default();
        for (counted_as, n) in counted_as {
            (0..*n).for_each(|_| counts.change(CountedAs::Nothing, *counted_as));
        }
        Majority::of(&counts).agreement(depends_on, own).map_or_else(String::new, |(_, text)| text.clone())
    }

    #[test]
    fn a_tensor_depends_on_others_alone() {
        let oihw = CountedAs::Kernel(Layout::Oihw);
        let kernels = |n, own| agreement(&[(oihw, n)], DependsOn::OfKernels, own);
        assert_eq!(kernels(1, oihw), "");
        assert_eq!(kernels(1, CountedAs::Nothing), "the run's other kernel is OIHW");
        assert_eq!(kernels(2, oihw), "the run's other kernel is OIHW");
        assert_eq!(kernels(3, oihw), "the run's other kernels are OIHW");
        let nchw = CountedAs::Activation(Layout::Nchw);
        let activations = |n, own| agreement(&[(oihw, 2), (nchw, n)], DependsOn::OfActivations, own);
        assert_eq!(activations(1, nchw), "the run's kernels are OIHW");
        assert_eq!(activations(2, nchw), "the run's other activation is NCHW");
    }

    #[test]
    fn what_not_all_have_is_said_of_most() {
        let kernel = CountedAs::Kernel;
        let kernels = |counted_as: &[(CountedAs, usize)]| {
            agreement(counted_as, DependsOn::OfKernels, CountedAs::Nothing)
        };
        let mixed = kernels(&[(kernel(Layout::Oihw), 4), (kernel(Layout::Hwio), 1)]);
        assert_eq!(mixed, "most of the run's other kernels are OIHW");
        assert_eq!(kernels(&[(kernel(Layout::Oihw), 3), (kernel(Layout::Hwio), 1)]), "");
        let like = kernels(&[(kernel(Layout::Oihw), 2), (kernel(Layout::Iohw), 1), (kernel(Layout::Oiw), 1)]);
        assert_eq!(like, "most of the run's other kernels have layouts like OIHW");
    }
}
