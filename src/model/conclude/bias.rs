//! A bias -> how it counts among the biases of its run, some of which have an additional axis.

use super::facts_draft::FactsDraft;
use crate::model::{
    name::{Hint, is_of_attention},
    role::Role,
};

/// How a tensor counts among the biases of its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bias {
    Single,
    /// A stack: how many biases, and the length of each.
    Stack([usize; 2]),
    /// This many outputs, followed by an axis of length 1: Equinox adds one for each axis of the window.
    Column(usize),
}

impl Bias {
    /// For a tensor that is named a bias or known to be one. Biases of attention have an axis for the heads, and those of a GRU in Keras
    /// are two biases in one tensor; neither counts.
    pub(super) fn of(draft: &FactsDraft<'_>) -> Option<Self> {
        let is_called_so = matches!(draft.name.hint, Some((Hint::Bias, word)) if word.len() > 1);
        let layer = &draft.name.layer;
        let has_other_axis = || is_of_attention(layer) || layer.to_lowercase().contains("gru");
        if !(is_called_so || draft.is(Role::Bias)) || draft.item.is_picture || has_other_axis() {
            return None;
        }
        match *draft.all_axes() {
            [_] => Some(Self::Single),
            [count, 1] if count > 1 => Some(Self::Column(count)),
            [count, length] if count > 1 => Some(Self::Stack([count, length])),
            _ => None,
        }
    }
}
