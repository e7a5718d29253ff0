//! Which requests are answered: the `Host` must be allowed, the request must not come from another site, the token must be right, and
//! the method must be GET or HEAD.
//!
//! A page of another site can make a browser send requests to this server (DNS rebinding); `Host` is then the name of that site.
//! Therefore names are refused, except `localhost` and the names that the user has allowed. IP addresses are accepted.

mod host;
mod sessions;
mod site;
mod token;

use std::{net::SocketAddr, time::Duration};

use hyper::{Method, Request, Uri};
use warp::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    reply::{Reply, Response},
};

use self::token::{Token, TokenCheck, take_token};
use super::{error::ApiError, frame_origin::frame_ancestors, settings::Settings};
use crate::lookup::error::AnswerError;

/// The answer to a wrong token is delayed by this time; the answer to the right token never is.
const WRONG_TOKEN_AFTER: Duration = Duration::from_secs(1);

pub(super) struct Guard {
    allowed_hosts: Vec<String>,
    allows_unspecified: bool,
    frames_are_allowed: bool,
    policy: HeaderValue,
    token: Option<Token>,
}

/// An answer that the guard itself gives.
pub(super) struct Rejection {
    pub(super) response: Box<Response>,
    /// By how much it is delayed.
    pub(super) after: Duration,
}

impl From<Response> for Rejection {
    fn from(response: Response) -> Self {
        Self { response: Box::new(response), after: Duration::ZERO }
    }
}

impl From<ApiError> for Rejection {
    fn from(error: ApiError) -> Self {
        error.into_response().into()
    }
}

impl From<getrandom::Error> for Rejection {
    fn from(error: getrandom::Error) -> Self {
        let message = format!("the operating system provides no random numbers: {error}");
        ApiError::from(AnswerError::Internal(message)).into()
    }
}

impl Guard {
    pub(super) fn new(settings: &Settings, address: SocketAddr) -> Self {
        let token = settings.token.clone().map(|text| Token::new(text, address.port()));
        Self {
            allowed_hosts: settings.allowed_hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            allows_unspecified: address.ip().is_unspecified(),
            frames_are_allowed: !settings.allowed_frames.is_empty(),
            policy: header_value(&format!(
                "default-src 'none'; {}",
                frame_ancestors(&settings.allowed_frames)
            )),
            token,
        }
    }

    /// The content security policy of answers that are not pages.
    pub(super) fn policy(&self) -> HeaderValue {
        self.policy.clone()
    }

    /// Lets a request through, with its token removed and HEAD changed to GET.
    ///
    /// # Errors
    /// The guard's own answer, if the request is not let through.
    pub(super) fn check<B>(&self, request: &mut Request<B>) -> Result<(), Rejection> {
        self.check_host(request)?;
        if !site::may_ask(request.uri().path(), request.headers(), self.frames_are_allowed) {
            return Err(ApiError::ForeignSite.into());
        }
        match *request.method() {
            Method::GET => {}
            // hyper remembers that no body may follow.
            Method::HEAD => *request.method_mut() = Method::GET,
            _ => return Err(ApiError::Method.into()),
        }
        match &self.token {
            Some(token) => check_token(token, request),
            None => Ok(()),
        }
    }

    fn check_host<B>(&self, request: &Request<B>) -> Result<(), ApiError> {
        match host::host_of(request).map_err(ApiError::BadHost)? {
            // A request without a host does not come from a browser.
            None => Ok(()),
            // Browsers do not say from which site a request to 0.0.0.0 comes.
            Some(name) if host::is_unspecified(&name) && !self.allows_unspecified => {
                Err(ApiError::ForeignHost(name))
            }
            Some(name) if host::is_local(&name) || self.allowed_hosts.contains(&name) => Ok(()),
            Some(name) => Err(ApiError::ForeignHost(name)),
        }
    }
}

fn check_token<B>(token: &Token, request: &mut Request<B>) -> Result<(), Rejection> {
    let (in_query, rest) = take_token(request.uri());
    if let Some(given) = in_query {
        if !token.is(&given) {
            return Err(wrong_token());
        }
        if request.uri().path() == "/" {
            return Err(redirect_without_token(
                token.cookie_for(request.headers())?,
                &rest,
                request.headers(),
            )
            .into());
        }
        *request.uri_mut() = rest;
        return Ok(());
    }
    match token.check(request.headers()) {
        TokenCheck::Right => Ok(()),
        TokenCheck::Wrong => Err(wrong_token()),
        TokenCheck::Missing if site::is_link_from_elsewhere(request.uri().path(), request.headers()) => {
            Err(page_that_reloads(request.uri()).into())
        }
        TokenCheck::Missing => Err(ApiError::Token.into()),
    }
}

fn wrong_token() -> Rejection {
    let mut response = ApiError::WrongToken.into_response();
    // Each attempt needs a new connection.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Rejection { response: Box::new(response), after: WRONG_TOKEN_AFTER }
}

/// Redirects to the page at the address without the token.
fn redirect_without_token(cookie: Option<String>, address: &Uri, headers: &HeaderMap) -> Response {
    let mut response = if site::is_link_from_elsewhere(address.path(), headers) {
        page_that_reloads(address)
    } else {
        with(StatusCode::SEE_OTHER.into_response(), header::LOCATION, &relative(address))
    };
    response = with(response, header::CACHE_CONTROL, "no-store");
    match cookie {
        Some(cookie) => with(response, header::SET_COOKIE, &cookie),
        None => response,
    }
}

