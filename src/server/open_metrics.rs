//! The state and the counters of the daemon -> OpenMetrics text.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::app::AppState;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabels {
    cache: &'static str,
}

pub(super) fn text(app: &AppState) -> String {
    let snapshot = app.catalog.snapshot();
    let mut registry = Registry::with_prefix("convscope");
    registry.register("answers", "Answers by path and status", app.metrics.answers.clone());
    registry.register("live_streams", "Open live streams", app.metrics.listeners.clone());
    let frames = Counter::<u64>::default();
    frames.inc_by(app.films.n_frames());
    registry.register("film_frames", "Frames made for films", frames);
    let decoded = Counter::<u64>::default();
    decoded.inc_by(app.films.n_decoded());
    registry.register("decoded_frames", "Frames of animated pictures that films decoded", decoded);
    let problems: u64 = snapshot.problems.iter().map(|problem| problem.count).sum();
    let series: usize = snapshot.runs.values().map(|run| run.series.len()).sum();
    let gauges = [
        ("films", "Films in progress", app.films.n_open()),
        ("files", "Event files that are watched", snapshot.scanned.files),
        ("checkpoints", "Checkpoints of kinds that are read", snapshot.scanned.checkpoints),
        (
            "scanned_bytes",
            "Bytes of complete records, including payloads that were skipped",
            snapshot.scanned.bytes,
        ),
        ("records", "Complete records", snapshot.scanned.records),
        ("runs", "Runs", snapshot.runs.len() as u64),
        ("series", "Tensors by run and tag", series as u64),
        ("problems", "Faults found in the files", problems),
        ("revision", "The revision of the catalog", snapshot.revision),
    ];
    for (name, help, value) in gauges {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    }
    let (bytes, hits, misses) = (
        Family::<CacheLabels, Gauge>::default(),
        Family::<CacheLabels, Counter>::default(),
        Family::<CacheLabels, Counter>::default(),
    );
    let caches = app.pictures.figures().into_iter().chain(app.numbers.figures());
    let others = [("pairings", app.differences.figures()), ("lists", app.lists.figures())];
    for (cache, (held, hit, missed)) in caches.chain(others) {
        bytes.get_or_create(&CacheLabels { cache }).set(i64::try_from(held).unwrap_or(i64::MAX));
        hits.get_or_create(&CacheLabels { cache }).inc_by(hit);
        misses.get_or_create(&CacheLabels { cache }).inc_by(missed);
    }
    registry.register("cache_bytes", "Bytes in the cache", bytes);
    registry.register("cache_hits", "Requests that found their value in the cache", hits);
    registry.register("cache_misses", "Requests that did not find their value in the cache", misses);
    let mut text = String::new();
    encode(&mut text, &registry).expect("a String takes any text");
    text
}
