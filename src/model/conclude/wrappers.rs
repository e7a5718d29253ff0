//! First parts of tags that are words for weights but also occur before biases and scales: they wrap all tensors of a run and say
//! nothing about a single one.

use std::collections::BTreeMap;

use super::super::name::Beginning;

/// Such parts, with the number of tags that show this.
#[derive(Debug, Default)]
pub(super) struct Wrappers {
    shown_by: BTreeMap<String, usize>,
}

impl Wrappers {
    pub(super) fn has(&self, word: &str) -> bool {
        self.shown_by.contains_key(word)
    }

    /// Adds a tag. Returns the word that becomes a wrapper because of it.
    pub(super) fn insert<'a>(&mut self, tag: &'a str) -> Option<&'a str> {
        let word = shown(tag)?;
        let count = self.shown_by.entry(word.to_owned()).or_default();
        *count += 1;
        (*count == 1).then_some(word)
    }

    /// Removes a tag. Returns the word that is no longer a wrapper.
    pub(super) fn remove<'a>(&mut self, tag: &'a str) -> Option<&'a str> {
        let word = shown(tag)?;
        let count = self.shown_by.get_mut(word)?;
        *count -= 1;
        (*count == 0).then(|| {
            self.shown_by.remove(word);
            word
        })
    }
}

fn shown(tag: &str) -> Option<&str> {
    Beginning::of(tag).filter(|beginning| beginning.is_wrapper).map(|beginning| beginning.word)
}
