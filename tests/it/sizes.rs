//! No file and no function of `src/` is long.

use proc_macro2::{Delimiter, TokenTree};

use crate::sources::{Source, is_sign, is_word, sources};

/// Lines of a file before its tests.
const MOST_LINES_OF_FILE: usize = 400;
/// Lines of a function, from the one with `fn` to the one with its closing brace.
const MOST_LINES_OF_FUNCTION: usize = 60;

fn long_files(source: &Source) -> Option<String> {
    let Source { file, n_lines, .. } = source;
    (*n_lines > MOST_LINES_OF_FILE).then(|| format!("{file} has {n_lines} lines before its tests"))
}

fn long_functions(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    functions(&source.tokens, &mut |name, line, n_lines| {
        if n_lines > MOST_LINES_OF_FUNCTION {
            found.push(format!("{}:{line} {name} has {n_lines} lines", source.file));
        }
    });
    found
}

/// Gives name, first line and number of lines of each function with a body, those within functions and macros too.
fn functions(tokens: &[TokenTree], give: &mut impl FnMut(String, usize, usize)) {
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            functions(&group.stream().into_iter().collect::<Vec<_>>(), give);
        }
        // `fn(u8) -> u8` is a type.
        let Some(TokenTree::Ident(name)) = tokens.get(at + 1) else { continue };
        if !is_word(Some(token), "fn") {
            continue;
        }
        let mut rest = tokens[at..].iter().take_while(|token| !is_sign(Some(token), ';'));
        let body = rest.find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
            _ => None,
        });
        if let Some(body) = body {
            let first = token.span().start().line;
            give(name.to_string(), first, body.span_close().end().line + 1 - first);
        }
    }
}

#[test]
fn no_file_is_longer_than_it_may_be() {
    let long: Vec<String> = sources().iter().filter_map(long_files).collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn no_function_is_longer_than_it_may_be() {
    let long: Vec<String> = sources().iter().flat_map(long_functions).collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn long_files_and_functions_are_seen() {
    let lines = |count: usize| "\n".repeat(count);
    let tests = format!("#[cfg(test)]\nmod tests {{ fn t() {{ {} }} }}", lines(500));
    assert_eq!(long_files(&Source::of("a.rs", &(lines(400) + &tests))), None);
    assert!(long_files(&Source::of("a.rs", &(lines(401) + &tests))).is_some());

    let long = |code: &str| long_functions(&Source::of("a.rs", code));
    assert!(long(&format!("fn f() {{ {} }} {tests}", lines(59))).is_empty());
    assert_eq!(long(&format!("fn f() {{ {} }}", lines(60))), ["a.rs:1 f has 61 lines"]);
    assert_eq!(
        long(&format!("impl A {{\nfn f<T>(x: [u8; 2]) -> B\nwhere T: C {{ {} }} }}", lines(59))).len(),
        1
    );
    assert_eq!(long(&format!("fn f() {{ fn g() {{ {} }} \n}}", lines(60))).len(), 2);
    assert_eq!(long(&format!("m! {{ fn f() {{ \"}}\"; '{{'; /* }} */ {} }} }}", lines(60))).len(), 1);
    assert!(long(&format!("trait A {{ fn f(); fn g(); }} {} fn h() {{}}", lines(100))).is_empty());
    assert!(long(&format!("type F = fn(u8); {} struct A {{}}", lines(100))).is_empty());
}
