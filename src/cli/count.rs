//! A number and what it counts -> words: `1 step`, `3 steps`.

/// The number with its noun.
pub(super) fn counted(n: usize, one: &str) -> String {
    format!("{n} {}", noun(n as u64, one))
}

/// The noun for this many: `step` or `steps`. The plural of `series` is the same.
pub(super) fn noun(n: u64, one: &str) -> String {
    if n == 1 || one == "series" { one.to_owned() } else { format!("{one}s") }
}

/// The verb for this many.
pub(super) fn was(n: usize) -> &'static str {
    if n == 1 { "was" } else { "were" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_no_plural() {
        let words = [0, 1, 2].map(|n| format!("{} {}", counted(n, "step"), was(n)));
        assert_eq!(words, ["0 steps were", "1 step was", "2 steps were"]);
        assert_eq!(counted(3, "series"), "3 series");
    }
}
