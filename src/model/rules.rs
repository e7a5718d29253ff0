//! A rules file -> what the user says about tags.
//!
//! TOML, a list of `[[rule]]` (docs/meaning.md). `run` and `tag` are globs, and a rule has at least one of them; `*` matches any
//! letters, including slashes. Rules are read from top to bottom. For each of `role`, `layer`, `layout` and `ignore`,
//! the first matching rule that sets it is used.

use std::{fmt, ops::Range, sync::Arc};

use serde::Deserialize;
use toml::Spanned;

use super::{
    glob::{Glob, GlobName},
    layout::Layout,
    role::Role,
};

/// The most rules of a file; each rule is tried on every tag.
const MOST_RULES: usize = 1_000;
/// The most letters, wildcards and ranges of all globs of a file, with their alternatives written out.
const MOST_PIECES: usize = 64 << 10;
/// No rule applies to a longer name.
const LONGEST_NAME: usize = 4 << 10;
/// The most looks per letter of a name for all globs of a file.
const MOST_LOOKS: usize = 4 << 10;
/// In a file with many looks, a rule does not apply to a name if its bytes times the looks exceed this: then all rules of a file
/// need only a few milliseconds per name. Names of 256 bytes are tried on any file.
const MOST_LOOKS_FOR_A_NAME: usize = 256 * MOST_LOOKS;
/// The most characters of a mistake that are shown.
const LONGEST_QUOTE: usize = 60;

/// Rules in the order of their file.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Arc<Rule>>,
}

#[derive(Debug)]
struct Rule {
    place: RulePlace,
    run: Option<Glob>,
    tag: Option<Glob>,
    role: Option<Role>,
    layer: Option<String>,
    layout: Option<Layout>,
    ignore: Option<bool>,
    /// The length in bytes of the longest name that this rule can apply to.
    longest_name: usize,
}

impl Rule {
    fn is_about(&self, glob: Option<&Glob>, name: GlobName<'_>) -> bool {
        glob.is_none_or(|glob| name.len_bytes() <= self.longest_name && glob.is_match(name))
    }
}

/// The position of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulePlace {
    /// The file's name.
    pub file: Arc<str>,
    /// From 1.
    pub line: usize,
}

impl fmt::Display for RulePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the rule in line {} of {}", self.line, self.file)
    }
}

/// A value, and the position of the rule that sets it.
pub type FromRule<T> = Option<(T, RulePlace)>;

/// What the rules say about one tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruling<'a> {
    /// What it does.
    pub role: FromRule<Role>,
    /// The layer's name.
    pub layer: FromRule<&'a str>,
    /// Which axis is which.
    pub layout: FromRule<Layout>,
    /// Whether it is left out.
    pub ignore: FromRule<bool>,
}

/// The index of a rule among all rules in use; two files have far fewer rules than there are numbers of this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RuleIdx(u16);

/// Which rules apply to one tag, in few bytes: this is stored for each tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    role: Option<RuleIdx>,
    layer: Option<RuleIdx>,
    layout: Option<RuleIdx>,
    ignore: Option<RuleIdx>,
}

/// The rules that can apply to one run.
#[derive(Clone, Debug)]
pub struct RunRules<'a> {
    all: &'a Rules,
    rules: Vec<(RuleIdx, &'a Rule)>,
}

impl<'a> RunRules<'a> {
    /// What the rules of a verdict say.
    #[must_use]
    pub fn ruling(&self, verdict: Verdict) -> Ruling<'a> {
        let rule = |idx: Option<RuleIdx>| self.all.rules.get(usize::from(idx?.0)).map(|rule| &**rule);
        let place = |rule: &Rule| rule.place.clone();
        Ruling {
            role: rule(verdict.role).and_then(|rule| Some((rule.role?, place(rule)))),
            layer: rule(verdict.layer).and_then(|rule| Some((rule.layer.as_deref()?, place(rule)))),
            layout: rule(verdict.layout).and_then(|rule| Some((rule.layout?, place(rule)))),
            ignore: rule(verdict.ignore).and_then(|rule| Some((rule.ignore?, place(rule)))),
        }
    }

    /// Which of these rules apply to a tag.
    #[must_use]
    pub fn verdict(&self, tag: &str) -> Verdict {
        let tag = GlobName::new(tag);
        let mut verdict = Verdict::default();
        for (idx, rule) in &self.rules {
            if verdict.needs(rule) && rule.is_about(rule.tag.as_ref(), tag) {
                verdict.take(*idx, rule);
            }
        }
        verdict
    }
}

