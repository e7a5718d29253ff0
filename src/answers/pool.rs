//! Blocking work -> a bounded number of threads, with a bounded queue before them.
//!
//! Those who ask for the same picture at once wait for one who makes it. Long work, as a film is, comes in parts, each of which
//! waits for its turn; all long works together leave one thread to others. Lists and what is short have a thread each beside those of pictures.

use std::{sync::Arc, thread};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::spawn_blocking,
};

use crate::lookup::error::AnswerError;

const MOST_WAITING: usize = 512;

/// Where tensors are read and pictures are made.
pub(crate) struct Pool {
    threads: Arc<Semaphore>,
    queue: Semaphore,
    /// Held by the one whose work nobody may wait for.
    background: Semaphore,
    /// Those that long works may use.
    long_work: Semaphore,
    /// One thread beside the others.
    for_lists: Arc<Semaphore>,
    /// One more, for what nobody must wait for.
    for_short: Arc<Semaphore>,
}

/// The turn of a work, until it is dropped.
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

    /// Does the work on a thread of its own as soon as one is free.
    ///
    /// # Errors
    /// When the queue is full, and when the work panics, which is a defect of ours.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AnswerError> {
        let busy = || AnswerError::Busy("too much is asked for at once: try again in a second".to_owned());
        let _place = self.queue.try_acquire().map_err(|_| busy())?;
        run_on_thread(&self.threads, work).await
    }

    /// Waits for the turn to do work in the background: one at a time, after all requests that wait already, so that one thread
    /// at most is taken from them for as long as a piece of work takes.
    pub(crate) async fn background_permit(&self) -> WorkPermit<'_> {
        WorkPermit(self.background.acquire().await.expect("the semaphore is never closed"))
    }

    /// Waits for the turn of a part of a long work.
    pub(crate) async fn long_work_permit(&self) -> WorkPermit<'_> {
        WorkPermit(self.long_work.acquire().await.expect("the semaphore is never closed"))
    }

    /// Does work whose turn has come. Memory is entered for after the turn: what waits holds none.
    ///
    /// # Errors
    /// When the work panics, which is a defect of ours.
    pub(crate) async fn run_with<T: Send + 'static>(
        &self,
        _permit: WorkPermit<'_>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AnswerError> {
        run_on_thread(&self.threads, work).await
    }

    /// Makes a piece of a list: one after another, beside all pictures.
    ///
    /// # Errors
    /// When the work panics, which is a defect of ours.
    pub(crate) async fn run_list<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AnswerError> {
        run_on_thread(&self.for_lists, work).await
    }

    /// Does what takes some milliseconds at most and must wait for neither pictures nor lists.
    ///
    /// # Errors
    /// When the work panics, which is a defect of ours.
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
        // The permit goes with the work: a client that hangs up does not free the thread.
        let _permit = permit;
        work()
    });
    done.await.map_err(|error| {
        tracing::error!(%error, "work on a request failed");
        AnswerError::Internal("a defect of ConvScope: its log says more".to_owned())
    })
}
