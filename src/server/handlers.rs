//! One function per path: what was asked -> the answer. They take the newest snapshot and never wait for the ingest thread.

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
    asked::{Answer, Asked},
    conditional::{Keep, lasting},
    description::completed,
    health_text::Text,
    live, open_metrics,
    wire::{
        self, Recipes, Refusal, Revision,
        difference::Subtracted,
        film::WantedFilm,
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
        find::{find, find_series},
        pair::Both,
        reel::reel,
        steps::Found,
    },
    types::WallTime,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "ConvScope",
        description = "Convolution kernels and activations out of TensorFlow event files, as pictures."
    ),
    paths(
        health,
        lists::runs,
        lists::series,
        lists::skipped,
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

/// How the daemon and the logdir are.
#[utoipa::path(get, path = "/api/v1/health", responses((status = 200, body = HealthJson)))]
pub(super) async fn health(asked: Asked) -> Answer {
    read::<NoQuery>(&asked.query)?;
    let Text { plain, gzip } =
        asked.app.health.now(&asked.app.catalog, &asked.app.settings, &asked.app.pictures.pool).await?;
    let zipped = gzip.filter(|_| lists::takes_gzip(&asked.headers));
    let is_zipped = zipped.is_some();
    let response = fresh_json(Response::new(zipped.unwrap_or(plain).into()));
    Ok(if is_zipped { lists::as_gzip(response) } else { response })
}

/// The lines of Python that log what can be drawn into this logdir.
#[utoipa::path(get, path = "/api/v1/recipes", responses((status = 200, body = Recipes)))]
pub(super) async fn recipes(asked: Asked) -> Answer {
    read::<NoQuery>(&asked.query)?;
    let snapshot = asked.app.catalog.snapshot();
    let recipes = Recipes::of(&snapshot, &asked.app.settings.log_into);
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
pub(super) async fn tensor(asked: Asked) -> Answer {
    let query: TensorQuery = read(&asked.query)?;
    let is_fixed = query.is_fixed();
    let found = find(&asked.app.catalog.snapshot(), &query.wanted()?)?;
    let npy = asked.app.pictures.npy(&found, asked.client).await?;
    Ok(lasting(&asked.headers, is_fixed, "application/octet-stream", npy))
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
pub(super) async fn sheet(asked: Asked) -> Answer {
    let query = SheetQuery::read(&asked.query)?;
    let format = query.format()?;
    let (_, _, drawn) = drawn(&asked.app, &query).await?;
    Ok(lasting(&asked.headers, query.is_fixed(), format.media_type(), drawn.picture.clone()))
}

/// What the sheet of the same query shows: the places of the tiles, the legend, the view and layout that were taken.
#[utoipa::path(
    get, path = "/api/v1/sheet/info", params(SheetQuery),
    responses(
        (status = 200, body = SheetInfo), (status = 400, body = Refusal), (status = 404, body = Refusal), (status = 415, body = Refusal),
        (status = 422, body = Refusal), (status = 503, body = Refusal)
    )
)]
pub(super) async fn sheet_info(asked: Asked) -> Answer {
    let query = SheetQuery::read(&asked.query)?;
    let (found, subtracted, drawn) = drawn(&asked.app, &query).await?;
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

/// The range over all steps of a series that scope `run` takes, as far as it is known: at once, and being found from then on.
/// The query is that of a sheet; what says nothing of the range, as `step`, changes nothing here.
#[utoipa::path(
    get, path = "/api/v1/range", params(SheetQuery),
    responses(
        (status = 200, body = RunRange), (status = 400, body = Refusal), (status = 404, body = Refusal), (status = 415, body = Refusal),
        (status = 422, body = Refusal), (status = 503, body = Refusal)
    )
)]
pub(super) async fn range(asked: Asked) -> Answer {
    let query = SheetQuery::read(&asked.query)?;
    let series = find_series(&asked.app.catalog.snapshot(), query.run(), query.tag()?)?;
    let progress = asked.app.pictures.run_range(&series, &query.choices)?;
    Ok(fresh(json(&RunRange::of(&progress))))
}

/// The sheet of a tensor, or of its difference to another.
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
    let both = Both::find(&snapshot, found, &minus, choices.layout)?;
    let drawn = app.differences.picture(&both, &choices, format).await?;
    let subtracted = Subtracted::of(&both);
    Ok((both.a, Some(subtracted), drawn))
}

