//! How many bytes of memory a task needs -> when it may start.
//!
//! A task acquires a permit for its memory before it reads anything, and keeps it until it has drawn, so many large tasks run one after
//! another. They wait in order of arrival, so neither small nor large tasks starve.
//!
//! Reading a tensor requires such a permit: `Pictures` takes it as an argument. A task that needs more than the shared memory runs alone;
//! a task that needs more than all memory is refused, with the sizes.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

use super::{client::Client, pace::Pace};
use crate::lookup::error::AnswerError;

/// Bytes are counted in units of this size.
const UNIT: u64 = 64 << 10;
/// Tasks share this much memory, or all if there is less. A task that needs more runs alone.
const SHARED: u64 = 1 << 30;
/// How long a task waits for memory. Browsers wait longer.
const WAIT: Duration = Duration::from_secs(20);
const MOST_WAITING: usize = 512;
/// Answers of at least this size need a permit until they are sent.
const LARGE: u64 = 1 << 20;
/// They share this much memory, or as much as tasks may use if that is less. A larger answer is sent alone.
const SHARED_BY_ANSWERS: u64 = 128 << 20;
/// While an answer waits for its permit, slow clients are looked for at this interval.
const LOOKS_EVERY: Duration = Duration::from_millis(50);

/// The memory that a task needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// Bytes of the tensor; of several tensors, those of the largest.
    pub(crate) tensor: u64,
    /// All bytes.
    pub(crate) bytes: u64,
    /// What a user can request instead, which needs less memory.
    pub(crate) advice: Advice,
}

/// What of the same tensor needs less memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advice {
    FewerChannels,
    FewerFrames,
}

impl Need {
    /// Checks that the task needs at most `most` bytes.
    ///
    /// # Errors
    /// If it needs more: the sizes, and what to do.
    pub(crate) fn within(self, most: u64) -> Result<(), AnswerError> {
        if self.bytes <= most {
            return Ok(());
        }
        let advice = match self.advice {
            _ if 2 * self.tensor >= most => "",
            Advice::FewerChannels => ", or ask for a picture of fewer channels, as in channels=0-15",
            Advice::FewerFrames => ", or ask for a picture of fewer frames, as in frames=1-16",
        };
        Err(AnswerError::NoMemory(format!(
            "this tensor takes {}, and the request needs about {} of memory, but the program may use only {}: \
             give the program more memory (its cgroup's limit, ulimit -v){advice}",
            size(self.tensor),
            size(self.bytes),
            size(most),
        )))
    }
}

pub(crate) struct MemoryGate {
    budget: ByteSemaphore,
    /// For large answers until they are sent. It is separate, so that slow clients do not delay tasks.
    answers: ByteSemaphore,
    /// Large answers that are being sent.
    in_flight: Arc<AnswersInFlight>,
    most: u64,
    waiting: Semaphore,
    wait: Duration,
}

/// A semaphore that counts bytes, in units of [`UNIT`].
struct ByteSemaphore {
    permits: Arc<Semaphore>,
    units: u32,
}

impl ByteSemaphore {
    fn new(bytes: u64) -> Self {
        let units = u32::try_from(bytes / UNIT).expect("1 GiB has few units").max(1);
        Self { permits: Arc::new(Semaphore::new(units as usize)), units }
    }
}

/// Permission to use memory, until this value and its clones are dropped.
#[derive(Clone, Debug)]
pub(crate) struct MemoryPermit(Arc<OwnedSemaphorePermit>);

impl MemoryPermit {
    /// Wraps the work so that it holds this permit until it ends, even if its caller no longer waits for it.
    pub(crate) fn during<T, W: FnOnce() -> T>(&self, work: W) -> impl FnOnce() -> T + use<T, W> {
        let held = Arc::clone(&self.0);
        move || {
            let _held = held;
            work()
        }
    }
}

/// The paces at which clients read large answers.
#[derive(Default)]
struct AnswersInFlight(Mutex<Vec<Weak<Pace>>>);

