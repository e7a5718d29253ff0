//! The messages to the ingest thread, and the thread as its owner sees it: running, failed, or to be stopped.

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
    catalog::{checker::finding::Finding, damage::BadValue, defect::catch_panic, graphs::GraphRead},
    watch::Change,
};

/// How long the owner waits for the thread to end.
const STOP_WITHIN: Duration = Duration::from_millis(50);
/// Messages that arrive this close together are handled as one change.
const MOST_MESSAGES_AT_ONCE: usize = 4_096;

/// Something that the ingest thread has to act on.
pub(super) enum Message {
    /// A hint that something changed in the logdir.
    Changed(Change),
    /// A reader found a damaged value.
    BadValue(BadValue),
    /// The background check found something.
    Checked(Finding),
    /// A graph was read.
    GraphRead(GraphRead),
    /// The program ends.
    Stop,
}

/// Where the messages arrive.
pub(super) struct Mailbox {
    messages: mpsc::Receiver<Message>,
}

impl Mailbox {
    /// An empty mailbox, and how to send to it.
    pub(super) fn new() -> (mpsc::Sender<Message>, Self) {
        let (sender, messages) = mpsc::channel();
        (sender, Self { messages })
    }

    /// Waits for a message until `deadline`, and takes those that arrived with it: none where none came in time. `None`
    /// where nobody can send any more.
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

/// The running ingest thread; dropping it stops the thread and waits for it, but not for long.
pub struct Running {
    messages: mpsc::Sender<Message>,
    stop: Arc<AtomicBool>,
    /// `None` while the thread runs, or the message of the panic by which it ended. Closed when it has ended.
    failure: channel::Receiver<Option<String>>,
    ended: mpsc::Receiver<()>,
}

impl Running {
    /// Starts the thread. `work` takes the messages until it gets [`Message::Stop`] or `stop` is set.
    ///
    /// # Errors
    /// When the system gives no thread.
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

    /// Why the thread has ended before it was asked to.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    /// Is ready when the thread has ended before it was asked to: nothing new would be seen any more.
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
        // A thread that has ended already takes no message.
        let _ = self.messages.send(Message::Stop);
        // The thread only reads: where a slow disk holds it up, it can be left running.
        let _ = self.ended.recv_timeout(STOP_WITHIN);
    }
}
