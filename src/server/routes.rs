//! Paths -> handlers.

use std::sync::Arc;

use warp::{
    Filter,
    filters::BoxedFilter,
    http::HeaderMap,
    reply::{Reply, Response},
};

use super::{
    House, assets,
    error::ApiError,
    handlers::{self, Answer, Asked},
    metrics,
};

/// All routes. Whatever is asked for, an answer comes: paths that are none end at the page's files, which refuse them.
pub(super) fn routes(house: &Arc<House>) -> BoxedFilter<(Response,)> {
    let lists = route(house, "health", handlers::health)
        .or(route(house, "runs", handlers::lists::runs))
        .unify()
        .or(route(house, "series", handlers::lists::series))
        .unify()
        .or(route(house, "skipped", handlers::lists::skipped))
        .unify()
        .or(route(house, "steps", handlers::lists::steps))
        .unify()
        .or(route(house, "recipes", handlers::recipes))
        .unify()
        .boxed();
    let pictures = route(house, "sheet", handlers::sheet)
        .or(route(house, "sheet/info", handlers::sheet_info))
        .unify()
        .or(route(house, "range", handlers::range))
        .unify()
        .or(route(house, "values", handlers::values))
        .unify()
        .or(route(house, "tensor", handlers::tensor))
        .unify()
        .or(route(house, "film", handlers::film_of_steps))
        .unify()
        .boxed();
    let numbers = route(house, "stats", handlers::numbers::stats)
        .or(route(house, "difference", handlers::numbers::difference))
        .unify()
        .boxed();
    let others = route(house, "live", handlers::events)
        .or(route(house, "colormap", handlers::colormap))
        .unify()
        .or(route(house, "options", handlers::options))
        .unify()
        .or(route(house, "openapi.json", handlers::openapi))
        .unify()
        .boxed();
    let operations = bare(house, "healthz", handlers::healthz)
        .or(bare(house, "metrics", handlers::metrics_text))
        .unify()
        .boxed();
    let policy = assets::content_policy(&house.settings.allowed_frames);
    let page = warp::path::tail()
        .and(warp::header::headers_cloned())
        .map(move |path: warp::path::Tail, headers: HeaderMap| {
            assets::asset(path.as_str(), &headers, &policy)
        })
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
        .or(page)
        .unify()
        .boxed()
}

/// A path below `api/v1/`.
fn route<F>(house: &Arc<House>, path: &'static str, handler: fn(Asked) -> F) -> BoxedFilter<(Response,)>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let segments = path.split('/').fold(warp::path("api").and(warp::path("v1")).boxed(), |route, part| {
        route.and(warp::path(part)).boxed()
    });
    answered(segments, house, path, handler)
}

/// A path at the root.
fn bare<F>(house: &Arc<House>, path: &'static str, handler: fn(Asked) -> F) -> BoxedFilter<(Response,)>
where
    F: Future<Output = Answer> + Send + 'static,
{
    answered(warp::path(path).boxed(), house, path, handler)
}

fn answered<F>(
    path: BoxedFilter<()>,
    house: &Arc<House>,
    name: &'static str,
    handler: fn(Asked) -> F,
) -> BoxedFilter<(Response,)>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let house = Arc::clone(house);
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    path.and(warp::path::end())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::get())
        .then(move |query, headers, client| {
            let house = Arc::clone(&house);
            async move {
                let _waiting = house.catalog.demand().enter();
                let asked = Asked { house: Arc::clone(&house), query, headers, client };
                let response =
                    handler(asked).await.unwrap_or_else(|error| ApiError::from(error).into_response());
                let answer = metrics::Answer { path: name, status: response.status().as_u16() };
                house.metrics.answers.get_or_create(&answer).inc();
                response
            }
        })
        .boxed()
}
