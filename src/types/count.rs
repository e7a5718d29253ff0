//! A number and what it counts -> words: `1 step`, `3 steps`.

use std::fmt::Display;

/// The number with its noun.
pub(crate) fn counted<N: Copy + Display + PartialEq + From<u8>>(n: N, one: &str) -> String {
    let noun = noun(if n == N::from(1) { 1 } else { 2 }, one);
    format!("{n} {noun}")
}

/// The noun for this many: `step` or `steps`. The plural of `series` is the same.
pub(crate) fn noun(n: u64, one: &str) -> String {
    if n == 1 || one == "series" { one.to_owned() } else { format!("{one}s") }
}

/// The verb for this many: `is` or `are`.
pub(crate) fn is<N: Copy + PartialEq + From<u8>>(n: N) -> &'static str {
    if n == N::from(1) { "is" } else { "are" }
}

/// The verb for this many: `was` or `were`.
pub(crate) fn was(n: usize) -> &'static str {
    if n == 1 { "was" } else { "were" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_no_plural() {
        let words = [0, 1, 2].map(|n| format!("{} {}", counted(n, "step"), was(n)));
        assert_eq!(words, ["0 steps were", "1 step was", "2 steps were"]);
        assert_eq!(counted(3_usize, "series"), "3 series");
        let verbs = [0_u64, 1, 2].map(|n| format!("{} {} lost", counted(n, "byte"), is(n)));
        assert_eq!(verbs, ["0 bytes are lost", "1 byte is lost", "2 bytes are lost"]);
    }
}
