//! The tags in a file so far, each with a number. Tags that come in their usual order are found without hashing.

use std::{collections::HashMap, sync::Arc};

use crate::{
    event::{
        outline::{Outline, ValueOutline},
        picture::numbered,
        scalar,
    },
    model::recorded,
    types::{Step, Tag, text_of_bytes},
};

/// The most tags of a file. A tag takes up to 1 KiB of memory, and 4 KiB if it has tensors.
pub(super) const MOST_TAGS: usize = 200_000;

/// The tags of a file, by number.
#[derive(Default)]
pub(super) struct Tags {
    tags: Vec<KnownTag>,
    by_name: HashMap<Arc<[u8]>, usize>,
    /// The tag that came last.
    last_idx: usize,
}

/// A tag and what its first value says about it.
pub(super) struct KnownTag {
    pub(super) tag: Tag,
    /// Its bytes in the file.
    raw: Arc<[u8]>,
    pub(super) plugin: Arc<[u8]>,
    pub(super) recorded: Arc<[u8]>,
    /// If it is the tag of a numbered picture: the common tag of these pictures, and the number.
    pub(super) pictures: Tag,
    pub(super) number: u32,
    /// The first bytes of an event with a single number under this tag.
    scalar_head: Option<Box<[u8]>>,
    /// The tag that came after it last time.
    next_idx: usize,
}

/// What the first value of a tag says about its writer.
pub(super) struct Plugin {
    name: Arc<[u8]>,
    /// The content of the metadata, if the plugin is ConvScope's own.
    recorded: Arc<[u8]>,
}

/// An event that contains a single number.
pub(super) struct Scalar {
    pub(super) tag_idx: usize,
    pub(super) wall_time: f64,
    pub(super) step: Step,
}

impl Plugin {
    pub(super) fn of(outline: &Outline, value: &ValueOutline) -> Self {
        let name = outline.plugin(value).unwrap_or_default();
        let recorded = match outline.plugin_content(value) {
            _ if name != recorded::PLUGIN => &[],
            _ if outline.plugin_content_is_cut(value) => recorded::TOO_LONG,
            content => content,
        };
        Self { name: name.into(), recorded: recorded.into() }
    }
}

impl Tags {
    /// The tag with this number.
    pub(super) fn get(&self, tag_idx: usize) -> &KnownTag {
        &self.tags[tag_idx]
    }

    /// Whether a tag is known.
    pub(super) fn knows(&self, raw: &[u8]) -> bool {
        self.by_name.contains_key(raw)
    }

    /// The number of a new or known tag; `None` if there are too many tags.
    pub(super) fn number_of(&mut self, raw: &[u8], plugin: impl FnOnce() -> Plugin) -> Option<usize> {
        let expected = self.expected();
        let is_expected = self.tags.get(expected).is_some_and(|known| &*known.raw == raw);
        let idx = if is_expected { expected } else { self.find_or_add(raw, plugin)? };
        if let Some(last) = self.tags.get_mut(self.last_idx) {
            last.next_idx = idx;
        }
        self.last_idx = idx;
        Some(idx)
    }

    /// Reads an event that is a single number under the expected tag; `None` for all others.
    pub(super) fn read_scalar(&mut self, payload: &[u8]) -> Option<Scalar> {
        let tag_idx = self.expected();
        let head = self.tags.get(tag_idx)?.scalar_head.as_ref()?;
        let (wall_time, step) = scalar::read(payload, head)?;
        self.last_idx = tag_idx;
        Some(Scalar { tag_idx, wall_time, step })
    }

    /// Writers log their tags in the same order at each step. Comparing with the tag that came next last time is cheaper than hashing.
    fn expected(&self) -> usize {
        self.tags.get(self.last_idx).map_or(0, |last| last.next_idx)
    }

    fn find_or_add(&mut self, raw: &[u8], plugin: impl FnOnce() -> Plugin) -> Option<usize> {
        if let Some(&idx) = self.by_name.get(raw) {
            return Some(idx);
        }
        if self.tags.len() >= MOST_TAGS {
            return None;
        }
        let tag = Tag::from(text_of_bytes(raw));
        let (pictures, number) = match numbered(tag.as_str()) {
            Some((all, number)) => (Tag::from(all.to_owned()), number),
            None => (tag.clone(), 0),
        };
        let Plugin { name: plugin, recorded } = plugin();
        let scalar_head = scalar::head(raw);
        let raw: Arc<[u8]> = raw.into();
        self.by_name.insert(Arc::clone(&raw), self.tags.len());
        self.tags.push(KnownTag { tag, raw, plugin, recorded, pictures, number, scalar_head, next_idx: 0 });
        Some(self.tags.len() - 1)
    }
}
