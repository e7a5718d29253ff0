//! The site from which a request comes, according to the browser -> whether it is answered.
//!
//! Fetch Metadata (W3C): every current browser sends `Sec-Fetch-Site`, `-Mode` and `-Dest` over TLS, and to servers on the same machine.
//! Pages of other sites cannot read an answer, but with an `<img>` they could find out whether a picture exists.
//!
//! Browsers do not send these headers over plain HTTP across a network. Then only `Cross-Origin-Resource-Policy` and `frame-ancestors`
//! protect; they also protect against pages at other ports of this host.

use warp::http::HeaderMap;

/// Whether a link on another site opens the page itself.
pub(super) fn is_link_from_elsewhere(path: &str, headers: &HeaderMap) -> bool {
    is_foreign(headers)
        && path == "/"
        && is(headers, "sec-fetch-mode", "navigate")
        && is(headers, "sec-fetch-dest", "document")
}

/// Whether a request may be answered: it does not come from another site, or it opens the page. It may open the page in a frame only
/// if the user has allowed frames; the browser then checks by the page's policy which sites may do so.
pub(super) fn may_ask(path: &str, headers: &HeaderMap, frames_are_allowed: bool) -> bool {
    let is_framed = || {
        path == "/"
            && is(headers, "sec-fetch-mode", "navigate")
            && (is(headers, "sec-fetch-dest", "iframe") || is(headers, "sec-fetch-dest", "frame"))
    };
    !is_foreign(headers) || is_link_from_elsewhere(path, headers) || (frames_are_allowed && is_framed())
}

/// Whether the request comes from another site. Pages at other ports of the same host belong to the same site:
/// `Cross-Origin-Resource-Policy` keeps pictures from them, and our policy forbids them frames.
fn is_foreign(headers: &HeaderMap) -> bool {
    is(headers, "sec-fetch-site", "cross-site")
}

fn is(headers: &HeaderMap, name: &str, value: &str) -> bool {
    headers.get_all(name).iter().any(|found| found.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, [site, mode, dest]: [&'static str; 3], expected: [bool; 2]) {
        let mut headers = HeaderMap::new();
        let fields = [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)];
        for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            headers.insert(name, value.parse().unwrap());
        }
        let found = [false, true].map(|frames| may_ask(path, &headers, frames));
        assert_eq!(found, expected, "{path} {site} {mode} {dest}");
    }

    #[test]
    fn other_sites_may_open_the_page_and_nothing_else() {
        const ALWAYS: [bool; 2] = [true, true];
        const NEVER: [bool; 2] = [false, false];
        check("/api/v1/sheet", ["", "", ""], ALWAYS);
        check("/api/v1/sheet", ["none", "navigate", "document"], ALWAYS);
        check("/api/v1/sheet", ["same-origin", "no-cors", "image"], ALWAYS);
        check("/api/v1/sheet", ["same-site", "no-cors", "image"], ALWAYS);
        check("/", ["cross-site", "navigate", "document"], ALWAYS);
        check("/", ["cross-site", "navigate", "iframe"], [false, true]);
        check("/", ["cross-site", "navigate", "frame"], [false, true]);
        check("/", ["cross-site", "navigate", "object"], NEVER);
        check("/", ["cross-site", "no-cors", "document"], NEVER);
        check("/", ["cross-site", "cors", "empty"], NEVER);
        check("/", ["cross-site", "", ""], NEVER);
        check("/api/v1/sheet", ["cross-site", "navigate", "document"], NEVER);
        check("/api/v1/sheet", ["cross-site", "navigate", "iframe"], NEVER);
        check("/api/v1/sheet", ["cross-site", "no-cors", "image"], NEVER);
        check("/healthz", ["cross-site", "no-cors", "image"], NEVER);
        check("/assets/index.js", ["cross-site", "no-cors", "script"], NEVER);
    }
}
