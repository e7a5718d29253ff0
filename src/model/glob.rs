//! A glob of a rules file -> whether a name matches it, in time and memory limited by the lengths of the glob and of the name.
//!
//! `*` and `**` match any letters, including slashes, `?` one letter, `[a-c]` one of these, `[!a-c]` one of the others, `{a,b}`
//! either; a backslash makes the next letter literal. `**/` at the start also matches nothing, and `/**/` also a single slash.
//! A glob is expanded into all its alternatives, and their size is limited when it is read. For an alternative, a letter of a
//! name is compared with one part and not with all of them, as long as the part has no more than 64 letters.

mod letters;
mod unit;

use self::{
    letters::Letters,
    unit::{Class, LONGEST_GLOB, LetterPattern, Search},
};

/// The most letters, wildcards and ranges of all alternatives of a glob.
const MOST_PIECES: usize = 16 << 10;
/// The deepest nesting of alternatives.
const DEEPEST: usize = 16;

/// Why a text is not accepted as a glob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum GlobError {
    /// A limit.
    #[error("it has {0} bytes, a glob has at most {LONGEST_GLOB}")]
    TooLong(usize),
    /// A limit.
    #[error(
        "its alternatives have more than {MOST_PIECES} letters when they are written out: use * or fewer braces and **"
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

/// A parsed glob.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    alternatives: Vec<Alternative>,
    n_pieces: usize,
}

/// One alternative.
#[derive(Clone, Debug)]
struct Alternative {
    /// The beginning of a matching name, or the whole name where there is no star.
    start: AnchoredPart,
    /// What comes after the first star.
    after_star: Option<AfterStar>,
    /// The letters that a matching name must contain.
    letters: Letters,
}

#[derive(Clone, Debug)]
struct AfterStar {
    /// The parts between two stars, in order.
    between: Vec<FloatingPart>,
    /// The end of a matching name.
    end: AnchoredPart,
}

/// A part of an alternative that must be at a name's start or end.
#[derive(Clone, Debug)]
enum AnchoredPart {
    Text(Box<str>),
    Units(Box<[LetterPattern]>),
}

/// A part that may be anywhere in a name.
#[derive(Clone, Debug)]
enum FloatingPart {
    Text(Box<str>),
    Units(Search),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum GlobToken {
    LetterPattern(LetterPattern),
    Star,
}

impl GlobToken {
    fn n_pieces(&self) -> usize {
        match self {
            Self::LetterPattern(unit) => unit.n_pieces(),
            Self::Star => 1,
        }
    }
}

/// A name that is matched against globs.
#[derive(Clone, Copy, Debug)]
pub(super) struct GlobName<'a> {
    text: &'a str,
    letters: Letters,
}

impl<'a> GlobName<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, letters: Letters::of(text) }
    }

    pub(super) fn len_bytes(&self) -> usize {
        self.text.len()
    }
}

impl Glob {
    /// Reads a glob.
    pub(super) fn new(text: &str) -> Result<Self, GlobError> {
        if text.len() > LONGEST_GLOB {
            return Err(GlobError::TooLong(text.len()));
        }
        let mut reader = GlobReader { rest: text, depth: 0 };
        let all = reader.alternatives()?;
        if !reader.rest.is_empty() {
            return Err(GlobError::StrayBrace);
        }
        let n_pieces = n_pieces(&all);
        Ok(Self { alternatives: all.into_iter().map(Alternative::new).collect(), n_pieces })
    }

    /// The number of letters, wildcards and ranges of all its alternatives, which is the memory that it needs.
    pub(super) fn n_pieces(&self) -> usize {
        self.n_pieces
    }

    /// The most looks per letter of a name: one for each alternative with several stars, and more where there are more than 64
    /// letters between two stars.
    pub(super) fn n_looks(&self) -> usize {
        self.alternatives.iter().map(Alternative::n_looks).sum()
    }

    pub(super) fn is_match(&self, name: GlobName<'_>) -> bool {
        self.alternatives.iter().any(|one| name.letters.has(one.letters) && one.is_match(name.text))
    }
}

impl Alternative {
    fn new(pieces: Vec<GlobToken>) -> Self {
        let mut parts = vec![Vec::new()];
        for piece in pieces {
            match piece {
                GlobToken::Star => parts.push(Vec::new()),
                GlobToken::LetterPattern(unit) => parts.last_mut().expect("there is a first part").push(unit),
            }
        }
        let letters: String = parts.iter().flatten().filter_map(letter_of).collect();
        let start = AnchoredPart::new(parts.remove(0));
        let after_star = parts.pop().map(|end| AfterStar {
            between: parts.into_iter().filter(|part| !part.is_empty()).map(FloatingPart::new).collect(),
            end: AnchoredPart::new(end),
        });
        Self { start, after_star, letters: Letters::of(&letters) }
    }

