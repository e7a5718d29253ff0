//! The argument and the result of a handler.

use std::sync::Arc;

use warp::{http::HeaderMap, reply::Response};

use super::{app::AppState, connections::ConnectionHandle};
use crate::lookup::error::AnswerError;

/// A request that the guard has let through.
pub(super) struct ApiRequest {
    pub(super) app: Arc<AppState>,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    /// The connection of the client.
    pub(super) client: Arc<ConnectionHandle>,
}

pub(super) type ApiResult = Result<Response, AnswerError>;
