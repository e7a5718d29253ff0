//! How many bytes of memory a work needs -> when it may begin.
//!
//! A work enters before it reads anything and holds its bytes until it has drawn, so that many large ones come one after another.
//! They wait in order: a small one does not overtake a large one for ever, nor the other way round.
//!
//! Nothing else can read a tensor: `Pictures` asks for the held memory. A work that needs more than is shared runs alone; one that needs
//! more than there is, is refused with the sizes.

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
/// Works share this much, if there is so much. One that needs more has it for itself, and what is beyond too.
const SHARED: u64 = 1 << 30;
/// As for the range of a run: what a browser waits for is longer.
const WAIT: Duration = Duration::from_secs(20);
const MOST_WAITING: usize = 512;
/// Answers of at least this size are counted until they are sent.
const LARGE: u64 = 1 << 20;
/// They share this much, if works have so much. One that is larger is alone.
const SHARED_BY_ANSWERS: u64 = 128 << 20;
/// Who waits for a place looks this often for an answer that is taken too slowly.
const LOOKS_EVERY: Duration = Duration::from_millis(50);

/// What a work needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// Bytes of the tensor, or of the largest.
    pub(crate) tensor: u64,
    /// Bytes in all.
    pub(crate) bytes: u64,
    /// What to ask for in its place that needs less.
    pub(crate) smaller: Smaller,
}

/// What of the same tensor needs less memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Smaller {
    Channels,
    Frames,
}

impl Need {
    /// Checks that it is no more than `most` bytes.
    ///
    /// # Errors
    /// Otherwise: the sizes, and what to do.
    pub(crate) fn within(self, most: u64) -> Result<(), AnswerError> {
        if self.bytes <= most {
            return Ok(());
        }
        let advice = match self.smaller {
            _ if 2 * self.tensor >= most => "",
            Smaller::Channels => ", or ask for a picture of fewer channels, as in channels=0-15",
            Smaller::Frames => ", or ask for a picture of fewer frames, as in frames=1-16",
        };
        Err(AnswerError::NoMemory(format!(
            "this tensor takes {}, and what is asked of it needs about {} of memory, where the program may use {}: \
             give the program more memory (its cgroup's limit, ulimit -v){advice}",
            size(self.tensor),
            size(self.bytes),
            size(most),
        )))
    }
}

pub(crate) struct Gate {
    room: Room,
    /// For large answers until they are sent: who reads slowly holds up no work.
    answers: Room,
    /// Those that are being sent.
    sending: Arc<Sending>,
    most: u64,
    waiting: Semaphore,
    wait: Duration,
}

/// Memory that is shared.
struct Room {
    permits: Arc<Semaphore>,
    units: u32,
}

impl Room {
    fn new(bytes: u64) -> Self {
        let units = u32::try_from(bytes / UNIT).expect("1 GiB has few units").max(1);
        Self { permits: Arc::new(Semaphore::new(units as usize)), units }
    }
}

/// Memory that a work may use as long as this lives.
#[derive(Clone, Debug)]
pub(crate) struct Held(Arc<OwnedSemaphorePermit>);

impl Held {
    /// The work, which holds its memory even if nobody waits for it any more.
    pub(crate) fn during<T, W: FnOnce() -> T>(&self, work: W) -> impl FnOnce() -> T + use<T, W> {
        let held = Arc::clone(&self.0);
        move || {
            let _held = held;
            work()
        }
    }
}

/// How the clients of large answers take them.
#[derive(Default)]
struct Sending(Mutex<Vec<Weak<Pace>>>);

impl Sending {
    fn add(&self, pace: &Arc<Pace>) {
        let mut paces = self.paces();
        paces.retain(|pace| pace.strong_count() > 0);
        paces.push(Arc::downgrade(pace));
    }

    /// Closes the connection of a client that is too slow, where there is one.
    fn end_a_slow_one(&self) {
        let paces = self.paces();
        let slow = paces.iter().filter_map(Weak::upgrade).filter(|pace| pace.is_slow());
        if let Some(pace) = slow.min_by_key(|pace| pace.since()) {
            tracing::info!("a large answer was taken too slowly, and others wait");
            pace.dismiss();
        }
    }