    fn is_match(&self, text: &str) -> bool {
        let Some(mut left) = self.start.after_start(text) else { return false };
        let Some(after_star) = &self.after_star else { return left.is_empty() };
        // For each part between stars, the first match is as good as any later one.
        for part in &after_star.between {
            match part.after_first(left) {
                Some(after) => left = after,
                None => return false,
            }
        }
        after_star.end.is_end_of(left)
    }

    /// The parts between stars share the letters of a name, so only the most expensive part counts.
    fn n_looks(&self) -> usize {
        let between = self.after_star.iter().flat_map(|after_star| &after_star.between);
        between.map(FloatingPart::n_looks).max().unwrap_or(0)
    }
}

fn letter_of(unit: &LetterPattern) -> Option<char> {
    if let LetterPattern::Letter(letter) = unit { Some(*letter) } else { None }
}

impl AnchoredPart {
    fn new(units: Vec<LetterPattern>) -> Self {
        let text: Option<String> = units.iter().map(letter_of).collect();
        text.map_or_else(|| Self::Units(units.into()), |text| Self::Text(text.into()))
    }

    /// The text after this part, where `text` begins with it.
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

impl FloatingPart {
    fn new(units: Vec<LetterPattern>) -> Self {
        match AnchoredPart::new(units) {
            AnchoredPart::Text(text) => Self::Text(text),
            AnchoredPart::Units(units) => Self::Units(Search::new(&units)),
        }
    }

    fn n_looks(&self) -> usize {
        match self {
            Self::Text(_) => 1,
            Self::Units(units) => units.n_words(),
        }
    }

    /// The text after its first match in `text`.
    fn after_first<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Text(own) => text.find(&**own).map(|at| &text[at + own.len()..]),
            Self::Units(units) => units.after_first(text),
        }
    }
}

/// Reads a glob from its start, or from the start of a part in braces, to the end.
struct GlobReader<'a> {
    rest: &'a str,
    depth: usize,
}

impl GlobReader<'_> {
    fn next(&mut self) -> Option<char> {
        let letter = self.rest.chars().next()?;
        self.rest = &self.rest[letter.len_utf8()..];
        Some(letter)
    }

    /// Reads up to the end, or to the comma or brace that ends this part.
    fn alternatives(&mut self) -> Result<Vec<Vec<GlobToken>>, GlobError> {
        let mut all = vec![Vec::new()];
        let mut is_start = true;
        loop {
            let before_slash = self.rest.strip_prefix("**/").or_else(|| self.rest.strip_prefix("/**/"));
            let next: Vec<Vec<GlobToken>> = if is_start && self.rest.starts_with("**/") {
                self.skip_stars(before_slash);
                vec![vec![], letters("/"), vec![GlobToken::Star, letter('/')]]
            } else if self.rest.starts_with("/**/") {
                self.skip_stars(before_slash);
                vec![letters("/"), vec![letter('/'), GlobToken::Star, letter('/')]]
            } else if self.depth > 0 && self.rest.starts_with([',', '}']) {
                return Ok(all);
            } else {
                match self.next() {
                    None if self.depth > 0 => return Err(GlobError::OpenBrace),
                    None => return Ok(all),
                    Some('}') => return Err(GlobError::StrayBrace),
                    Some('{') => self.braces()?,
                    Some('*') => vec![vec![GlobToken::Star]],
                    Some('?') => vec![vec![GlobToken::LetterPattern(LetterPattern::Any)]],
                    Some('[') => vec![vec![GlobToken::LetterPattern(self.class()?)]],
                    Some('\\') => vec![vec![letter(self.next().ok_or(GlobError::OpenEscape)?)]],
                    Some(other) => vec![vec![letter(other)]],
                }
            };
            is_start = false;
            all = each_with_each(all, &next)?;
        }
    }

    /// Continues after some stars and the slash after them; `**/**/` means the same as `**/`.
    fn skip_stars(&mut self, rest: Option<&str>) {
        let mut rest = rest.unwrap_or_default().len();
        while self.rest[self.rest.len() - rest..].starts_with("**/") {
            rest -= "**/".len();
        }
        self.rest = &self.rest[self.rest.len() - rest..];
    }

    /// What is between braces, after the opening brace; empty alternatives are left out.
    fn braces(&mut self) -> Result<Vec<Vec<GlobToken>>, GlobError> {
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

    /// A class, after its opening bracket.
    fn class(&mut self) -> Result<LetterPattern, GlobError> {
        let is_negated = self.rest.starts_with(['!', '^']);
        if is_negated {
            self.next();
        }
        let mut ranges: Vec<(char, char)> = Vec::new();
        let mut is_range = false;
        loop {
            let letter = self.next().ok_or(GlobError::OpenClass)?;
            match letter {
                ']' if !ranges.is_empty() => {
                    ranges.extend(is_range.then_some(('-', '-')));
                    return Ok(LetterPattern::Class(Class::new(is_negated, ranges)));
                }
                '-' if !ranges.is_empty() && !is_range => is_range = true,
                // After a range, another - gives it a new end, as in globset.
                _ => match ranges.last_mut().filter(|_| std::mem::take(&mut is_range)) {
                    Some((first, _)) if letter < *first => {
                        return Err(GlobError::BackwardRange(*first, letter));
                    }
                    Some((_, last)) => *last = letter,
                    None => ranges.push((letter, letter)),
                },
            }
        }
    }
}

