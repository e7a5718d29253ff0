//! No file of `src/` uses two types of one name.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenTree};

use crate::sources::{Source, is_sign, is_word, sources};

/// The names from the root of the crate to a module.
type ModulePath = Vec<String>;

/// One definition of a type: the module that it stands in, and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Definition {
    module: ModulePath,
    name: String,
}

/// What one file defines and names.
#[derive(Debug, Default)]
struct Module {
    types: BTreeSet<String>,
    /// What is imported: the name in this module, and the path that it stands for.
    imports: Vec<(String, Vec<String>)>,
    /// Modules of which everything is imported.
    globs: Vec<Vec<String>>,
    /// All paths in the code, those of one name too.
    mentions: BTreeSet<Vec<String>>,
}

type Modules = BTreeMap<ModulePath, Module>;

impl Module {
    fn of(source: &Source) -> Self {
        let mut module = Self::default();
        module.read(&source.tokens);
        module
    }

    fn read(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while at < tokens.len() {
            at = self.read_at(tokens, at);
        }
    }

    /// Reads what begins at a token. Gives where to read on.
    fn read_at(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        match &tokens[at] {
            token if is_word(Some(token), "use") => return self.read_use(tokens, at + 1, &[]),
            token if is_word(Some(token), "impl") || is_word(Some(token), "trait") => {
                if is_word(Some(token), "trait")
                    && let Some(TokenTree::Ident(name)) = tokens.get(at + 1)
                {
                    self.types.insert(name.to_string());
                }
                return self.read_body(tokens, at + 1);
            }
            TokenTree::Ident(word) if is_definition(&word.to_string()) => {
                if let Some(TokenTree::Ident(name)) = tokens.get(at + 1) {
                    self.types.insert(name.to_string());
                    return at + 2;
                }
            }
            TokenTree::Ident(_) => return self.read_path(tokens, at),
            TokenTree::Group(group) => self.read(&group.stream().into_iter().collect::<Vec<_>>()),
            _ => {}
        }
        at + 1
    }

    /// Reads an `impl` or a `trait` to the end of its braces, in which `type` defines no type of the module.
    fn read_body(&mut self, tokens: &[TokenTree], from: usize) -> usize {
        let mut at = from;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let mut inner = Self::default();
                    inner.read(&group.stream().into_iter().collect::<Vec<_>>());
                    self.mentions.append(&mut inner.mentions);
                    self.imports.append(&mut inner.imports);
                    self.globs.append(&mut inner.globs);
                    return at + 1;
                }
                token if is_sign(Some(token), ';') => return at + 1,
                // `fn f() -> impl Iterator` has no body of its own.
                token if is_sign(Some(token), ',') => return at,
                _ => at = self.read_at(tokens, at),
            }
        }
        at
    }

    /// Reads the tree of a `use` up to `;`, `,` or the end of its group.
    fn read_use(&mut self, tokens: &[TokenTree], from: usize, before: &[String]) -> usize {
        let (mut path, mut at) = (before.to_vec(), from);
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Ident(word) if *word == "as" => {
                    let alias = tokens.get(at + 1).map(ToString::to_string).unwrap_or_default();
                    self.imports.push((alias, std::mem::take(&mut path)));
                    at += 1;
                }
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    let mut next = 0;
                    while next < inner.len() {
                        next = self.read_use(&inner, next, &path);
                    }
                    path.clear();
                }
                token if is_sign(Some(token), '*') => self.globs.push(std::mem::take(&mut path)),
                token if is_sign(Some(token), ':') => {}
                _ => {
                    at += 1;
                    break;
                }
            }
            at += 1;
        }
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        if let Some(name) = path.last() {
            self.imports.push((name.clone(), path));
        }
        at
    }

    fn read_path(&mut self, tokens: &[TokenTree], from: usize) -> usize {
        let (mut path, mut at) = (Vec::new(), from);
        while let Some(TokenTree::Ident(name)) = tokens.get(at) {
            path.push(name.to_string());
            at += 1;
            if !(is_sign(tokens.get(at), ':') && is_sign(tokens.get(at + 1), ':')) {
                break;
            }
            at += 2;
        }
        self.mentions.insert(path);
        at
    }
}

fn is_definition(word: &str) -> bool {
    matches!(word, "struct" | "enum" | "union" | "type")
}

/// Finds definitions by paths.
struct Resolver<'a> {
    modules: &'a Modules,
}