impl Verdict {
    /// Whether a rule sets anything that no earlier rule has set.
    fn needs(&self, rule: &Rule) -> bool {
        (self.role.is_none() && rule.role.is_some())
            || (self.layer.is_none() && rule.layer.is_some())
            || (self.layout.is_none() && rule.layout.is_some())
            || (self.ignore.is_none() && rule.ignore.is_some())
    }

    fn take(&mut self, idx: RuleIdx, rule: &Rule) {
        self.role = self.role.or(rule.role.map(|_| idx));
        self.layer = self.layer.or(rule.layer.as_ref().map(|_| idx));
        self.layout = self.layout.or(rule.layout.map(|_| idx));
        self.ignore = self.ignore.or(rule.ignore.map(|_| idx));
    }
}

/// Why a text is not a rules file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct RulesError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong and what was expected.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    #[serde(default)]
    rule: Vec<Spanned<RuleEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    run: Option<Spanned<String>>,
    tag: Option<Spanned<String>>,
    role: Option<Spanned<String>>,
    layer: Option<Spanned<String>>,
    layout: Option<Spanned<String>>,
    ignore: Option<bool>,
}

impl Rules {
    /// Reads a rules file of this name.
    ///
    /// # Errors
    /// The first place that is not a valid rule, with what was expected there.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, RulesError> {
        let file: RulesFile = toml::from_str(text).map_err(|error| {
            let message = error.message().trim().replace('\n', ", ");
            let is_single = message.starts_with("invalid type: map, expected a sequence");
            let message =
                if is_single { "a rule begins with [[rule]], in two brackets".to_owned() } else { message };
            at(text, error.span().unwrap_or(0..0), message)
        })?;
        if file.rule.len() > MOST_RULES {
            let span = file.rule[MOST_RULES].span();
            return Err(at(text, span, format!("a file may have {MOST_RULES} rules: use globs")));
        }
        let name: Arc<str> = file_name.into();
        let (mut rules, mut n_pieces, mut n_looks) = (Vec::new(), 0, 0);
        for entry in file.rule {
            let span = entry.span();
            let rule = rule(text, &name, entry)?;
            for glob in [&rule.run, &rule.tag].into_iter().flatten() {
                n_pieces += glob.n_pieces();
                n_looks += glob.n_looks();
            }
            let says = "the globs of the file up to this rule have more than";
            if n_pieces > MOST_PIECES {
                let limit =
                    format!("{says} {MOST_PIECES} letters and ranges with their alternatives written out");
                return Err(at(text, span, format!("{limit}: use * or fewer braces and **")));
            }
            if n_looks > MOST_LOOKS {
                let limit = format!("{says} {MOST_LOOKS} alternatives with two stars");
                return Err(at(text, span, format!("{limit}: use fewer stars or braces")));
            }
            rules.push(rule);
        }
        let longest_name = LONGEST_NAME.min(MOST_LOOKS_FOR_A_NAME / n_looks.max(1));
        let rules = rules.into_iter().map(|rule| Arc::new(Rule { longest_name, ..rule })).collect();
        Ok(Self { rules })
    }

    /// The rules of several files, one file after the other.
    #[must_use]
    pub fn joined<'a>(files: impl Iterator<Item = &'a Self>) -> Self {
        Self { rules: files.flat_map(|file| file.rules.iter().cloned()).collect() }
    }

    /// What the rules say about a tag in a run.
    #[must_use]
    pub fn of(&self, run: &str, tag: &str) -> Ruling<'_> {
        let of_run = self.in_run(run);
        of_run.ruling(of_run.verdict(tag))
    }

    /// The rules that can apply to a run, to be tried on many of its tags.
    #[must_use]
    pub fn in_run(&self, run: &str) -> RunRules<'_> {
        let run = GlobName::new(run);
        let all = self.rules.iter().map(|rule| &**rule).enumerate();
        let rules = all.filter(|(_, rule)| rule.is_about(rule.run.as_ref(), run));
        RunRules { all: self, rules: rules.map(|(idx, rule)| (RuleIdx(idx as u16), rule)).collect() }
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

