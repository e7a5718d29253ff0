//! Lists: runs, series, skipped tags, the steps of a series.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::try_unfold;
use warp::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    reply::{Reply, Response},
};

use crate::{
    catalog::snapshot::Snapshot,
    listing::behind::BehindJson,
    lookup::{
        behind::Behind,
        error::AnswerError,
        find::{find_run, find_series},
    },
    server::{
        app::AppState,
        conditional::is_known,
        lists::{ContentEncoding, ListKind, ListRequest, ListWriter},
        request::{ApiRequest, ApiResult},
        shutdown::stopped,
        wire::{
            Refusal, RunList, SeriesList, SkippedList, Steps, json,
            query::{ListQuery, RunQuery, SeriesNameQuery, SeriesQuery, StepsQuery},
            read::read,
        },
    },
    types::RunName,
};

/// The runs, sorted by name. Parts of the list with the same `revision` belong to the same state of the catalog.
#[utoipa::path(
    get, path = "/api/v1/runs", params(ListQuery),
    responses((status = 200, body = RunList), (status = 304, description = "Not modified"), (status = 400, body = Refusal))
)]
pub(in crate::server) async fn runs(request: ApiRequest) -> ApiResult {
    let query: ListQuery = read(&request.query)?;
    let snapshot = request.app.catalog.snapshot();
    let list_request = ListRequest { kind: ListKind::Runs, run: None, role: None, part: query.part()? };
    listed(request, snapshot, list_request).await
}

/// The tensors of one or all runs, in the order of the network if it is known, otherwise in the order in which they were first logged.
/// Parts of the list with the same `revision` belong to the same state of the catalog.
#[utoipa::path(
    get, path = "/api/v1/series", params(SeriesQuery),
    responses(
        (status = 200, body = SeriesList), (status = 304, description = "Not modified"), (status = 400, body = Refusal),
        (status = 404, body = Refusal)
    )
)]
pub(in crate::server) async fn series(request: ApiRequest) -> ApiResult {
    let query: SeriesQuery = read(&request.query)?;
    let (role, part) = (query.role()?, query.part()?);
    let snapshot = request.app.catalog.snapshot();
    let run = existing_run(&snapshot, query.run.as_deref())?;
    listed(request, snapshot, ListRequest { kind: ListKind::Series, run, role, part }).await
}

/// The tags that were logged but cannot be drawn, with the reason. Parts of the list with the same `ETag` belong to the same state of the
/// catalog.
#[utoipa::path(
    get, path = "/api/v1/skipped", params(RunQuery),
    responses(
        (status = 200, body = SkippedList), (status = 304, description = "Not modified"), (status = 400, body = Refusal),
        (status = 404, body = Refusal)
    )
)]
pub(in crate::server) async fn skipped(request: ApiRequest) -> ApiResult {
    let query: RunQuery = read(&request.query)?;
    let part = query.part()?;
    let snapshot = request.app.catalog.snapshot();
    let run = existing_run(&snapshot, query.run.as_deref())?;
    listed(request, snapshot, ListRequest { kind: ListKind::Skipped, run, role: None, part }).await
}

/// The steps of a series, in ascending order. Parts of the list with the same `ETag` belong to the same state of the catalog.
#[utoipa::path(
    get, path = "/api/v1/steps", params(StepsQuery),
    responses(
        (status = 200, body = Steps), (status = 304, description = "Not modified"), (status = 400, body = Refusal),
        (status = 404, body = Refusal)
    )
)]
pub(in crate::server) async fn steps(request: ApiRequest) -> ApiResult {
    let query: StepsQuery = read(&request.query)?;
    let part = query.part()?;
    let snapshot = request.app.catalog.snapshot();
    let series = find_series(&snapshot, query.run.as_deref(), query.tag()?)?;
    let cache_policy = ListCachePolicy::new(&request.app, &snapshot);
    if cache_policy.is_known(&request.headers) {
        return Ok(cache_policy.not_modified());
    }
    let write = move || json(&Steps::of(&series, part));
    let text = request.app.pictures.pool.run_list(write).await??;
    Ok(cache_policy.apply_to(Response::new(text.into())))
}

