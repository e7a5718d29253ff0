//! A glob of a rules file -> whether a name matches it, in time and memory that are bounded by the glob's length and the name's.
//!
//! `*` and `**` match any letters, slashes among them, `?` one letter, `[a-c]` one of these, `[!a-c]` one of the others, `{a,b}`
//! either; a backslash takes a letter's meaning away. `**/` at the start also matches nothing, and `/**/` also a single slash.
//! A glob is spread into all its alternatives, and how much that may be is bounded when it is read.

use std::ops::RangeInclusive;

/// The most bytes of a glob.
pub(super) const LONGEST_GLOB: usize = 1_000;
/// The most letters and wildcards of all alternatives of a glob.
const MOST_PIECES: usize = 16 << 10;
/// Alternatives stand within one another so deep at most.
const DEEPEST: usize = 16;
/// Longer names are matched by no glob: the time for a name stays bounded.
const LONGEST_NAME: usize = 4 << 10;

/// Why a text is no glob that is taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum GlobError {
    /// A limit.
    #[error("it has {0} bytes, a glob has at most {LONGEST_GLOB}")]
    TooLong(usize),
    /// A limit.
    #[error(
        "its alternatives have more than {MOST_PIECES} letters when they are written out: use * or fewer braces"
    )]
    TooMany,
    /// A limit.
    #[error("its braces stand more than {DEEPEST} deep in one another")]
    TooDeep,
    #[error("a [ has no ]")]
    OpenClass,
    #[error("the range {0}-{1} goes backwards")]
    BackwardRange(char, char),
    #[error("a {{ has no }}")]
    OpenBrace,
    #[error("a }} has no {{")]
    StrayBrace,
    #[error("nothing follows the last backslash")]
    OpenEscape,
}

/// A glob that was read.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    alternatives: Vec<Alternative>,
    n_pieces: usize,
}

/// The parts between the stars of one alternative, in order. The first and the last stand at the name's ends.
#[derive(Clone, Debug)]
struct Alternative {
    parts: Vec<Part>,
    /// Which letters there must be.
    letters: Letters,
}

#[derive(Clone, Debug)]
enum Part {
    Text(Box<str>),
    Units(Box<[Unit]>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Unit {
    Letter(char),
    Any,
    Class { is_negated: bool, ranges: Box<[RangeInclusive<char>]> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Unit(Unit),
    Star,
}

/// A set of letters in 64 bits, several letters a bit: what it says is missing is missing.
#[derive(Clone, Copy, Debug)]
struct Letters(u64);

impl Letters {
    fn of(text: &str) -> Self {
        Self(text.bytes().fold(0, |bits, byte| bits | 1 << (byte & 63)))
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A name that globs are tried on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    text: &'a str,
    letters: Letters,
}

impl<'a> Name<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, letters: Letters::of(text) }
    }
}

impl Glob {
    /// Reads a glob.
    pub(super) fn new(text: &str) -> Result<Self, GlobError> {
        if text.len() > LONGEST_GLOB {
            return Err(GlobError::TooLong(text.len()));
        }
        let mut reader = Reader { rest: text, depth: 0 };
        let all = reader.alternatives()?;
        if !reader.rest.is_empty() {
            return Err(GlobError::StrayBrace);
        }
        let n_pieces = all.iter().map(|pieces| pieces.len() + 1).sum();
        Ok(Self { alternatives: all.into_iter().map(Alternative::new).collect(), n_pieces })
    }

    /// The letters and wildcards of all its alternatives, which is what it costs.
    pub(super) fn n_pieces(&self) -> usize {
        self.n_pieces
    }

    pub(super) fn is_match(&self, name: Name<'_>) -> bool {
        name.text.len() <= LONGEST_NAME
            && self.alternatives.iter().any(|one| name.letters.has(one.letters) && one.is_match(name.text))
    }
}

impl Alternative {
    fn new(pieces: Vec<Piece>) -> Self {
        let mut parts = vec![Vec::new()];
        for piece in pieces {
            match piece {
                Piece::Star => parts.push(Vec::new()),
                Piece::Unit(unit) => parts.last_mut().expect("there is a first part").push(unit),
            }
        }
        let n_parts = parts.len();
        let is_end = |idx: usize| idx == 0 || idx + 1 == n_parts;
        let parts: Vec<Part> = parts
            .into_iter()
            .enumerate()
            .filter(|(idx, part)| is_end(*idx) || !part.is_empty())
            .map(|(_, part)| Part::new(part))
            .collect();
        let letters = parts.iter().fold(0, |bits, part| bits | part.letters().0);
        Self { parts, letters: Letters(letters) }
    }

    fn is_match(&self, text: &str) -> bool {
        let [first, rest @ ..] = self.parts.as_slice() else { return false };
        let Some(mut left) = first.after_start(text) else { return false };
        let [between @ .., last] = rest else { return left.is_empty() };
        // Of each part between stars the first place is as good as any later one.
        for part in between {
            match part.after_first(left) {
                Some(after) => left = after,
                None => return false,
            }
        }
        last.is_end_of(left)
    }
}

impl Part {
    fn new(units: Vec<Unit>) -> Self {
        let text: Option<String> = units
            .iter()
            .map(|unit| if let Unit::Letter(letter) = unit { Some(*letter) } else { None })
            .collect();
        text.map_or_else(|| Self::Units(units.into()), |text| Self::Text(text.into()))
    }

    fn letters(&self) -> Letters {
        match self {
            Self::Text(text) => Letters::of(text),
            Self::Units(units) => {
                let letters: String = units
                    .iter()
                    .filter_map(|unit| if let Unit::Letter(letter) = unit { Some(*letter) } else { None })
                    .collect();
                Letters::of(&letters)
            }
        }
    }

    /// What follows it where `text` begins with it.
    fn after_start<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Text(own) => text.strip_prefix(&**own),
            Self::Units(units) => {
                let mut letters = text.chars();
                units
                    .iter()
                    .all(|unit| letters.next().is_some_and(|letter| unit.takes(letter)))
                    .then_some(letters.as_str())
            }
        }
    }

