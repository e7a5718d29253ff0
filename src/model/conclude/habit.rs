//! What most tensors of a run have in common, which settles those that nothing else does.

use super::{
    super::{
        Confidence,
        layout::{Framework, Layout},
        role::Role,
    },
    Draft,
};

/// So many of a run's tensors must agree before the others are taken to be alike.
const MOST: f32 = 0.8;
const N_LAYOUTS: usize = Layout::ALL.len();

/// How many tensors of a run clearly have which layout, as kernels and as activations. They are counted and taken back one by one.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    kernels: [usize; N_LAYOUTS],
    activations: [usize; N_LAYOUTS],
}

/// What a tensor counts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Counted {
    #[default]
    Nothing,
    Kernel(Layout),
    Activation(Layout),
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
            _ => Self::Nothing,
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
        if let Some(count) = self.of(new) {
            *count += 1;
        }
    }

    fn of(&mut self, counted: Counted) -> Option<&mut usize> {
        match counted {
            Counted::Nothing => None,
            Counted::Kernel(layout) => self.kernels.get_mut(layout as usize),
            Counted::Activation(layout) => self.activations.get_mut(layout as usize),
        }
    }
}

/// What most tensors of a run have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Habit {
    pub(super) kernels: Option<(Framework, String)>,
    pub(super) activations: Option<(Framework, String)>,
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
        Self { kernels, activations }
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
