//! The headers of a request -> whether the client knows the token.
//!
//! A browser sends the token once, in the address; after that a cookie with a random number takes its place.
//!
//! A wrong token is answered after a second, and its connection is closed. A right token is never delayed, so clients that guess tokens
//! do not slow down others.

use warp::http::{HeaderMap, Uri, header};

use super::sessions::Sessions;

pub(super) struct Token {
    text: String,
    /// Browsers share cookies among all ports of a host, so the name contains the port.
    cookie: String,
    sessions: Sessions,
}

/// Whether a request has the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenCheck {
    Right,
    Wrong,
    /// The request has no token.
    Missing,
}

impl Token {
    pub(super) fn new(text: String, port: u16) -> Self {
        Self { text, cookie: format!("convscope-{port}"), sessions: Sessions::default() }
    }

    /// Whether the token in an address is right.
    pub(super) fn is(&self, given: &str) -> bool {
        same(given.as_bytes(), self.text.as_bytes())
    }

    pub(super) fn check(&self, headers: &HeaderMap) -> TokenCheck {
        match headers.get(header::AUTHORIZATION).and_then(|value| bearer(value.as_bytes())) {
            Some(given) if same(given, self.text.as_bytes().trim_ascii()) => TokenCheck::Right,
            _ if self.session_in(headers).is_some() => TokenCheck::Right,
            Some(_) => TokenCheck::Wrong,
            None => TokenCheck::Missing,
        }
    }

    /// The value of `Set-Cookie` for a browser that has sent the token; `None` if it already has a session.
    ///
    /// # Errors
    /// When the operating system provides no random numbers.
    pub(super) fn cookie_for(&self, headers: &HeaderMap) -> Result<Option<String>, getrandom::Error> {
        if self.session_in(headers).is_some() {
            return Ok(None);
        }
        let number = self.sessions.begin()?;
        Ok(Some(format!("{}={number}; Path=/; HttpOnly; SameSite=Strict", self.cookie)))
    }

    fn session_in<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut cookies =
            lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
        cookies
            .find(|(name, number)| *name == self.cookie && self.sessions.knows(number))
            .map(|(_, number)| number)
    }
}

/// The text after the scheme `Bearer`, whose letters may be in upper or lower case (RFC 9110, 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let value = value.trim_ascii();
    let end = value.iter().position(u8::is_ascii_whitespace)?;
    value[..end].eq_ignore_ascii_case(b"bearer").then(|| value[end..].trim_ascii())
}

/// The token in an address, and the address without it.
pub(super) fn take_token(uri: &Uri) -> (Option<String>, Uri) {
    let query = uri.query().unwrap_or("");
    let (tokens, rest): (Vec<&str>, Vec<&str>) =
        query.split('&').partition(|pair| pair.starts_with("token="));
    let pairs: Vec<(String, String)> =
        tokens.first().and_then(|pair| serde_urlencoded::from_str(pair).ok()).unwrap_or_default();
    let token = pairs.into_iter().next().map(|(_, token)| token);
    let mark = if rest.iter().all(|pair| pair.is_empty()) { "" } else { "?" };
    let address = format!("{}{mark}{}", uri.path(), rest.join("&"));
    (token, address.parse().unwrap_or_else(|_| uri.clone()))
}

/// Compares in a time that depends only on the lengths.
fn same(given: &[u8], wanted: &[u8]) -> bool {
    let differing = given.iter().zip(wanted).fold(0, |differing, (a, b)| differing | (a ^ b));
    given.len() == wanted.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: header::HeaderName, value: &str, expected: TokenCheck) {
        let token = Token::new("a b;c".to_owned(), 6007);
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        assert_eq!(token.check(&headers), expected, "{value}");
    }

    #[test]
    fn the_scheme_is_bearer_in_any_letters() {
        for value in ["Bearer a b;c", "bearer a b;c", "BEARER   a b;c ", " bEaReR\ta b;c"] {
            check(header::AUTHORIZATION, value, TokenCheck::Right);
        }
        for value in ["Bearer a b;", "Bearer a b;cd", "bearer x"] {
            check(header::AUTHORIZATION, value, TokenCheck::Wrong);
        }
        for value in ["Basic a b;c", "Bearer", "a b;c", "Bearera b;c", ""] {
            check(header::AUTHORIZATION, value, TokenCheck::Missing);
        }
    }

    #[test]
    fn the_cookie_is_a_random_number_of_a_session() {
        let token = Token::new("s3cret".to_owned(), 6007);
        let cookie = token.cookie_for(&HeaderMap::new()).unwrap().expect("there was no session");
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
        assert!(!cookie.contains("s3cret") && !cookie.contains("733363726574"), "{cookie}");
        let pair = cookie.split(';').next().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, format!("other=1; {pair}").parse().unwrap());
        assert_eq!(token.check(&headers), TokenCheck::Right);
        assert_eq!(token.cookie_for(&headers).unwrap(), None);
        let (name, _) = pair.split_once('=').unwrap();
        for wrong in ["s3cret", "733363726574", ""] {
            headers.insert(header::COOKIE, format!("{name}={wrong}").parse().unwrap());
            assert_eq!(token.check(&headers), TokenCheck::Missing, "{wrong}");
        }
        let other = Token::new("s3cret".to_owned(), 6007);
        headers.insert(header::COOKIE, pair.parse().unwrap());
        assert_eq!(other.check(&headers), TokenCheck::Missing, "a session of another process");
    }
}
