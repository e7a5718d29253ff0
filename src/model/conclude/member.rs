//! What is kept of a series between two conclusions, in few bytes.

use std::sync::Arc;

use super::{
    super::{
        name::{Hint, Name, layer_key},
        network::Operation,
        role::Role,
        rules::Verdict,
    },
    facts_draft::FactsDraft,
    item::Known,
    layer_names::{LayerNames, hash_of},
    layer_order::Representative,
    layer_sequence::LayerChannels,
    layers::{Assignment, SeriesKind},
    majority::{CountedAs, DependsOn},
    wrappers::Wrappers,
};
use crate::types::Tag;

/// A series of a run.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) tag: Tag,
    /// What the rules say; `None` before they were evaluated.
    pub(super) verdict: Option<Verdict>,
    pub(super) own: OwnEvidence,
    /// The layer that it belongs to according to names.
    pub(super) layer_by_name: LayerByName,
    /// The layer and the operation that a graph assigns to it, where they differ from those by name.
    pub(super) layer_by_graph: Option<Box<LayerByGraph>>,
    /// Whether the list of its layer contains it.
    pub(super) is_listed: bool,
    pub(super) counted_as: CountedAs,
    pub(super) depends_on: DependsOn,
}

/// What depends only on the series itself, the rules and the graphs.
#[derive(Clone, Debug)]
pub(super) struct OwnEvidence {
    pub(super) key: Arc<str>,
    /// The layer's name as written in the tag, where it differs from the key.
    layer: Option<Arc<str>>,
    /// A hash of the whole name, read as a layer's name. It only shows where to look again.
    pub(super) whole: u32,
    operation: Option<Arc<Operation>>,
    pub(super) kind: SeriesKind,
    /// Whether the name follows PyTorch's convention.
    pub(super) is_pytorchs: bool,
    /// Whether its channels say something about the neighbouring layers, and a hash of its axes.
    pub(super) representative: Option<(Representative, u32)>,
}

/// The layer according to names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LayerByName {
    pub(super) key: Arc<str>,
    /// The layer's name as its kernel has it, where there is a kernel.
    pub(super) layer: Option<Arc<str>>,
    /// Whether the whole name is that of a layer with a kernel.
    pub(super) is_named_as_layer: bool,
}

/// The layer according to a graph or model.
#[derive(Clone, Debug)]
pub(super) struct LayerByGraph {
    pub(super) key: Arc<str>,
    pub(super) layer: Arc<str>,
    pub(super) operation: Option<Arc<Operation>>,
    pub(super) is_named_alike: bool,
}

/// The whole name of a tag, as the key of a layer.
fn whole_key(tag: &str) -> String {
    layer_key(&Name::of(tag).whole)
}

/// What a series is among the layers whose channels say something about their neighbours; `None` where its channels do not.
fn place_of(draft: &FactsDraft<'_>, kind: SeriesKind) -> Option<Representative> {
    let (hint, word) = draft.name.hint?;
    let place = match (hint, LayerChannels::of(draft.axes())?) {
        _ if kind.is_picture => return None,
        // The first step of a separable convolution has neither the layer's inputs nor its outputs.
        (Hint::Kernel, LayerChannels::Kernel { .. }) if word.contains("depthwise") => return None,
        // Neither has the scale of a weight-normalised layer.
        (Hint::Kernel, LayerChannels::Kernel { .. }) if draft.item.tag.ends_with("original0") => return None,
        (Hint::Kernel, LayerChannels::Kernel { .. }) => Representative::Kernel,
        (Hint::Kernel | Hint::Other, LayerChannels::Vector(_)) => Representative::Vector,
        _ => return None,
    };
    Some(place)
}

impl OwnEvidence {
    pub(super) fn of(draft: &FactsDraft<'_>) -> Self {
        let recorded = draft.item.recorded.and_then(|recorded| recorded.layer.as_deref());
        let ruled = draft.ruling.layer.as_ref().map(|(layer, _)| *layer);
        let traced = draft.traced.and(draft.operation.as_deref()).map(|operation| &*operation.name);
        let named = ruled.or(recorded).or(traced.filter(|name| !name.is_empty()));
        let layer = named.unwrap_or(&draft.name.layer);
        let key = layer_key(layer);
        let is_traced = draft.traced.is_some_and(|traced| traced.role == Role::Kernel);
        let is_kernel = is_traced || matches!(draft.name.hint, Some((Hint::Kernel, _)));
        let kind = SeriesKind {
            is_called_kernel: is_kernel && draft.axes().len() > 1,
            may_have_operation: draft.may_have_operation(),
            is_picture: draft.item.is_picture,
        };
        Self {
            layer: (key != layer).then(|| layer.into()),
            key: key.into(),
            whole: hash_of(&*layer_key(&draft.name.whole)),
            operation: draft.operation.clone(),
            kind,
            is_pytorchs: draft.name.is_pytorchs,
            representative: place_of(draft, kind).map(|place| (place, hash_of(draft.axes()))),
        }
    }

