//! SIGINT and SIGTERM -> a flag for work that goes on, and a wake-up for work that waits.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Context as _;
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    sync::Notify,
};

/// SIGINT and SIGTERM: what is under way ends whole.
pub(super) struct Stop {
    pub(super) flag: Arc<AtomicBool>,
    pub(super) bell: Arc<Notify>,
    pub(super) runtime: Runtime,
}

impl Stop {
    pub(super) fn listen() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("the system gives no threads")?;
        let (flag, bell) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let (mut interrupt, mut terminate) = {
            let _entered = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let (to_set, to_ring) = (Arc::clone(&flag), Arc::clone(&bell));
        runtime.spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            to_set.store(true, Ordering::Relaxed);
            to_ring.notify_one();
        });
        Ok(Self { flag, bell, runtime })
    }
}
