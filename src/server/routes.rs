//! Paths -> handlers.

use std::sync::Arc;

use warp::{
    Filter,
    filters::BoxedFilter,
    http::HeaderMap,
    reply::{Reply, Response},
};

use super::{
    app::AppState,
    assets,
    error::ApiError,
    handlers::{self},
    metrics,
    request::{ApiRequest, ApiResult},
};

/// All routes. Every path gets an answer: the page's files come last, and they refuse unknown paths.
pub(super) fn routes(app: &Arc<AppState>) -> BoxedFilter<(Response,)> {
    let lists = route(app, "health", handlers::health)
        .or(route(app, "runs", handlers::lists::runs))
        .unify()
        .or(route(app, "series", handlers::lists::series))
        .unify()
        .or(route(app, "skipped", handlers::lists::skipped))
        .unify()
        .or(route(app, "steps", handlers::lists::steps))
        .unify()
        .or(route(app, "behind", handlers::lists::behind))
        .unify()
        .or(route(app, "recipes", handlers::recipes))
        .unify()
        .boxed();
    let pictures = route(app, "sheet", handlers::sheet)
        .or(route(app, "sheet/info", handlers::sheet_info))
        .unify()
        .or(route(app, "range", handlers::range))
        .unify()
        .or(route(app, "values", handlers::values))
        .unify()
        .or(route(app, "tensor", handlers::tensor))
        .unify()
        .or(route(app, "film", handlers::film_of_steps))
        .unify()
        .boxed();
    let numbers = route(app, "stats", handlers::numbers::stats)
        .or(route(app, "difference", handlers::numbers::difference))
        .unify()
        .boxed();
    let others = route(app, "live", handlers::events)
        .or(route(app, "colormap", handlers::colormap))
        .unify()
        .or(route(app, "options", handlers::options))
        .unify()
        .or(route(app, "openapi.json", handlers::openapi))
        .unify()
        .boxed();
    let operations = bare(app, "healthz", handlers::healthz)
        .or(bare(app, "metrics", handlers::metrics_text))
        .unify()
        .boxed();
    lists
        .or(pictures)
        .unify()
        .or(numbers)
        .unify()
        .or(others)
        .unify()
        .or(operations)
        .unify()
        .or(page(app))
        .unify()
        .boxed()
}

/// The page's files, and the refusal of unknown paths.
fn page(app: &AppState) -> BoxedFilter<(Response,)> {
    let policy = assets::content_policy(&app.settings.allowed_frames);
    warp::path::tail()
        .and(warp::header::headers_cloned())
        .map(move |path: warp::path::Tail, headers: HeaderMap| {
            assets::asset(path.as_str(), &headers, &policy)
        })
        .boxed()
}

/// A path below `api/v1/`.
fn route<F>(app: &Arc<AppState>, path: &'static str, handler: fn(ApiRequest) -> F) -> BoxedFilter<(Response,)>
where
    F: Future<Output = ApiResult> + Send + 'static,
{
    let segments = path.split('/').fold(warp::path("api").and(warp::path("v1")).boxed(), |route, part| {
        route.and(warp::path(part)).boxed()
    });
    answered(segments, app, path, handler)
}

/// A path at the root.
fn bare<F>(app: &Arc<AppState>, path: &'static str, handler: fn(ApiRequest) -> F) -> BoxedFilter<(Response,)>
where
    F: Future<Output = ApiResult> + Send + 'static,
{
    answered(warp::path(path).boxed(), app, path, handler)
}

fn answered<F>(
    path: BoxedFilter<()>,
    app: &Arc<AppState>,
    name: &'static str,
    handler: fn(ApiRequest) -> F,
) -> BoxedFilter<(Response,)>
where
    F: Future<Output = ApiResult> + Send + 'static,
{
    let app = Arc::clone(app);
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    path.and(warp::path::end())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::get())
        .then(move |query, headers, client| {
            let app = Arc::clone(&app);
            async move {
                let _waiting = app.catalog.demand().enter();
                let request = ApiRequest { app: Arc::clone(&app), query, headers, client };
                let response =
                    handler(request).await.unwrap_or_else(|error| ApiError::from(error).into_response());
                let answer = metrics::AnswerLabels { path: name, status: response.status().as_u16() };
                app.metrics.answers.get_or_create(&answer).inc();
                response
            }
        })
        .boxed()
}
