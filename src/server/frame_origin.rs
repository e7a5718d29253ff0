//! What `--allow-frame` names -> an origin as a page's policy has it.

use std::{fmt, str::FromStr};

/// A site whose pages may show ours in a frame: `https://notebook.example:8888`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameOrigin(String);

/// It is no origin.
#[derive(Debug, thiserror::Error)]
#[error("no origin: one looks like https://notebook.example:8888, without a path")]
pub struct NoOrigin;

impl FromStr for FrameOrigin {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let host = text.strip_prefix("https://").or(text.strip_prefix("http://")).ok_or(NoOrigin)?;
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._:[]*".contains(letter);
        if host.is_empty() || !host.chars().all(is_plain) {
            return Err(NoOrigin);
        }
        Ok(Self(text))
    }
}

impl fmt::Display for FrameOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_have_a_scheme_and_a_host_and_nothing_else() {
        let check = |text: &str, expected: Option<&str>| {
            let found = text.parse::<FrameOrigin>().ok().map(|origin| origin.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("https://notebook.example", Some("https://notebook.example"));
        check("HTTP://Localhost:8888/", Some("http://localhost:8888"));
        check("https://*.example", Some("https://*.example"));
        check("http://[::1]:8888", Some("http://[::1]:8888"));
        for text in
            ["", "notebook.example", "https://", "https://a/b", "https://a b", "https://a;b", "*", "'none'"]
        {
            check(text, None);
        }
        check("https://a\nb", None);
    }
}
