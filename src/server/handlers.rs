//! One function per path: a request -> its answer. They use the newest snapshot and never wait for the ingest thread.

pub(super) mod lists;
pub(super) mod numbers;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use utoipa::OpenApi;
use warp::{
    http::{HeaderValue, StatusCode, header},
    reply::{Reply, Response, json},
};

use super::{
    app::AppState,
    conditional::{CachePolicy, cacheable},
    description::completed,
    health_text::Text,
    live, open_metrics,
    request::{ApiRequest, ApiResult},
    wire::{
        self, Recipes, Refusal, Revision,
        difference::Subtracted,
        film::FilmRequest,
        options::Options,
        query::{ColormapQuery, NoQuery, SheetQuery, TensorQuery},
        read::read,
        sheet::{Colormap, Drawing, RunRange, SheetInfo},
    },
};

use crate::{
    answers::{films::etag, pictures::EncodedPicture},
    listing::health::HealthJson,
    lookup::{
        error::AnswerError,
        film_source::film_source,
        find::{find, find_series},
        pair::TensorPair,
        steps::Found,
    },
    types::WallTime,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "ConvScope",
        description = "Convolution kernels and activations from TensorFlow event files, as pictures."
    ),
    paths(
        health,
        lists::runs,
        lists::series,
        lists::skipped,
        lists::behind,
        lists::steps,
        recipes,
        tensor,
        sheet,
        sheet_info,
        range,
        values,
        numbers::stats,
        numbers::difference,
        film_of_steps,
        colormap,
        options,
        events,
        openapi,
        healthz,
        metrics_text
    )
)]
pub(super) struct Api;

/// The state of the daemon and of the logdir.
#[utoipa::path(get, path = "/api/v1/health", responses((status = 200, body = HealthJson)))]
pub(super) async fn health(request: ApiRequest) -> ApiResult {
    read::<NoQuery>(&request.query)?;
    let Text { plain, gzip } = request
        .app
        .health
        .now(&request.app.catalog, &request.app.settings, &request.app.pictures.pool)
        .await?;
    let zipped = gzip.filter(|_| lists::takes_gzip(&request.headers));
    let is_zipped = zipped.is_some();
    let response = fresh_json(Response::new(zipped.unwrap_or(plain).into()));
    Ok(if is_zipped { lists::as_gzip(response) } else { response })
}

/// Python code that logs tensors into this logdir in a form that can be drawn.
#[utoipa::path(get, path = "/api/v1/recipes", responses((status = 200, body = Recipes)))]
pub(super) async fn recipes(request: ApiRequest) -> ApiResult {
    read::<NoQuery>(&request.query)?;
    let snapshot = request.app.catalog.snapshot();
    let recipes = Recipes::of(&snapshot, &request.app.settings.log_into);
    Ok(fresh_json(Response::new(wire::json(&recipes)?.into())))
}

/// A tensor as it was logged, as NPY.
#[utoipa::path(
    get, path = "/api/v1/tensor", params(TensorQuery),
    responses(
        (status = 200, description = "NPY, bit for bit (bfloat16 widened to float32)", content_type = "application/octet-stream"),
        (status = 400, body = Refusal), (status = 404, body = Refusal), (status = 415, body = Refusal), (status = 422, body = Refusal),
        (status = 503, body = Refusal)
    )
)]
pub(super) async fn tensor(request: ApiRequest) -> ApiResult {
    let query: TensorQuery = read(&request.query)?;
    let is_fixed = query.is_fixed();
    let found = find(&request.app.catalog.snapshot(), &query.wanted()?)?;
    let npy = request.app.pictures.npy(&found, request.client).await?;
    Ok(cacheable(&request.headers, is_fixed, "application/octet-stream", npy))
}

/// The picture of a tensor: a sheet of tiles.
#[utoipa::path(
    get, path = "/api/v1/sheet", params(SheetQuery),
    responses(
        (status = 200, description = "The picture", content((&[u8] = "image/png"), (&[u8] = "image/webp"))),
        (status = 400, body = Refusal), (status = 404, body = Refusal), (status = 415, body = Refusal), (status = 422, body = Refusal),
        (status = 503, body = Refusal)
    )
)]
pub(super) async fn sheet(request: ApiRequest) -> ApiResult {
    let query = SheetQuery::read(&request.query)?;
    let format = query.format()?;
    let (_, _, drawn) = drawn(&request.app, &query).await?;
    Ok(cacheable(&request.headers, query.is_fixed(), format.media_type(), drawn.picture.clone()))
}

