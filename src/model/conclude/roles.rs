//! The drafts of a layer -> the role of each, the strongest evidence first.

use std::collections::HashSet;

use super::{
    super::{
        layout::Layout,
        name::Hint,
        reason::{Confidence, Reason},
        role::{self, Role},
    },
    facts_draft::FactsDraft,
    operation::{fits, is_checked},
};

/// Settles the roles that the evidence of a single tensor does not settle: by the layer's kernel, if a tensor is named or known
/// to be one, by whether the layer is a module that contains layers, and by shapes.
pub(super) fn settle_roles(drafts: &mut [FactsDraft<'_>], is_module: bool) {
    let kernels_layer = layer_of_kernel(drafts);
    for draft in drafts.iter_mut().filter(|draft| draft.role.is_none()) {
        let Some(shape) = draft.item.shape else { continue };
        let of_layer = kernels_layer.as_deref().and_then(|layer| role::by_layer(layer, shape));
        let of_module = || role::by_module(&draft.layer, shape).filter(|_| is_module);
        let is_pytorchs = draft.name.is_pytorchs;
        draft.role = of_layer.or_else(of_module).or_else(|| Some(role::by_shape(is_pytorchs, shape)));
    }
    if kernels_layer.is_none() {
        settle_normalisation(drafts);
    }
    settle_biases(drafts);
}

/// The layer's name as its last kernel has it.
pub(super) fn layer_of_kernel(drafts: &[FactsDraft<'_>]) -> Option<String> {
    drafts.iter().rev().find(|draft| draft.is(Role::Kernel)).map(|draft| draft.layer.clone())
}

/// TensorFlow 1 calls unnamed variables `Variable` and `Variable_1`. They are often a kernel and its bias.
fn settle_biases(drafts: &mut [FactsDraft<'_>]) {
    let mut kernels = drafts.iter().rev().filter(|draft| draft.is(Role::Kernel));
    let Some(kernel) = kernels.find_map(|draft| draft.item.shape) else { return };
    for draft in drafts.iter_mut().filter(|draft| draft.is(Role::Other) && draft.name.hint.is_none()) {
        let bias = draft.item.shape.and_then(|shape| role::by_kernel(kernel, shape));
        draft.role = bias.or(draft.role.take());
    }
}

/// In a layer without a kernel, a "bias" beside a scale with one axis, or with the same axes, is the shift of a normalisation.
fn settle_normalisation(drafts: &mut [FactsDraft<'_>]) {
    let shift = drafts.iter().find(|draft| draft.is(Role::Bias)).map(FactsDraft::axes);
    let is_scale = |draft: &FactsDraft<'_>| {
        let is_word = matches!(draft.name.hint, Some((Hint::Kernel | Hint::Other, _)));
        is_word && (draft.axes().len() == 1 || Some(draft.axes()) == shift)
    };
    if !drafts.iter().any(is_scale) {
        return;
    }
    for draft in drafts.iter_mut().filter(|draft| draft.is(Role::Bias)) {
        if draft.role.as_ref().is_some_and(|(_, reason)| reason.confidence != Confidence::Sure) {
            draft.role =
                Some((Role::Other, Reason::likely("it stands beside a scale: a normalisation's shift")));
        }
    }
}

/// What PyTorch's parametrisations, and the older hooks, store instead of a kernel. The scale of a weight normalisation is not a
/// kernel, and the tensor that a kernel is computed from is not the kernel that the network uses.
pub(super) fn settle_parametrised(drafts: &mut [FactsDraft<'_>]) {
    let tags: HashSet<&str> = drafts.iter().map(|draft| draft.item.tag).collect();
    for draft in drafts.iter_mut().filter(|draft| draft.is(Role::Kernel)) {
        let Some((before, word)) = draft.item.tag.rsplit_once(['.', '/']) else { continue };
        let sibling = |word: &str| {
            let between = &draft.item.tag[before.len()..=before.len()];
            let sibling = format!("{before}{between}{word}");
            tags.contains(&*sibling).then_some(sibling)
        };
        let is_of_parametrisation = before.contains("parametrizations");
        let remark = match word {
            "original0" if is_of_parametrisation && sibling("original1").is_some() => {
                let is_sure =
                    draft.role.as_ref().is_some_and(|(_, reason)| reason.confidence == Confidence::Sure);
                if !is_sure {
                    let reason = Reason::likely(
                        "the scale of weight normalisation, beside the direction \"original1\"",
                    );
                    draft.role = Some((Role::Other, reason));
                }
                continue;
            }
            "original1" if is_of_parametrisation => {
                "only the direction of the kernel: the network scales each filter of it by \"original0\""
            }
            "weight_v" => {
                "only the direction of the kernel: the network scales each filter of it by \"weight_g\""
            }
            "original" | "original0" if is_of_parametrisation => {
                "the network uses what its parametrisation makes of it"
            }
            "weight_orig" if sibling("weight_mask").is_some() => {
                "the network uses it where \"weight_mask\" is 1 and 0 elsewhere"
            }
            "weight_orig" if sibling("weight_u").is_some() => {
                "the network uses it divided by its spectral norm"
            }
            "weight_orig" => "the network uses what a mask or a norm makes of it",
            _ => continue,
        };
        draft.contradictions.push(remark.to_owned());
    }
}

/// The role from all evidence except the layer's other tensors and the shape alone.
pub(super) fn written_role(draft: &mut FactsDraft<'_>) -> Option<(Role, Reason)> {
    let of_layout = |layout: Layout| if layout.is_activation() { Role::Activation } else { Role::Kernel };
    let ruling = &draft.ruling;
    let ruled = ruling.role.as_ref().map(|(role, place)| (*role, Reason::sure(place.to_string())));
    let recorded = draft.item.recorded.and_then(|recorded| recorded.role);
    let recorded = recorded.map(|role| (role, Reason::sure("the writer's metadata")));
    // A source that says which axis is which also says what the tensor is.
    let ruled_layout =
        ruling.layout.as_ref().map(|(layout, place)| (*layout, Reason::sure(place.to_string())));
    let recorded_layout = draft.item.recorded.and_then(|recorded| recorded.layout);
    let recorded_layout = recorded_layout.map(|layout| (layout, Reason::sure("the writer's metadata")));
    let told_layout = ruled_layout.or(recorded_layout);
    let by_name = draft.item.shape.filter(|_| !draft.is_named_as_layer);
    let by_name = by_name.and_then(|shape| role::by_name(&draft.name, shape));
    if draft.item.is_picture {
        let is_input = match draft.traced {
            Some(traced) => traced.role == Role::Input,
            None => draft
                .name
                .hint
                .is_some_and(|(hint, word)| hint == Hint::Input && word.to_lowercase().contains("input")),
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
        let evidence =
            draft.operation.as_ref().map_or_else(|| "the logged graph".to_owned(), |one| one.words());
        let reason = if traced.is_exact { Reason::sure(evidence) } else { Reason::likely(evidence) };
        (traced.role, reason)
    });
    let of_operation = by_name.as_ref().and_then(|(role, _)| of_operation(draft, *role));
    let by_layout = told_layout.filter(|(layout, _)| {
        let others = [&traced, &of_operation, &by_name].into_iter().flatten();
        let drawn = others.filter(|(role, _)| !matches!(role, Role::Bias | Role::Other));
        !drawn.into_iter().any(|(role, _)| role.has(*layout))
    });
    let by_layout = by_layout.map(|(layout, reason)| (of_layout(layout), reason));
    let of_optimizer = draft.item.is_optimizers;
    let of_optimizer = of_optimizer.then(|| (Role::Other, Reason::sure("it is saved with the optimizer")));
    let claims = [ruled, recorded, of_optimizer, by_layout, traced, of_operation, by_name];
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

/// The graph's evidence for the role that the name already suggests.
fn of_operation(draft: &FactsDraft<'_>, role: Role) -> Option<(Role, Reason)> {
    let operation = draft.operation.as_ref()?;
    let layout = match role {
        Role::Kernel => operation.kind.kernel_layout(draft.item.tag)?,
        _ => return None,
    };
    let is_its = is_checked(operation, role) && fits(operation, layout, role, draft.axes());
    let reason = if draft.is_named_alike { Reason::likely } else { Reason::sure };
    is_its.then(|| (role, reason(operation.words())))
}