    fn paces(&self) -> MutexGuard<'_, Vec<Weak<Pace>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A large answer, with the place that it has until it is sent.
struct Answer {
    bytes: Vec<u8>,
    _place: OwnedSemaphorePermit,
    _pace: Arc<Pace>,
}

impl AsRef<[u8]> for Answer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Where an answer may stay until it is sent; small ones need no place.
#[derive(Default)]
pub(crate) struct Place(Option<Taken>);

/// Where what an answer is made of may stay as long as it is made and sent, part after part.
pub(crate) struct Kept {
    place: Place,
    /// Of the client, while it takes a part.
    pace: Option<Arc<Pace>>,
}

impl Kept {
    /// A part is there for the client: one that takes it too slowly is ended where others wait.
    pub(crate) fn rest(&mut self) {
        self.pace = self.place.0.as_ref().map(|taken| {
            let pace = Arc::new(Pace::of(Arc::clone(&taken.client)));
            taken.sending.add(&pace);
            pace
        });
    }

    /// A part is being made, for which no client is to blame.
    pub(crate) fn work(&mut self) {
        self.pace = None;
    }
}

struct Taken {
    permit: OwnedSemaphorePermit,
    sending: Arc<Sending>,
    client: Arc<dyn Client>,
}

impl Place {
    /// The answer, which is there for its client from now on.
    pub(crate) fn hold(self, bytes: Vec<u8>) -> Bytes {
        let Some(Taken { permit, sending, client }) = self.0 else { return bytes.into() };
        let pace = Arc::new(Pace::of(client));
        sending.add(&pace);
        Bytes::from_owner(Answer { bytes, _place: permit, _pace: pace })
    }

    /// The place for as long as parts of an answer are made.
    pub(crate) fn keep(self) -> Kept {
        Kept { place: self, pace: None }
    }
}

impl Gate {
    /// Lets works through that need no more than `most` bytes.
    pub(crate) fn new(most: u64) -> Self {
        let [room, answers] = [SHARED, SHARED_BY_ANSWERS].map(|shared| Room::new(most.min(shared)));
        let (sending, waiting) = (Arc::default(), Semaphore::new(MOST_WAITING));
        Self { room, answers, sending, most, waiting, wait: WAIT }
    }

    /// Waits for the memory that a work needs.
    ///
    /// # Errors
    /// When it needs more than there ever is, when too many wait, and when it takes too long.
    pub(crate) async fn enter(&self, need: Need) -> Result<Held, AnswerError> {
        need.within(self.most)?;
        self.acquire(&self.room, need.bytes).await.map(|permit| Held(Arc::new(permit)))
    }

    /// Waits for a place for an answer of about so many bytes, which is to be had before the memory to make it. Meanwhile the
    /// connections of those who take theirs too slowly are closed.
    ///
    /// # Errors
    /// When too many wait, and when it takes too long.
    pub(crate) async fn place(&self, bytes: u64, client: Arc<dyn Client>) -> Result<Place, AnswerError> {
        if bytes < LARGE {
            return Ok(Place(None));
        }
        let mut acquiring = pin!(self.acquire(&self.answers, bytes));
        let permit = loop {
            tokio::select! {
                biased;
                permit = &mut acquiring => break permit?,
                () = sleep(LOOKS_EVERY) => self.sending.end_a_slow_one(),
            }
        };
        Ok(Place(Some(Taken { permit, sending: Arc::clone(&self.sending), client })))
    }

    async fn acquire(&self, room: &Room, bytes: u64) -> Result<OwnedSemaphorePermit, AnswerError> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, room.units);
        let room = &room.permits;
        if let Ok(permit) = Arc::clone(room).try_acquire_many_owned(units) {
            return Ok(permit);
        }
        let busy = || {
            AnswerError::Busy(format!(
                "what is asked for needs about {} of memory, which others use: try again in a moment",
                size(bytes)
            ))
        };
        let _turn = self.waiting.try_acquire().map_err(|_| busy())?;
        let acquired = timeout(self.wait, Arc::clone(room).acquire_many_owned(units)).await;
        Ok(acquired.map_err(|_| busy())?.expect("the semaphore is never closed"))
    }
}