    /// What follows the first place where it stands in `text`.
    fn after_first<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Text(own) => text.find(&**own).map(|at| &text[at + own.len()..]),
            Self::Units(_) => text.char_indices().find_map(|(at, _)| self.after_start(&text[at..])),
        }
    }

    fn is_end_of(&self, text: &str) -> bool {
        match self {
            Self::Text(own) => text.ends_with(&**own),
            Self::Units(units) => {
                let mut letters = text.chars().rev();
                units.iter().rev().all(|unit| letters.next().is_some_and(|letter| unit.takes(letter)))
            }
        }
    }
}

impl Unit {
    fn takes(&self, letter: char) -> bool {
        match self {
            Self::Letter(own) => *own == letter,
            Self::Any => true,
            Self::Class { is_negated, ranges } => {
                ranges.iter().any(|range| range.contains(&letter)) != *is_negated
            }
        }
    }
}

/// A glob from its start, or from that of a part in braces, to its end.
struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let letter = self.rest.chars().next()?;
        self.rest = &self.rest[letter.len_utf8()..];
        Some(letter)
    }

    /// Reads up to the end, or to the comma or brace that ends this part.
    fn alternatives(&mut self) -> Result<Vec<Vec<Piece>>, GlobError> {
        let mut all = vec![Vec::new()];
        let mut is_start = true;
        loop {
            let before_slash = self.rest.strip_prefix("**/").or_else(|| self.rest.strip_prefix("/**/"));
            let next: Vec<Vec<Piece>> = if is_start && self.rest.starts_with("**/") {
                self.skip_stars(before_slash);
                vec![vec![], letters("/"), vec![Piece::Star, letter('/')]]
            } else if self.rest.starts_with("/**/") {
                self.skip_stars(before_slash);
                vec![letters("/"), vec![letter('/'), Piece::Star, letter('/')]]
            } else if self.depth > 0 && self.rest.starts_with([',', '}']) {
                return Ok(all);
            } else {
                match self.next() {
                    None if self.depth > 0 => return Err(GlobError::OpenBrace),
                    None => return Ok(all),
                    Some('}') => return Err(GlobError::StrayBrace),
                    Some('{') => self.braces()?,
                    Some('*') => vec![vec![Piece::Star]],
                    Some('?') => vec![vec![Piece::Unit(Unit::Any)]],
                    Some('[') => vec![vec![Piece::Unit(self.class()?)]],
                    Some('\\') => vec![vec![letter(self.next().ok_or(GlobError::OpenEscape)?)]],
                    Some(other) => vec![vec![letter(other)]],
                }
            };
            is_start = false;
            all = each_with_each(all, &next)?;
        }
    }

    /// Goes on after some stars and the slash after them; `**/**/` says no more than `**/`.
    fn skip_stars(&mut self, rest: Option<&str>) {
        let mut rest = rest.unwrap_or_default().len();
        while self.rest[self.rest.len() - rest..].starts_with("**/") {
            rest -= "**/".len();
        }
        self.rest = &self.rest[self.rest.len() - rest..];
    }

    /// What stands between braces, whose first was read; alternatives of nothing are left out.
    fn braces(&mut self) -> Result<Vec<Vec<Piece>>, GlobError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(GlobError::TooDeep);
        }
        let mut all = Vec::new();
        loop {
            if !self.rest.starts_with([',', '}']) {
                all.extend(self.alternatives()?);
                bounded(&all)?;
            }
            match self.next() {
                Some('}') => break,
                Some(_) => {}
                None => return Err(GlobError::OpenBrace),
            }
        }
        self.depth -= 1;
        Ok(if all.is_empty() { vec![Vec::new()] } else { all })
    }

    /// A class, whose bracket was read.
    fn class(&mut self) -> Result<Unit, GlobError> {
        let is_negated = self.rest.starts_with(['!', '^']);
        if is_negated {
            self.next();
        }
        let mut ranges = Vec::new();
        loop {
            let first = self.next().ok_or(GlobError::OpenClass)?;
            if first == ']' && !ranges.is_empty() {
                return Ok(Unit::Class { is_negated, ranges: ranges.into() });
            }
            let mut after = self.rest.chars();
            let last = match (after.next(), after.next()) {
                (Some('-'), Some(last)) if last != ']' => {
                    self.next();
                    self.next();
                    last
                }
                _ => first,
            };
            if last < first {
                return Err(GlobError::BackwardRange(first, last));
            }
            ranges.push(first..=last);
        }
    }
}

