//! The open connections -> which one is closed when there is no room for a new one.
//!
//! A connection is pending until a request on it has been accepted; then it is busy or idle. A busy connection whose client reads its
//! answer is never closed for another.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::limits::ConnectionLimits;
use crate::answers::client::Client;

/// If a client has read no byte of its answer for this long, its connection may be closed for a new one.
const STALLED_FOR: Duration = Duration::from_secs(2);

/// All connections.
pub(super) struct Connections {
    limits: ConnectionLimits,
    table: Mutex<ConnectionTable>,
}

#[derive(Default)]
struct ConnectionTable {
    next: u64,
    entries: HashMap<u64, ConnectionEntry>,
    /// Ids of pending connections, the oldest first.
    pending: BTreeSet<u64>,
    /// Ids of idle connections, in the order in which they became idle.
    idle: BTreeMap<u64, u64>,
}

struct ConnectionEntry {
    state: State,
    progress: Arc<ClientProgress>,
    /// Dropped when the connection must be closed.
    _keep_open: oneshot::Sender<()>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Pending,
    Busy,
    /// With its key in `idle`.
    Idle(u64),
}

/// How much a client has read, and since when it has read nothing although bytes are ready.
pub(super) struct ClientProgress {
    began: Instant,
    /// When the client stopped reading: milliseconds since `began`, plus 1; 0 while it reads.
    since: AtomicU64,
    /// Bytes.
    taken: AtomicU64,
}

impl ClientProgress {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), since: AtomicU64::new(0), taken: AtomicU64::new(0) }
    }

    /// Bytes are ready, and the client does not read them.
    pub(super) fn stalled(&self) {
        self.since.store(self.began.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
    }

    /// The client reads again.
    pub(super) fn resumed(&self) {
        self.since.store(0, Ordering::Relaxed);
    }

    /// Counts bytes that the client has read.
    pub(super) fn took(&self, bytes: usize) {
        self.taken.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// How many bytes the client has read so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(super) fn is_stalled(&self) -> bool {
        self.since.load(Ordering::Relaxed) != 0
    }

    /// For how long the client has read nothing although bytes are ready.
    pub(super) fn stalled_for(&self) -> Duration {
        match self.since.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => self.began.elapsed().saturating_sub(Duration::from_millis(since - 1)),
        }
    }
}

/// One open connection; dropping the handle removes it.
pub(super) struct ConnectionHandle {
    id: u64,
    connections: Arc<Connections>,
    pub(super) progress: Arc<ClientProgress>,
}

impl ConnectionHandle {
    /// A request was accepted.
    pub(super) fn set_busy(&self) {
        self.connections.table().set(self.id, State::Busy);
    }

    /// An answer has been sent.
    pub(super) fn set_idle(&self) {
        self.connections.table().set_idle(self.id);
    }
}

impl Client for ConnectionHandle {
    fn taken(&self) -> u64 {
        self.progress.taken()
    }

    fn stalls_for(&self) -> Duration {
        self.progress.stalled_for()
    }

    fn disconnect(&self) {
        self.connections.table().remove(self.id);
    }
}

impl Drop for ConnectionHandle {
    fn drop(&mut self) {
        self.connections.table().remove(self.id);
    }
}

