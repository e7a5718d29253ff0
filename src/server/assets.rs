//! The page: the files of `frontend/dist`, which are compiled into the program.

use rust_embed::RustEmbed;
use warp::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    reply::{Reply, Response},
};

use super::{
    error::ApiError,
    frame_origin::{FrameOrigin, frame_ancestors},
};

use crate::lookup::error::AnswerError;

#[derive(RustEmbed)]
#[folder = "frontend/dist"]
struct Page;

/// Everything that the page loads comes from this server; pictures that it makes itself are blobs.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; \
                              connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'";

/// The page's content security policy; pages of these origins may show it in a frame.
pub(super) fn content_policy(frames: &[FrameOrigin]) -> HeaderValue {
    let policy = format!("{CONTENT_POLICY}; {}", frame_ancestors(frames));
    HeaderValue::try_from(policy).expect("origins are printable")
}

/// The file of this path, with the page's policy; `index.html` for the root.
pub(super) fn asset(path: &str, headers: &HeaderMap, policy: &HeaderValue) -> Response {
    let name = if path.is_empty() { "index.html" } else { path };
    let Some(file) = Page::get(name) else {
        let message = format!(
            "there is no /{path} on this server: the page is at /, the API is described at /api/v1/openapi.json"
        );
        return ApiError::from(AnswerError::Unknown { code: "unknown_path", message }).into_response();
    };
    let etag = format!("\"{:08x}\"", crc32c::crc32c(&file.data));
    let is_known =
        headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        warp::http::Response::new(file.data.into_owned().into())
    };
    let mimetype = file.metadata.mimetype();
    let mimetype = if mimetype.starts_with("text/") {
        format!("{mimetype}; charset=utf-8")
    } else {
        mimetype.to_owned()
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, mimetype.as_str()),
        // File names do not change from version to version, so a browser must ask each time; the answer is usually 304.
        (header::CACHE_CONTROL, "no-cache"),
        (header::ETAG, etag.as_str()),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::try_from(value).expect("our header values are printable"));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    response
}