/// What is applied to the output of a kernel's convolution: the bias and the batch normalization, as far as they are found.
#[utoipa::path(
    get, path = "/api/v1/behind", params(SeriesNameQuery),
    responses(
        (status = 200, body = BehindJson), (status = 304, description = "Not modified"), (status = 400, body = Refusal),
        (status = 404, body = Refusal)
    )
)]
pub(in crate::server) async fn behind(request: ApiRequest) -> ApiResult {
    let query: SeriesNameQuery = read(&request.query)?;
    let snapshot = request.app.catalog.snapshot();
    let series = find_series(&snapshot, query.run.as_deref(), query.tag()?)?;
    let cache_policy = ListCachePolicy::new(&request.app, &snapshot);
    if cache_policy.is_known(&request.headers) {
        return Ok(cache_policy.not_modified());
    }
    let (_, run) = find_run(&snapshot, series.run.as_str())?;
    let text = json(&BehindJson::of(Behind::of(run, &series)))?;
    Ok(cache_policy.apply_to(Response::new(text.into())))
}

fn existing_run(snapshot: &Snapshot, run: Option<&str>) -> Result<Option<RunName>, AnswerError> {
    run.map(|name| Ok(find_run(snapshot, name)?.0.clone())).transpose()
}

/// Answers with a list: a short list is sent at once, a long one while it is being written.
async fn listed(request: ApiRequest, snapshot: Arc<Snapshot>, list_request: ListRequest) -> ApiResult {
    let ApiRequest { app, headers, .. } = request;
    let cache_policy = ListCachePolicy::new(&app, &snapshot);
    if cache_policy.is_known(&headers) {
        return Ok(cache_policy.not_modified());
    }
    let encoding = if takes_gzip(&headers) { ContentEncoding::Gzip } else { ContentEncoding::Plain };
    let writer = ListWriter::new(Arc::clone(&app.lists), snapshot, list_request, encoding);
    let (first, writer) = written(&app, writer).await?;
    let response = if writer.is_done() {
        Response::new(first.into())
    } else {
        let rest = try_unfold((app, writer, Some(first)), async |(app, writer, first)| {
            if let Some(first) = first {
                return Ok(Some((first, (app, writer, None))));
            }
            if writer.is_done() {
                return Ok(None);
            }
            let (bytes, writer) = written(&app, writer).await?;
            Ok::<_, AnswerError>(Some((bytes, (app, writer, None))))
        });
        warp::reply::stream(rest).into_response()
    };
    Ok(cache_policy.apply_to(if encoding == ContentEncoding::Gzip { as_gzip(response) } else { response }))
}

/// Says that the body is a gzip file.
pub(super) fn as_gzip(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    response
}

async fn written(app: &AppState, mut writer: ListWriter) -> Result<(Bytes, ListWriter), AnswerError> {
    let write = move || {
        let bytes = writer.next().unwrap_or_default();
        (bytes, writer)
    };
    let mut stopping = app.stopping.clone();
    tokio::select! {
        () = stopped(&mut stopping) => Err(AnswerError::Busy("the program is stopping".to_owned())),
        written = app.pictures.pool.run_list(write) => written,
    }
}

/// Whether a client accepts gzip (RFC 9110): it is listed, with a weight above zero.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let named = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight
            .trim()
            .strip_prefix(['q', 'Q'])
            .and_then(|weight| weight.strip_prefix('='))
            .map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// How clients cache a list: they ask again each time whether it has changed.
struct ListCachePolicy {
    etag: String,
}

impl ListCachePolicy {
    fn new(app: &AppState, snapshot: &Snapshot) -> Self {
        // Weak: the same list may come compressed or not.
        Self { etag: format!("W/\"{:x}-{:x}\"", app.instance, snapshot.revision) }
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        is_known(headers, self.etag.trim_start_matches("W/"))
    }

    fn not_modified(&self) -> Response {
        self.apply_to(StatusCode::NOT_MODIFIED.into_response())
    }

    fn apply_to(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(header::ETAG, HeaderValue::try_from(&*self.etag).expect("hexadecimal digits"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let check = |accepted: &str, expected: bool| {
            let headers: HeaderMap =
                [(header::ACCEPT_ENCODING, HeaderValue::from_str(accepted).unwrap())].into_iter().collect();
            assert_eq!(takes_gzip(&headers), expected, "{accepted}");
        };
        check("gzip, deflate, br", true);
        check("br;q=1.0, GZIP; q=0.5", true);
        check("gzip;q=0", false);
        check("gzip;Q=0", false);
        check("gzip;q=x", false);
        check("identity", false);
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
