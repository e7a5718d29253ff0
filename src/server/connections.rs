//! Who is connected -> who must leave when there is no room for the next one.
//!
//! A connection is a stranger's until a request on it has been let in, then it is busy or idle. A connection that is busy
//! and gets on is never taken from its client.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::bounds::Bounds;
use crate::answers::client::Client;

/// A client that has taken no byte of an answer for so long loses its place to one that needs it.
const STALLED_FOR: Duration = Duration::from_secs(2);

/// All connections.
pub(super) struct Connections {
    bounds: Bounds,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    next: u64,
    members: HashMap<u64, Member>,
    /// Strangers, the oldest first.
    strangers: BTreeSet<u64>,
    /// By the order in which they became idle.
    idle: BTreeMap<u64, u64>,
}

struct Member {
    state: State,
    stall: Arc<Stall>,
    /// Dropped when the connection must leave.
    _stay: oneshot::Sender<()>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Stranger,
    Busy,
    /// With its key among the idle.
    Idle(u64),
}

/// Since when a client has taken nothing of what is there for it, and how much it has taken.
pub(super) struct Stall {
    began: Instant,
    /// Milliseconds since then, and one; 0 while it takes what comes.
    since: AtomicU64,
    /// Bytes.
    taken: AtomicU64,
}

impl Stall {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), since: AtomicU64::new(0), taken: AtomicU64::new(0) }
    }

    /// The client does not take what there is.
    pub(super) fn begin(&self) {
        self.since.store(self.began.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
    }

    /// The client took something.
    pub(super) fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }

    /// Counts bytes that it took.
    pub(super) fn took(&self, bytes: usize) {
        self.taken.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The bytes that it took so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(super) fn is_on(&self) -> bool {
        self.since.load(Ordering::Relaxed) != 0
    }

    /// How long it has taken nothing.
    pub(super) fn lasts(&self) -> Duration {
        match self.since.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => self.began.elapsed().saturating_sub(Duration::from_millis(since - 1)),
        }
    }
}

/// One connection, as long as it lives.
pub(super) struct Connected {
    id: u64,
    connections: Arc<Connections>,
    pub(super) stall: Arc<Stall>,
}

impl Connected {
    /// A request was let in.
    pub(super) fn work(&self) {
        self.connections.table().set(self.id, State::Busy);
    }

    /// An answer has gone out.
    pub(super) fn rest(&self) {
        self.connections.table().rest(self.id);
    }
}

impl Client for Connected {
    fn taken(&self) -> u64 {
        self.stall.taken()
    }

    fn stalls_for(&self) -> Duration {
        self.stall.lasts()
    }

    fn disconnect(&self) {
        self.connections.table().remove(self.id);
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.connections.table().remove(self.id);
    }
}

