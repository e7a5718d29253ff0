//! An error -> an HTTP status, a code for programs, and a message that says what to do.

use warp::{
    http::{HeaderValue, StatusCode, header},
    reply::{Reply, Response},
};

use super::wire;
use crate::lookup::error::AnswerError;

/// Why a request is refused or cannot be answered.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// The request is allowed, but there is no answer to it.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The method is neither GET nor HEAD.
    #[error("this server answers only GET and HEAD")]
    Method,
    /// The token is missing.
    #[error(
        "this server asks for a token: open the address that it printed at its start, or send \"Authorization: Bearer TOKEN\""
    )]
    Token,
    /// The token is wrong.
    #[error("the token is wrong: open the address that this server printed at its start")]
    WrongToken,
    /// The request comes from a page of another site.
    #[error("this server does not answer requests from pages of other sites: open its own page, at /")]
    ForeignSite,
    /// The request has no host, or an invalid one.
    #[error("this server cannot answer the request: {0}")]
    BadHost(&'static str),
    /// The request names a host that is not allowed.
    #[error(
        "this server does not answer requests to the host {0:?}: to allow it, start the server with --allow-host {0}"
    )]
    ForeignHost(String),
}

impl ApiError {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Answer(error) => status_and_code(error),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method"),
            Self::Token | Self::WrongToken => (StatusCode::UNAUTHORIZED, "token"),
            Self::ForeignSite => (StatusCode::FORBIDDEN, "foreign_site"),
            Self::BadHost(_) => (StatusCode::BAD_REQUEST, "bad_host"),
            Self::ForeignHost(_) => (StatusCode::MISDIRECTED_REQUEST, "foreign_host"),
        }
    }
}

fn status_and_code(error: &AnswerError) -> (StatusCode, &'static str) {
    match error {
        AnswerError::BadOption(_) => (StatusCode::BAD_REQUEST, "bad_option"),
        AnswerError::Unknown { code, .. } => (StatusCode::NOT_FOUND, code),
        AnswerError::NotDrawable(_) => (StatusCode::UNPROCESSABLE_ENTITY, "cannot_be_shown"),
        AnswerError::Text(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "text"),
        AnswerError::Damaged(_) => (StatusCode::UNPROCESSABLE_ENTITY, "damaged"),
        AnswerError::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        AnswerError::NoMemory(_) => (StatusCode::SERVICE_UNAVAILABLE, "memory"),
        AnswerError::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    }
}

impl Reply for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        let body = wire::Refusal { code: code.to_owned(), message: self.to_string() };
        let mut response = warp::reply::with_status(warp::reply::json(&body), status).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            Self::Answer(AnswerError::Busy(_)) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::Method => {
                headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            }
            Self::Token | Self::WrongToken => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}
