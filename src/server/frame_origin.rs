//! The text of `--allow-frame` -> an origin in a content security policy.

use std::{fmt, net::Ipv6Addr, str::FromStr};

/// A site whose pages may show ours in a frame: `https://notebook.example:8888`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameOrigin(String);

/// The text is not an origin.
#[derive(Debug, thiserror::Error)]
#[error("it is not an origin: write it like https://notebook.example:8888, without a path")]
pub struct NoOrigin;

impl FromStr for FrameOrigin {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let host = text.strip_prefix("https://").or(text.strip_prefix("http://")).ok_or(NoOrigin)?;
        if is_host_and_port(host) { Ok(Self(text)) } else { Err(NoOrigin) }
    }
}

/// A name, all names below a name as in `*.example`, or an address; then optionally a port.
fn is_host_and_port(text: &str) -> bool {
    let end = text.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = text[end..].find(':').map_or((text, None), |colon| {
        let (host, port) = text.split_at(end + colon);
        (host, Some(&port[1..]))
    });
    let is_port = port.is_none_or(|port| {
        port.bytes().all(|digit| digit.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || b"-_".contains(&letter);
    let is_name = |name: &str| name.split('.').all(|label| !label.is_empty() && label.bytes().all(is_letter));
    is_port
        && match in_brackets {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => is_name(host.strip_prefix("*.").unwrap_or(host)),
        }
}

/// The part of a policy that says which pages may show an answer in a frame: our own pages and those of `origins`.
pub(super) fn frame_ancestors(origins: &[FrameOrigin]) -> String {
    origins.iter().fold("frame-ancestors 'self'".to_owned(), |policy, origin| format!("{policy} {origin}"))
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
        for text in [
            "http://[",
            "http://[]",
            "http://[::1",
            "http://[a]",
            "http://:80",
            "http://a:",
            "http://a:b",
            "http://a:0",
            "http://a:99999",
            "http://*",
            "https://*:443",
            "http://*.*",
            "http://a.*",
            "http://a..b",
            "http://a:1:2",
        ] {
            check(text, None);
        }
        for text in
            ["", "notebook.example", "https://", "https://a/b", "https://a b", "https://a;b", "*", "'none'"]
        {
            check(text, None);
        }
        check("https://a\nb", None);
    }
}
