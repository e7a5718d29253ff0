//! Where a browser says that a request comes from -> whether it is answered.
//!
//! Fetch Metadata (W3C): `Sec-Fetch-Site`, `-Mode` and `-Dest` come from every current browser, over TLS and to this
//! machine. Pages of other sites cannot read an answer, but they could tell by an `<img>` whether a picture is there.
//!
//! Elsewhere, over plain HTTP across a network, only `Cross-Origin-Resource-Policy` and `frame-ancestors` protect, which also protect
//! against other ports of this host.

use warp::http::HeaderMap;

/// Whether the page itself is opened from another site, by a link or in its address bar.
pub(super) fn is_link_from_elsewhere(path: &str, headers: &HeaderMap) -> bool {
    is_foreign(headers)
        && path == "/"
        && is(headers, "sec-fetch-mode", "navigate")
        && is(headers, "sec-fetch-dest", "document")
}

/// Whether it may be answered: it does not come from another site, or it opens the page, in a frame only where the user
/// allowed frames. Which sites have frames is then for the browser to see, by the page's policy.
pub(super) fn may_ask(path: &str, headers: &HeaderMap, frames_are_allowed: bool) -> bool {
    let is_framed = || {
        path == "/"
            && is(headers, "sec-fetch-mode", "navigate")
            && (is(headers, "sec-fetch-dest", "iframe") || is(headers, "sec-fetch-dest", "frame"))
    };
    !is_foreign(headers) || is_link_from_elsewhere(path, headers) || (frames_are_allowed && is_framed())
}

/// Pages at other ports of the same host are not: they get no pictures by `Cross-Origin-Resource-Policy`, and no frame by our
/// policy.
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