impl Connections {
    pub(super) fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self { limits, table: Mutex::default() })
    }

    /// Admits a new connection, and closes another one if there is no room. The receiver is closed when the new connection must be
    /// closed. `None` if all connections are busy.
    pub(super) fn admit(self: &Arc<Self>) -> Option<(ConnectionHandle, oneshot::Receiver<()>)> {
        let mut table = self.table();
        if table.pending.len() >= self.limits.pending {
            table.close_oldest_pending();
        } else if table.entries.len() >= self.limits.connections && !table.close_one() {
            return None;
        }
        let (keep_open, must_close) = oneshot::channel();
        let progress = Arc::new(ClientProgress::new());
        let id = table.next();
        table.pending.insert(id);
        table.entries.insert(
            id,
            ConnectionEntry { state: State::Pending, progress: Arc::clone(&progress), _keep_open: keep_open },
        );
        drop(table);
        Some((ConnectionHandle { id, connections: Arc::clone(self), progress }, must_close))
    }

    /// Closes one connection that is not in use, if there is one, because its descriptor is needed.
    pub(super) fn close_one(&self) {
        self.table().close_one();
    }

    fn table(&self) -> MutexGuard<'_, ConnectionTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionTable {
    fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Closes the connection that has been idle longest, otherwise the oldest pending one, otherwise the one that has stalled longest.
    /// Returns whether there was one.
    fn close_one(&mut self) -> bool {
        let idle = self.idle.first_key_value().map(|(_, id)| *id);
        match idle {
            Some(id) => self.remove(id),
            None if self.close_oldest_pending() => {}
            None => match self.longest_stalled() {
                Some(id) => self.remove(id),
                None => return false,
            },
        }
        true
    }

    fn close_oldest_pending(&mut self) -> bool {
        let oldest = self.pending.first().copied();
        oldest.inspect(|id| self.remove(*id)).is_some()
    }

    fn longest_stalled(&self) -> Option<u64> {
        let stalls = self.entries.iter().map(|(id, entry)| (entry.progress.stalled_for(), *id));
        stalls.max().filter(|(stalled_for, _)| *stalled_for >= STALLED_FOR).map(|(_, id)| id)
    }

    fn set_idle(&mut self, id: u64) {
        if self.entries.get(&id).is_some_and(|entry| entry.state == State::Busy) {
            let key = self.next();
            self.set(id, State::Idle(key));
        }
    }

    /// Does nothing if the connection has been closed.
    fn set(&mut self, id: u64, state: State) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let before = std::mem::replace(&mut entry.state, state);
        self.forget(id, before);
        if let State::Idle(key) = state {
            self.idle.insert(key, id);
        }
    }

    fn remove(&mut self, id: u64) {
        if let Some(entry) = self.entries.remove(&id) {
            self.forget(id, entry.state);
        }
    }

    fn forget(&mut self, id: u64, state: State) {
        match state {
            State::Pending => _ = self.pending.remove(&id),
            State::Idle(key) => _ = self.idle.remove(&key),
            State::Busy => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Admitted = (ConnectionHandle, oneshot::Receiver<()>);

    fn connections() -> Arc<Connections> {
        Connections::new(ConnectionLimits { connections: 6, pending: 3, streams: 3 })
    }

    fn had_to_close(admitted: &mut Admitted) -> bool {
        admitted.1.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    fn busy(connections: &Arc<Connections>) -> Admitted {
        let admitted = connections.admit().expect("there is room");
        admitted.0.set_busy();
        admitted
    }

    #[test]
    fn pending_connections_only_replace_pending_ones() {
        let connections = connections();
        let mut known = busy(&connections);
        known.0.set_idle();
        let mut pending: Vec<Admitted> = (0..5).filter_map(|_| connections.admit()).collect();
        let left: Vec<bool> = pending.iter_mut().map(had_to_close).collect();
        assert_eq!(left, [true, true, false, false, false]);
        assert!(!had_to_close(&mut known));
    }

    #[test]
    fn the_connection_that_was_idle_longest_is_closed_first() {
        let connections = connections();
        let mut known: Vec<Admitted> = (0..6).map(|_| busy(&connections)).collect();
        for admitted in [3, 1, 3] {
            known[admitted].0.set_busy();
            known[admitted].0.set_idle();
        }
        let newcomer = busy(&connections);
        let left: Vec<usize> = (0..6).filter(|admitted| had_to_close(&mut known[*admitted])).collect();
        assert_eq!(left, [1]);
        drop(newcomer);
    }

    #[test]
    fn busy_connections_stay_and_a_new_one_is_refused() {
        let connections = connections();
        let mut known: Vec<Admitted> = (0..6).map(|_| busy(&connections)).collect();
        assert!(connections.admit().is_none());
        assert!(!known.iter_mut().any(had_to_close));
        known.pop();
        assert!(connections.admit().is_some(), "a connection was closed");
    }

    #[test]
    fn a_connection_whose_client_reads_nothing_is_closed() {
        let connections = connections();
        let mut known: Vec<Admitted> = (0..6).map(|_| busy(&connections)).collect();
        let long_ago = Instant::now().checked_sub(STALLED_FOR).expect("the machine runs for longer");
        let progress =
            Arc::new(ClientProgress { began: long_ago, since: AtomicU64::new(1), taken: AtomicU64::new(0) });
        connections.table().entries.get_mut(&known[2].0.id).unwrap().progress = Arc::clone(&progress);
        progress.resumed();
        assert!(connections.admit().is_none(), "the client reads");
        progress.since.store(1, Ordering::Relaxed);
        assert!(connections.admit().is_some());
        assert!(had_to_close(&mut known[2]));
    }
}
