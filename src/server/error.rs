//! What went wrong -> a status, a code for programs and a message that says what to do.

use warp::{
    http::{HeaderValue, StatusCode, header},
    reply::{Reply, Response},
};

use super::wire;
use crate::{load::LoadError, render::choices::ChoiceError};

/// Why a request is refused or cannot be answered.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// An option has a value that is not allowed.
    #[error("{0}")]
    BadOption(String),
    /// A run, tag, step or path is not there.
    #[error("{message}")]
    Unknown {
        /// For programs: `unknown_run` and the like.
        code: &'static str,
        /// What was looked for, and what is near.
        message: String,
    },
    /// It was logged, but as something that cannot be drawn or handed out.
    #[error("{0}")]
    NotDrawable(String),
    /// Text has no numbers.
    #[error("{0}")]
    Text(String),
    /// The log is damaged at that place.
    #[error("{0}")]
    Damaged(String),
    /// Only GET.
    #[error("only GET and HEAD are answered here")]
    Method,
    /// The token is missing.
    #[error(
        "this server asks for a token: open the address that it printed at its start, or send \"Authorization: Bearer TOKEN\""
    )]
    Token,
    /// The token is wrong.
    #[error("the token is wrong: open the address that this server printed at its start")]
    WrongToken,
    /// A page of another site asks.
    #[error("this server answers no requests from pages of other sites: open the page itself, at /")]
    ForeignSite,
    /// The request names no host, or one that is none.
    #[error("this is no request to this server: {0}")]
    BadHost(&'static str),
    /// The request names a host that is not this one.
    #[error("this server does not answer to the name {0:?}: start it with --allow-host {0} if it should")]
    ForeignHost(String),
    /// Too much is asked for at once, or a file cannot be read just now.
    #[error("{0}")]
    Busy(String),
    /// It needs more memory than there ever is here.
    #[error("{0}")]
    NoMemory(String),
    /// A defect of ours.
    #[error("{0}")]
    Internal(String),
}

impl ApiError {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadOption(_) => (StatusCode::BAD_REQUEST, "bad_option"),
            Self::Unknown { code, .. } => (StatusCode::NOT_FOUND, code),
            Self::NotDrawable(_) => (StatusCode::UNPROCESSABLE_ENTITY, "cannot_be_shown"),
            Self::Text(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "text"),
            Self::Damaged(_) => (StatusCode::UNPROCESSABLE_ENTITY, "damaged"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method"),
            Self::Token | Self::WrongToken => (StatusCode::UNAUTHORIZED, "token"),
            Self::ForeignSite => (StatusCode::FORBIDDEN, "foreign_site"),
            Self::BadHost(_) => (StatusCode::BAD_REQUEST, "bad_host"),
            Self::ForeignHost(_) => (StatusCode::MISDIRECTED_REQUEST, "foreign_host"),
            Self::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::NoMemory(_) => (StatusCode::SERVICE_UNAVAILABLE, "memory"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl From<ChoiceError> for ApiError {
    fn from(error: ChoiceError) -> Self {
        Self::BadOption(error.to_string())
    }
}

impl From<&LoadError> for ApiError {
    fn from(error: &LoadError) -> Self {
        match error {
            LoadError::Io(_) | LoadError::Changed | LoadError::NoMemory { .. } => {
                Self::Busy(error.to_string())
            }
            LoadError::Damaged { .. } | LoadError::Undecodable(_) => Self::Damaged(error.to_string()),
        }
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
            Self::Busy(_) => drop(headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"))),
            Self::Method => drop(headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"))),
            Self::Token | Self::WrongToken => {
                drop(headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
            }
            _ => {}
        }
        response
    }
}
