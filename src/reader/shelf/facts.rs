//! What was concluded about a tensor <-> JSON.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{
    Confidence, Facts, Reason,
    layout::Layout,
    network::{Operation, OperationKind, Origin},
    role::Role,
};

/// What was concluded, without contradictions and rules, which belong to the moment.
#[derive(Debug, Serialize, Deserialize)]
pub struct FactsJson {
    layer: String,
    role: String,
    role_from: ReasonJson,
    layout: Option<(String, ReasonJson)>,
    is_first: bool,
    operation: Option<OperationJson>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ReasonJson {
    confidence: String,
    evidence: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct OperationJson {
    kind: String,
    name: String,
    position: usize,
    window: Vec<usize>,
    outputs: Option<usize>,
    strides: Vec<usize>,
    dilations: Vec<usize>,
    padding: Option<String>,
    channels_first: Option<bool>,
    activation: Option<String>,
    normalization: Option<String>,
    receptive_field: Option<Vec<usize>>,
    origin: String,
}

const ORIGINS: [(Origin, &str); 3] =
    [(Origin::Graph, "graph"), (Origin::Keras, "keras"), (Origin::Writer, "writer")];

impl FactsJson {
    /// As it is written.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        Self {
            layer: facts.layer.clone(),
            role: facts.role.name().to_owned(),
            role_from: ReasonJson::of(&facts.role_from),
            layout: (facts.layout.as_ref())
                .map(|(layout, reason)| (layout.name().to_owned(), ReasonJson::of(reason))),
            is_first: facts.is_first,
            operation: facts.operation.as_deref().map(OperationJson::of),
        }
    }

    /// As it was concluded; `None` if it uses words that there are not.
    #[must_use]
    pub fn facts(self) -> Option<Facts> {
        let layout = match self.layout {
            None => None,
            Some((name, reason)) => Some((Layout::from_name(&name)?, reason.reason()?)),
        };
        Some(Facts {
            layer: self.layer,
            role: Role::from_name(&self.role)?,
            role_from: self.role_from.reason()?,
            layout,
            is_first: self.is_first,
            contradictions: Vec::new(),
            operation: match self.operation {
                None => None,
                Some(operation) => Some(Arc::new(operation.operation()?)),
            },
            ignored_by: None,
        })
    }
}

impl ReasonJson {
    fn of(reason: &Reason) -> Self {
        Self { confidence: reason.confidence.name().to_owned(), evidence: reason.evidence.clone() }
    }

    fn reason(self) -> Option<Reason> {
        Some(Reason { confidence: Confidence::from_name(&self.confidence)?, evidence: self.evidence })
    }
}

impl OperationJson {
    fn of(operation: &Operation) -> Self {
        let origin = ORIGINS.iter().find(|(origin, _)| *origin == operation.origin);
        let operation = operation.clone();
        Self {
            kind: operation.kind.name(),
            name: operation.name,
            position: operation.position,
            window: operation.window,
            outputs: operation.outputs,
            strides: operation.strides,
            dilations: operation.dilations,
            padding: operation.padding,
            channels_first: operation.channels_first,
            activation: operation.activation,
            normalization: operation.normalization,
            receptive_field: operation.receptive_field,
            origin: origin.map_or_else(String::new, |(_, name)| (*name).to_owned()),
        }
    }

    fn operation(self) -> Option<Operation> {
        Some(Operation {
            kind: OperationKind::from_name(&self.kind)?,
            name: self.name,
            position: self.position,
            window: self.window,
            outputs: self.outputs,
            strides: self.strides,
            dilations: self.dilations,
            padding: self.padding,
            channels_first: self.channels_first,
            activation: self.activation,
            normalization: self.normalization,
            receptive_field: self.receptive_field,
            origin: ORIGINS.iter().find(|(_, name)| *name == self.origin)?.0,
        })
    }
}
