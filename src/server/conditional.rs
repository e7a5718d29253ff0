//! Answers that clients cache: `ETag`, `If-None-Match` and `Cache-Control` (RFC 9110 and 9111).

use bytes::Bytes;
use warp::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    reply::{Reply as _, Response},
};

/// An answer that clients cache: without asking again if the request named a fixed step, otherwise as long as its `ETag` is the same.
pub(super) fn cacheable(
    headers: &HeaderMap,
    is_fixed: bool,
    media_type: &'static str,
    body: Bytes,
) -> Response {
    let etag = format!("\"{:x}-{:08x}\"", body.len(), crc32c::crc32c(&body));
    let cache_policy = CachePolicy { etag, is_fixed, media_type };
    if cache_policy.is_known(headers) {
        return cache_policy.apply_to(StatusCode::NOT_MODIFIED.into_response());
    }
    cache_policy.apply_to(warp::http::Response::new(body.into()))
}

/// Whether the client already has the answer with this `ETag`.
pub(super) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or("");
    known
        .split(',')
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == etag || known == "*")
}

/// How clients cache an answer.
pub(super) struct CachePolicy {
    pub(super) etag: String,
    /// Whether the answer never changes.
    pub(super) is_fixed: bool,
    pub(super) media_type: &'static str,
}

impl CachePolicy {
    /// Whether the client already has this answer.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        is_known(headers, &self.etag)
    }

    /// Sets the headers.
    pub(super) fn apply_to(self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        let cache = if self.is_fixed { "private, max-age=31536000, immutable" } else { "private, no-cache" };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        headers.insert(header::ETAG, HeaderValue::try_from(self.etag).expect("hexadecimal digits"));
        response
    }
}
