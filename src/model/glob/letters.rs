//! The letters of a text, as a small set that quickly excludes most texts in which a letter is missing.

/// A set of letters in 64 bits, with several letters per bit. A letter that it reports as missing is certainly missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letters(u64);

impl Letters {
    pub(super) fn of(text: &str) -> Self {
        Self(text.bytes().fold(0, |bits, byte| bits | 1 << (byte & 63)))
    }

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