/// A description of the sheet of the same query: the positions of its tiles, its legend, and the view and layout that it uses.
#[utoipa::path(
    get, path = "/api/v1/sheet/info", params(SheetQuery),
    responses(
        (status = 200, body = SheetInfo), (status = 400, body = Refusal), (status = 404, body = Refusal), (status = 415, body = Refusal),
        (status = 422, body = Refusal), (status = 503, body = Refusal)
    )
)]
pub(super) async fn sheet_info(request: ApiRequest) -> ApiResult {
    let query = SheetQuery::read(&request.query)?;
    let (found, subtracted, drawn) = drawn(&request.app, &query).await?;
    let Found { series, step, parts, attempts } = &found;
    let info = SheetInfo {
        run: series.run.as_str(),
        tag: series.tag.as_str(),
        step: *step,
        wall_time: parts[0].wall_time.map(WallTime::seconds),
        attempt: query.wanted()?.attempt,
        attempts: *attempts,
        minus: subtracted,
        drawing: Drawing::of(&drawn.legend, drawn.paint),
    };
    Ok(fresh(json(&info)))
}

/// The range over all steps of a series, which scope `run` uses, as far as it is known. The answer comes at once; if the range is not
/// known, computing it starts now. The query is that of a sheet; options that do not affect the range, such as `step`, have no effect.
#[utoipa::path(
    get, path = "/api/v1/range", params(SheetQuery),
    responses(
        (status = 200, body = RunRange), (status = 400, body = Refusal), (status = 404, body = Refusal), (status = 415, body = Refusal),
        (status = 422, body = Refusal), (status = 503, body = Refusal)
    )
)]
pub(super) async fn range(request: ApiRequest) -> ApiResult {
    let query = SheetQuery::read(&request.query)?;
    let series = find_series(&request.app.catalog.snapshot(), query.run(), query.tag()?)?;
    let progress = request.app.pictures.run_range(&series, &query.choices)?;
    Ok(fresh(json(&RunRange::of(&progress))))
}

/// The sheet of a tensor, or of its difference from another tensor.
async fn drawn(
    app: &AppState,
    query: &SheetQuery,
) -> Result<(Found, Option<Subtracted>, Arc<EncodedPicture>), AnswerError> {
    let (wanted, choices, format) = (query.wanted()?, query.choices.clone(), query.format()?);
    let snapshot = app.catalog.snapshot();
    let found = find(&snapshot, &wanted)?;
    let Some(minus) = query.minus()? else {
        let drawn = app.pictures.picture(&found, &choices, format).await?;
        return Ok((found, None, drawn));
    };
    let pair = TensorPair::find(&snapshot, found, &minus, choices.layout)?;
    let drawn = app.differences.picture(&pair, &choices, format).await?;
    let subtracted = Subtracted::of(&pair);
    Ok((pair.a, Some(subtracted), drawn))
}

/// The values of the pixels of the sheet of the same query, as NPY.
#[utoipa::path(
    get, path = "/api/v1/values", params(SheetQuery),
    responses(
        (
            status = 200, content_type = "application/octet-stream",
            description = "NPY, float32: [tiles, height, width]; [tiles, height, width, 3] for pictures in the tensor's own colours"
        ),
        (status = 400, body = Refusal), (status = 404, body = Refusal), (status = 415, body = Refusal), (status = 422, body = Refusal),
        (status = 503, body = Refusal)
    )
)]
pub(super) async fn values(request: ApiRequest) -> ApiResult {
    let query = SheetQuery::read(&request.query)?;
    let snapshot = request.app.catalog.snapshot();
    let (found, choices) = (find(&snapshot, &query.wanted()?)?, query.choices.clone());
    let npy = match query.minus()? {
        None => request.app.pictures.values(&found, &choices, request.client).await?,
        Some(minus) => {
            let pair = TensorPair::find(&snapshot, found, &minus, choices.layout)?;
            request.app.differences.values(&pair, &choices, request.client).await?
        }
    };
    Ok(cacheable(&request.headers, query.is_fixed(), "application/octet-stream", npy))
}

