//! No file of `src/` uses one that uses it, directly or by way of others.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{Source, sources};

/// Files, and which others each one uses.
type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Words, `::`, and single other letters. Whom an item is visible to is no use of it, and is left out.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_of_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let len = if is_of_word(first) {
            rest.find(|letter| !is_of_word(letter)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..len]);
        rest = rest[len..].trim_start();
        if tokens.ends_with(&["pub", "(", "in"]) {
            rest = rest.split_once(')').map_or("", |(_, rest)| rest);
        }
    }
    tokens
}

fn is_name(token: &str) -> bool {
    token.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}

/// All paths in the code, those in groups one by one.
fn paths(code: &str) -> Vec<Vec<&str>> {
    let (tokens, mut found) = (tokens(code), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let is_start =
            is_name(tokens[at]) && tokens.get(at + 1) == Some(&"::") && (at == 0 || tokens[at - 1] != "::");
        at = if is_start { path(&tokens, at, &[], &mut found) } else { at + 1 };
    }
    found
}

/// Reads the path that begins at a token, behind `before`. Gives the token after it.
fn path<'a>(tokens: &[&'a str], mut at: usize, before: &[&'a str], found: &mut Vec<Vec<&'a str>>) -> usize {
    let mut names = before.to_vec();
    loop {
        match tokens.get(at) {
            Some(&"{") => {
                at += 1;
                while tokens.get(at).is_some_and(|token| *token != "}") {
                    let next = path(tokens, at, &names, found);
                    at = next.max(at + 1);
                }
                return at + 1;
            }
            Some(name) if is_name(name) => names.push(name),
            _ => break,
        }
        at += 1;
        if tokens.get(at) != Some(&"::") {
            break;
        }
        at += 1;
    }
    if names.len() > before.len() {
        found.push(names);
    }
    at
}

fn arrows(sources: &[Source]) -> Arrows {
    let files: BTreeMap<Vec<&str>, &str> =
        sources.iter().map(|source| (source.module(), source.file.as_str())).collect();
    let of_file = |source: &Source| {
        let module = source.module();
        let used = paths(&source.code).into_iter().filter_map(|names| target(&files, &module, &names));
        used.filter(|file| *file != source.file).map(str::to_owned).collect()
    };
    sources.iter().map(|source| (source.file.clone(), of_file(source))).collect()
}

/// The file that a path in a module leads to.
fn target<'a>(files: &BTreeMap<Vec<&str>, &'a str>, module: &[&str], names: &[&str]) -> Option<&'a str> {
    let ups = names.iter().take_while(|name| **name == "super").count();
    let (from, rest) = match names.first()? {
        &"crate" => (&module[..0], &names[1..]),
        &"self" => (module, &names[1..]),
        &"super" => (&module[..module.len().checked_sub(ups)?], &names[ups..]),
        first if files.contains_key(&[module, &[*first]].concat()) => (module, names),
        _ => return None,
    };
    let whole = [from, rest].concat();
    (1..=whole.len()).rev().find_map(|len| files.get(&whole[..len]).copied())
}

/// A way from a file back to itself, where there is one.
fn circle(arrows: &Arrows) -> Option<Vec<String>> {
    let mut left: Arrows = arrows.clone();
    loop {
        let names: BTreeSet<String> = left.keys().cloned().collect();
        let before = left.len();
        left.retain(|_, used| used.iter().any(|file| names.contains(file)));
        if left.len() == before {
            break;
        }
    }
    let mut way = vec![left.keys().next()?.clone()];
    loop {
        let next = left[way.last()?].iter().find(|file| left.contains_key(*file))?.clone();
        if let Some(at) = way.iter().position(|file| *file == next) {
            return Some(way.split_off(at));
        }
        way.push(next);
    }
}

#[test]
fn no_file_uses_one_that_uses_it() {
    let arrows = arrows(&sources());
    assert!(arrows.values().map(BTreeSet::len).sum::<usize>() > 1_000, "arrows are found");
    if let Some(circle) = circle(&arrows) {
        panic!("these use one another: {}", circle.join(" -> "));
    }
}

#[test]
fn the_test_sees_circles() {
    let found = |files: &[(&str, &str)]| {
        let sources: Vec<Source> = files.iter().map(|(file, code)| Source::of(file, code)).collect();
        circle(&arrows(&sources))
    };
    let other = ("b/c.rs", "pub(in crate::a) fn f() {}");
    assert_eq!(found(&[("a.rs", "use crate::b::c::X;"), ("b.rs", "mod c;"), other]), None);
    let by_path = ("b/c.rs", "fn f() { crate::a::g() }");
    assert_eq!(
        found(&[("a.rs", "use crate::{b::c, d};"), by_path]),
        Some(vec!["a.rs".into(), "b/c.rs".into()])
    );
    let by_super = ("b/c.rs", "use super::super::a::{self, Y};");
    assert!(found(&[("a.rs", "use crate::b::{c::X};"), by_super]).is_some());
    let to_face = ("b/c.rs", "use super::{Z, d::W};");
    assert!(found(&[("b.rs", "mod c; fn f() { c::g() }"), to_face]).is_some());
    assert!(found(&[("b.rs", "mod c; pub use self::c::V;"), to_face]).is_some());
    assert_eq!(found(&[("b.rs", "mod c; // c::g()"), to_face]), None);
}
