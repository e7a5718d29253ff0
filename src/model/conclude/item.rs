//! What is known of a series, and of its run, before anything is concluded.

use std::sync::Arc;

use crate::{
    model::{network::Network, recorded::Recorded, rules::RunRules},
    tensor::shape::Shape,
};

/// What is known of a series before anything is concluded.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// Its tag.
    pub tag: &'a str,
    /// The shape of its newest tensor; `None` where that has none.
    pub shape: Option<&'a Shape>,
    /// Whether it holds encoded pictures.
    pub is_picture: bool,
    /// What its writer says of it.
    pub recorded: Option<&'a Recorded>,
    /// Whether it was logged by PyTorch's writer, which names a plugin of its own.
    pub is_pytorchs: bool,
    /// Whether it is a tensor of the optimizer in a checkpoint.
    pub is_optimizers: bool,
}

/// What is known of a run.
pub struct Known<'a> {
    /// The rules that are about it.
    pub rules: &'a RunRules<'a>,
    /// What graphs and models say, the newest first.
    pub networks: &'a [Arc<Network>],
    /// What is known of a tag; `None` where there is no such series (any more).
    pub item: &'a dyn Fn(&str) -> Option<Item<'a>>,
}
