//! Series of one name that count different things, such as steps and epochs -> a tag for each.

use std::sync::Arc;

use super::snapshot::{Run, Series};
use crate::{reader::moment::Axis, types::Tag};

/// The tag of a tensor on this axis. Where one name has steps and epochs, the steps have the name itself as their tag, and the others
/// a tag with the name of their axis, whatever the order in which they were found. `revision` is that of the change.
pub(super) fn tag_on_axis(run: &mut Run, name: &Tag, axis: Axis, revision: u64) -> Tag {
    let known = run.series.get(name).map(|series| series.axis);
    let apart = || Series::tag_apart(name, axis);
    match known {
        Some(known) if known == axis => name.clone(),
        Some(known) if known < axis => apart(),
        Some(known) => {
            rename(run, name, &Series::tag_apart(name, known), revision);
            name.clone()
        }
        None if axis == Axis::Step || !run.series.contains_key(&apart()) => name.clone(),
        None => apart(),
    }
}

/// Gives a series another tag.
pub(super) fn rename(run: &mut Run, from: &Tag, to: &Tag, revision: u64) {
    let Some(mut series) = run.series.remove(from) else { return };
    let renamed = Arc::make_mut(&mut series);
    renamed.tag = to.clone();
    renamed.revision = revision;
    renamed.rewrites += 1;
    run.series.insert(to.clone(), series);
}