/// Bytes as people read them.
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
        Need { tensor: bytes / 2, bytes, smaller: Smaller::Channels }
    }

    #[tokio::test]
    async fn works_that_fit_together_are_under_way_together() {
        let gate = Gate::new(100 * MIB);
        let first = gate.enter(need(60 * MIB)).await.unwrap();
        let second = gate.enter(need(40 * MIB)).now_or_never().unwrap().unwrap();
        assert!(gate.enter(need(1)).now_or_never().is_none());
        drop((first, second));
        gate.enter(need(100 * MIB)).await.unwrap();
    }

    #[tokio::test]
    async fn those_who_wait_come_in_order() {
        let gate = Gate::new(100 * MIB);
        let first = gate.enter(need(60 * MIB)).await.unwrap();
        let (mut large, mut small) = (Box::pin(gate.enter(need(80 * MIB))), Box::pin(gate.enter(need(MIB))));
        assert!((&mut large).now_or_never().is_none());
        assert!((&mut small).now_or_never().is_none(), "the large one was there before");
        drop(first);
        let _large = (&mut large).now_or_never().unwrap().unwrap();
        assert!((&mut small).now_or_never().is_some());
    }

    #[tokio::test]
    async fn one_that_needs_more_than_is_shared_has_it_for_itself() {
        let gate = Gate::new(4 << 30);
        let alone = gate.enter(need(3 << 30)).await.unwrap();
        assert!(gate.enter(need(1)).now_or_never().is_none());
        drop(alone);
        let small = gate.enter(need(1)).await.unwrap();
        assert!(gate.enter(need(3 << 30)).now_or_never().is_none());
        drop(small);
    }

    #[tokio::test]
    async fn what_never_fits_is_refused_with_the_sizes() {
        let gate = Gate::new(100 * MIB);
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
        let frames = Need { smaller: Smaller::Frames, ..channels };
        assert!(refusal(frames).ends_with("as in frames=1-16"), "{}", refusal(frames));
        assert!(refusal(need(600 * MIB)).ends_with("ulimit -v)"), "{}", refusal(need(600 * MIB)));
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_so() {
        let gate = Gate { wait: Duration::ZERO, ..Gate::new(100 * MIB) };
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
        let (gate, client) = (Gate::new(100 * MIB), client());
        let sent = gate.place(60 * MIB, Arc::clone(&client)).await.unwrap().hold(vec![7; 3]);
        assert_eq!(&*sent.clone(), [7; 3]);
        assert!(gate.place(60 * MIB, Arc::clone(&client)).now_or_never().is_none());
        assert!(gate.place(LARGE - 1, Arc::clone(&client)).now_or_never().is_some(), "small ones need none");
        assert!(gate.enter(need(100 * MIB)).now_or_never().is_some(), "works do not wait for answers");
        drop(sent);
        assert!(gate.place(100 * MIB, Arc::clone(&client)).now_or_never().is_some());
    }

    #[tokio::test]
    async fn what_an_answer_is_made_of_has_its_place_as_long_as_that_lasts() {
        let (gate, client) = (Gate::new(100 * MIB), client());
        let mut kept = gate.place(60 * MIB, Arc::clone(&client)).await.unwrap().keep();
        assert!(gate.place(60 * MIB, Arc::clone(&client)).now_or_never().is_none(), "it is there");
        let n_paces = |gate: &Gate| gate.sending.paces().iter().filter_map(Weak::upgrade).count();
        assert_eq!(n_paces(&gate), 0, "nobody is slow before there is a part");
        kept.rest();
        assert_eq!(n_paces(&gate), 1);
        kept.work();
        assert_eq!(n_paces(&gate), 0);
        drop(kept);
        assert!(gate.place(60 * MIB, client).now_or_never().is_some(), "it is gone");
    }

    #[tokio::test]
    async fn only_one_who_takes_an_answer_too_slowly_is_ended_for_others() {
        let [slow, quick] = [(); 2].map(|()| Arc::new(Scripted::default()));
        let sending = Sending::default();
        let long = Duration::from_secs(60);
        let paces =
            [Arc::clone(&quick), Arc::clone(&slow)].map(|client| Arc::new(Pace::of(client).aged(long)));
        for pace in &paces {
            sending.add(pace);
        }
        quick.take(1 << 30);
        sending.end_a_slow_one();
        assert_eq!((slow.is_dismissed(), quick.is_dismissed()), (true, false));
    }

    #[tokio::test]
    async fn a_work_that_nobody_waits_for_keeps_its_memory() {
        let gate = Gate::new(100 * MIB);
        let held = gate.enter(need(60 * MIB)).await.unwrap();
        let work = held.during(|| ());
        drop(held);
        assert!(gate.enter(need(60 * MIB)).now_or_never().is_none());
        work();
        assert!(gate.enter(need(60 * MIB)).now_or_never().is_some());
    }
}
