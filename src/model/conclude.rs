//! All tags of a run, with what was logged beside them -> what each tensor is to the network.
//!
//! The evidence in order: the user's rules, the writer's own metadata, the logged graph or model, the other tensors of the
//! layer, names, shapes. What comes first holds if it fits the shape; what speaks against it is kept as a contradiction.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    Confidence, Facts, Reason,
    layout::{Framework, Layout},
    name::{Hint, Name, is_of_attention, layer_key},
    network::{Network, Operation, OperationKind, Origin, Traced, is_end_of, last_part},
    recorded::Recorded,
    role::{self, Role},
    rules::{Rules, Ruling},
    weigh::{Candidate, Ground, LIKELY, OUTPUTS, RUN, candidates},
};
use crate::tensor::shape::Shape;

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
}

/// Concludes for all series of a run at once, because they are evidence for one another. The result is in the items' order.
#[must_use]
pub fn conclude(run: &str, items: &[Item<'_>], networks: &[Arc<Network>], rules: &Rules) -> Vec<Facts> {
    let mut drafts: Vec<Draft<'_>> =
        items.iter().map(|item| Draft::new(*item, networks, rules.of(run, item.tag))).collect();
    let dotted = drafts.iter().filter(|draft| draft.name.is_pytorchs).count();
    for draft in &mut drafts {
        draft.settle_habit(dotted * 2 > items.len());
    }
    settle_layers(&mut drafts);
    settle_roles(&mut drafts);
    let layers = layers(&drafts);
    for draft in &mut drafts {
        draft.claims();
    }
    weigh(&mut drafts, &layers);
    let habit = Habit::of(&drafts);
    for draft in drafts.iter_mut().filter(|draft| draft.claimed.is_none()) {
        draft.apply(&habit);
    }
    weigh(&mut drafts, &layers);
    drafts.into_iter().map(Draft::facts).collect()
}

/// A series while it is being concluded on.
struct Draft<'a> {
    item: Item<'a>,
    name: Name<'a>,
    ruling: Ruling<'a>,
    traced: Option<&'a Traced>,
    operation: Option<Arc<Operation>>,
    layer: String,
    key: String,
    role: Option<(Role, Reason)>,
    /// A layout that somebody wrote down, and that fits.
    claimed: Option<(Layout, Reason)>,
    candidates: Vec<Candidate>,
    /// What the layer's other tensors speak for: a number of channels and where it is from.
    weighed: Option<(Layout, Reason)>,
    contradictions: Vec<String>,
    /// Whose habit the name follows, and how that is told.
    habit: (Framework, &'static str),
}

const NO_AXES: &[usize] = &[];

impl<'a> Draft<'a> {
    fn new(item: Item<'a>, networks: &'a [Arc<Network>], ruling: Ruling<'a>) -> Self {
        let base = if item.is_picture { without_image(item.tag) } else { item.tag };
        let name = Name::of(base);
        let found = networks.iter().find_map(|network| Some((network.traced(item.tag)?, network)));
        let traced = found.map(|(traced, _)| traced);
        let of_trace =
            found.and_then(|(traced, network)| network.operations().get(traced.operation?).cloned());
        let of_name = || {
            let named = |origin| {
                let operations = networks.iter().filter_map(|network| network.operation(&name.layer));
                operations.into_iter().find(|operation| operation.origin == origin)
            };
            // A model names its layers; a graph has scopes that are often called like them.
            named(Origin::Keras).or_else(|| named(Origin::Graph)).cloned()
        };
        let operation = if item.is_picture { None } else { of_trace.or_else(of_name) };
        Self {
            item,
            ruling,
            traced,
            operation,
            layer: String::new(),
            key: String::new(),
            role: None,
            claimed: None,
            candidates: Vec::new(),
            weighed: None,
            contradictions: Vec::new(),
            habit: (Framework::TensorFlow, ""),
            name,
        }
    }

    /// Whose habit the name follows. A name that has no slash, or dots besides, follows those of its run.
    fn settle_habit(&mut self, is_dotted_run: bool) {
        let is_open = !self.item.tag.contains('/') || self.item.tag.contains('.');
        self.habit = if self.item.is_pytorchs {
            (Framework::PyTorch, "it was logged by PyTorch's writer")
        } else if self.name.is_pytorchs || (is_dotted_run && is_open) {
            (Framework::PyTorch, "the name is of PyTorch's kind")
        } else {
            (Framework::TensorFlow, "the name is of TensorFlow's kind")
        };
    }

    fn axes(&self) -> &'a [usize] {
        self.item.shape.map_or(NO_AXES, Shape::axes)
    }

    fn is(&self, role: Role) -> bool {
        self.role.as_ref().is_some_and(|(own, _)| *own == role)
    }

    /// Layouts that somebody wrote down: the first that fits is taken, and others are contradictions.
    fn claims(&mut self) {
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

    fn claim_of_operation(&mut self, role: Role) -> Option<(Layout, Reason)> {
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
        let from =
            format!("the {} \"{}\" of {}", operation.kind.name(), operation.name, operation.origin.name());
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
        let reason = if exact || is_only_one { Reason::sure(from) } else { Reason::likely(from) };
        Some((layout, reason))
    }

    /// What it may be as far as its name and its shape go.
    fn free_candidates(&self, role: Role) -> Vec<Candidate> {
        // There are no letters for the heads of attention.
        if self.axes().len() > 2 && is_of_attention(&self.name.layer) {
            return Vec::new();
        }
        candidates(self.item.tag, self.habit, role, self.axes())
    }

    fn apply(&mut self, habit: &Habit) {
        let is_kernel = self.is(Role::Kernel);
        let wanted = if is_kernel { &habit.kernels } else { &habit.activations };
        let Some((framework, text)) = wanted else { return };
        for candidate in
            self.candidates.iter_mut().filter(|candidate| candidate.layout.framework() == *framework)
        {
            candidate.vote(Ground::Run, RUN, text.clone());
        }
    }

    fn facts(self) -> Facts {
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
        Facts {
            layer: self.layer,
            role,
            role_from,
            layout: self.claimed.or(self.weighed),
            contradictions,
            operation: self.operation.filter(|_| role != Role::Other),
            ignored_by: self.ruling.ignore.and_then(|(ignore, place)| ignore.then_some(place)),
        }
    }
}

/// TensorFlow 1 puts `/image` behind the names of pictures.
fn without_image(tag: &str) -> &str {
    tag.strip_suffix("/image").unwrap_or(tag)
}

/// Whether an operation says enough of shapes to tell layouts apart.
fn is_checked(operation: &Operation, role: Role) -> bool {
    operation.outputs.is_some() || (role == Role::Kernel && !operation.window.is_empty())
}

/// Whether a kernel or an activation of these axes can be the operation's.
fn fits(operation: &Operation, layout: Layout, role: Role, axes: &[usize]) -> bool {
    if layout.rank() != axes.len() {
        return false;
    }
    // The window of a separable convolution is that of its depthwise kernel; its outputs are those of the other one.
    let is_separable = matches!(operation.kind, OperationKind::Separable(_));
    let is_depthwise = layout.is_depthwise();
    let window = if is_separable && !is_depthwise {
        vec![1; operation.window.len()]
    } else {
        operation.window.clone()
    };
    let has_window = role != Role::Kernel || window.is_empty() || layout.extent(axes) == window;
    let has_outputs = (is_separable && is_depthwise)
        || operation.outputs.is_none_or(|outputs| layout.outputs(axes) == Some(outputs));
    has_window && has_outputs
}

fn asked_for(operation: &Operation, layout: Layout) -> String {
    let window = operation.window.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    let window = if window.is_empty() || layout.is_activation() {
        String::new()
    } else {
        format!(", a window of {window}")
    };
    let outputs = operation.outputs.map(|outputs| format!(", {outputs} outputs")).unwrap_or_default();
    format!("{}{window}{outputs}, which the shape has not", layout.name())
}

fn settle_layers(drafts: &mut [Draft<'_>]) {
    for draft in drafts.iter_mut() {
        let recorded = draft.item.recorded.and_then(|recorded| recorded.layer.as_deref());
        let ruled = draft.ruling.layer.as_ref().map(|(layer, _)| *layer);
        let traced = draft.traced.and(draft.operation.as_ref()).map(|operation| operation.name.clone());
        let named = ruled.or(recorded).map(str::to_owned).or(traced.filter(|name| !name.is_empty()));
        draft.layer = named.unwrap_or_else(|| draft.name.layer.to_string());
        draft.key = layer_key(&draft.layer);
    }
    join_ends(drafts);
    join_operations(drafts);
}

/// Tensors of which a graph or model says that they are of one layer are, whatever their names have in common.
fn join_operations(drafts: &mut [Draft<'_>]) {
    let address = |draft: &Draft<'_>| draft.operation.as_ref().map(Arc::as_ptr);
    let kernels: HashMap<*const Operation, (String, String)> = drafts
        .iter()
        .filter(|draft| has_kernel_word(draft))
        .filter_map(|draft| Some((address(draft)?, (draft.key.clone(), draft.layer.clone()))))
        .collect();
    for draft in drafts.iter_mut().filter(|draft| !has_kernel_word(draft) && !draft.item.is_picture) {
        if let Some((key, layer)) = address(draft).and_then(|address| kernels.get(&address)) {
            (draft.key, draft.layer) = (key.clone(), layer.clone());
        }
    }
}

fn has_kernel_word(draft: &Draft<'_>) -> bool {
    matches!(draft.name.hint, Some((Hint::Kernel, _))) && draft.axes().len() > 1
}

/// A layer without a kernel whose path is the end of the path of one with a kernel, or the other way round, is that layer:
/// `conv2d/output` beside `sequential/conv2d/kernel`.
fn join_ends(drafts: &mut [Draft<'_>]) {
    let with_kernel: HashMap<String, String> = drafts
        .iter()
        .filter(|draft| has_kernel_word(draft))
        .map(|draft| (draft.key.clone(), draft.layer.clone()))
        .collect();
    // A path's ends, so that the search is not over all pairs.
    let mut by_last_part: HashMap<&str, Vec<&String>> = HashMap::new();
    for key in with_kernel.keys() {
        by_last_part.entry(last_part(key)).or_default().push(key);
    }
    for draft in drafts.iter_mut() {
        let whole = layer_key(&draft.name.whole);
        if !has_kernel_word(draft) && !draft.item.is_picture && with_kernel.contains_key(&whole) {
            draft.key = whole;
        }
        if draft.item.is_picture || with_kernel.contains_key(&draft.key) {
            if let Some(layer) = with_kernel.get(&draft.key).filter(|_| !draft.item.is_picture) {
                draft.layer.clone_from(layer);
            }
            continue;
        }
        let Some(near) = by_last_part.get(last_part(&draft.key)) else { continue };
        let mut ends = near.iter().filter(|key| is_end_of(&draft.key, key) || is_end_of(key, &draft.key));
        if let (Some(only), None) = (ends.next(), ends.next()) {
            draft.layer.clone_from(&with_kernel[*only]);
            draft.key = (*only).clone();
        }
    }
}

fn settle_roles(drafts: &mut [Draft<'_>]) {
    for draft in drafts.iter_mut() {
        draft.role = written_role(draft);
    }
    let with_kernel: HashMap<String, String> = drafts
        .iter()
        .filter(|draft| draft.is(Role::Kernel))
        .map(|draft| (draft.key.clone(), draft.layer.clone()))
        .collect();
    let modules: HashSet<&str> = with_kernel.keys().flat_map(|key| paths_above(key)).collect();
    for draft in drafts.iter_mut().filter(|draft| draft.role.is_none()) {
        let Some(shape) = draft.item.shape else { continue };
        let of_layer = with_kernel.get(&draft.key).and_then(|layer| role::by_layer(layer, shape));
        let of_module = || role::by_module(&draft.layer, shape).filter(|_| modules.contains(&*draft.key));
        let is_module = draft.name.is_pytorchs;
        draft.role = of_layer.or_else(of_module).or_else(|| Some(role::by_shape(is_module, shape)));
    }
    drop(modules);
    settle_normalisations(drafts, &with_kernel);
}

/// The paths of the modules that a layer is in.
fn paths_above(key: &str) -> impl Iterator<Item = &str> {
    key.match_indices('/').map(|(at, _)| &key[..at])
}

/// What is called a bias beside a scale of one axis, in a layer without a kernel, is the shift of a normalisation.
fn settle_normalisations(drafts: &mut [Draft<'_>], with_kernel: &HashMap<String, String>) {
    let is_scale = |draft: &&Draft<'_>| {
        let is_word = matches!(draft.name.hint, Some((Hint::Kernel | Hint::Other, _)));
        is_word && draft.axes().len() == 1 && !with_kernel.contains_key(&draft.key)
    };
    let normalisations: HashSet<String> =
        drafts.iter().filter(is_scale).map(|draft| draft.key.clone()).collect();
    for draft in drafts.iter_mut().filter(|draft| draft.is(Role::Bias) && normalisations.contains(&draft.key))
    {
        if draft.role.as_ref().is_some_and(|(_, reason)| reason.confidence != Confidence::Sure) {
            draft.role = Some((
                Role::Other,
                Reason::likely("it stands beside a scale of one axis: a normalisation's shift"),
            ));
        }
    }
}

/// The role by everything but the layer's other tensors and the shape alone.
fn written_role(draft: &mut Draft<'_>) -> Option<(Role, Reason)> {
    let ruled = draft.ruling.role.as_ref().map(|(role, place)| (*role, Reason::sure(place.to_string())));
    let recorded = draft.item.recorded.and_then(|recorded| recorded.role);
    let recorded = recorded.map(|role| (role, Reason::sure("the writer's metadata")));
    let by_name = draft.item.shape.and_then(|shape| role::by_name(&draft.name, shape));
    if draft.item.is_picture {
        let is_input = match draft.traced {
            Some(traced) => traced.role == Role::Input,
            None => draft.name.hint.is_some_and(|(_, word)| word.to_lowercase().starts_with("input")),
        };
        let of_picture = if is_input {
            (
                Role::Input,
                Reason::likely("pictures of what the network is fed, as the name or the graph says"),
            )
        } else {
            (Role::Image, Reason::likely("pictures that the writer encoded"))
        };
        return ruled.or(recorded).or(Some(of_picture));
    }
    let traced = draft.traced.filter(|traced| traced.role != Role::Other).map(|traced| {
        let evidence = match (&draft.operation, traced.is_exact) {
            (Some(operation), _) => {
                format!("the {} \"{}\" of {}", operation.kind.name(), operation.name, operation.origin.name())
            }
            (None, _) => "the logged graph".to_owned(),
        };
        let reason = if traced.is_exact { Reason::sure(evidence) } else { Reason::likely(evidence) };
        (traced.role, reason)
    });
    let of_operation = by_name.as_ref().and_then(|(role, _)| of_operation(draft, *role));
    let claims = [ruled, recorded, traced, of_operation, by_name];
    let mut claims = claims.into_iter().flatten();
    let taken = claims.next()?;
    for (other, reason) in claims.filter(|(role, _)| *role != taken.0) {
        let against = format!("{}: {}", reason.evidence, other.name());
        if !draft.contradictions.contains(&against) {
            draft.contradictions.push(against);
        }
    }
    Some(taken)
}

/// The graph's word for the role that the name says already.
fn of_operation(draft: &Draft<'_>, role: Role) -> Option<(Role, Reason)> {
    let operation = draft.operation.as_ref()?;
    let layout = match role {
        Role::Kernel => operation.kind.kernel_layout(draft.item.tag)?,
        _ => return None,
    };
    let evidence =
        format!("the {} \"{}\" of {}", operation.kind.name(), operation.name, operation.origin.name());
    let is_its = is_checked(operation, role) && fits(operation, layout, role, draft.axes());
    is_its.then(|| (role, Reason::sure(evidence)))
}

/// The members of each layer that say something about channels: kernels, activations, and the length of the bias.
#[derive(Default)]
struct Layer {
    kernels: Vec<usize>,
    activations: Vec<usize>,
    bias: Option<usize>,
}

fn layers(drafts: &[Draft<'_>]) -> Vec<Layer> {
    let mut layers: HashMap<&str, Layer> = HashMap::new();
    for (idx, draft) in drafts.iter().enumerate() {
        let layer = layers.entry(&draft.key).or_default();
        match draft.role {
            Some((Role::Kernel, _)) => layer.kernels.push(idx),
            Some((Role::Activation, _)) => layer.activations.push(idx),
            Some((Role::Bias, _)) if draft.axes().len() == 1 => layer.bias = Some(draft.axes()[0]),
            _ => {}
        }
    }
    layers.into_values().collect()
}

/// Chooses among the candidates of each tensor so that the tensors of a layer agree.
fn weigh(drafts: &mut [Draft<'_>], layers: &[Layer]) {
    for layer in layers {
        let activations: Vec<Vec<Candidate>> =
            layer.activations.iter().map(|idx| with_bias(&drafts[*idx], layer.bias)).collect();
        let mut outputs = layer.bias.map(|bias| (bias, format!("the layer's bias has {bias} elements")));
        for idx in &layer.kernels {
            // The depthwise half of a separable convolution has the outputs of neither bias nor activation.
            let is_inner = layer.kernels.len() > 1
                && drafts[*idx].name.hint.is_some_and(|(_, word)| word.contains("depthwise"));
            if is_inner {
                drafts[*idx].weighed = choose(&drafts[*idx].candidates);
                continue;
            }
            let candidates = with_bias(&drafts[*idx], layer.bias);
            let near: Vec<(&[usize], &[Candidate])> = layer
                .activations
                .iter()
                .zip(&activations)
                .map(|(idx, candidates)| (drafts[*idx].axes(), candidates.as_slice()))
                .collect();
            let candidates = with_activations(candidates, drafts[*idx].axes(), &near);
            drafts[*idx].weighed = choose(&candidates);
            if let Some((layout, _)) = &drafts[*idx].weighed
                && let Some(n) = layout.outputs(drafts[*idx].axes())
            {
                let fits_one = near
                    .iter()
                    .any(|(axes, near)| near.iter().any(|other| other.layout.outputs(axes) == Some(n)));
                if fits_one {
                    outputs = Some((n, format!("the layer's kernel has {n} outputs")));
                }
            }
        }
        for (idx, mut candidates) in layer.activations.iter().zip(activations) {
            if let Some((n, text)) = &outputs {
                candidates = agreeing(candidates, drafts[*idx].axes(), *n, text);
            }
            drafts[*idx].weighed = choose(&candidates);
        }
    }
    for draft in drafts.iter_mut().filter(|draft| draft.is(Role::Input) || draft.is(Role::Image)) {
        draft.weighed = choose(&draft.candidates);
    }
}

fn with_bias(draft: &Draft<'_>, bias: Option<usize>) -> Vec<Candidate> {
    let candidates = draft.candidates.clone();
    match bias {
        Some(bias) if draft.is(Role::Kernel) => {
            agreeing(candidates, draft.axes(), bias, &format!("the layer's bias has {bias} elements"))
        }
        _ => candidates,
    }
}

/// Raises the candidates that have so many outputs and lowers the others, if there are both.
fn agreeing(mut candidates: Vec<Candidate>, axes: &[usize], outputs: usize, text: &str) -> Vec<Candidate> {
    let agrees = |candidate: &Candidate| candidate.layout.outputs(axes) == Some(outputs);
    if candidates.iter().any(agrees) {
        for candidate in &mut candidates {
            let weight = if agrees(candidate) { OUTPUTS } else { -OUTPUTS };
            candidate.vote(Ground::Outputs, weight, text);
        }
    }
    candidates
}

/// Weighs a kernel's candidates by how well the layer's activations can go with each.
fn with_activations(
    mut candidates: Vec<Candidate>,
    axes: &[usize],
    activations: &[(&[usize], &[Candidate])],
) -> Vec<Candidate> {
    for (near_axes, near) in activations {
        let channels_of = |candidate: &Candidate| {
            let own = candidate.layout.outputs(axes);
            near.iter()
                .filter(|other| own.is_some() && other.layout.outputs(near_axes) == own)
                .map(Candidate::score)
                .fold(None, |best: Option<f32>, score| Some(best.map_or(score, |best| best.max(score))))
        };
        let agreements: Vec<Option<f32>> = candidates.iter().map(channels_of).collect();
        if agreements.iter().all(Option::is_none) {
            continue;
        }
        let freely = near.iter().map(Candidate::score).fold(f32::NEG_INFINITY, f32::max);
        for (candidate, agreement) in candidates.iter_mut().zip(agreements) {
            let weight = agreement.map_or(-OUTPUTS, |score| OUTPUTS + score - freely);
            let outputs = candidate.layout.outputs(axes).unwrap_or(0);
            candidate.vote(Ground::Outputs, weight, format!("the layer's activation has {outputs} channels"));
        }
    }
    candidates
}

/// The candidate with most in its favour, and why it is taken rather than the next.
fn choose(candidates: &[Candidate]) -> Option<(Layout, Reason)> {
    let mut order: Vec<&Candidate> = candidates.iter().collect();
    order.sort_by(|a, b| b.score().total_cmp(&a.score()));
    let (best, next) = (order.first()?, order.get(1));
    let Some(next) = next else {
        let evidence = format!("{} axes", best.layout.rank());
        return Some((best.layout, Reason::likely(evidence)));
    };
    let lead = best.score() - next.score();
    let evidence = evidence(best, next);
    let reason = if lead >= LIKELY { Reason::likely(evidence) } else { Reason::guess(evidence) };
    Some((best.layout, reason))
}

const GROUNDS: [Ground; 5] = [Ground::Outputs, Ground::Word, Ground::Extent, Ground::Run, Ground::Name];
/// From this much on, a ground is worth telling.
const TELLING: f32 = 1.0;

/// What speaks most for `best` and against `next`, strongest first, and what speaks the other way round.
fn evidence(best: &Candidate, next: &Candidate) -> String {
    let lead = |ground: Ground| best.weight_of(ground) - next.weight_of(ground);
    let text_in = |candidate: &Candidate, ground: Ground| {
        let votes = candidate.votes.iter().filter(|vote| vote.ground == ground && !vote.text.is_empty());
        votes.max_by(|a, b| a.weight.total_cmp(&b.weight)).map(|vote| vote.text.clone())
    };
    let mut leading: Vec<Ground> = GROUNDS.into_iter().filter(|ground| lead(*ground) >= TELLING).collect();
    leading.sort_by(|a, b| lead(*b).total_cmp(&lead(*a)));
    let mut told: Vec<String> =
        leading.into_iter().filter_map(|ground| text_in(best, ground)).take(2).collect();
    // A rare layout is taken because the common one does not fit, which its window alone would not tell.
    if told.is_empty() {
        told.extend(text_in(best, Ground::Extent));
    }
    let against = GROUNDS.into_iter().filter(|ground| -lead(*ground) >= TELLING);
    let against: Vec<String> = against
        .filter_map(|ground| text_in(next, ground))
        .filter(|text| !told.contains(text))
        .take(1)
        .map(|text| format!("but {text}, as in {}", next.layout.name()))
        .collect();
    if told.is_empty() && against.is_empty() {
        return "nothing tells the axes apart".to_owned();
    }
    told.into_iter().chain(against).collect::<Vec<_>>().join("; ")
}

/// What most tensors of a run have in common.
struct Habit {
    kernels: Option<(Framework, String)>,
    activations: Option<(Framework, String)>,
}

/// So many of a run's tensors must agree before the others are taken to be alike.
const MOST: f32 = 0.8;

impl Habit {
    fn of(drafts: &[Draft<'_>]) -> Self {
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
