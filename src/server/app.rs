//! The state that all handlers share.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::{
    catalog_change::CatalogChange, health_text::HealthText, lists::Lists, metrics::Metrics,
    settings::Settings,
};
use crate::{
    answers::{differences::Differences, films::Films, numbers::Numbers, pictures::Pictures},
    catalog::Catalog,
    load::Loader,
};

/// Statistics, pairings of filters, and lists each get one part of this many of the cache memory.
const NUMBERS_SHARE: u64 = 16;

/// The state that all handlers share.
pub(super) struct AppState {
    pub(super) catalog: Catalog,
    pub(super) pictures: Arc<Pictures>,
    pub(super) numbers: Numbers,
    pub(super) differences: Differences,
    pub(super) lists: Arc<Lists>,
    pub(super) health: Arc<HealthText>,
    /// The newest change of the catalog, for all event streams.
    pub(super) latest_change: watch::Sender<Arc<CatalogChange>>,
    pub(super) settings: Settings,
    pub(super) metrics: Metrics,
    pub(super) films: Arc<Films>,
    /// Permits for event streams.
    pub(super) streams: Arc<Semaphore>,
    /// A random number of this process, so that no cache confuses pictures of this logdir with those of another.
    pub(super) instance: u64,
    /// Turns true when the program stops.
    pub(super) stopping: watch::Receiver<bool>,
}

impl AppState {
    /// The state for the loader's catalog. `instance` is a random number of this process; `stopping` turns true when the program stops.
    pub(super) fn new(
        loader: Loader,
        settings: Settings,
        instance: u64,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let catalog = loader.catalog.clone();
        let for_numbers = settings.cache_bytes / NUMBERS_SHARE;
        let pictures =
            Arc::new(Pictures::new(loader, settings.cache_bytes - 3 * for_numbers, settings.work_bytes));
        let latest_change = watch::Sender::new(Arc::new(CatalogChange::none(catalog.snapshot())));
        Self {
            catalog,
            films: Films::new(Arc::clone(&pictures)),
            streams: Arc::new(Semaphore::new(settings.limits.streams)),
            numbers: Numbers::new(Arc::clone(&pictures), for_numbers),
            differences: Differences::new(Arc::clone(&pictures), for_numbers),
            lists: Arc::new(Lists::new(for_numbers, instance)),
            health: Arc::default(),
            latest_change,
            pictures,
            settings,
            metrics: Metrics::default(),
            instance,
            stopping,
        }
    }
}
