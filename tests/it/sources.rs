//! The files of `src/` -> their code as tokens, without comments and tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// One file.
pub(crate) struct Source {
    /// Path below `src/`.
    pub(crate) file: String,
    /// Tokens of everything that is compiled outside of tests.
    pub(crate) tokens: Vec<TokenTree>,
    /// The same as text: no line breaks, spaces only between words, strings without their content.
    pub(crate) code: String,
    /// How many lines stand before the module of tests.
    pub(crate) n_lines: usize,
}

impl Source {
    pub(crate) fn of(file: &str, text: &str) -> Self {
        let stream: TokenStream = text.parse().unwrap_or_else(|error| panic!("{file}: {error}"));
        let all: Vec<TokenTree> = stream.into_iter().collect();
        let n_lines = first_line_of_tests(&all).map_or_else(|| text.lines().count(), |line| line - 1);
        let tokens = without_tests(&all);
        let mut code = String::new();
        print(&tokens, &mut code);
        Self { file: file.to_owned(), tokens, code, n_lines }
    }

    /// The name of the first folder or file below `src/`.
    pub(crate) fn room(&self) -> &str {
        self.file.split(['/', '.']).next().expect("a split has a first part")
    }

    /// `server/lists.rs` -> `["server", "lists"]`.
    pub(crate) fn module(&self) -> Vec<&str> {
        self.file.trim_end_matches(".rs").split('/').collect()
    }
}

/// All of `src/`, but for the files that hold tests only.
pub(crate) fn sources() -> Vec<Source> {
    let is_code = |(file, _): &(String, String)| !file.ends_with("tests.rs");
    let files = files_below("src").into_iter().filter(is_code);
    files.map(|(file, text)| Source::of(&file, &text)).collect()
}

/// The tests of `src/` and the files of `tests/it`.
pub(crate) fn tests() -> Vec<Source> {
    let unit_tests = |(file, text): (String, String)| {
        if file.ends_with("tests.rs") {
            return Source::of(&file, &text);
        }
        // Without the line that says that it is for tests, it is code.
        let n_before = Source::of(&file, &text).n_lines + 1;
        Source::of(&file, &text.lines().skip(n_before).collect::<Vec<_>>().join("\n"))
    };
    let parts = files_below("tests/it").into_iter().map(|(file, text)| Source::of(&file, &text));
    files_below("src").into_iter().map(unit_tests).chain(parts).collect()
}

/// The paths below a folder of all files of Rust, and what they hold.
fn files_below(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    assert!(paths.len() > 20, "files are found");
    let read = |path: PathBuf| {
        let file = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        (file, fs::read_to_string(path).unwrap())
    };
    paths.into_iter().map(read).collect()
}

fn collect(dir: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            paths.push(path);
        }
    }
}

pub(crate) fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if *ident == word)
}

pub(crate) fn is_sign(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

/// Whether `#[cfg(test)]` stands here.
fn is_for_tests(tokens: &[TokenTree]) -> bool {
    is_sign(tokens.first(), '#')
        && matches!(tokens.get(1), Some(TokenTree::Group(group)) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}

/// How many tokens an item or statement has that begins here: up to its braces or its semicolon.
fn len_of_item(tokens: &[TokenTree]) -> usize {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_sign(Some(token), ';'),
    };
    // The braces of `use super::{a, b};` end nothing.
    let end = tokens.iter().position(is_end).map_or(tokens.len(), |at| at + 1);
    end + usize::from(is_sign(tokens.get(end), ';'))
}

fn first_line_of_tests(tokens: &[TokenTree]) -> Option<usize> {
    (0..tokens.len())
        .find(|at| {
            let rest = &tokens[*at..];
            is_for_tests(rest)
                && is_word(rest.get(2), "mod")
                && matches!(rest.get(4), Some(TokenTree::Group(_)))
        })
        .map(|at| tokens[at].span().start().line)
}

fn without_tests(tokens: &[TokenTree]) -> Vec<TokenTree> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if is_for_tests(&tokens[at..]) {
            at += len_of_item(&tokens[at..]);
            continue;
        }
        kept.push(match &tokens[at] {
            TokenTree::Group(group) => {
                let inner = without_tests(&group.stream().into_iter().collect::<Vec<_>>());
                let mut shorter = Group::new(group.delimiter(), inner.into_iter().collect());
                shorter.set_span(group.span());
                shorter.into()
            }
            token => token.clone(),
        });
        at += 1;
    }
    kept
}

fn print(tokens: &[TokenTree], code: &mut String) {
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) if is_doc(tokens, at, group) => code.push_str("[]"),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                code.push_str(open);
                print(&group.stream().into_iter().collect::<Vec<_>>(), code);
                code.push_str(close);
            }
            TokenTree::Punct(punct) => code.push(punct.as_char()),
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                if code.ends_with(|letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '"')) {
                    code.push(' ');
                }
                let word = token.to_string();
                code.push_str(if word.contains('"') { "\"\"" } else { &word });
            }
        }
    }
}

/// Doc comments are attributes to the parser.
fn is_doc(tokens: &[TokenTree], at: usize, group: &Group) -> bool {
    let is_attribute = at > 0 && (is_sign(tokens.get(at - 1), '#') || is_sign(tokens.get(at - 1), '!'));
    is_attribute && is_word(group.stream().into_iter().next().as_ref(), "doc")
}

#[test]
fn comments_strings_and_tests_are_no_code() {
    let text = "//! Uses std::fs.\n/// `crate::x`\nfn f() -> u8 { let s = r#\"// { println!()\"#; 1 } // crate::y\n\
        #[cfg(test)]\nuse a::{b, c};\nfn g() { #[cfg(test)] count(); h() }\n\
        #[cfg(test)]\nmod tests { fn i() {} }\n";
    let source = Source::of("a/b.rs", text);
    assert_eq!(source.code, "#![]#[]fn f()->u8{let s=\"\";1}fn g(){h()}");
    assert_eq!((source.n_lines, source.room(), source.module()), (6, "a", vec!["a", "b"]));
    assert_eq!(Source::of("a.rs", "fn f() {}\n#[cfg(test)]\nmod tests;\n").n_lines, 3);
}
