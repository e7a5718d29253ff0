//! Statistics: of one step, over all steps, and of the difference of two tensors.

use crate::{
    lookup::{
        find::{find, find_series},
        pair::TensorPair,
    },
    server::{
        conditional::cacheable,
        request::{ApiRequest, ApiResult},
        wire::{
            self, Refusal,
            chart::Charts,
            difference::{Difference, DifferenceQuery},
            json,
            read::read,
            stats::{
                Stats, StatsOrCharts,
                query::{NumbersFormat, StatsQuery},
            },
        },
    },
};

const JSON: &str = "application/json";
/// A series gets new steps, so an answer about all of its steps may change.
const GROWS: bool = false;

/// Statistics of a tensor: of one step, for the whole tensor and for each filter or channel; or with `steps=all` over the steps of its
/// series.
#[utoipa::path(
    get, path = "/api/v1/stats", params(StatsQuery),
    responses(
        (
            status = 200,
            description = "JSON; with format=csv lines as defined in RFC 4180",
            content((StatsOrCharts = "application/json"), (String = "text/csv"))
        ),
        (status = 400, body = Refusal), (status = 404, body = Refusal), (status = 415, body = Refusal), (status = 422, body = Refusal),
        (status = 503, body = Refusal)
    )
)]
pub(in crate::server) async fn stats(request: ApiRequest) -> ApiResult {
    let query: StatsQuery = read(&request.query)?;
    let (format, layout) = (query.format()?, query.layout()?);
    if let Some(span) = query.span()? {
        let series = find_series(&request.app.catalog.snapshot(), query.run.as_deref(), query.tag()?)?;
        let chart = request.app.numbers.chart(&series, layout, span).await?;
        return match format {
            NumbersFormat::Json => {
                let charts = Box::new(Charts::of(&series, &chart));
                Ok(cacheable(&request.headers, GROWS, JSON, json(&StatsOrCharts::Steps(charts))?))
            }
            NumbersFormat::Csv => Ok(cacheable(&request.headers, GROWS, wire::CSV, wire::chart::csv(&chart))),
        };
    }
    let found = find(&request.app.catalog.snapshot(), &query.wanted()?)?;
    let numbers = request.app.numbers.step(&found, layout, query.dead_over()?).await?;
    let stats = Stats::of(&found, &numbers);
    let (media_type, body) = match format {
        NumbersFormat::Json => (JSON, json(&StatsOrCharts::Step(Box::new(stats)))?),
        NumbersFormat::Csv => (wire::CSV, stats.csv()),
    };
    Ok(cacheable(&request.headers, query.is_fixed(), media_type, body))
}

/// How different two tensors of the same shape and layout are, and with `match=cosine` which filter of the second tensor corresponds to
/// which filter of the first.
#[utoipa::path(
    get, path = "/api/v1/difference", params(DifferenceQuery),
    responses(
        (status = 200, body = Difference), (status = 400, body = Refusal), (status = 404, body = Refusal),
        (status = 415, body = Refusal), (status = 422, body = Refusal), (status = 503, body = Refusal)
    )
)]
pub(in crate::server) async fn difference(request: ApiRequest) -> ApiResult {
    let query: DifferenceQuery = read(&request.query)?;
    let (minus, layout) = (query.minus()?, query.layout()?);
    let snapshot = request.app.catalog.snapshot();
    let pair = TensorPair::find(&snapshot, find(&snapshot, &query.wanted()?)?, &minus, layout)?;
    let distance = request.app.differences.distance(&pair).await?;
    let body = json(&Difference::of(&pair, &distance))?;
    Ok(cacheable(&request.headers, query.is_fixed(), JSON, body))
}