fn rule(text: &str, file: &Arc<str>, entry: Spanned<RuleEntry>) -> Result<Rule, RulesError> {
    let span = entry.span();
    let RuleEntry { run, tag, role, layer, layout, ignore } = entry.into_inner();
    if run.is_none() && tag.is_none() {
        return Err(at(text, span, "a rule needs a run or a tag that it is about, as in tag = \"conv1/*\""));
    }
    if role.is_none() && layer.is_none() && layout.is_none() && ignore.is_none() {
        return Err(at(text, span, "a rule needs something to say: role, layer, layout or ignore"));
    }
    let layout_place = layout.as_ref().map(Spanned::span);
    let role =
        role.map(|role| one_of(text, &role, Role::from_name, &Role::ALL.map(Role::name))).transpose()?;
    let layout = layout
        .map(|layout| one_of(text, &layout, Layout::from_name, &Layout::ALL.map(Layout::name)))
        .transpose()?;
    if let (Some(role), Some(layout), Some(place)) = (role, layout, layout_place)
        && !role.has(layout)
    {
        let says = format!("{} is no layout of the role {}", layout.name(), role.name());
        return Err(at(text, place, says));
    }
    Ok(Rule {
        place: RulePlace { file: Arc::clone(file), line: place(text, span.start).0 },
        run: run.map(|glob| matcher(text, &glob)).transpose()?,
        tag: tag.map(|glob| matcher(text, &glob)).transpose()?,
        role,
        layer: layer.map(|layer| named(text, layer)).transpose()?,
        layout,
        ignore,
        longest_name: LONGEST_NAME,
    })
}

fn matcher(text: &str, glob: &Spanned<String>) -> Result<Glob, RulesError> {
    Glob::new(glob.get_ref()).map_err(|error| {
        let start: String = glob.get_ref().chars().take(LONGEST_QUOTE).collect();
        at(text, glob.span(), format!("{start:?} is no glob that is taken: {error}"))
    })
}

fn one_of<T>(
    text: &str,
    value: &Spanned<String>,
    of: impl Fn(&str) -> Option<T>,
    all: &[&str],
) -> Result<T, RulesError> {
    of(value.get_ref()).ok_or_else(|| {
        let start: String = value.get_ref().chars().take(LONGEST_QUOTE).collect();
        at(text, value.span(), format!("{start:?} is not one of {}", all.join(", ")))
    })
}

fn named(text: &str, layer: Spanned<String>) -> Result<String, RulesError> {
    if layer.get_ref().is_empty() {
        return Err(at(text, layer.span(), "a layer needs a name"));
    }
    Ok(layer.into_inner())
}

fn at(text: &str, span: Range<usize>, message: impl Into<String>) -> RulesError {
    let (line, column) = place(text, span.start);
    RulesError { line, column, message: message.into() }
}

/// Line and column of a byte, from 1.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
[[rule]]
tag = "conv1/*"
layout = "oihw"
role = "kernel"

[[rule]]
run = "exp*"
tag = "*"
layer = "all"
role = "other"

