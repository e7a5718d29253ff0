//! Any text as picture options -> parsing never panics, and the canonical spelling means the same choices.

#![no_main]

use convscope::render::choices::Choices;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(choices) = Choices::parse(pairs(text)) else { return };
    let canonical = choices.canonical();
    let again = Choices::parse(pairs(&canonical)).expect("the canonical spelling is allowed");
    assert_eq!(again, choices, "{canonical}");
    assert_eq!(again.canonical(), canonical);
});

fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}
