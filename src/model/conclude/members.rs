//! The series of a run, by number and by tag.

use std::collections::BTreeMap;

#[cfg(test)]
use super::super::visits;
use super::{layer_names::MemberIdx, member::Member};
use crate::types::Tag;

/// All series of a run. The number of a removed series is used again for a later one.
#[derive(Debug, Default)]
pub(super) struct Members {
    by_idx: Vec<Option<Member>>,
    free: Vec<MemberIdx>,
    by_tag: BTreeMap<Tag, MemberIdx>,
}

impl Members {
    /// Adds a series whose tag is new.
    pub(super) fn insert(&mut self, member: Member) -> MemberIdx {
        let tag = member.tag.clone();
        let idx = if let Some(idx) = self.free.pop() {
            self.by_idx[idx as usize] = Some(member);
            idx
        } else {
            self.by_idx.push(Some(member));
            (self.by_idx.len() - 1) as MemberIdx
        };
        self.by_tag.insert(tag, idx);
        idx
    }

    pub(super) fn remove(&mut self, idx: MemberIdx) {
        if let Some(member) = self.by_idx[idx as usize].take() {
            self.by_tag.remove(&member.tag);
        }
        self.free.push(idx);
    }

    pub(super) fn get(&self, idx: MemberIdx) -> &Member {
        #[cfg(test)]
        visits::count();
        self.by_idx[idx as usize].as_ref().expect("a number is used only while its series is there")
    }

    pub(super) fn get_mut(&mut self, idx: MemberIdx) -> &mut Member {
        self.by_idx[idx as usize].as_mut().expect("a number is used only while its series is there")
    }

    pub(super) fn idx_of(&self, tag: &Tag) -> Option<MemberIdx> {
        self.by_tag.get(tag).copied()
    }

    /// All tags in order.
    pub(super) fn tags(&self) -> impl Iterator<Item = &Tag> {
        self.by_tag.keys()
    }

    /// The numbers of all series, in the order of their tags.
    pub(super) fn idxs(&self) -> impl Iterator<Item = MemberIdx> {
        self.by_tag.values().copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.by_idx.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.by_idx.iter_mut().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.by_tag.len()
    }
}
