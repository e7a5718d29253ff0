//! First parts of tags that are words for weights and stand before biases and scales as well: they wrap a run's tensors and say
//! nothing of one.

use std::collections::BTreeMap;

use super::super::name::Beginning;

/// Such parts, with how many tags show that they are.
#[derive(Debug, Default)]
pub(super) struct Wrappers {
    shown_by: BTreeMap<String, usize>,
}

impl Wrappers {
    pub(super) fn has(&self, word: &str) -> bool {
        self.shown_by.contains_key(word)
    }

    /// Takes a tag. Gives the word that wraps from now on.
    pub(super) fn insert<'a>(&mut self, tag: &'a str) -> Option<&'a str> {
        let word = shown(tag)?;
        let count = self.shown_by.entry(word.to_owned()).or_default();
        *count += 1;
        (*count == 1).then_some(word)
    }

    /// Takes a tag away. Gives the word that wraps no longer.
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
