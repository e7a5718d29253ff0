//! A door for the fuzz targets, which is in no other build: the text of a query -> what each handler takes it for.

use super::{
    error::ApiError,
    find::{Found, find, find_run, find_series, subject},
    minus::{Both, plan_difference},
    reel::reel,
    wire::{
        difference::DifferenceQuery,
        film::WantedFilm,
        query::{ColormapQuery, RunQuery, SeriesQuery, SheetQuery, StepsQuery, TensorQuery, read},
        stats::query::StatsQuery,
    },
};
use crate::{catalog::snapshot::Snapshot, render::plan::plan};

/// What one handler takes a query for, in words: the message of its refusal where it refuses it.
pub type Reading = Result<String, String>;

/// How the handlers that take a query read this text over a snapshot, up to the point where a tensor is loaded.
#[must_use]
pub fn readings(snapshot: &Snapshot, text: &str) -> Vec<(&'static str, Reading)> {
    let handlers: [(&'static str, fn(&Snapshot, &str) -> Result<String, ApiError>); 9] = [
        ("series", series),
        ("skipped", skipped),
        ("steps", steps),
        ("tensor", tensor),
        ("sheet", sheet),
        ("stats", stats),
        ("difference", difference),
        ("film", film),
        ("colormap", colormap),
    ];
    let told = |error: ApiError| error.to_string();
    handlers.map(|(name, handler)| (name, handler(snapshot, text).map_err(told))).to_vec()
}

fn series(snapshot: &Snapshot, text: &str) -> Result<String, ApiError> {
    let query: SeriesQuery = read(text)?;
    query.run.as_deref().map(|run| find_run(snapshot, run)).transpose()?;
    Ok(format!("{:?} {:?}", query.run, query.role()?))
}

fn skipped(snapshot: &Snapshot, text: &str) -> Result<String, ApiError> {
    let query: RunQuery = read(text)?;
    query.run.as_deref().map(|run| find_run(snapshot, run)).transpose()?;
    Ok(format!("{:?}", query.run))
}

fn steps(snapshot: &Snapshot, text: &str) -> Result<String, ApiError> {
    let query: StepsQuery = read(text)?;
    Ok(find_series(snapshot, query.run.as_deref(), query.tag()?)?.tag.to_string())
}

fn tensor(snapshot: &Snapshot, text: &str) -> Result<String, ApiError> {
    let query: TensorQuery = read(text)?;
    let is_fixed = query.is_fixed();
    Ok(format!("{} {is_fixed}", named(&find(snapshot, &query.wanted()?)?)))
}

fn sheet(snapshot: &Snapshot, text: &str) -> Result<String, ApiError> {
    let query: SheetQuery = read(text)?;
    let (wanted, choices, format) = (query.wanted()?, query.choices()?, query.format()?);
    let found = find(snapshot, &wanted)?;
    let form = found.series.form.as_ref().map_err(|error| ApiError::NotDrawable(error.reason.clone()))?;
    let of_found = subject(&found.series, &form.shape);
    let plan = match query.minus()? {
        None => plan(&choices, &of_found)?,
        Some(minus) => {
            let both = Both::find(snapshot, found.clone(), &minus, choices.layout)?;
            plan_difference(&choices, &crate::render::plan::Subject { layout: both.layout, ..of_found })?
        }
    };
    let (size, shown) = (plan.size(), choices.canonical());
    Ok(format!("{} {shown} {} {size:?} {}", named(&found), format.name(), query.is_fixed()))
}

fn stats(snapshot: &Snapshot, text: &str) -> Result<String, ApiError> {
    let query: StatsQuery = read(text)?;
    let (form, layout) = (query.form()?, query.layout()?);
    if let Some(span) = query.span()? {
        let series = find_series(snapshot, query.run.as_deref(), query.tag()?)?;
        return Ok(format!(
            "{} {form:?} {layout:?} {} {} {}",
            series.tag, span.from, span.to, span.most_steps
        ));
    }
    let found = find(snapshot, &query.wanted()?)?;
    Ok(format!("{} {form:?} {layout:?} {} {}", named(&found), query.dead_over()?, query.is_fixed()))
}

fn difference(snapshot: &Snapshot, text: &str) -> Result<String, ApiError> {
    let query: DifferenceQuery = read(text)?;
    let (minus, layout) = (query.minus()?, query.layout()?);
    let both = Both::find(snapshot, find(snapshot, &query.wanted()?)?, &minus, layout)?;
    Ok(format!("{} {} {:?} {:?}", named(&both.a), named(&both.b), both.layout, both.matching))
}

fn film(snapshot: &Snapshot, text: &str) -> Result<String, ApiError> {
    let WantedFilm { query, choices } = WantedFilm::read(text)?;
    let film = query.film()?;
    let reel = reel(snapshot, query.run.as_deref(), query.tag()?, &film)?;
    let (n, shown) = (reel.shots.len(), choices.canonical());
    Ok(format!("{} {n} {film:?} {shown} {} {}", reel.series.tag, reel.is_closed, query.names_version()))
}

fn colormap(_: &Snapshot, text: &str) -> Result<String, ApiError> {
    Ok(read::<ColormapQuery>(text)?.cmap()?.name().to_owned())
}

fn named(found: &Found) -> String {
    let Found { series, step, parts, attempts } = found;
    format!("{} {} {step} {} {attempts}", series.run, series.tag, parts.len())
}
