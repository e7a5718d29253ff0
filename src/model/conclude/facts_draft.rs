//! A series while conclusions about it are drawn: what is claimed of it, what it may be, and the resulting facts.

use std::sync::Arc;

use super::{
    item::Item,
    operation::{asked_for, fits, is_checked},
    wrappers::Wrappers,
};
use crate::{
    model::{
        facts::Facts,
        layout::{Framework, Layout},
        name::{Convolution, Hint, Name, SLASHES, convolution, is_of_attention},
        network::{Network, Operation, OperationKind, Traced},
        reason::{Confidence, Reason},
        role::Role,
        rules::Ruling,
        weigh::{BOTH, Candidate, Custom, MODULE_WEIGHT, NAME, candidates},
    },
    tensor::shape::Shape,
};

/// The facts of a series while conclusions are being drawn.
pub(super) struct FactsDraft<'a> {
    pub(super) item: Item<'a>,
    pub(super) name: Name<'a>,
    pub(super) ruling: Ruling<'a>,
    pub(super) traced: Option<&'a Traced>,
    pub(super) operation: Option<Arc<Operation>>,
    pub(super) layer: String,
    pub(super) role: Option<(Role, Reason)>,
    /// A layout that a rule, metadata or a graph states, and that fits.
    pub(super) claimed: Option<(Layout, Reason)>,
    pub(super) candidates: Vec<Candidate>,
    /// The layout for which the layer's other tensors speak, and why.
    pub(super) weighed: Option<(Layout, Reason)>,
    pub(super) contradictions: Vec<String>,
    pub(super) first_axis: FirstAxis,
    /// Whether it is a lookup table of which either axis may be the rows.
    pub(super) has_unclear_rows: bool,
    pub(super) custom: Custom,
    /// Whether the names of operation and layer only have their ends in common.
    pub(super) is_named_alike: bool,
    /// Whether the name as a whole is that of a layer with a kernel.
    pub(super) is_named_as_layer: bool,
}

/// What the first axis of a tensor counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FirstAxis {
    /// What the layout says; it is a normal axis.
    OfLayout,
    /// Copies or layers, for this reason. The layout describes the other axes.
    Stack(String),
    /// The layer's bias has an additional axis that was not found in this kernel.
    Unclear,
}

const NO_AXES: &[usize] = &[];

impl<'a> FactsDraft<'a> {
    pub(super) fn new(
        item: Item<'a>,
        networks: &'a [Arc<Network>],
        ruling: Ruling<'a>,
        wrappers: &Wrappers,
    ) -> Self {
        let name = if item.is_picture {
            Name::of_picture(without_image(item.tag))
        } else {
            Name::within(item.tag, &|word| wrappers.has(word))
        };
        let found = networks.iter().find_map(|network| Some((network.traced(item.tag)?, network)));
        let traced = found.map(|(traced, _)| traced);
        let remark = found.and_then(|(_, network)| network.remark(item.tag));
        let of_trace =
            found.and_then(|(traced, network)| network.operations().get(traced.operation?).cloned());
        let operation = of_trace.filter(|_| !item.is_picture);
        Self {
            item,
            ruling,
            traced,
            operation,
            layer: String::new(),
            role: None,
            claimed: None,
            candidates: Vec::new(),
            weighed: None,
            contradictions: remark.map(str::to_owned).into_iter().collect(),
            first_axis: FirstAxis::OfLayout,
            has_unclear_rows: false,
            custom: Custom { framework: Framework::TensorFlow, weight: 0.0, text: "" },
            is_named_alike: false,
            is_named_as_layer: false,
            name,
        }
    }

    /// Whether the layer of this name in a graph can be its own. Gradients and optimizer slots have names like layers but are not theirs.
    pub(super) fn may_have_operation(&self) -> bool {
        !self.item.is_picture && !matches!(self.name.hint, Some((Hint::Other, _)))
    }

    /// Decides which framework's convention the name follows. A name without slashes, or with dots too, follows that of its run.
    pub(super) fn settle_custom(&mut self, is_dotted_run: bool) {
        let is_open = !self.item.tag.contains(SLASHES) || self.item.tag.contains('.');
        let is_logged_by_pytorch = self.item.is_pytorchs;
        let (framework, text) = if is_logged_by_pytorch {
            (Framework::PyTorch, "it was logged by PyTorch's writer")
        } else if self.name.is_pytorchs || (is_dotted_run && is_open) {
            (Framework::PyTorch, "the name is of PyTorch's kind")
        } else {
            (Framework::TensorFlow, "the name is of TensorFlow's kind")
        };
        let weight = match (is_logged_by_pytorch, self.name.is_module_weight) {
            (true, true) => BOTH,
            (false, true) => MODULE_WEIGHT,
            _ => NAME,
        };
        self.custom = Custom { framework, weight, text };
    }