impl Connections {
    pub(super) fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self { bounds, table: Mutex::default() })
    }

    /// Takes a newcomer in, with what tells it to leave; another connection may have to. `None` when all are at work.
    pub(super) fn admit(self: &Arc<Self>) -> Option<(Connected, oneshot::Receiver<()>)> {
        let mut table = self.table();
        if table.strangers.len() >= self.bounds.strangers {
            table.dismiss_oldest_stranger();
        } else if table.members.len() >= self.bounds.connections && !table.make_room() {
            return None;
        }
        let (stay, must_leave) = oneshot::channel();
        let stall = Arc::new(Stall::new());
        let id = table.next();
        table.strangers.insert(id);
        table.members.insert(id, Member { state: State::Stranger, stall: Arc::clone(&stall), _stay: stay });
        drop(table);
        Some((Connected { id, connections: Arc::clone(self), stall }, must_leave))
    }

    /// Has one connection leave that does nothing, where there is one: its descriptor is needed.
    pub(super) fn make_room(&self) {
        self.table().make_room();
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Whether one had to leave: the one that has been idle longest, otherwise the oldest stranger, otherwise one that stalls.
    fn make_room(&mut self) -> bool {
        let idle = self.idle.first_key_value().map(|(_, id)| *id);
        match idle {
            Some(id) => self.remove(id),
            None if self.dismiss_oldest_stranger() => {}
            None => match self.longest_stalled() {
                Some(id) => self.remove(id),
                None => return false,
            },
        }
        true
    }

    fn dismiss_oldest_stranger(&mut self) -> bool {
        let oldest = self.strangers.first().copied();
        oldest.inspect(|id| self.remove(*id)).is_some()
    }

    fn longest_stalled(&self) -> Option<u64> {
        let stalls = self.members.iter().map(|(id, member)| (member.stall.lasts(), *id));
        stalls.max().filter(|(lasts, _)| *lasts >= STALLED_FOR).map(|(_, id)| id)
    }

    fn rest(&mut self, id: u64) {
        if self.members.get(&id).is_some_and(|member| member.state == State::Busy) {
            let key = self.next();
            self.set(id, State::Idle(key));
        }
    }

    /// Changes nothing of one that had to leave.
    fn set(&mut self, id: u64, state: State) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let before = std::mem::replace(&mut member.state, state);
        self.forget(id, before);
        if let State::Idle(key) = state {
            self.idle.insert(key, id);
        }
    }

    fn remove(&mut self, id: u64) {
        if let Some(member) = self.members.remove(&id) {
            self.forget(id, member.state);
        }
    }

    fn forget(&mut self, id: u64, state: State) {
        match state {
            State::Stranger => _ = self.strangers.remove(&id),
            State::Idle(key) => _ = self.idle.remove(&key),
            State::Busy => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Seat = (Connected, oneshot::Receiver<()>);

    fn connections() -> Arc<Connections> {
        Connections::new(Bounds { connections: 6, strangers: 3, streams: 3 })
    }

    fn had_to_leave(seat: &mut Seat) -> bool {
        seat.1.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    fn busy(connections: &Arc<Connections>) -> Seat {
        let seat = connections.admit().expect("there is room");
        seat.0.work();
        seat
    }

    #[test]
    fn strangers_only_take_the_places_of_strangers() {
        let connections = connections();
        let mut known = busy(&connections);
        known.0.rest();
        let mut strangers: Vec<Seat> = (0..5).filter_map(|_| connections.admit()).collect();
        let left: Vec<bool> = strangers.iter_mut().map(had_to_leave).collect();
        assert_eq!(left, [true, true, false, false, false]);
        assert!(!had_to_leave(&mut known));
    }

    #[test]
    fn the_one_that_was_idle_longest_leaves_first() {
        let connections = connections();
        let mut known: Vec<Seat> = (0..6).map(|_| busy(&connections)).collect();
        for seat in [3, 1, 3] {
            known[seat].0.work();
            known[seat].0.rest();
        }
        let newcomer = busy(&connections);
        let left: Vec<usize> = (0..6).filter(|seat| had_to_leave(&mut known[*seat])).collect();
        assert_eq!(left, [1]);
        drop(newcomer);
    }

    #[test]
    fn those_at_work_stay_and_the_newcomer_is_refused() {
        let connections = connections();
        let mut known: Vec<Seat> = (0..6).map(|_| busy(&connections)).collect();
        assert!(connections.admit().is_none());
        assert!(!known.iter_mut().any(had_to_leave));
        known.pop();
        assert!(connections.admit().is_some(), "a place that was left is free");
    }

    #[test]
    fn one_that_takes_nothing_gives_way() {
        let connections = connections();
        let mut known: Vec<Seat> = (0..6).map(|_| busy(&connections)).collect();
        let long_ago = Instant::now().checked_sub(STALLED_FOR).expect("the machine runs for longer");
        let stall = Arc::new(Stall { began: long_ago, since: AtomicU64::new(1), taken: AtomicU64::new(0) });
        connections.table().members.get_mut(&known[2].0.id).unwrap().stall = Arc::clone(&stall);
        stall.end();
        assert!(connections.admit().is_none(), "it takes what comes");
        stall.since.store(1, Ordering::Relaxed);
        assert!(connections.admit().is_some());
        assert!(had_to_leave(&mut known[2]));
    }
}