    pub(super) fn layer(&self) -> &Arc<str> {
        self.layer.as_ref().unwrap_or(&self.key)
    }

    /// Whether everything that other series may depend on is the same.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        let operation = |own: &Self| own.operation.as_ref().map(Arc::as_ptr);
        (&self.key, &self.layer, self.whole) == (&other.key, &other.layer, other.whole)
            && (self.kind, self.is_pytorchs, self.representative)
                == (other.kind, other.is_pytorchs, other.representative)
            && operation(self) == operation(other)
    }
}

impl LayerByName {
    /// The layer of a series by its name, given the kernels of its run.
    pub(super) fn of(member: &Member, names: &LayerNames) -> Self {
        let own = &member.own;
        let alone = || Self { key: Arc::clone(&own.key), layer: None, is_named_as_layer: false };
        if own.kind.is_picture {
            return alone();
        }
        let may_be_layer = !own.kind.is_called_kernel && names.may_have_kernel(own.whole);
        let as_layer = if may_be_layer { names.kernel(&whole_key(member.tag.as_str())) } else { None };
        let is_named_as_layer = as_layer.is_some();
        as_layer.or_else(|| names.named_layer(&own.key)).map_or_else(alone, |named_layer| Self {
            key: named_layer.key,
            layer: Some(named_layer.layer),
            is_named_as_layer,
        })
    }
}

impl Member {
    pub(super) fn new(tag: Tag, own: OwnEvidence, verdict: Verdict) -> Self {
        let layer_by_name = LayerByName { key: Arc::clone(&own.key), layer: None, is_named_as_layer: false };
        let (counted_as, depends_on) = (CountedAs::Nothing, DependsOn::Nothing);
        Self {
            tag,
            verdict: Some(verdict),
            own,
            layer_by_name,
            layer_by_graph: None,
            is_listed: false,
            counted_as,
            depends_on,
        }
    }

    /// The series as it is now, with what was found out about its layer; `None` where the series no longer exists.
    pub(super) fn draft<'a>(&self, known: &Known<'a>, wrappers: &Wrappers) -> Option<FactsDraft<'a>> {
        let item = (known.item)(self.tag.as_str())?;
        let ruling = known.rules.ruling(self.verdict.unwrap_or_default());
        let mut draft = FactsDraft::new(item, known.networks, ruling, wrappers);
        draft.layer = self.layer().to_string();
        draft.is_named_as_layer = self.layer_by_name.is_named_as_layer;
        if let Some(layer_by_graph) = &self.layer_by_graph {
            (draft.operation, draft.is_named_alike) =
                (layer_by_graph.operation.clone(), layer_by_graph.is_named_alike);
        }
        Some(draft)
    }

    /// The key that is the same for all tensors of its layer.
    pub(super) fn key(&self) -> &Arc<str> {
        self.layer_by_graph.as_ref().map_or(&self.layer_by_name.key, |layer_by_graph| &layer_by_graph.key)
    }

    /// The name of its layer.
    pub(super) fn layer(&self) -> &Arc<str> {
        let by_name = || self.layer_by_name.layer.as_ref().unwrap_or_else(|| self.own.layer());
        self.layer_by_graph.as_ref().map_or_else(by_name, |layer_by_graph| &layer_by_graph.layer)
    }

    /// Its layer before graphs are used.
    pub(super) fn assignment(&self) -> Assignment {
        Assignment {
            key: Arc::clone(&self.layer_by_name.key),
            layer: Arc::clone(self.layer_by_name.layer.as_ref().unwrap_or_else(|| self.own.layer())),
            operation: self.own.operation.clone(),
            is_named_alike: false,
            kind: self.own.kind,
        }
    }

    /// What a graph says, where it differs from what names say.
    pub(super) fn graph_layer(&self, placed: Assignment) -> Option<Box<LayerByGraph>> {
        let before = self.assignment();
        let address = |one: &Assignment| one.operation.as_ref().map(Arc::as_ptr);
        let is_same =
            before.key == placed.key && before.layer == placed.layer && address(&before) == address(&placed);
        let Assignment { key, layer, operation, is_named_alike, .. } = placed;
        (!is_same).then(|| Box::new(LayerByGraph { key, layer, operation, is_named_alike }))
    }
}

impl PartialEq for LayerByGraph {
    fn eq(&self, other: &Self) -> bool {
        let address = |one: &Self| one.operation.as_ref().map(Arc::as_ptr);
        self.key == other.key
            && self.layer == other.layer
            && self.is_named_alike == other.is_named_alike
            && address(self) == address(other)
    }
}
