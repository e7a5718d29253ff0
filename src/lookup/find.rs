//! The names and numbers in a request -> the tensor in the catalog, or an error that lists similar names.

use std::sync::Arc;

use super::{error::AnswerError, steps::Found};
use crate::{
    catalog::snapshot::{Run, Series, Snapshot},
    event::{picture::numbered, summary::ValueKind},
    types::{RunName, Step, Tag, printable::shown_as},
};

/// Which tensor a request names.
#[derive(Clone, Debug)]
pub(crate) struct TensorRequest {
    /// May be left out if only one run has the tag.
    pub(crate) run: Option<String>,
    pub(crate) tag: String,
    /// `None` means the latest step.
    pub(crate) step: Option<Step>,
    /// 0 is the newest attempt.
    pub(crate) attempt: usize,
}

const NEAR_NAMES: usize = 5;
const LIKE: f64 = 0.5;
/// Only the first characters of long names are compared.
const COMPARED_CHARS: usize = 120;
const COMPARED_NAMES: usize = 5_000;
/// Comparing two names costs the product of their lengths. This many pairs of characters take about 2 ms.
const COMPARED_PAIRS: usize = 1 << 20;

pub(crate) fn find(snapshot: &Snapshot, wanted: &TensorRequest) -> Result<Found, AnswerError> {
    let series = find_series(snapshot, wanted.run.as_deref(), &wanted.tag)?;
    let step = match wanted.step {
        Some(step) => step,
        None => series.step_range().ok_or_else(|| unknown_step(&series, 0))?.1,
    };
    let attempts = series.steps.get(&step).ok_or_else(|| unknown_step(&series, step))?;
    let count = attempts.count();
    let parts = attempts.attempt(wanted.attempt).ok_or_else(|| {
        let message = format!(
            "{} was logged {count} times: attempts 0 (the newest) to {} are there",
            series.axis.words(step),
            count - 1
        );
        AnswerError::Unknown { code: "unknown_attempt", message }
    })?;
    Ok(Found { series: Arc::clone(&series), step, parts, attempts: count })
}

pub(crate) fn find_series(
    snapshot: &Snapshot,
    run: Option<&str>,
    tag: &str,
) -> Result<Arc<Series>, AnswerError> {
    let Some(name) = run else {
        return only_series(snapshot, tag);
    };
    let (_, run) = find_run(snapshot, name)?;
    series_of(run, tag).cloned().ok_or_else(|| missing_tag(name, run, tag))
}

/// The series of a tag. The tag may also be written with the escapes with which it is printed. For the tag of a numbered
/// picture, the series of all pictures that were logged with it.
fn series_of<'a>(run: &'a Run, tag: &str) -> Option<&'a Arc<Series>> {
    let of_name = |tag: &str| run.series.get(tag).or_else(|| run.series.get(numbered(tag)?.0));
    of_name(tag).or_else(|| of_name(&shown_as(tag)?))
}

pub(crate) fn find_run<'a>(
    snapshot: &'a Snapshot,
    name: &str,
) -> Result<(&'a RunName, &'a Arc<Run>), AnswerError> {
    let runs = &snapshot.runs;
    let run = runs.get_key_value(name).or_else(|| runs.get_key_value(shown_as(name)?.as_str()));
    run.ok_or_else(|| {
        let near = near(name, snapshot.runs.keys().map(RunName::as_str));
        let message = format!(
            "there is no run {name:?}: {}",
            near.unwrap_or_else(|| "no run was found yet".to_owned())
        );
        AnswerError::Unknown { code: "unknown_run", message }
    })
}

fn only_series(snapshot: &Snapshot, tag: &str) -> Result<Arc<Series>, AnswerError> {
    let having = snapshot.runs.values().filter_map(|run| series_of(run, tag));
    // A run that is another run under a second name, by a link, has the same tensors.
    let is_again = |series: &Series| {
        let first = snapshot.first_name(&series.run).and_then(|first| snapshot.runs.get(first));
        first.is_some_and(|first| series_of(first, tag).is_some())
    };
    let having: Vec<&Arc<Series>> = having.filter(|series| !is_again(series)).take(NEAR_NAMES + 1).collect();
    match having.as_slice() {
        [series] => Ok(Arc::clone(series)),
        [] => {
            let tags = snapshot.runs.values().flat_map(|run| run.series.keys().map(Tag::as_str));
            let near = near(tag, tags).unwrap_or_else(|| "no tensor was found yet".to_owned());
            Err(AnswerError::Unknown {
                code: "unknown_tag",
                message: format!("no run has a tensor of tag {tag:?}: {near}"),
            })
        }
        several => {
            let runs: Vec<&str> = several.iter().take(NEAR_NAMES).map(|series| series.run.as_str()).collect();
            let message =
                format!("several runs have the tag {tag:?}: name one, as in run={}", runs.join(" or run="));
            Err(AnswerError::BadOption(message))
        }
    }
}

