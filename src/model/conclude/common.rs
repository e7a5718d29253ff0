//! What most series of a run have in common, as far as conclusions about single series depend on it.

use super::{
    majority::{Counts, Majority},
    member::Member,
};

/// What the series had in common when conclusions about layers were last drawn.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Common {
    /// Whether most names are of PyTorch's kind, with dots between their parts.
    pub(super) is_dotted: bool,
    pub(super) majority: Majority,
}

impl Common {
    pub(super) fn of(counts: &Counts, n_pytorchs: usize, n_series: usize) -> Self {
        Self { is_dotted: n_pytorchs * 2 > n_series, majority: Majority::of(counts) }
    }

    /// Whether the conclusions about a series are the same with the other value.
    pub(super) fn is_same_for(&self, other: &Self, member: &Member) -> bool {
        self.is_dotted == other.is_dotted
            && self.majority.stacks == other.majority.stacks
            && self.majority.agreement(member.depends_on, member.counted_as)
                == other.majority.agreement(member.depends_on, member.counted_as)
    }
}
