//! What was concluded about a series.

use std::sync::Arc;

use super::{layout::Layout, network::Operation, reason::Reason, role::Role, rules::RulePlace};

/// What a series is in the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The name that a kernel and its activation have in common.
    pub layer: String,
    /// What the tensor does in the layer.
    pub role: Role,
    /// The evidence for the role.
    pub role_from: Reason,
    /// Which axis is which, where that can be concluded.
    pub layout: Option<(Layout, Reason)>,
    /// Whether it is a kernel whose name says that it is the network's first convolution, such as `patch_embed`.
    pub is_first: bool,
    /// Evidence against the conclusions, as phrases for a person.
    pub contradictions: Vec<String>,
    /// What the logged graph or model, or otherwise the writer, says about the layer.
    pub operation: Option<Arc<Operation>>,
    /// The rule that ignores it.
    pub ignored_by: Option<RulePlace>,
}

impl Facts {
    /// For a series about which nothing has been concluded yet.
    #[must_use]
    pub fn unknown(tag: &str) -> Self {
        Self {
            layer: tag.to_owned(),
            role: Role::Other,
            role_from: Reason::guess("not looked at yet"),
            layout: None,
            is_first: false,
            contradictions: Vec::new(),
            operation: None,
            ignored_by: None,
        }
    }
}
