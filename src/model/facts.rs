//! What was concluded about a series.

use std::sync::Arc;

use super::{layout::Layout, network::Operation, reason::Reason, role::Role, rules::RulePlace};

/// What a series is to the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What a kernel and its activation have in common.
    pub layer: String,
    /// What the tensor does in the layer.
    pub role: Role,
    /// Why we think so.
    pub role_from: Reason,
    /// Which axis is which, where that can be concluded.
    pub layout: Option<(Layout, Reason)>,
    /// What speaks against the conclusions, as phrases for a person.
    pub contradictions: Vec<String>,
    /// What the logged graph or model, or else the writer, says of the layer.
    pub operation: Option<Arc<Operation>>,
    /// The rule that leaves it out.
    pub ignored_by: Option<RulePlace>,
}

impl Facts {
    /// Of a series of which nothing has been concluded yet.
    #[must_use]
    pub fn unknown(tag: &str) -> Self {
        Self {
            layer: tag.to_owned(),
            role: Role::Other,
            role_from: Reason::guess("not looked at yet"),
            layout: None,
            contradictions: Vec::new(),
            operation: None,
            ignored_by: None,
        }
    }
}