/// The numbers behind the pixels of the sheet of the same query, as NPY.
#[utoipa::path(
    get, path = "/api/v1/values", params(SheetQuery),
    responses(
        (
            status = 200, content_type = "application/octet-stream",
            description = "NPY, float32: [tiles, height, width], and 3 components behind for colours"
        ),
        (status = 400, body = Refusal), (status = 404, body = Refusal), (status = 415, body = Refusal), (status = 422, body = Refusal),
        (status = 503, body = Refusal)
    )
)]
pub(super) async fn values(asked: Asked) -> Answer {
    let query = SheetQuery::read(&asked.query)?;
    let snapshot = asked.app.catalog.snapshot();
    let (found, choices) = (find(&snapshot, &query.wanted()?)?, query.choices.clone());
    let npy = match query.minus()? {
        None => asked.app.pictures.values(&found, &choices, asked.client).await?,
        Some(minus) => {
            let both = Both::find(&snapshot, found, &minus, choices.layout)?;
            asked.app.differences.values(&both, &choices, asked.client).await?
        }
    };
    Ok(lasting(&asked.headers, query.is_fixed(), "application/octet-stream", npy))
}

/// The pictures of several steps, or of all frames of the animated pictures of one step, as a film, sent while it is made. `x-convscope-frames` says how many frames it has,
/// `x-convscope-damaged` how many steps were left out because they cannot be read.
#[utoipa::path(
    get, path = "/api/v1/film", params(WantedFilm),
    responses(
        (
            status = 200, description = "The film",
            content((&[u8] = "image/apng"), (&[u8] = "image/gif"), (&[u8] = "image/webp"))
        ),
        (status = 400, body = Refusal), (status = 404, body = Refusal), (status = 415, body = Refusal), (status = 422, body = Refusal),
        (status = 503, body = Refusal)
    )
)]
pub(super) async fn film_of_steps(asked: Asked) -> Answer {
    let WantedFilm { query, film: wanted, choices } = WantedFilm::read(&asked.query)?;
    let reel = reel(&asked.app.catalog.snapshot(), query.run.as_deref(), query.tag()?, &wanted)?;
    let keep = Keep {
        etag: etag(asked.app.instance, &reel, &choices, &wanted),
        is_fixed: reel.is_closed && query.names_version() && !choices.need_other_steps(),
        media_type: wanted.format().media_type(),
    };
    if keep.is_known(&asked.headers) {
        return Ok(keep.on(StatusCode::NOT_MODIFIED.into_response()));
    }
    let film = asked.app.films.prepare((reel, choices, &wanted), asked.client).await?;
    let counts = [("x-convscope-frames", film.n_frames()), ("x-convscope-damaged", film.n_damaged())];
    let mut response = keep.on(warp::reply::stream(film.body()).into_response());
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
pub(super) async fn colormap(asked: Asked) -> Answer {
    let query: ColormapQuery = read(&asked.query)?;
    Ok(fresh(json(&Colormap::of(query.cmap()?))))
}

/// What can be chosen for a sheet.
#[utoipa::path(get, path = "/api/v1/options", responses((status = 200, body = Options)))]
pub(super) async fn options(asked: Asked) -> Answer {
    read::<NoQuery>(&asked.query)?;
    Ok(fresh(json(&Options::all())))
}

/// What changes, as it changes: server-sent events of the kind `revision`. Where all streams are taken, one of them comes, then
/// one of the kind `again`, which says in how many milliseconds to ask again, and the stream ends.
#[utoipa::path(
    get, path = "/api/v1/live",
    responses((
        status = 200, body = Revision, content_type = "text/event-stream",
        description = "Events `revision`, whose data is a Revision, or `again`, whose data is a number"
    ))
)]
pub(super) async fn events(asked: Asked) -> Answer {
    read::<NoQuery>(&asked.query)?;
    let stream = warp::sse::keep_alive().stream(live::events(asked.app));
    let mut response = warp::sse::reply(stream).into_response();
    // nginx would gather events otherwise.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
pub(super) async fn openapi(_: Asked) -> Answer {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let derived = serde_json::to_value(Api::openapi()).expect("text and numbers become JSON");
        Bytes::from(completed(derived).to_string())
    });
    Ok(fresh_json(Response::new(text.clone().into())))
}

/// Whether the daemon runs.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "ok", content_type = "text/plain")))]
pub(super) async fn healthz(_: Asked) -> Answer {
    Ok("ok\n".into_response())
}

/// Figures for a monitoring system.
#[utoipa::path(
    get, path = "/metrics",
    responses((status = 200, description = "OpenMetrics text", content_type = "application/openmetrics-text"))
)]
pub(super) async fn metrics_text(asked: Asked) -> Answer {
    let app = Arc::clone(&asked.app);
    let text = asked.app.pictures.pool.run_short(move || open_metrics::text(&app)).await?;
    let mut response = text.into_response();
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// An answer that is asked for anew each time, because the log grows.
fn fresh(json: impl Reply) -> Response {
    fresh_json(json.into_response())
}

fn fresh_json(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
