//! A logdir -> a few lines of Python that log tensors that can be drawn, with the logdir filled in.
//!
//! `ls` prints these lines and the page shows them; the tests run each of them with its framework.

use std::{fmt::Write as _, path::Path};

/// The lines for one framework.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// Its name.
    pub framework: &'static str,
    /// Whether they use the convscope package; otherwise they use TensorBoard's writers.
    pub with_package: bool,
    /// Python, with [`PLACEHOLDER`] in the place of the logdir.
    lines: &'static str,
}

/// The placeholder for the logdir in a recipe.
const PLACEHOLDER: &str = "\"LOGDIR\"";

/// The prefix of the directory in which TensorBoard's tab puts links to several logdirs. It is deleted with the tab, so nothing
/// should be logged there.
const OF_LINKS: &str = "convscope-logdirs-";

/// Whether a logdir is such a directory of links, so that recipes name the target of a link.
#[must_use]
pub fn is_of_links(logdir: &Path) -> bool {
    logdir.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(OF_LINKS.as_bytes()))
}

/// The shortest first.
pub const RECIPES: [Recipe; 6] = [
    Recipe { framework: "Keras", with_package: true, lines: include_str!("recipes/keras_with_package.py") },
    Recipe {
        framework: "PyTorch",
        with_package: true,
        lines: include_str!("recipes/pytorch_with_package.py"),
    },
    Recipe { framework: "Keras", with_package: false, lines: include_str!("recipes/keras.py") },
    Recipe { framework: "PyTorch", with_package: false, lines: include_str!("recipes/pytorch.py") },
    Recipe { framework: "TensorFlow 2", with_package: false, lines: include_str!("recipes/tensorflow_2.py") },
    Recipe { framework: "TensorFlow 1", with_package: false, lines: include_str!("recipes/tensorflow_1.py") },
];

impl Recipe {
    /// Its lines for a logdir.
    #[must_use]
    pub fn lines_for(&self, logdir: &str) -> String {
        self.lines.replace(PLACEHOLDER, &python_literal(logdir))
    }
}

/// The text as a string in Python.
fn python_literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => literal.extend(['\\', letter]),
            letter if letter.is_control() => {
                write!(literal, "\\x{:02x}", u32::from(letter)).expect("a String takes any text");
            }
            letter => literal.push(letter),
        }
    }
    literal + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_recipe_names_the_logdir_once() {
        for recipe in RECIPES {
            let lines = recipe.lines_for("runs/a");
            assert_eq!(lines.matches("\"runs/a\"").count(), 1, "{lines}");
            assert!(!lines.contains("LOGDIR"), "{lines}");
        }
    }

    #[test]
    fn a_logdir_is_written_as_python_reads_it() {
        // As Python's repr writes them, except for the kind of the quotes.
        let check = |text: &str, expected: &str| assert_eq!(python_literal(text), expected);
        check("runs", r#""runs""#);
        check("C:\\runs", r#""C:\\runs""#);
        check("a \"b\"", r#""a \"b\"""#);
        check("a\n\u{1b}\u{85}", r#""a\x0a\x1b\x85""#);
        check("läufe/跑", "\"läufe/跑\"");
    }
}