/// The pictures of several steps, or of all frames of the animated pictures of one step, as a film that is sent while it is made. The
/// header `x-convscope-frames` says how many frames it has, and `x-convscope-damaged` how many steps are left out because they cannot
/// be read.
#[utoipa::path(
    get, path = "/api/v1/film", params(FilmRequest),
    responses(
        (
            status = 200, description = "The film",
            content((&[u8] = "image/apng"), (&[u8] = "image/gif"), (&[u8] = "image/webp"))
        ),
        (status = 400, body = Refusal), (status = 404, body = Refusal), (status = 415, body = Refusal), (status = 422, body = Refusal),
        (status = 503, body = Refusal)
    )
)]
pub(super) async fn film_of_steps(request: ApiRequest) -> ApiResult {
    let FilmRequest { query, film: wanted, choices } = FilmRequest::read(&request.query)?;
    let film_source =
        film_source(&request.app.catalog.snapshot(), query.run.as_deref(), query.tag()?, &wanted)?;
    let cache_policy = CachePolicy {
        etag: etag(request.app.instance, &film_source, &choices, &wanted),
        is_fixed: film_source.is_closed && query.names_version() && !choices.need_other_steps(),
        media_type: wanted.format().media_type(),
    };
    if cache_policy.is_known(&request.headers) {
        return Ok(cache_policy.apply_to(StatusCode::NOT_MODIFIED.into_response()));
    }
    let film = request.app.films.prepare((film_source, choices, &wanted), request.client).await?;
    let counts = [("x-convscope-frames", film.n_frames()), ("x-convscope-damaged", film.n_damaged())];
    let mut response = cache_policy.apply_to(warp::reply::stream(film.body()).into_response());
    for (name, count) in counts {
        response.headers_mut().insert(name, HeaderValue::from(count));
    }
    Ok(response)
}

/// The colours of a colour map.
#[utoipa::path(
    get, path = "/api/v1/colormap", params(ColormapQuery),
    responses((status = 200, body = Colormap), (status = 400, body = Refusal))
)]
pub(super) async fn colormap(request: ApiRequest) -> ApiResult {
    let query: ColormapQuery = read(&request.query)?;
    Ok(fresh(json(&Colormap::of(query.cmap()?))))
}

/// The options of a sheet, and which of their values fit which tensors.
#[utoipa::path(get, path = "/api/v1/options", responses((status = 200, body = Options)))]
pub(super) async fn options(request: ApiRequest) -> ApiResult {
    read::<NoQuery>(&request.query)?;
    Ok(fresh(json(&Options::all())))
}

/// Changes as they happen: server-sent events of the type `revision`. If too many streams are open, one such event is sent, then one of
/// the type `again`, which says after how many milliseconds to ask again, and then the stream ends.
#[utoipa::path(
    get, path = "/api/v1/live",
    responses((
        status = 200, body = Revision, content_type = "text/event-stream",
        description = "Events `revision`, whose data is a Revision, or `again`, whose data is a number"
    ))
)]
pub(super) async fn events(request: ApiRequest) -> ApiResult {
    read::<NoQuery>(&request.query)?;
    let stream = warp::sse::keep_alive().stream(live::events(request.app));
    let mut response = warp::sse::reply(stream).into_response();
    // Otherwise nginx would buffer events.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
pub(super) async fn openapi(_: ApiRequest) -> ApiResult {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let derived = serde_json::to_value(Api::openapi()).expect("text and numbers become JSON");
        Bytes::from(completed(derived).to_string())
    });
    Ok(fresh_json(Response::new(text.clone().into())))
}

/// Whether the daemon is running.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "ok", content_type = "text/plain")))]
pub(super) async fn healthz(_: ApiRequest) -> ApiResult {
    Ok("ok\n".into_response())
}

/// Metrics for a monitoring system.
#[utoipa::path(
    get, path = "/metrics",
    responses((status = 200, description = "OpenMetrics text", content_type = "application/openmetrics-text"))
)]
pub(super) async fn metrics_text(request: ApiRequest) -> ApiResult {
    let app = Arc::clone(&request.app);
    let text = request.app.pictures.pool.run_short(move || open_metrics::text(&app)).await?;
    let mut response = text.into_response();
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// An answer that clients must request again each time, because the log grows.
fn fresh(json: impl Reply) -> Response {
    fresh_json(json.into_response())
}

fn fresh_json(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