impl Resolver<'_> {
    /// The type that a path in a module means, if it is one of this crate.
    fn resolve(&self, module: &[String], path: &[String], depth: usize) -> Option<Definition> {
        // A re-export may lead back to where it is.
        if depth > 16 {
            return None;
        }
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" | "convscope" => self.walk(&[], rest, depth),
            "self" => self.walk(module, rest, depth),
            "super" => self.resolve_super(module.split_last()?.1, rest, depth),
            _ => self.walk(module, path, depth),
        }
    }

    fn resolve_super(&self, module: &[String], path: &[String], depth: usize) -> Option<Definition> {
        match path.first()?.as_str() {
            "super" => self.resolve_super(module.split_last()?.1, &path[1..], depth),
            _ => self.walk(module, path, depth),
        }
    }

    /// Follows a path that begins with a name of this module.
    fn walk(&self, module: &[String], path: &[String], depth: usize) -> Option<Definition> {
        let (first, rest) = path.split_first()?;
        let inner = [module, std::slice::from_ref(first)].concat();
        if !rest.is_empty() && self.modules.contains_key(&inner) {
            return self.walk(&inner, rest, depth);
        }
        let known = self.modules.get(module)?;
        if known.types.contains(first) {
            return Some(Definition { module: module.to_vec(), name: first.clone() });
        }
        let imports = known.imports.iter().filter(|(name, _)| name == first);
        let mut imported = imports.map(|(_, target)| [target.as_slice(), rest].concat());
        // An import that has the name of what it begins with, as that of another crate, leads to itself.
        if let Some(found) = imported.find_map(|target| self.resolve(module, &target, depth + 1)) {
            return Some(found);
        }
        let mut all = known.globs.iter().map(|glob| [glob.as_slice(), path].concat());
        all.find_map(|target| self.resolve(module, &target, depth + 1))
    }
}

/// The names of which a file uses more than one definition.
fn met_twice(sources: &[Source]) -> Vec<String> {
    let owned = |source: &Source| -> ModulePath {
        let module: ModulePath = source.module().into_iter().map(str::to_owned).collect();
        if module == ["lib"] || module == ["main"] { Vec::new() } else { module }
    };
    // The program has a root of its own, in which nothing is defined.
    let library = sources.iter().filter(|source| source.file != "main.rs");
    let modules: Modules = library.map(|source| (owned(source), Module::of(source))).collect();
    let resolver = Resolver { modules: &modules };
    let mut wrong = Vec::new();
    for (path, module) in &modules {
        let mut met: BTreeMap<&str, BTreeSet<ModulePath>> = BTreeMap::new();
        for name in &module.types {
            met.entry(name).or_default().insert(path.clone());
        }
        let imported = module.imports.iter().map(|(_, target)| target);
        let found: BTreeSet<Definition> = imported
            .chain(&module.mentions)
            .filter_map(|mention| resolver.resolve(path, mention, 0))
            .collect();
        for definition in &found {
            met.entry(&definition.name).or_default().insert(definition.module.clone());
        }
        for (name, places) in met.into_iter().filter(|(_, places)| places.len() > 1) {
            let places: Vec<String> = places.iter().map(|module| module.join("::") + "::" + name).collect();
            wrong.push(format!("{} uses {name} twice: {}", path.join("/"), places.join(" and ")));
        }
    }
    wrong
}

#[test]
fn no_file_uses_two_types_of_one_name() {
    let wrong = met_twice(&sources());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn types_are_found_by_paths() {
    let modules: Modules = sources()
        .iter()
        .map(|source| (source.module().into_iter().map(str::to_owned).collect(), Module::of(source)))
        .collect();
    let n_types: usize = modules.values().map(|module| module.types.len()).sum();
    let resolver = Resolver { modules: &modules };
    let resolved = |(path, module): (&ModulePath, &Module)| {
        module.imports.iter().filter(|(_, target)| resolver.resolve(path, target, 0).is_some()).count()
    };
    let n_imports: usize = modules.iter().map(resolved).sum();
    assert!(n_types > 400 && n_imports > 600, "{n_types} types, {n_imports} imports of them");
}

#[test]
fn two_types_of_one_name_are_seen_however_they_are_named() {
    let met = |code: &str| {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            (
                "a.rs",
                "pub struct Frame; pub trait Shape {} impl Shape for Frame { type Item = u8; } struct Item;",
            ),
            ("b.rs", "mod d; pub use self::d::Frame as Picture; pub enum Tile { One }"),
            ("b/d.rs", "pub struct Frame; pub struct Shape;"),
            ("c.rs", code),
        ];
        met_twice(&files.map(|(file, code)| Source::of(file, code)))
    };
    let both = "c uses Frame twice: a::Frame and b::d::Frame";
    assert_eq!(
        met("struct Frame; fn f(x: crate::a::Frame) {}"),
        ["c uses Frame twice: a::Frame and c::Frame"]
    );
    assert_eq!(met("use crate::{a::Frame, b::Picture};"), [both]);
    assert_eq!(
        met("use super::{a, b::d::{self, Shape}}; fn f() -> (a::Frame, d::Frame) { todo!() }"),
        [both]
    );
    assert_eq!(met("use crate::a::Frame as Other; use crate::b; type X = b::d::Frame;"), [both]);
    assert_eq!(met("use crate::a::*; fn f() { m! { Frame, crate::b::d::Frame::new() } }"), [both]);
    assert_eq!(met("use crate::b::d::Shape; trait T: crate::a::Shape {}").len(), 1);
    assert_eq!(met("fn f() -> impl crate::a::Shape { crate::b::d::Shape }").len(), 1);

    assert!(
        met("use crate::a::Frame; use crate::b::Tile; fn f() { Tile::One; gif::Frame; b::Frame }").is_empty()
    );
    assert!(met("use std::x::Frame; fn f() { crate::a::Frame } // crate::b::d::Frame").is_empty());
    assert!(met("use crate::a::Item; impl I for X { type Item = u8; fn f() { Self::Item } }").is_empty());
    assert!(met("struct Frame; #[cfg(test)] mod tests { use crate::a::Frame; }").is_empty());
}
