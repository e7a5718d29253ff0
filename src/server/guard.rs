//! Who may ask: the `Host` must be ours, the token must be right, the method must be GET.
//!
//! A page of another site can make a browser send requests here (DNS rebinding); its name then stands in `Host`. Names
//! are therefore refused but for `localhost` and those that the user allowed. Addresses are no names.

use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
};

use hyper::{Method, Request, Uri};
use warp::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    reply::{Reply, Response},
};

use super::{Settings, error::ApiError};

pub(super) struct Guard {
    allowed_hosts: Vec<String>,
    token: Option<Token>,
}

struct Token {
    text: String,
    /// Another one for each token: browsers share cookies among all ports of a host.
    cookie: String,
}

impl Guard {
    pub(super) fn new(settings: &Settings, address: SocketAddr) -> Self {
        let token = settings.token.clone().map(|text| Token { cookie: cookie_name(&text, address), text });
        Self {
            allowed_hosts: settings.allowed_hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            token,
        }
    }

    /// Lets a request through, without its token and as GET where it was HEAD, or answers it.
    pub(super) fn check<B>(&self, request: &mut Request<B>) -> Result<(), Box<Response>> {
        self.check_host(request.uri(), request.headers()).or_else(refused)?;
        match *request.method() {
            Method::GET => {}
            // The connection knows that no body follows.
            Method::HEAD => *request.method_mut() = Method::GET,
            _ => return refused(ApiError::Method),
        }
        let Some(token) = &self.token else { return Ok(()) };
        let (in_query, rest) = take_token(request.uri());
        if let Some(given) = in_query {
            if !same(&given, &token.text) {
                return refused(ApiError::Token);
            }
            if request.uri().path() == "/" {
                return Err(Box::new(token.welcome(&rest)));
            }
            *request.uri_mut() = rest;
            return Ok(());
        }
        if token.is_in(request.headers()) { Ok(()) } else { refused(ApiError::Token) }
    }

    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        let in_header =
            headers.get(header::HOST).map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
        // A request without a host comes from no browser.
        let Some(host) = uri.authority().map(ToString::to_string).or(in_header) else { return Ok(()) };
        let name = name_of_host(&host).to_ascii_lowercase();
        let ours = name == "localhost"
            || name.ends_with(".localhost")
            || name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok()
            || self.allowed_hosts.contains(&name);
        if ours { Ok(()) } else { Err(ApiError::ForeignHost(name)) }
    }
}

impl Token {
    fn is_in(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        let bearer = text(header::AUTHORIZATION).strip_prefix("Bearer ").map(str::trim);
        let cookies = text(header::COOKIE).split(';').filter_map(|cookie| cookie.trim().split_once('='));
        let in_cookie =
            cookies.filter(|(name, _)| *name == self.cookie).any(|(_, value)| same(value, &hex(&self.text)));
        bearer.is_some_and(|given| same(given, &self.text)) || in_cookie
    }

    /// The page again, under an address that does not show the token.
    fn welcome(&self, address: &Uri) -> Response {
        let query = address.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut response = StatusCode::SEE_OTHER.into_response();
        let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie, hex(&self.text));
        for (name, value) in [(header::LOCATION, format!("./{query}")), (header::SET_COOKIE, cookie)] {
            let value =
                HeaderValue::try_from(value).expect("a query of a valid address and hexadecimal digits");
            response.headers_mut().insert(name, value);
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

fn refused(error: ApiError) -> Result<(), Box<Response>> {
    Err(Box::new(error.into_response()))
}

fn name_of_host(host: &str) -> &str {
    if host.starts_with('[') {
        return host.find(']').map_or(host, |end| &host[..=end]);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// The token of an address, and the address without it.
fn take_token(uri: &Uri) -> (Option<String>, Uri) {
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

/// Compares in a time that depends on the lengths alone.
fn same(given: &str, wanted: &str) -> bool {
    let differing = given.bytes().zip(wanted.bytes()).fold(0, |differing, (a, b)| differing | (a ^ b));
    given.len() == wanted.len() && differing == 0
}

fn cookie_name(token: &str, address: SocketAddr) -> String {
    format!("convscope-{}-{:08x}", address.port(), crc32c::crc32c(token.as_bytes()))
}

/// Cookies hold no `;` and no spaces; a token may.
fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a String takes any text");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Bounds;

    fn guard(token: Option<&str>) -> Guard {
        let settings = Settings {
            logdir: String::new(),
            is_demo: false,
            cache_bytes: 0,
            token: token.map(str::to_owned),
            allowed_hosts: vec!["Gpu-Box".to_owned()],
            bounds: Bounds::of(1024),
        };
        Guard::new(&settings, ([127, 0, 0, 1], 6007).into())
    }

    fn check(guard: &Guard, target: &str, headers: &[(&str, &str)], expected: u16) -> Request<()> {
        let mut request = Request::builder().uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap();
        let status = guard.check(&mut request).err().map_or(200, |response| response.status().as_u16());
        assert_eq!(status, expected, "{target} {headers:?}");
        request
    }

    #[test]
    fn names_that_are_not_ours_are_refused() {
        for host in
            ["localhost:6007", "127.0.0.1:6007", "[::1]:6007", "10.1.2.3", "gpu-box:6007", "a.localhost"]
        {
            check(&guard(None), "/", &[("host", host)], 200);
        }
        for host in ["evil.example", "localhost.evil.example:6007", "127.0.0.1.evil.example", ""] {
            check(&guard(None), "/", &[("host", host)], 421);
        }
        check(&guard(None), "/", &[], 200);
    }

    #[test]
    fn the_token_comes_as_header_cookie_or_query() {
        let guard = guard(Some("a b;c"));
        check(&guard, "/api/v1/runs", &[], 401);
        check(&guard, "/api/v1/runs", &[("authorization", "Bearer a b;")], 401);
        check(&guard, "/api/v1/runs", &[("authorization", "Bearer a b;c")], 200);
        let request = check(&guard, "/api/v1/series?token=a%20b%3Bc&run=x", &[], 200);
        assert_eq!(request.uri(), "/api/v1/series?run=x");
        check(&guard, "/?token=wrong", &[], 401);
        check(&guard, "/?run=x&token=a+b%3Bc", &[], 303);
        let cookie = format!("other=1; {}=6120623b63", cookie_name("a b;c", ([127, 0, 0, 1], 6007).into()));
        check(&guard, "/api/v1/runs", &[("cookie", &cookie)], 200);
    }
}