impl AnswersInFlight {
    fn add(&self, pace: &Arc<Pace>) {
        let mut paces = self.paces();
        paces.retain(|pace| pace.strong_count() > 0);
        paces.push(Arc::downgrade(pace));
    }

    /// Closes the connection of the client that has been slow for longest, if one is too slow.
    fn disconnect_slowest(&self) {
        let paces = self.paces();
        let slow = paces.iter().filter_map(Weak::upgrade).filter(|pace| pace.is_slow());
        if let Some(pace) = slow.min_by_key(|pace| pace.since()) {
            tracing::info!(
                "the client reads a large answer too slowly while other answers wait: its connection is closed"
            );
            pace.disconnect();
        }
    }

    fn paces(&self) -> MutexGuard<'_, Vec<Weak<Pace>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of a large answer, with the permit that they hold until they are sent.
struct AnswerBuffer {
    bytes: Vec<u8>,
    _permit: OwnedSemaphorePermit,
    _pace: Arc<Pace>,
}

impl AsRef<[u8]> for AnswerBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Permission to keep an answer in memory until it is sent; small answers need none.
#[derive(Default)]
pub(crate) struct AnswerPermit(Option<LargeAnswerPermit>);

/// Permission to keep the data from which an answer is made and sent part by part.
pub(crate) struct StreamedAnswerPermit {
    answer_permit: AnswerPermit,
    /// The pace of the client while it reads a part.
    pace: Option<Arc<Pace>>,
}

impl StreamedAnswerPermit {
    /// Starts to measure the client's pace, as a part is ready for it. If it is too slow and other answers wait, it is disconnected.
    pub(crate) fn start_pace(&mut self) {
        self.pace = self.answer_permit.0.as_ref().map(|permit| {
            let pace = Arc::new(Pace::of(Arc::clone(&permit.client)));
            permit.in_flight.add(&pace);
            pace
        });
    }

    /// Stops to measure the client's pace, as the next part is being made.
    pub(crate) fn stop_pace(&mut self) {
        self.pace = None;
    }
}

struct LargeAnswerPermit {
    permit: OwnedSemaphorePermit,
    in_flight: Arc<AnswersInFlight>,
    client: Arc<dyn Client>,
}

impl AnswerPermit {
    /// The answer with its permit. Its client may read it from now on.
    pub(crate) fn attach_to(self, bytes: Vec<u8>) -> Bytes {
        let Some(LargeAnswerPermit { permit, in_flight, client }) = self.0 else { return bytes.into() };
        let pace = Arc::new(Pace::of(client));
        in_flight.add(&pace);
        Bytes::from_owner(AnswerBuffer { bytes, _permit: permit, _pace: pace })
    }

    /// The permit for an answer that is made and sent part by part.
    pub(crate) fn for_stream(self) -> StreamedAnswerPermit {
        StreamedAnswerPermit { answer_permit: self, pace: None }
    }
}

impl MemoryGate {
    /// Admits tasks that need at most `most` bytes.
    pub(crate) fn new(most: u64) -> Self {
        let [budget, answers] =
            [SHARED, SHARED_BY_ANSWERS].map(|shared| ByteSemaphore::new(most.min(shared)));
        let (in_flight, waiting) = (Arc::default(), Semaphore::new(MOST_WAITING));
        Self { budget, answers, in_flight, most, waiting, wait: WAIT }
    }

    /// Waits for the memory that a task needs.
    ///
    /// # Errors
    /// When it needs more memory than the program may use, when too many tasks wait, and when the wait takes too long.
    pub(crate) async fn enter(&self, need: Need) -> Result<MemoryPermit, AnswerError> {
        need.within(self.most)?;
        self.acquire(&self.budget, need.bytes).await.map(|permit| MemoryPermit(Arc::new(permit)))
    }