/// A page that opens the address again. A browser sends the cookie only with requests that come from our own page, so the request of
/// somebody who follows a link on another site has no cookie.
fn page_that_reloads(address: &Uri) -> Response {
    let address = relative(address).replace('&', "&amp;").replace('"', "&quot;");
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>ConvScope</title>\
         <meta http-equiv=\"refresh\" content=\"0;url={address}\"><a href=\"{address}\">Open ConvScope</a>"
    );
    let response = with(warp::reply::html(page).into_response(), header::CACHE_CONTROL, "no-store");
    with(response, header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'")
}

fn relative(address: &Uri) -> String {
    format!("./{}", address.query().map(|query| format!("?{query}")).unwrap_or_default())
}

fn with(mut response: Response, name: HeaderName, value: &str) -> Response {
    response.headers_mut().insert(name, header_value(value));
    response
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).expect("the parts are a valid query, digits, origins and our own words")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::ConnectionLimits;

    fn guard(token: Option<&str>) -> Guard {
        let settings = Settings {
            logdir: String::new(),
            log_into: String::new(),
            is_demo: false,
            cache_bytes: 0,
            work_bytes: 0,
            token: token.map(str::to_owned),
            allowed_hosts: vec!["Gpu-Box".to_owned()],
            allowed_frames: Vec::new(),
            limits: ConnectionLimits::of(1024),
        };
        Guard::new(&settings, ([127, 0, 0, 1], 6007).into())
    }

    fn refused(guard: &Guard, target: &str, headers: &[(&str, &str)]) -> (Request<()>, Option<Rejection>) {
        let mut request = Request::builder().uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost:6007");
        }
        let mut request = request.body(()).unwrap();
        let rejection = guard.check(&mut request).err();
        (request, rejection)
    }

    fn check(guard: &Guard, target: &str, headers: &[(&str, &str)], expected: u16) -> Request<()> {
        let (request, rejection) = refused(guard, target, headers);
        let status = rejection.map_or(200, |rejection| rejection.response.status().as_u16());
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
        for host in ["0.0.0.0:6007", "[::]:6007", "[::ffff:0.0.0.0]:6007", "0:6007"] {
            check(&guard(None), "/", &[("host", host)], 421);
        }
        for host in ["evil.example", "localhost.evil.example:6007", "127.0.0.1.evil.example"] {
            check(&guard(None), "/", &[("host", host)], 421);
        }
        for host in
            ["[::1]evil", "evil@localhost", "localhost:80:80", "evil.example#.localhost", ".localhost", ""]
        {
            check(&guard(None), "/", &[("host", host)], 400);
        }
        check(&guard(None), "http://evil@localhost/", &[], 400);
        check(&guard(None), "http://evil.example/", &[], 421);
    }

    #[test]
    fn the_token_comes_as_header_cookie_or_query() {
        let guard = guard(Some("a b;c"));
        check(&guard, "/api/v1/runs", &[], 401);
        check(&guard, "/api/v1/runs", &[("authorization", "Bearer a b;")], 401);
        check(&guard, "/api/v1/runs", &[("authorization", "bearer  a b;c")], 200);
        let request = check(&guard, "/api/v1/series?token=a%20b%3Bc&run=x", &[], 200);
        assert_eq!(request.uri(), "/api/v1/series?run=x");
        check(&guard, "/?token=wrong", &[], 401);
        let (_, redirect) = refused(&guard, "/?run=x&token=a+b%3Bc", &[]);
        let redirect = redirect.expect("the page is asked for again").response;
        assert_eq!(
            (redirect.status().as_u16(), &redirect.headers()["location"]),
            (303, &"./?run=x".parse().unwrap())
        );
        let cookie = redirect.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
        check(&guard, "/api/v1/runs", &[("cookie", cookie)], 200);
    }

    #[test]
    fn wrong_tokens_wait_and_missing_and_right_ones_do_not() {
        let guard = guard(Some("s3cret"));
        let wait = |target, headers| refused(&guard, target, headers).1.map(|rejection| rejection.after);
        let wrong: &[(&str, &str)] = &[("authorization", "Bearer s3cre7")];
        assert_eq!(wait("/api/v1/runs", wrong), Some(WRONG_TOKEN_AFTER));
        assert_eq!(wait("/?token=s3cre7", &[]), Some(WRONG_TOKEN_AFTER));
        assert_eq!(wait("/api/v1/runs", &[]), Some(Duration::ZERO));
        assert_eq!(wait("/api/v1/runs", &[("authorization", "Bearer s3cret")]), None);
    }

    #[test]
    fn a_link_on_another_site_opens_the_page_with_the_cookie() {
        let guard = guard(Some("s3cret"));
        let link: &[(&str, &str)] = &[
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        for (target, has_cookie) in [("/?run=a%22&x=1", false), ("/?token=s3cret&run=a%22&x=1", true)] {
            let response = refused(&guard, target, link).1.unwrap().response;
            assert_eq!(
                (response.status().as_u16(), response.headers().contains_key("set-cookie")),
                (200, has_cookie)
            );
        }
        check(&guard, "/?token=wrong", link, 401);
        check(&guard, "/api/v1/runs?token=s3cret", link, 403);
        let image: &[(&str, &str)] =
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
        check(&guard, "/", image, 403);
    }
}