fn letter(letter: char) -> Piece {
    Piece::Unit(Unit::Letter(letter))
}

fn letters(text: &str) -> Vec<Piece> {
    text.chars().map(letter).collect()
}

/// Each beginning with each of what may follow.
fn each_with_each(mut all: Vec<Vec<Piece>>, next: &[Vec<Piece>]) -> Result<Vec<Vec<Piece>>, GlobError> {
    if let [only] = next {
        for before in &mut all {
            before.extend_from_slice(only);
        }
        return bounded(&all).map(|()| all);
    }
    let longest = |lists: &[Vec<Piece>]| lists.iter().map(Vec::len).max().unwrap_or(0) + 1;
    if all.len() * next.len() * (longest(&all) + longest(next)) > 4 * MOST_PIECES {
        return Err(GlobError::TooMany);
    }
    let both = |before: &Vec<Piece>, after: &Vec<Piece>| [before.as_slice(), after.as_slice()].concat();
    let all: Vec<_> =
        all.iter().flat_map(|before| next.iter().map(move |after| both(before, after))).collect();
    bounded(&all).map(|()| all)
}

fn bounded(all: &[Vec<Piece>]) -> Result<(), GlobError> {
    let n_pieces: usize = all.iter().map(|pieces| pieces.len() + 1).sum();
    if n_pieces > MOST_PIECES { Err(GlobError::TooMany) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_match(glob: &str, name: &str) -> bool {
        Glob::new(glob).unwrap().is_match(Name::new(name))
    }

    #[test]
    fn letters_of_any_alphabet_are_letters() {
        assert!(is_match("\u{e4}?[\u{e0}-\u{ff}]", "\u{e4}\u{4e2d}\u{f6}"));
        assert!(!is_match("?", "ab") && !is_match("[!\u{e4}]", "\u{e4}"));
        assert!(is_match("*[!a]*", "\u{4e2d}") && is_match("*?\u{e9}", "\u{e9}\u{e9}"));
    }

    #[test]
    fn what_is_no_glob_is_said() {
        let check = |glob: &str, expected| assert_eq!(Glob::new(glob).unwrap_err(), expected, "{glob}");
        check("a[b", GlobError::OpenClass);
        check("[]", GlobError::OpenClass);
        check("[b-a]", GlobError::BackwardRange('b', 'a'));
        check("{a,b", GlobError::OpenBrace);
        check("{", GlobError::OpenBrace);
        check("a}", GlobError::StrayBrace);
        check("a\\", GlobError::OpenEscape);
        check(&"a".repeat(LONGEST_GLOB + 1), GlobError::TooLong(LONGEST_GLOB + 1));
        check(&"{a,b}".repeat(200), GlobError::TooMany);
        check(&"{a{b,c},{d,e}f}".repeat(60), GlobError::TooMany);
        check(&"**/{a,".repeat(17), GlobError::TooDeep);
    }

    #[test]
    fn names_beyond_any_real_one_are_no_globs() {
        assert!(is_match("*", &"a".repeat(LONGEST_NAME)) && !is_match("*", &"a".repeat(LONGEST_NAME + 1)));
        // A search that begins again after each letter of such a name would not end in a lifetime.
        assert!(!is_match(&"*a?".repeat(300), &"a".repeat(590)));
    }

    fn glob_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            5 => prop::sample::select(vec!["a", "b", "/", ".", "ab"]).prop_map(str::to_owned),
            2 => prop::sample::select(vec!["*", "**", "**/", "/**/", "/**", "?"]).prop_map(str::to_owned),
            1 => prop::sample::select(vec!["[ab]", "[!a]", "[a-]", "[]a]", "[^/-b]", "\\*"]).prop_map(str::to_owned),
        ];
        let flat = prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat());
        let braced =
            prop::collection::vec(flat.clone(), 1..4).prop_map(|parts| format!("{{{}}}", parts.join(",")));
        let nested = (flat.clone(), braced.clone()).prop_map(|(one, other)| format!("{{{one},{other}}}"));
        prop::collection::vec(prop_oneof![3 => flat, 1 => braced, 1 => nested], 1..4)
            .prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn globs_mean_what_they_mean_to_globset(glob in glob_text(), names in prop::collection::vec("[ab/.*-]{0,8}", 8)) {
            // There, a glob of nothing but this matches everything, and in braces it means less when it comes twice.
            prop_assume!(glob != "**/" && !glob.contains("**/**"));
            let built = globset::GlobBuilder::new(&glob).literal_separator(false).build();
            let Ok(theirs) = built.map(|glob| glob.compile_matcher()) else { return Ok(()) };
            let own = Glob::new(&glob).unwrap();
            for name in names {
                prop_assert_eq!(own.is_match(Name::new(&name)), theirs.is_match(&name), "{:?} on {:?}", glob, name);
            }
        }
    }
}