    /// Waits for the permit to keep an answer of about this many bytes. It must be acquired before the memory for making the answer.
    /// Meanwhile the connections of clients that read large answers too slowly are closed.
    ///
    /// # Errors
    /// When too many answers wait, and when the wait takes too long.
    pub(crate) async fn answer_permit(
        &self,
        bytes: u64,
        client: Arc<dyn Client>,
    ) -> Result<AnswerPermit, AnswerError> {
        if bytes < LARGE {
            return Ok(AnswerPermit(None));
        }
        let mut acquiring = pin!(self.acquire(&self.answers, bytes));
        let permit = loop {
            tokio::select! {
                biased;
                permit = &mut acquiring => break permit?,
                () = sleep(LOOKS_EVERY) => self.in_flight.disconnect_slowest(),
            }
        };
        Ok(AnswerPermit(Some(LargeAnswerPermit { permit, in_flight: Arc::clone(&self.in_flight), client })))
    }

    async fn acquire(&self, budget: &ByteSemaphore, bytes: u64) -> Result<OwnedSemaphorePermit, AnswerError> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, budget.units);
        let budget = &budget.permits;
        if let Ok(permit) = Arc::clone(budget).try_acquire_many_owned(units) {
            return Ok(permit);
        }
        let busy = || {
            AnswerError::Busy(format!(
                "the request needs about {} of memory, which other requests use now: try again in a moment",
                size(bytes)
            ))
        };
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        let acquired = timeout(self.wait, Arc::clone(budget).acquire_many_owned(units)).await;
        Ok(acquired.map_err(|_| busy())?.expect("the semaphore is never closed"))
    }
}

