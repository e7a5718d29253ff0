//! What most tensors of a run have in common, which settles those that nothing else does.

use std::collections::HashMap;

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

/// What most tensors of a run have in common.
pub(super) struct Habit {
    pub(super) kernels: Option<(Framework, String)>,
    pub(super) activations: Option<(Framework, String)>,
}

impl Habit {
    pub(super) fn of(drafts: &[Draft<'_>]) -> Self {
        let kernels = common(drafts, Role::Kernel, "kernels");
        let activations = common(drafts, Role::Activation, "activations").or(kernels.clone());
        Self { kernels, activations }
    }
}

fn common(drafts: &[Draft<'_>], role: Role, what: &str) -> Option<(Framework, String)> {
    let clear = |draft: &&Draft<'_>| draft.is(role) && draft.axes().len() > 2;
    let layouts = drafts.iter().filter(clear).filter_map(|draft| {
        let (layout, reason) = draft.claimed.as_ref().or(draft.weighed.as_ref())?;
        (reason.confidence >= Confidence::Likely).then_some(*layout)
    });
    let mut counts: HashMap<Layout, usize> = HashMap::new();
    for layout in layouts {
        *counts.entry(layout).or_default() += 1;
    }
    let total: usize = counts.values().sum();
    [Framework::TensorFlow, Framework::PyTorch].into_iter().find_map(|framework| {
        let of_it: usize =
            counts.iter().filter(|(layout, _)| layout.framework() == framework).map(|(_, count)| count).sum();
        let most = counts.iter().filter(|(layout, _)| layout.framework() == framework);
        let (layout, _) = most.max_by_key(|(layout, count)| (**count, layout.name()))?;
        let agrees = of_it as f32 >= MOST * total as f32;
        agrees.then(|| (framework, format!("the run's other {what} are {}", layout.name())))
    })
}