    /// The axes without a first one that counts copies or layers.
    pub(super) fn axes(&self) -> &'a [usize] {
        let n_before = usize::from(matches!(self.first_axis, FirstAxis::Stack(_)));
        self.all_axes().get(n_before..).unwrap_or(NO_AXES)
    }

    pub(super) fn all_axes(&self) -> &'a [usize] {
        self.item.shape.map_or(NO_AXES, Shape::axes)
    }

    /// Whether a rule, metadata or a graph states what it is.
    pub(super) fn is_told(&self) -> bool {
        let is_ruled = self.ruling.layout.is_some() || self.ruling.role.is_some();
        let is_recorded =
            self.item.recorded.is_some_and(|recorded| recorded.layout.is_some() || recorded.role.is_some());
        is_ruled || is_recorded || self.operation.is_some() || self.item.is_picture
    }

    pub(super) fn is(&self, role: Role) -> bool {
        self.role.as_ref().is_some_and(|(own, _)| *own == role)
    }

    /// Collects the stated layouts: the first that fits is used, and the others become contradictions.
    pub(super) fn claims(&mut self) {
        let role = self.role.as_ref().map_or(Role::Other, |(role, _)| *role);
        let mut claims = Vec::new();
        if let Some((layout, place)) = &self.ruling.layout {
            claims.push((*layout, Reason::sure(place.to_string())));
        }
        if let Some(layout) = self.item.recorded.and_then(|recorded| recorded.layout) {
            claims.push((layout, Reason::sure("the writer's metadata")));
        }
        if self.item.is_picture {
            claims.push((Layout::Nhwc, Reason::sure("pictures are decoded row by row, colours last")));
        } else {
            claims.extend(self.claim_of_operation(role));
        }
        for (layout, reason) in claims {
            if !role.has(layout) {
                let says = format!(
                    "{} says {}, which is no layout of a {}",
                    reason.evidence,
                    layout.name(),
                    role.name()
                );
                self.contradictions.push(says);
                continue;
            }
            if layout.rank() != self.axes().len() {
                if self.item.shape.is_some() {
                    let says = format!(
                        "{} says {}, which the shape has not the axes for",
                        reason.evidence,
                        layout.name()
                    );
                    self.contradictions.push(says);
                }
                continue;
            }
            match &self.claimed {
                None => self.claimed = Some((layout, reason)),
                Some((taken, _)) if *taken != layout => {
                    self.contradictions.push(format!("{} says {}", reason.evidence, layout.name()));
                }
                Some(_) => {}
            }
        }
        self.candidates = match &self.claimed {
            Some((layout, _)) => vec![Candidate { layout: *layout, votes: Vec::new() }],
            None => self.free_candidates(role),
        };
    }

    pub(super) fn claim_of_operation(&mut self, role: Role) -> Option<(Layout, Reason)> {
        let operation = self.operation.clone()?;
        let exact = self.traced.is_some_and(|traced| traced.is_exact);
        let traced = self.traced.and_then(|traced| traced.layout);
        let layout = match role {
            _ if exact => traced?,
            Role::Kernel => traced.or_else(|| operation.kind.kernel_layout(self.item.tag))?,
            Role::Activation => {
                traced.or_else(|| operation.kind.activation_layout(operation.channels_first?))?
            }
            _ => return None,
        };
        // If the variable of a kernel is not known, a scope with the layer's name only shows that it is transposed or depthwise: on its
        // way to an ordinary convolution, the variable may be transposed.
        let is_ordinary = matches!(operation.kind, OperationKind::Conv(_) | OperationKind::Dense);
        if self.traced.is_none() && role == Role::Kernel && is_ordinary && !is_checked(&operation, role) {
            return None;
        }
        let from = operation.words();
        let axes = self.axes();
        if layout.rank() != axes.len() {
            return None;
        }
        if !fits(&operation, layout, role, axes) {
            self.contradictions.push(format!("{from} asks for {}", asked_for(&operation, layout)));
            return None;
        }
        let others = self.free_candidates(role);
        let alternatives = others.iter().filter(|other| other.layout != layout);
        let is_only_one = is_checked(&operation, role)
            && alternatives.map(|other| other.layout).all(|other| !fits(&operation, other, role, axes));
        let contested = self.traced.and_then(|traced| traced.contested);
        if let Some(other) = contested {
            self.contradictions.push(format!(
                "another layer of {} uses it as {}",
                operation.origin.name(),
                other.name()
            ));
        }
        let is_sure = (exact || is_only_one) && contested.is_none() && !self.is_named_alike;
        let reason = if is_sure { Reason::sure(from) } else { Reason::likely(from) };
        Some((layout, reason))
    }

    /// The layouts that its name and its shape allow.
    pub(super) fn free_candidates(&self, role: Role) -> Vec<Candidate> {
        // There are no letters for the heads of attention. Convolutions that project to them have a window of one element.
        let is_kernel = matches!(self.name.hint, Some((Hint::Kernel, _)));
        let is_of_heads = match self.axes() {
            [first, _, last] => !is_kernel || (*first > 1 && *last > 1),
            [a, b, c, d] => !is_kernel || ((*a, *b) != (1, 1) && (*c, *d) != (1, 1)),
            axes => axes.len() > 2,
        };
        if is_of_heads && is_of_attention(&self.name.layer) {
            return Vec::new();
        }
        candidates(self.item.tag, self.custom, role, self.axes())
    }

    pub(super) fn facts(self) -> Facts {
        let (role, role_from) =
            self.role.unwrap_or_else(|| (Role::Other, Reason::guess("its shape cannot be known")));
        let mut contradictions = self.contradictions;
        if let (Some((claimed, _)), Some((weighed, reason))) = (&self.claimed, &self.weighed)
            && claimed != weighed
            && reason.confidence == Confidence::Likely
        {
            contradictions.push(format!("{}, as in {}", reason.evidence, weighed.name()));
        }
        contradictions.extend(self.item.recorded.and_then(|recorded| recorded.trouble.clone()));
        let layout = self.claimed.or(self.weighed);
        let layout = layout.map(|(layout, reason)| {
            let is_unclear = self.first_axis == FirstAxis::Unclear || self.has_unclear_rows;
            let most = if is_unclear { Confidence::Guess } else { Confidence::Sure };
            (layout, at_most(reason, most))
        });
        let layout = match self.first_axis {
            FirstAxis::Stack(evidence) => with_stack(evidence, layout, &mut contradictions),
            FirstAxis::OfLayout | FirstAxis::Unclear => layout,
        };
        let told = self.item.recorded.and_then(|recorded| recorded.operation.clone());
        let has_window = layout.as_ref().is_some_and(|(layout, _)| layout.axis('W').is_some());
        let is_named_first = || matches!(convolution(self.item.tag), Some((Convolution::First, _)));
        Facts {
            is_first: role == Role::Kernel && has_window && is_named_first(),
            layer: self.layer,
            role,
            layout: layout.map(|(layout, reason)| (layout, at_most(reason, role_from.confidence))),
            role_from,
            contradictions,
            operation: self.operation.or(told).filter(|_| role != Role::Other),
            ignored_by: self.ruling.ignore.and_then(|(ignore, place)| ignore.then_some(place)),
        }
    }
}

/// The layout of a tensor with a first axis that counts copies or layers, and remarks about it.
fn with_stack(
    stack: String,
    layout: Option<(Layout, Reason)>,
    remarks: &mut Vec<String>,
) -> Option<(Layout, Reason)> {
    let Some((behind, reason)) = layout else {
        remarks.push(stack);
        return None;
    };
    let Some(stacked) = behind.stacked() else {
        remarks.push(format!("{stack}; there is no layout for such an axis before {}", behind.name()));
        return None;
    };
    let letter = &stacked.name()[..1];
    remarks.push(format!("{stack}: it stands as {letter}, before {}", behind.name()));
    let evidence = format!("{}, behind the first axis", reason.evidence);
    Some((stacked, Reason { evidence, ..reason }))
}

/// A layout is only a guess if the role is a guess.
fn at_most(reason: Reason, confidence: Confidence) -> Reason {
    if confidence == Confidence::Guess { Reason { confidence, ..reason } } else { reason }
}

/// TensorFlow 1 adds `/image` to the names of pictures.
fn without_image(tag: &str) -> &str {
    tag.strip_suffix("/image").unwrap_or(tag)
}
