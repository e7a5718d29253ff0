//! The messages to the ingest thread, and the handle by which its owner stops it or learns that it failed.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::watch as channel;

use crate::{
    catalog::{
        checker::finding::Finding, damage::BadValue, defect::catch_panic, graphs::GraphRead, shelf::ShelfNews,
    },
    watch::Change,
};

/// How long the owner waits for the thread to end.
const STOP_WITHIN: Duration = Duration::from_millis(50);
/// The most messages that are handled together, as one change.
const MOST_MESSAGES_AT_ONCE: usize = 4_096;

/// A message to the ingest thread.
pub(super) enum Message {
    /// A hint that something changed in the logdir.
    Changed(Change),
    /// A reader found a damaged value.
    BadValue(BadValue),
    /// The background check found something.
    Checked(Finding),
    /// A graph was read.
    GraphRead(GraphRead),
    /// Something changed on the shelf.
    Shelf(ShelfNews),
    /// The program ends.
    Stop,
}

/// Where the messages arrive.
pub(super) struct Mailbox {
    messages: mpsc::Receiver<Message>,
}

impl Mailbox {
    /// An empty mailbox, and its sender.
    pub(super) fn new() -> (mpsc::Sender<Message>, Self) {
        let (sender, messages) = mpsc::channel();
        (sender, Self { messages })
    }

    /// Waits for a message until `deadline`, and takes all that have arrived: none if none came in time. `None` if there is no sender
    /// any more.
    pub(super) fn wait_until(&self, deadline: Instant) -> Option<Vec<Message>> {
        match self.messages.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(first) => {
                let more = self.messages.try_iter().take(MOST_MESSAGES_AT_ONCE);
                Some(std::iter::once(first).chain(more).collect())
            }
            Err(mpsc::RecvTimeoutError::Timeout) => Some(Vec::new()),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
        }
    }
}

/// The running ingest thread. Dropping it stops the thread and waits a short time for its end.
pub struct Running {
    messages: mpsc::Sender<Message>,
    stop: Arc<AtomicBool>,
    /// The message of the panic that ended the thread; `None` before. The channel is closed when the thread has ended.
    failure: channel::Receiver<Option<String>>,
    ended: mpsc::Receiver<()>,
}

impl Running {
    /// Starts the thread. `work` handles messages until it receives [`Message::Stop`] or `stop` is set.
    ///
    /// # Errors
    /// If the system cannot start a thread.
    pub(super) fn start(
        messages: mpsc::Sender<Message>,
        stop: Arc<AtomicBool>,
        mut work: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        let (fail, failure) = channel::channel(None);
        let (end, ended) = mpsc::channel();
        let run = move || {
            if let Err(panic) = catch_panic(&mut work) {
                let message =
                    format!("the thread that follows the files failed, which is a defect of ours: {panic}");
                fail.send_replace(Some(message));
            }
            // The owner does not wait until the memory of the index has been freed.
            drop(end);
        };
        thread::Builder::new().name("ingest".into()).spawn(run)?;
        Ok(Self { messages, stop, failure, ended })
    }

    /// Why the thread ended before it was asked to.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    /// Is ready when the thread has ended before it was asked to, so that no change would be noticed any more.
    pub fn failed(&self) -> impl Future<Output = ()> + use<> {
        let mut failure = self.failure.clone();
        async move {
            if failure.wait_for(Option::is_some).await.is_err() {
                // It has ended as it was asked to.
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Sending fails only if the thread has already ended.
        let _ = self.messages.send(Message::Stop);
        // The thread only reads. If a slow disk delays it, it can be left running.
        let _ = self.ended.recv_timeout(STOP_WITHIN);
    }
}
