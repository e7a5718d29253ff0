//! Runs and tags -> relative paths that are safe on every file system, no two alike.
//!
//! Each part of a name becomes a directory. Characters with a meaning for file systems or shells are written `%NN`, and so is a
//! leading dot: no file is hidden, and no path leaves the directory. Parts that end like one of our files have that dot encoded,
//! so that a directory never has a file's name. Names that are still equal, for example a run `a` with the tag `b/c` and a run
//! `a/b` with the tag `c`, or names that differ in case alone, get a suffix made from run and tag.

use std::{borrow::Cow, collections::HashMap, fmt::Write as _};

use sha2::{Digest as _, Sha256};

use crate::types::{digits, printable::is_printable};

/// Most file systems allow 255 bytes a part; a number and an ending are added.
const LONGEST_PART: usize = 160;
const LONGEST_PATH: usize = 1_000;
/// How our files end, dot included.
const ENDINGS: [&str; 4] = [".png", ".npz", ".json", ".partial"];

/// Which paths are taken, and by which run and tag.
#[derive(Debug, Default)]
pub struct Paths {
    /// By the path in small letters: some file systems do not tell them from capitals.
    taken: HashMap<String, (String, String)>,
}

impl Paths {
    /// Notes that a run and a tag have this path, as an earlier export gave it.
    pub fn note(&mut self, path: &str, run: &str, tag: &str) {
        self.taken.insert(path.to_lowercase(), (run.to_owned(), tag.to_owned()));
    }

    /// The path of a run and a tag, with `/` between its parts; the same each time.
    pub fn path(&mut self, run: &str, tag: &str) -> String {
        let parts = run.split('/').filter(|_| run != ".").chain(tag.split('/'));
        let mut path = parts.map(part).collect::<Vec<_>>().join("/");
        if path.len() > LONGEST_PATH {
            path = with_mark(&part(&path.replace('/', "_")), run, tag);
        }
        let owner = (run.to_owned(), tag.to_owned());
        let mut free = path;
        while self.taken.get(&free.to_lowercase()).is_some_and(|taken| *taken != owner) {
            free = with_mark(&free, run, tag);
        }
        self.taken.insert(free.to_lowercase(), owner);
        free
    }
}

/// A part of a name as the name of a directory.
fn part(name: &str) -> String {
    if name.is_empty() {
        // No encoded character looks like this.
        return "%".to_owned();
    }
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.+=,@ ()~".contains(letter);
    let mut out = String::new();
    for (at, letter) in name.char_indices() {
        let is_odd = !is_plain(letter)
            || (at == 0 && matches!(letter, '.' | ' '))
            || (at + 1 == name.len() && matches!(letter, '.' | ' '));
        if is_odd {
            push_encoded(&mut out, letter);
        } else {
            out.push(letter);
        }
    }
    if let Some(ending) = ENDINGS.iter().find(|ending| out.to_lowercase().ends_with(**ending)) {
        let dot = out.len() - ending.len();
        out.replace_range(dot..=dot, "%2E");
    }
    if out.len() > LONGEST_PART {
        let cut = (0..=LONGEST_PART - 10).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
        out = format!("{}~{}", &out[..cut], mark(&[name]));
    }
    out
}

fn push_encoded(out: &mut String, letter: char) {
    for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
        write!(out, "%{byte:02X}").expect("a String takes any text");
    }
}

/// The name of a directory in a logdir as the name of one of ours: the same, so that runs are called what they are, unless it
/// holds characters that are not printable. These are written `%NN`, and a mark tells it from a name that has been written so.
pub(super) fn printable_part(name: &str) -> Cow<'_, str> {
    if name.chars().all(is_printable) {
        return Cow::Borrowed(name);
    }
    let mut out = String::new();
    for letter in name.chars() {
        if is_printable(letter) { out.push(letter) } else { push_encoded(&mut out, letter) }
    }
    Cow::Owned(format!("{out}~{}", mark(&[name])))
}

fn with_mark(path: &str, run: &str, tag: &str) -> String {
    format!("{path}~{}", mark(&[run, tag]))
}

/// Eight digits that tell names apart.
fn mark(names: &[&str]) -> String {
    let mut digest = Sha256::new();
    for name in names {
        digest.update((name.len() as u64).to_le_bytes());
        digest.update(name);
    }
    digits(&digest.finalize()[..4])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(run: &str, tag: &str, expected: &str) {
        assert_eq!(Paths::default().path(run, tag), expected);
    }

    #[test]
    fn names_stay_readable_and_never_climb() {
        check(".", "conv1/kernel", "conv1/kernel");
        check("train", "conv1/kernel:0", "train/conv1/kernel%3A0");
        check("a", "../../etc/passwd", "a/%2E%2E/%2E%2E/etc/passwd");
        check("a", "/etc//x", "a/%/etc/%/x");
        check("a", "Größe 1", "a/Größe 1");
        check("a", "b\\c\n\0", "a/b%5Cc%0A%00");
        check("a", "0.png/x.NPZ", "a/0%2Epng/x%2ENPZ");
        check("a", ".hidden.", "a/%2Ehidden%2E");
        check("a", "", "a/%");
    }

    #[test]
    fn directories_of_runs_keep_their_names_where_they_are_printable() {
        assert_eq!(printable_part("train 2.Größe%1B"), "train 2.Größe%1B");
        let names = ["a\x1b[31m\nb", "a\u{202e}b", "\u{9b}"].map(|name| printable_part(name).into_owned());
        assert!(names[0].starts_with("a%1B[31m%0Ab~") && names[1].starts_with("a%E2%80%AEb~"), "{names:?}");
        assert!(names.iter().all(|name| name.chars().all(is_printable)), "{names:?}");
    }

    #[test]
    fn what_falls_together_is_told_apart() {
        let mut paths = Paths::default();
        let first = paths.path("a", "b/c");
        let second = paths.path("a/b", "c");
        let third = paths.path("A", "B/c");
        assert_eq!(first, "a/b/c");
        assert!(second.starts_with("a/b/c~") && third.starts_with("A/B/c~"), "{second} {third}");
        assert_eq!(paths.path("a/b", "c"), second);
        let mut again = Paths::default();
        again.note(&second, "a/b", "c");
        assert_eq!(again.path("a/b", "c"), "a/b/c");
    }

    proptest! {
        #[test]
        fn any_names_have_safe_paths_of_their_own(
            names in prop::collection::hash_set(("[ab./%~A]{0,6}", ".{0,300}|[ab./%~A]{0,8}"), 1..20),
        ) {
            let mut paths = Paths::default();
            let mut seen = std::collections::HashSet::new();
            for (run, tag) in &names {
                let path = paths.path(run, tag);
                prop_assert!(seen.insert(path.to_lowercase()), "{}", path);
                prop_assert!(path.len() < LONGEST_PATH + 20);
                for part in path.split('/') {
                    prop_assert!(part.chars().all(is_printable), "{}", path);
                    prop_assert!(!part.is_empty() && !part.starts_with('.') && part.len() < 240, "{}", path);
                }
            }
        }
    }
}