[[rule]]
tag = "debug/**"
ignore = true
"#;

    #[test]
    fn of_each_thing_the_first_rule_that_says_it_holds() {
        let rules = Rules::parse(RULES, "a.toml").unwrap();
        let at = |line| RulePlace { file: "a.toml".into(), line };
        let ruling = rules.of("exp7", "conv1/weights");
        assert_eq!(ruling.role, Some((Role::Kernel, at(2))));
        assert_eq!(ruling.layout, Some((Layout::Oihw, at(2))));
        assert_eq!(ruling.layer, Some(("all", at(7))));
        assert_eq!(at(2).to_string(), "the rule in line 2 of a.toml");
        assert_eq!(rules.of("a", "conv1/weights").layer, None);
        assert_eq!(rules.of("a", "debug/x/y").ignore, Some((true, at(13))));
        assert_eq!(rules.of("a", "other"), Ruling::default());
    }

    fn check(text: &str, line: usize, column: usize, says: &str) {
        let error = Rules::parse(text, "a.toml").unwrap_err();
        assert_eq!((error.line, error.column), (line, column), "{error}");
        assert!(error.message.contains(says), "{error}");
    }

    #[test]
    fn errors_name_the_place_and_what_was_expected() {
        check("[[rule]]\ntag = \"a\"\nlayout = \"HWOO\"\n", 3, 10, "not one of HWIO");
        check("[[rule]]\ntag = \"a\"\nrole = \"krenel\"\n", 3, 8, "not one of kernel");
        check(
            "[[rule]]\ntag = \"a\"\nrole = \"kernel\"\nlayout = \"NHWC\"\n",
            4,
            10,
            "no layout of the role kernel",
        );
        check("[[rule]]\ntag = \"a[\"\nrole = \"bias\"\n", 2, 7, "no glob that is taken: a [ has no ]");
        check("[[rule]]\nrole = \"bias\"\n", 1, 1, "needs a run or a tag");
        check("\n[[rule]]\ntag = \"a\"\n", 2, 1, "something to say");
        check("[[rule]]\ntag = \"a\"\nrule = \"bias\"\n", 3, 1, "unknown field `rule`, expected one of");
        check("[rule]\ntag = \"a\"\n", 1, 1, "begins with [[rule]]");
        check("[[rule]]\ntag = 3\n", 2, 7, "expected a string");
        check("[[rule]]\ntag = \"a\n", 2, 9, "");
    }

    #[test]
    fn globs_are_bounded_one_by_one_and_together() {
        let with = |glob: &str| format!("[[rule]]\ntag = \"{glob}\"\nrole = \"bias\"\n");
        check(&with(&"a".repeat(150_000)), 2, 7, "it has 150000 bytes, a glob has at most 1000");
        check(&with(&"{a,b}".repeat(100)), 2, 7, "more than 16384 letters");
        check(&with(&format!("{}a{}", "{".repeat(400), "}".repeat(400))), 2, 7, "more than 16 deep");
        assert!(Rules::parse(&with(&"*a".repeat(500)), "a.toml").is_ok());
        let wide = with(&"{a,b}".repeat(8));
        assert!(Rules::parse(&wide, "a.toml").is_ok());
        let class: String = ('\u{4e00}'..'\u{5000}').step_by(2).take(250).collect();
        check(&with(&format!("*[{class}]*")).repeat(1_000), 778, 1, "more than 65536 letters");
        assert!(Rules::parse(&with(&format!("*[{}]*", "q".repeat(950))).repeat(1_000), "a.toml").is_ok());
        check(&wide.repeat(1_000), 85, 1, "more than 65536 letters and ranges");
    }

    #[test]
    fn the_more_looks_a_file_takes_the_shorter_are_the_names_that_its_rules_are_about() {
        let check = |n_rules: usize, glob: &str, longest: usize| {
            let text = format!("[[rule]]\ntag = \"{glob}\"\nrole = \"bias\"\n").repeat(n_rules);
            let rules = Rules::parse(&text, "a.toml").unwrap();
            let is_about = |n_bytes: usize| rules.of(".", &"a".repeat(n_bytes)).role.is_some();
            assert!(is_about(longest) && !is_about(longest + 1), "{n_rules} rules with {glob}");
            let twice = Rules::joined([&rules, &rules].into_iter());
            assert!(twice.of(".", &"a".repeat(longest)).role.is_some(), "each file has its own bound");
        };
        check(1, "*", 4_096);
        check(1_000, "*", 4_096);
        check(256, "*?*[a-c]*", 4_096);
        check(1_000, "*?*[a-c]*", 1_048);
        check(1_000, "{*a*,*b*,c,d*,*{a,b}?*}", 262);
    }

    #[test]
    fn alternatives_with_two_stars_are_bounded() {
        let with = |glob: &str| format!("[[rule]]\ntag = \"{glob}\"\nrole = \"bias\"\n");
        check(
            &with("{*a*,*b*,*c*,*d*,*e*}").repeat(1_000),
            2_458,
            1,
            "more than 4096 alternatives with two stars",
        );
        assert!(Rules::parse(&with("{*a*,*b*,*c*,*d*}").repeat(1_000), "a.toml").is_ok());
    }
}
