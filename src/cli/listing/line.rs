//! A line of text, whatever is in it.

use std::fmt::Write as _;

use crate::types::printable::printable;

/// A line feed in a name ends no line.
pub(super) fn line(out: &mut String, text: &str) {
    writeln!(out, "{}", printable(text)).expect("a String takes any text");
}
