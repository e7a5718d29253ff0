//! What is known of a save on the shelf -> the run: the facts about its tensors, and the kernels that it does not have.

use std::sync::Arc;

use super::{shelf::NotOnShelf, snapshot::Run};
use crate::{model::Facts, reader::shelf::KeptSave, types::Tag};

/// Takes what was concluded while the whole checkpoint was there, until better conclusions are drawn.
pub(super) fn add_facts(run: &mut Run, tag: Tag, facts: &Arc<Facts>) {
    let Some(series) = run.series.get_mut(&tag) else { return };
    let series = Arc::make_mut(series);
    series.kept_steps += 1;
    if series.facts == Facts::unknown(tag.as_str()) {
        series.facts = Facts::clone(facts);
    }
    run.on_shelf.facts.insert(tag, Arc::clone(facts));
}

/// Counts the kernels of which the shelf has no copy.
pub(super) fn note_not_kept(run: &mut Run, kept: &KeptSave) {
    for kernel in &kept.not_kept {
        let tag = Tag::from(&*kernel.tag);
        let saves = run.on_shelf.missing.get(&tag).map_or(0, |known| known.saves);
        let (bytes, why) = (kernel.bytes, kernel.why.as_str().into());
        run.on_shelf.missing.insert(tag.clone(), NotOnShelf { saves: saves + 1, bytes, why });
        count_missing(run, &tag);
    }
}

/// Takes back what was counted.
pub(super) fn forget_not_kept(run: &mut Run, kept: &KeptSave) {
    for kernel in &kept.not_kept {
        let Some(known) = run.on_shelf.missing.get_mut(&*kernel.tag) else { continue };
        known.saves -= 1;
        if known.saves == 0 {
            run.on_shelf.missing.remove(&*kernel.tag);
        }
        count_missing(run, &Tag::from(&*kernel.tag));
    }
}

/// Notes in a series how many saves on the shelf are without it.
pub(super) fn count_missing(run: &mut Run, tag: &Tag) {
    let saves = run.on_shelf.missing.get(tag).map_or(0, |kernel| kernel.saves);
    if let Some(series) = run.series.get_mut(tag).filter(|series| series.not_kept != saves) {
        Arc::make_mut(series).not_kept = saves;
    }
}
