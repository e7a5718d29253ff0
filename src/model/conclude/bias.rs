//! A bias -> how it counts among those of its run, where some have an axis more.

use super::facts_draft::FactsDraft;
use crate::model::{
    name::{Hint, is_of_attention},
    role::Role,
};

/// How a tensor counts among the biases of its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bias {
    Single,
    /// So many, one after the other, each of such a length.
    Stack([usize; 2]),
    /// So many of one element each: Equinox has one axis for each axis of the window, after that of the outputs.
    Column(usize),
}

impl Bias {
    /// Of a tensor that is called a bias, or is known to be one. Those of attention have an axis for the heads, and Keras keeps two in one for a GRU.
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