fn letter(letter: char) -> GlobToken {
    GlobToken::LetterPattern(LetterPattern::Letter(letter))
}

fn letters(text: &str) -> Vec<GlobToken> {
    text.chars().map(letter).collect()
}

/// Combines each beginning with each continuation.
fn each_with_each(
    mut all: Vec<Vec<GlobToken>>,
    next: &[Vec<GlobToken>],
) -> Result<Vec<Vec<GlobToken>>, GlobError> {
    if let [only] = next {
        for before in &mut all {
            before.extend_from_slice(only);
        }
        return bounded(&all).map(|()| all);
    }
    let longest = |lists: &[Vec<GlobToken>]| lists.iter().map(|one| n_pieces_of(one)).max().unwrap_or(0);
    if all.len() * next.len() * (longest(&all) + longest(next)) > 4 * MOST_PIECES {
        return Err(GlobError::TooMany);
    }
    let both =
        |before: &Vec<GlobToken>, after: &Vec<GlobToken>| [before.as_slice(), after.as_slice()].concat();
    let all: Vec<_> =
        all.iter().flat_map(|before| next.iter().map(move |after| both(before, after))).collect();
    bounded(&all).map(|()| all)
}

fn bounded(all: &[Vec<GlobToken>]) -> Result<(), GlobError> {
    if n_pieces(all) > MOST_PIECES { Err(GlobError::TooMany) } else { Ok(()) }
}

fn n_pieces(all: &[Vec<GlobToken>]) -> usize {
    all.iter().map(|pieces| n_pieces_of(pieces)).sum()
}

/// For one alternative, which itself counts as one.
fn n_pieces_of(pieces: &[GlobToken]) -> usize {
    pieces.iter().map(GlobToken::n_pieces).sum::<usize>() + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_match(glob: &str, name: &str) -> bool {
        Glob::new(glob).unwrap().is_match(GlobName::new(name))
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
    fn looks_are_those_of_the_parts_between_stars() {
        let check = |glob: &str, expected| assert_eq!(Glob::new(glob).unwrap().n_looks(), expected, "{glob}");
        check("conv[0-9]/*", 0);
        check("{a,b}*c", 0);
        check("*a*", 1);
        check("*a?*b*[cd]*", 1);
        check("{*a,b*c*,d*e,*f*}*", 4);
        check(&format!("*{}?*", "a".repeat(63)), 1);
        check(&format!("*{}?*b*", "a".repeat(64)), 2);
        check(&format!("*{}*", "a".repeat(990)), 1);
    }

    #[test]
    fn a_class_counts_by_its_ranges_and_not_by_what_is_written_twice() {
        let check =
            |glob: &str, expected| assert_eq!(Glob::new(glob).unwrap().n_pieces(), expected, "{glob}");
        check("*[q]*", 4);
        check(&format!("*[{}]*", "q".repeat(950)), 4);
        check("*[a-cb-dx-ze]*", 5);
        check("[ace]", 4);
        check("{[ace],[!ac]}x", 9);
        let class: String = ('\u{4e00}'..'\u{5000}').step_by(2).take(200).collect();
        let repeated = format!("{}[{class}]", "{a,b}".repeat(7));
        assert_eq!(Glob::new(&repeated).unwrap_err(), GlobError::TooMany);
    }

    fn glob_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            5 => prop::sample::select(vec!["a", "b", "/", ".", "ab"]).prop_map(str::to_owned),
            2 => prop::sample::select(vec!["*", "**", "**/", "/**/", "/**", "?"]).prop_map(str::to_owned),
            1 => prop::sample::select(vec!["[ab]", "[!a]", "[a-]", "[]a]", "[^/-b]", "[baa-b/.]", "[a-b-a]", "[.-/-b]", "[----a]", "[--b-]", "\\*"]).prop_map(str::to_owned),
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
            // In globset, a glob of only this matches everything, and two of them in braces match less.
            prop_assume!(glob != "**/" && !glob.contains("**/**"));
            let built = globset::GlobBuilder::new(&glob).literal_separator(false).build();
            let Ok(theirs) = built.map(|glob| glob.compile_matcher()) else { return Ok(()) };
            let own = Glob::new(&glob).unwrap();
            for name in names {
                prop_assert_eq!(own.is_match(GlobName::new(&name)), theirs.is_match(&name), "{:?} on {:?}", glob, name);
            }
        }
    }
}