/// A number of bytes as text, in MiB or KiB.
fn size(bytes: u64) -> String {
    if bytes >= 10 << 20 {
        format!("{} MiB", bytes >> 20)
    } else {
        format!("{} KiB", bytes.div_ceil(1 << 10))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::answers::client::tests::Scripted;

    const MIB: u64 = 1 << 20;

    fn need(bytes: u64) -> Need {
        Need { tensor: bytes / 2, bytes, advice: Advice::FewerChannels }
    }

    #[tokio::test]
    async fn works_that_fit_together_are_under_way_together() {
        let gate = MemoryGate::new(100 * MIB);
        let first = gate.enter(need(60 * MIB)).await.unwrap();
        let second = gate.enter(need(40 * MIB)).now_or_never().unwrap().unwrap();
        assert!(gate.enter(need(1)).now_or_never().is_none());
        drop((first, second));
        gate.enter(need(100 * MIB)).await.unwrap();
    }

    #[tokio::test]
    async fn those_who_wait_come_in_order() {
        let gate = MemoryGate::new(100 * MIB);
        let first = gate.enter(need(60 * MIB)).await.unwrap();
        let (mut large, mut small) = (Box::pin(gate.enter(need(80 * MIB))), Box::pin(gate.enter(need(MIB))));
        assert!((&mut large).now_or_never().is_none());
        assert!((&mut small).now_or_never().is_none(), "the large one came first");
        drop(first);
        let _large = (&mut large).now_or_never().unwrap().unwrap();
        assert!((&mut small).now_or_never().is_some());
    }

    #[tokio::test]
    async fn one_that_needs_more_than_is_shared_has_it_for_itself() {
        let gate = MemoryGate::new(4 << 30);
        let alone = gate.enter(need(3 << 30)).await.unwrap();
        assert!(gate.enter(need(1)).now_or_never().is_none());
        drop(alone);
        let small = gate.enter(need(1)).await.unwrap();
        assert!(gate.enter(need(3 << 30)).now_or_never().is_none());
        drop(small);
    }

    #[tokio::test]
    async fn what_never_fits_is_refused_with_the_sizes() {
        let gate = MemoryGate::new(100 * MIB);
        let Err(AnswerError::NoMemory(message)) = gate.enter(need(600 * MIB)).await else {
            panic!("it fits")
        };
        for size in ["300 MiB", "600 MiB", "100 MiB"] {
            assert!(message.contains(size), "{message}");
        }
    }

    #[test]
    fn where_the_tensor_itself_fits_the_refusal_names_what_needs_less() {
        let refusal = |need: Need| need.within(100 * MIB).unwrap_err().to_string();
        let channels = Need { tensor: 10 * MIB, ..need(600 * MIB) };
        assert!(refusal(channels).ends_with("as in channels=0-15"), "{}", refusal(channels));
        let frames = Need { advice: Advice::FewerFrames, ..channels };
        assert!(refusal(frames).ends_with("as in frames=1-16"), "{}", refusal(frames));
        assert!(refusal(need(600 * MIB)).ends_with("ulimit -v)"), "{}", refusal(need(600 * MIB)));
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_so() {
        let gate = MemoryGate { wait: Duration::ZERO, ..MemoryGate::new(100 * MIB) };
        let _first = gate.enter(need(60 * MIB)).await.unwrap();
        let Err(AnswerError::Busy(message)) = gate.enter(need(50 * MIB)).await else {
            panic!("there is room")
        };
        assert!(message.contains("50 MiB"), "{message}");
    }

    fn client() -> Arc<dyn Client> {
        Arc::new(Scripted::default())
    }

    #[tokio::test]
    async fn a_large_answer_has_its_place_until_it_is_sent() {
        let (gate, client) = (MemoryGate::new(100 * MIB), client());
        let sent = gate.answer_permit(60 * MIB, Arc::clone(&client)).await.unwrap().attach_to(vec![7; 3]);
        assert_eq!(&*sent.clone(), [7; 3]);
        assert!(gate.answer_permit(60 * MIB, Arc::clone(&client)).now_or_never().is_none());
        assert!(
            gate.answer_permit(LARGE - 1, Arc::clone(&client)).now_or_never().is_some(),
            "small ones need none"
        );
        assert!(gate.enter(need(100 * MIB)).now_or_never().is_some(), "tasks do not wait for answers");
        drop(sent);
        assert!(gate.answer_permit(100 * MIB, Arc::clone(&client)).now_or_never().is_some());
    }

    #[tokio::test]
    async fn what_an_answer_is_made_of_has_its_place_as_long_as_that_lasts() {
        let (gate, client) = (MemoryGate::new(100 * MIB), client());
        let mut permit = gate.answer_permit(60 * MIB, Arc::clone(&client)).await.unwrap().for_stream();
        assert!(gate.answer_permit(60 * MIB, Arc::clone(&client)).now_or_never().is_none(), "it is there");
        let n_paces = |gate: &MemoryGate| gate.in_flight.paces().iter().filter_map(Weak::upgrade).count();
        assert_eq!(n_paces(&gate), 0, "no part is ready yet");
        permit.start_pace();
        assert_eq!(n_paces(&gate), 1);
        permit.stop_pace();
        assert_eq!(n_paces(&gate), 0);
        drop(permit);
        assert!(gate.answer_permit(60 * MIB, client).now_or_never().is_some(), "it is gone");
    }

    #[tokio::test]
    async fn only_one_who_takes_an_answer_too_slowly_is_ended_for_others() {
        let [slow, quick] = [(); 2].map(|()| Arc::new(Scripted::default()));
        let in_flight = AnswersInFlight::default();
        let long = Duration::from_secs(60);
        let paces =
            [Arc::clone(&quick), Arc::clone(&slow)].map(|client| Arc::new(Pace::of(client).aged(long)));
        for pace in &paces {
            in_flight.add(pace);
        }
        quick.take(1 << 30);
        in_flight.disconnect_slowest();
        assert_eq!((slow.is_disconnected(), quick.is_disconnected()), (true, false));
    }

    #[tokio::test]
    async fn a_work_that_nobody_waits_for_keeps_its_memory() {
        let gate = MemoryGate::new(100 * MIB);
        let held = gate.enter(need(60 * MIB)).await.unwrap();
        let work = held.during(|| ());
        drop(held);
        assert!(gate.enter(need(60 * MIB)).now_or_never().is_none());
        work();
        assert!(gate.enter(need(60 * MIB)).now_or_never().is_some());
    }
}
