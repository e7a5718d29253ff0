//! Drafts -> the layer that each belongs to: as rules, metadata and graphs say, and as names have ends in common.

use std::{collections::HashMap, sync::Arc};

use super::{
    super::{
        name::{Hint, layer_key},
        network::{Operation, is_end_of, last_part},
    },
    Draft,
};

pub(super) fn settle_layers(drafts: &mut [Draft<'_>]) {
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
