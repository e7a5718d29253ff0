//! For the fuzz targets, and in no other build: the text of a query -> how each handler reads it.

use std::sync::Arc;

use super::{
    lists::{ContentEncoding, ListKind, ListRequest, ListWriter, Lists},
    wire::{
        Steps,
        difference::DifferenceQuery,
        film::FilmRequest,
        json,
        query::{
            ColormapQuery, ListQuery, NoQuery, RunQuery, SeriesQuery, SheetQuery, StepsQuery, TensorQuery,
        },
        read::read,
        stats::query::StatsQuery,
    },
};

use crate::{
    catalog::snapshot::Snapshot,
    draw::difference::plan_difference,
    lookup::{
        error::AnswerError,
        film_source::film_source,
        find::{find, find_run, find_series},
        pair::TensorPair,
        steps::Found,
        subject::plan_of,
    },
    render::choices::{Choices, Scope},
    types::RunName,
};

/// What one handler takes a query for, in words: the message of its refusal where it refuses it.
pub type Reading = Result<String, String>;

type Handler = fn(&Snapshot, &str) -> Result<String, AnswerError>;

const CACHE_BYTES: u64 = 1 << 20;
const INSTANCE: u64 = 0;

/// How the handlers read this text over a snapshot: lists as a whole, the others up to the point where a tensor is loaded. Those
/// without options (`health`, `options`, `live`) read it the same way, as `none`; `sheet/info` reads it as `sheet` does.
#[must_use]
pub fn readings(snapshot: &Snapshot, text: &str) -> Vec<(&'static str, Reading)> {
    let handlers: [(&'static str, Handler); 13] = [
        ("runs", runs),
        ("series", series),
        ("skipped", skipped),
        ("steps", steps),
        ("tensor", tensor),
        ("sheet", sheet),
        ("range", range),
        ("values", values),
        ("stats", stats),
        ("difference", difference),
        ("film", film),
        ("colormap", colormap),
        ("none", none),
    ];
    let told = |error: AnswerError| error.to_string();
    handlers.map(|(name, handler)| (name, handler(snapshot, text).map_err(told))).to_vec()
}

fn runs(snapshot: &Snapshot, text: &str) -> Result<String, AnswerError> {
    let query: ListQuery = read(text)?;
    Ok(listed(snapshot, ListRequest { kind: ListKind::Runs, run: None, role: None, part: query.part()? }))
}

fn series(snapshot: &Snapshot, text: &str) -> Result<String, AnswerError> {
    let query: SeriesQuery = read(text)?;
    let (role, part) = (query.role()?, query.part()?);
    let run = existing_run(snapshot, query.run.as_deref())?;
    Ok(listed(snapshot, ListRequest { kind: ListKind::Series, run, role, part }))
}

fn skipped(snapshot: &Snapshot, text: &str) -> Result<String, AnswerError> {
    let query: RunQuery = read(text)?;
    let part = query.part()?;
    let run = existing_run(snapshot, query.run.as_deref())?;
    Ok(listed(snapshot, ListRequest { kind: ListKind::Skipped, run, role: None, part }))
}

fn existing_run(snapshot: &Snapshot, run: Option<&str>) -> Result<Option<RunName>, AnswerError> {
    let Some(name) = run else { return Ok(None) };
    find_run(snapshot, name)?;
    Ok(Some(RunName::from(name)))
}

/// The list that is answered with.
fn listed(snapshot: &Snapshot, request: ListRequest) -> String {
    let lists = Arc::new(Lists::new(CACHE_BYTES, INSTANCE));
    let (mut writer, mut list) =
        (ListWriter::new(lists, Arc::new(snapshot.clone()), request, ContentEncoding::Plain), Vec::new());
    while let Some(some) = writer.next() {
        list.extend(some);
    }
    String::from_utf8(list).expect("JSON is text")
}

fn steps(snapshot: &Snapshot, text: &str) -> Result<String, AnswerError> {
    let query: StepsQuery = read(text)?;
    let part = query.part()?;
    let series = find_series(snapshot, query.run.as_deref(), query.tag()?)?;
    let list = json(&Steps::of(&series, part))?;
    Ok(format!("{} {}", series.tag, String::from_utf8_lossy(&list)))
}

fn tensor(snapshot: &Snapshot, text: &str) -> Result<String, AnswerError> {
    let query: TensorQuery = read(text)?;
    let is_fixed = query.is_fixed();
    Ok(format!("{} {is_fixed}", named(&find(snapshot, &query.wanted()?)?)))
}

fn sheet(snapshot: &Snapshot, text: &str) -> Result<String, AnswerError> {
    let query = SheetQuery::read(text)?;
    let format = query.format()?;
    let drawn = planned(snapshot, &query)?;
    Ok(format!("{drawn} {} {}", format.name(), query.is_fixed()))
}

fn values(snapshot: &Snapshot, text: &str) -> Result<String, AnswerError> {
    let query = SheetQuery::read(text)?;
    Ok(format!("{} {}", planned(snapshot, &query)?, query.is_fixed()))
}

/// What would be drawn, and how large.
fn planned(snapshot: &Snapshot, query: &SheetQuery) -> Result<String, AnswerError> {
    let (wanted, choices) = (query.wanted()?, query.choices.clone());
    let found = find(snapshot, &wanted)?;
    let plan = match query.minus()? {
        None => plan_of(&found.series, &choices)?,
        Some(minus) => {
            let pair = TensorPair::find(snapshot, found.clone(), &minus, choices.layout)?;
            plan_difference(&choices, &pair.subject_of_newest()?)?
        }
    };
    Ok(format!("{} {} {:?}", named(&found), choices.canonical(), plan.size()))
}

fn range(snapshot: &Snapshot, text: &str) -> Result<String, AnswerError> {
    let query = SheetQuery::read(text)?;
    let series = find_series(snapshot, query.run(), query.tag()?)?;
    let choices = Choices { scope: Some(Scope::Run), blend: None, ..query.choices.clone() };
    let plan = plan_of(&series, &choices)?;
    Ok(format!("{} {} {:?} {}", series.tag, choices.canonical(), plan.size(), plan.needs_run()))
}

fn stats(snapshot: &Snapshot, text: &str) -> Result<String, AnswerError> {
    let query: StatsQuery = read(text)?;
    let (format, layout) = (query.format()?, query.layout()?);
    if let Some(span) = query.span()? {
        let series = find_series(snapshot, query.run.as_deref(), query.tag()?)?;
        return Ok(format!(
            "{} {format:?} {layout:?} {} {} {}",
            series.tag, span.from, span.to, span.most_steps
        ));
    }
    let found = find(snapshot, &query.wanted()?)?;
    Ok(format!("{} {format:?} {layout:?} {} {}", named(&found), query.dead_over()?, query.is_fixed()))
}

fn difference(snapshot: &Snapshot, text: &str) -> Result<String, AnswerError> {
    let query: DifferenceQuery = read(text)?;
    let (minus, layout) = (query.minus()?, query.layout()?);
    let pair = TensorPair::find(snapshot, find(snapshot, &query.wanted()?)?, &minus, layout)?;
    Ok(format!("{} {} {:?} {:?}", named(&pair.a), named(&pair.b), pair.layout, pair.matching))
}

fn film(snapshot: &Snapshot, text: &str) -> Result<String, AnswerError> {
    let FilmRequest { query, film, choices } = FilmRequest::read(text)?;
    let film_source = film_source(snapshot, query.run.as_deref(), query.tag()?, &film)?;
    let (n, shown) = (film_source.frames.len(), choices.canonical());
    Ok(format!(
        "{} {n} {film:?} {shown} {} {}",
        film_source.series.tag,
        film_source.is_closed,
        query.names_version()
    ))
}

fn colormap(_: &Snapshot, text: &str) -> Result<String, AnswerError> {
    Ok(read::<ColormapQuery>(text)?.cmap()?.name().to_owned())
}

fn none(_: &Snapshot, text: &str) -> Result<String, AnswerError> {
    read::<NoQuery>(text).map(|_| String::new())
}

fn named(found: &Found) -> String {
    let Found { series, step, parts, attempts } = found;
    format!("{} {} {step} {} {attempts}", series.run, series.tag, parts.len())
}