fn missing_tag(name: &str, run: &Run, tag: &str) -> AnswerError {
    if let Some(skipped) = run.skipped.get(tag) {
        let reason = skipped.kind.reason_not_drawn();
        let message = format!("the tag {tag:?} of run {name:?} cannot be shown: {reason}");
        return if skipped.kind == ValueKind::Text {
            AnswerError::Text(message)
        } else {
            AnswerError::NotDrawable(message)
        };
    }
    let near =
        near(tag, run.series.keys().map(Tag::as_str)).unwrap_or_else(|| "it holds no tensors".to_owned());
    AnswerError::Unknown {
        code: "unknown_tag",
        message: format!("run {name:?} has no tensor of tag {tag:?}: {near}"),
    }
}

fn unknown_step(series: &Series, step: Step) -> AnswerError {
    let near: Vec<String> =
        series.nearest_steps(step).into_iter().map(|near| series.axis.number(near)).collect();
    let near = if near.len() == 1 {
        format!("the nearest is {}", near[0])
    } else {
        format!("the nearest are {}", near.join(" and "))
    };
    let message = format!("{} of {:?} was not logged: {near}", series.axis.words(step), series.tag.as_str());
    AnswerError::Unknown { code: "unknown_step", message }
}

/// A phrase with the names that are most similar to the missing one; `None` if there are no names at all.
fn near<'a>(missing: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let start = |name: &str| name.chars().take(COMPARED_CHARS).collect::<String>().to_lowercase();
    let missing = start(missing);
    let mut pairs = 0;
    let mut likeness: Vec<(f64, &str)> = names
        .take(COMPARED_NAMES)
        .map(|name| (start(name), name))
        .take_while(|(start, _)| {
            let is_affordable = pairs <= COMPARED_PAIRS;
            pairs += missing.len() * start.len();
            is_affordable
        })
        .map(|(start, name)| {
            let holds = !missing.is_empty() && (start.contains(&missing) || missing.contains(&start));
            (strsim::normalized_levenshtein(&missing, &start).max(if holds { 0.9 } else { 0.0 }), name)
        })
        .collect();
    likeness.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    likeness.dedup_by_key(|(_, name)| *name);
    let (first, _) = likeness.split_first()?;
    let like = likeness.iter().take_while(|(likeness, _)| *likeness >= LIKE);
    let quoted = |names: &mut dyn Iterator<Item = &&(f64, &str)>| {
        names.take(NEAR_NAMES).map(|(_, name)| format!("{name:?}")).collect::<Vec<_>>().join(", ")
    };
    let like: Vec<&(f64, &str)> = like.collect();
    if like.is_empty() {
        return Some(format!("there is, for example, {:?}", first.1));
    }
    Some(format!("did you mean {}?", quoted(&mut like.iter())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_named() {
        let names = ["conv1/kernel", "conv2/kernel", "loss"];
        let check = |missing: &str, expected: Option<&str>| {
            assert_eq!(near(missing, names.into_iter()).as_deref(), expected, "{missing}");
        };
        check("conv1/kernal", Some("did you mean \"conv1/kernel\", \"conv2/kernel\"?"));
        check("CONV1", Some("did you mean \"conv1/kernel\"?"));
        check("zzzz", Some("there is, for example, \"conv1/kernel\""));
        assert_eq!(near("a", [].into_iter()), None);
    }

    #[test]
    fn long_names_are_compared_within_bounds() {
        let names: Vec<String> = (0..COMPARED_NAMES).map(|i| format!("{i:0>200}")).collect();
        let looked_at = std::cell::Cell::new(0);
        let counted = names.iter().map(|name| {
            looked_at.set(looked_at.get() + 1);
            name.as_str()
        });
        assert!(near(&"x".repeat(200), counted).is_some());
        assert!(
            looked_at.get() * COMPARED_CHARS * COMPARED_CHARS < 2 * COMPARED_PAIRS,
            "{}",
            looked_at.get()
        );
    }
}
