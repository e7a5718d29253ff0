//! Any text as a rules file -> rules, or the place of the mistake. What rules say of a tag is what the first one says that is
//! about it, and globs mean what they mean to the crate globset.

#![no_main]

use convscope::model::rules::{Rules, Ruling};
use globset::GlobBuilder;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 8] =
    ["", ".", "train", "conv1/kernel", "block/conv1/Relu:0", "größe", "a/b/c/d/e/f/g", "\n\u{202e}[*]?{a,b}\\"];

fuzz_target!(|text: &str| {
    if let Some((glob, name)) = text.split_once('\n') {
        check_glob(glob, name);
    }
    match Rules::parse(text, "rules.toml") {
        Ok(rules) => check_rules(&rules, text),
        Err(error) => {
            assert!(!error.message.is_empty());
            let line = text.split('\n').nth(error.line - 1).expect("the place is one of the text");
            assert!((1..=line.chars().count() + 1).contains(&error.column), "{error}");
        }
    }
});

fn check_rules(rules: &Rules, text: &str) {
    let twice = Rules::joined([rules, rules].into_iter());
    assert_eq!(twice.len(), 2 * rules.len());
    // Names that the text is likely to be about stand in its quotes.
    let quoted: Vec<&str> = text.split(['"', '\'']).skip(1).step_by(2).take(4).collect();
    let names = || NAMES.iter().chain(&quoted);
    for (run, tag) in names().map(|run| (run, &"conv1/kernel")).chain(names().map(|tag| (&".", tag))) {
        assert_eq!(words(&twice.of(run, tag)), words(&rules.of(run, tag)), "the first rule counts");
    }
}

fn words(ruling: &Ruling<'_>) -> String {
    format!("{ruling:?}")
}

/// What globset reads letter by letter only where letters are single bytes.
fn check_glob(glob: &str, name: &str) {
    // What is long or has many alternatives is refused here and takes its time there.
    let n_alternatives = glob.matches(['{', ',']).count() + 2 * glob.matches("**").count();
    if !(glob.is_ascii() && name.is_ascii()) || glob.len() > 100 || n_alternatives > 8 {
        return;
    }
    // There this matches every name, where here it matches nothing or what ends in a slash.
    if glob.trim_start_matches("**/").is_empty() {
        return;
    }
    let escaped: String = glob.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let ours = Rules::parse(&format!("[[rule]]\nrole = \"kernel\"\ntag = \"{escaped}\""), "rules.toml");
    let theirs = GlobBuilder::new(glob).literal_separator(false).build();
    match (ours, theirs) {
        (Ok(rules), Ok(theirs)) => {
            let is_match = rules.of(".", name).role.is_some();
            assert_eq!(is_match, theirs.compile_matcher().is_match(name), "{glob:?} {name:?}");
        }
        (Err(_), Err(_)) => {}
        (Ok(_), Err(error)) => panic!("{glob:?} is taken here, and there: {error}"),
        (Err(error), Ok(_)) => panic!("{glob:?} is taken there, and here: {error}"),
    }
}
