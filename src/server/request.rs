//! What a handler gets, and what it gives.

use std::sync::Arc;

use warp::{http::HeaderMap, reply::Response};

use super::{app::AppState, connections::ConnectionHandle};
use crate::lookup::error::AnswerError;

/// What a handler gets.
pub(super) struct ApiRequest {
    pub(super) app: Arc<AppState>,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    /// Who asks.
    pub(super) client: Arc<ConnectionHandle>,
}

pub(super) type ApiResult = Result<Response, AnswerError>;
