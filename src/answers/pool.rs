//! Blocking work -> a bounded number of threads, after a bounded queue.
//!
//! Long work, such as a film, is split into parts, and each part waits for its turn; all long work together leaves one thread free.
//! Lists have one more thread of their own, and so do short tasks.

use std::{sync::Arc, thread};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::spawn_blocking,
};

use crate::lookup::error::AnswerError;

const MOST_WAITING: usize = 512;

/// The threads on which tensors are read and pictures are drawn.
pub(crate) struct Pool {
    threads: Arc<Semaphore>,
    queue: Semaphore,
    /// For background work: one part at a time.
    background: Semaphore,
    /// For parts of long work: all threads but one.
    long_work: Semaphore,
    /// One more thread.
    for_lists: Arc<Semaphore>,
    /// One more thread, for tasks of a few milliseconds.
    for_short: Arc<Semaphore>,
}

/// Permission to run background work or a part of long work, until it is dropped.
pub(crate) struct WorkPermit<'a>(#[expect(dead_code, reason = "it is held")] SemaphorePermit<'a>);

impl Pool {
    pub(crate) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            threads: Arc::new(Semaphore::new(cores)),
            queue: Semaphore::new(MOST_WAITING),
            background: Semaphore::new(1),
            long_work: Semaphore::new((cores - 1).max(1)),
            for_lists: Arc::new(Semaphore::new(1)),
            for_short: Arc::new(Semaphore::new(1)),
        }
    }

    /// Runs the work as soon as a thread is free.
    ///
    /// # Errors
    /// When the queue is full, and when the work panics, which is a defect of ConvScope.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AnswerError> {
        let busy =
            || AnswerError::Busy("there are too many requests at once: try again in a second".to_owned());
        let _queued = self.queue.try_acquire().map_err(|_| busy())?;
        run_on_thread(&self.threads, work).await
    }

    /// Waits until a part of background work may run. Only one part runs at a time, so background work takes at most one thread from
    /// requests.
    pub(crate) async fn background_permit(&self) -> WorkPermit<'_> {
        WorkPermit(self.background.acquire().await.expect("the semaphore is never closed"))
    }

    /// Waits until a part of long work may run.
    pub(crate) async fn long_work_permit(&self) -> WorkPermit<'_> {
        WorkPermit(self.long_work.acquire().await.expect("the semaphore is never closed"))
    }

    /// Runs work that has its permit. Callers acquire memory after the permit, so that work in the queue holds no memory.
    ///
    /// # Errors
    /// When the work panics, which is a defect of ConvScope.
    pub(crate) async fn run_with<T: Send + 'static>(
        &self,
        _permit: WorkPermit<'_>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AnswerError> {
        run_on_thread(&self.threads, work).await
    }

    /// Makes a piece of a list. Pieces are made one after another and do not wait for pictures.
    ///
    /// # Errors
    /// When the work panics, which is a defect of ConvScope.
    pub(crate) async fn run_list<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AnswerError> {
        run_on_thread(&self.for_lists, work).await
    }

    /// Runs a task of a few milliseconds, which waits neither for pictures nor for lists.
    ///
    /// # Errors
    /// When the work panics, which is a defect of ConvScope.
    pub(crate) async fn run_short<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AnswerError> {
        run_on_thread(&self.for_short, work).await
    }
}

async fn run_on_thread<T: Send + 'static>(
    threads: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AnswerError> {
    let permit = Arc::clone(threads).acquire_owned().await.expect("the semaphore is never closed");
    let done = spawn_blocking(move || {
        // The permit moves into the work: the thread stays occupied even if the client disconnects.
        let _permit = permit;
        work()
    });
    done.await.map_err(|error| {
        tracing::error!(%error, "work on a request failed");
        AnswerError::Internal("this is a defect of ConvScope: the log of the program says more".to_owned())
    })
}
