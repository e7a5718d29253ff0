//! An option, a file or an environment variable -> the token.

use std::{fs::File, io::Read, path::Path};

use super::exit::{USAGE, failure};

use crate::types::printable::is_printable;

/// The variable that is read if no option gives a token.
const VARIABLE: &str = "CONVSCOPE_TOKEN";
/// The longest token; a file is read no further.
const MOST_BYTES: u64 = 4096;

/// The token of `--token`, otherwise of `--token-file`, otherwise of `CONVSCOPE_TOKEN`, otherwise none.
///
/// # Errors
/// When the file cannot be read, and when what was found is no token.
pub(super) fn token(typed: Option<String>, file: Option<&Path>) -> anyhow::Result<Option<String>> {
    if let Some(token) = typed {
        return sound(&token, "--token").map(Some);
    }
    if let Some(path) = file {
        let name = format!("--token-file {}", path.display());
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut text))
            .map_err(|error| failure(USAGE, format!("{name} cannot be read: {error}")))?;
        return sound(&text, &name).map(Some);
    }
    let Some(value) = std::env::var_os(VARIABLE) else { return Ok(None) };
    let text = value.to_str().ok_or_else(|| failure(USAGE, format!("{VARIABLE} is no text")))?;
    sound(text, VARIABLE).map(Some)
}

/// The line end of a file is not part of it.
fn sound(text: &str, source: &str) -> anyhow::Result<String> {
    let token = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    let fault = if token.is_empty() {
        "is empty: give it a token or leave it out"
    } else if token.len() as u64 > MOST_BYTES {
        "is too long: a token has at most 4096 bytes"
    } else if !token.chars().all(is_printable) {
        "holds more than one line or a character that is not shown"
    } else if token.trim() != token {
        "begins or ends in a blank, which is easily lost: remove it"
    } else {
        return Ok(token.to_owned());
    };
    Err(failure(USAGE, format!("{source} {fault}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_not_part_of_a_token() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(sound(text, "--token-file F").ok().as_deref(), expected, "{text:?}");
        };
        check("s3cret", Some("s3cret"));
        check("s3cret\n", Some("s3cret"));
        check("s3cret\r\n", Some("s3cret"));
        check("a b", Some("a b"));
        for text in [" a b", "a b ", "\u{feff}s3cret", "s3cret\u{202e}", " "] {
            check(text, None);
        }
        for text in ["", "\n", "\r\n", "a\n\n", "a\nb", "a\tb", "a\r"] {
            check(text, None);
        }
        check(&"x".repeat(4097), None);
    }
}
