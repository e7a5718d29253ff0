//! Hints and sweeps -> new snapshots: the one thread that follows all files.
//!
//! A panic while a file, graph or payload is read affects only that one and becomes a problem. A panic of this thread ends the
//! program, which would otherwise show old steps as the newest ones. The maps of a snapshot are persistent (`imbl`), so an
//! appended step costs only the append.

mod checkpoints;
mod files;
mod index;
mod kept;
mod listing;
mod logdir;
mod mailbox;
mod missed;
mod offering;
mod owners;
mod publisher;
mod reading;
mod schedule;
mod stored;

use std::{
    collections::BTreeSet,
    io,
    ops::ControlFlow,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use rayon::prelude::*;
use tokio::sync::watch as channel;

pub use self::mailbox::Running;
use self::{
    checkpoints::Checkpoints,
    files::FollowedFiles,
    index::Index,
    kept::KeptSaves,
    logdir::Logdir,
    mailbox::{Mailbox, Message},
    offering::Offering,
    publisher::Publisher,
    schedule::{Schedule, SweepReasons},
};
use super::{
    Catalog,
    checked::{Checked, Progress},
    checker::finding::Finding,
    demand::Demand,
    follow::SETTLED_AFTER,
    graphs::read_or_report_panic,
    rules_files::RulesFiles,
    shelf::{KeptChange, ShelfNews, ShelfState},
    snapshot::Snapshot,
    watched::Watched,
};
use crate::{
    reader::shelf::KeptSave,
    source::{Source, stoppable::Stoppable},
    watch::{Change, Mode},
};

/// The default limit of a record's payload, in bytes.
pub const DEFAULT_MAX_PAYLOAD: u64 = 1 << 30;

/// Files that were not read for this time are closed.
const CLOSED_UNREAD_AFTER: Duration = Duration::from_secs(2);

/// What the user chose.
#[derive(Clone, Debug)]
pub struct Options {
    /// The longest payload in bytes; longer ones are treated as damage.
    pub max_payload: u64,
    /// Poll at this interval instead of using notifications.
    pub poll_every: Option<Duration>,
    /// A rules file in addition to the logdir's own.
    pub rules: Option<PathBuf>,
    /// What is on the shelf, in a command that reads once.
    pub kept: Vec<(PathBuf, Arc<KeptSave>)>,
    /// How the shelf is at first.
    pub shelf: ShelfState,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_payload: DEFAULT_MAX_PAYLOAD,
            poll_every: None,
            rules: None,
            kept: Vec::new(),
            shelf: ShelfState::default(),
        }
    }
}

/// Starts following everything in `source`.
///
/// # Errors
/// If the system cannot start a thread.
pub fn start(source: Arc<dyn Source>, options: Options) -> io::Result<(Catalog, Running)> {
    let (sender, mailbox) = Mailbox::new();
    let (readers, snapshots) = channel::channel(Arc::new(Snapshot::empty()));
    let stop = Arc::new(AtomicBool::new(false));
    let mut ingest = Ingest::new(source, options, Arc::clone(&stop), Some(readers));
    let demand = Arc::new(Demand::default());
    let checked = Arc::clone(ingest.checked());
    let Logdir { source, index, watched, .. } = &mut ingest.logdir;
    let graphs = sender.clone();
    let report = move |read| graphs.send(Message::GraphRead(read)).is_ok();
    index.graphs.start(Arc::clone(source), Arc::clone(&checked), report)?;
    let findings = sender.clone();
    let report = move |finding| findings.send(Message::Checked(finding)).is_ok();
    index.checker.start(Arc::clone(source), Arc::clone(&demand), report)?;
    let changes = sender.clone();
    watched.hints = Some(Arc::new(move |change| {
        // Sending fails only after the thread has ended.
        let _ = changes.send(Message::Changed(change));
    }));
    let bad_values = sender.clone();
    let report = move |bad| {
        // Sending fails only after the thread has ended.
        let _ = bad_values.send(Message::BadValue(bad));
    };
    let shelf = sender.clone();
    let tell = move |news| {
        // Sending fails only after the thread has ended.
        let _ = shelf.send(Message::Shelf(news));
    };
    let running = Running::start(sender, stop, move || ingest.run(&mailbox))?;
    let (report, tell_of_shelf) = (Arc::new(report), Arc::new(tell));
    Ok((Catalog { snapshots, checked, demand, report, tell_of_shelf }, running))
}

/// Reads everything in `source` once.
#[must_use]
pub fn index_once(source: Arc<dyn Source>, options: Options) -> Snapshot {
    let mut ingest = Ingest::new(source, options, Arc::default(), None);
    ingest.read_once();
    ingest.logdir.index.into_snapshot()
}

/// Reads everything in `source` once and compares each payload with its CRC. `report` is called with the progress.
#[must_use]
pub fn index_checked(
    source: Arc<dyn Source>,
    options: Options,
    report: &(dyn Fn(Progress) + Sync),
) -> (Snapshot, Progress) {
    let mut ingest = Ingest::new(source, options, Arc::default(), None);
    ingest.read_once();
    ingest.check_once(report);
    let progress = ingest.checked().progress();
    (ingest.logdir.index.into_snapshot(), progress)
}

/// The thread's state.
struct Ingest {
    logdir: Logdir,
    schedule: Schedule,
    /// Whether everything has been read to its end once since the logdir exists.
    is_read: bool,
}

impl Ingest {
    fn new(
        source: Arc<dyn Source>,
        options: Options,
        stop: Arc<AtomicBool>,
        readers: Option<channel::Sender<Arc<Snapshot>>>,
    ) -> Self {
        let Options { max_payload, poll_every, rules, kept, shelf } = options;
        let rules = RulesFiles::new(rules, source.root());
        let logdir = Logdir {
            watched: Watched::new(poll_every, Arc::clone(&stop)),
            files: FollowedFiles::new(max_payload),
            checkpoints: Checkpoints::default(),
            kept: KeptSaves::default(),
            offering: Offering::default(),
            index: Index::new(Publisher::new(readers), rules, max_payload, Arc::clone(&stop)),
            source: Arc::new(Stoppable::new(source, Arc::clone(&stop))),
            stop,
        };
        let mut ingest = Self { logdir, schedule: Schedule::new(Instant::now()), is_read: false };
        ingest.logdir.index.set_shelf(shelf);
        ingest.logdir.kept.take(KeptChange { added: kept, removed: Vec::new() });
        ingest
    }

    /// Which records are known to be intact.
    fn checked(&self) -> &Arc<Checked> {
        &self.logdir.index.checker.checked
    }

    fn read_once(&mut self) {
        self.look_at_rules();
        self.sweep();
        while self.logdir.files.has_unfinished() {
            self.logdir.read_on();
        }
        self.logdir.read_all_checkpoints();
        self.logdir.settle_kept();
        self.logdir.offer_if_due();
        for job in self.logdir.index.graphs.take() {
            let read = read_or_report_panic(&*self.logdir.source, self.checked(), job);
            self.logdir.index.graph_read(read);
        }
        self.logdir.index.conclude();
    }

    fn check_once(&mut self, report: &(dyn Fn(Progress) + Sync)) {
        let (source, checked) = (Arc::clone(&self.logdir.source), Arc::clone(self.checked()));
        let findings: Vec<Finding> = (self.logdir.index.checker.take().into_par_iter())
            .flat_map_iter(|work| work.check(&*source, &checked, report))
            .collect();
        for finding in findings {
            self.take_finding(finding);
        }
        self.logdir.index.drop_damaged();
    }

    /// Follows the logdir until the program stops.
    fn run(&mut self, mailbox: &Mailbox) {
        self.look_at_rules();
        self.sweep();
        self.note_loading();
        self.logdir.index.publish();
        while !self.logdir.is_stopped() {
            let Some(messages) = mailbox.wait_until(self.next_turn()) else { return };
            if !messages.is_empty() && self.handle(messages).is_break() {
                return;
            }
            self.tidy();
            if Instant::now() >= self.next_sweep() {
                self.sweep();
            }
            self.logdir.read_on();
            self.logdir.read_checkpoints();
            self.logdir.settle_kept();
            self.logdir.offer_if_due();
            self.look_at_rules();
            self.logdir.index.drop_damaged();
            self.note_loading();
            self.logdir.index.publish_if_changed();
        }
    }

    fn handle(&mut self, messages: Vec<Message>) -> ControlFlow<()> {
        let (mut named, mut removed) = (BTreeSet::new(), BTreeSet::new());
        for message in messages {
            match message {
                Message::Stop => return ControlFlow::Break(()),
                Message::BadValue(bad) => self.logdir.index.value_is_bad(&bad),
                Message::Checked(finding) => self.take_finding(finding),
                Message::GraphRead(read) => self.logdir.index.graph_read(read),
                Message::Shelf(ShelfNews::Change(change)) => self.logdir.take_kept(change),
                Message::Shelf(ShelfNews::State(state)) => self.logdir.index.set_shelf(state),
                Message::Changed(Change::Touched(path) | Change::Written(path)) => {
                    named.extend(self.logdir.watched.directory_links().of_place(&path));
                    named.insert(path);
                }
                Message::Changed(Change::Removed(path)) => {
                    removed.extend(self.logdir.watched.directory_links().of_place(&path));
                    removed.insert(path);
                }
                Message::Changed(Change::Rescan) => self.schedule.ask_for_sweep(),
            }
        }
        if self.logdir.look_at(&removed, named) {
            self.schedule.ask_for_sweep();
        }
        ControlFlow::Continue(())
    }

    fn take_finding(&mut self, finding: Finding) {
        let Logdir { files, index, .. } = &mut self.logdir;
        let is_failing = |path: &std::path::Path| files.unreadable().any(|failed| failed == path);
        if let Some(run) = index.checked(finding, is_failing) {
            self.logdir.read(Vec::new(), &BTreeSet::from([run]));
        }
    }

    fn look_at_rules(&mut self) {
        self.logdir.index.look_at_rules(&*self.logdir.source);
    }

    fn sweep(&mut self) {
        let begun = Instant::now();
        self.schedule.sweep_begins();
        if self.logdir.look_at_everything().is_ok() {
            self.schedule.sweep_ended(begun);
        }
    }

    fn next_sweep(&self) -> Instant {
        let pace = self.logdir.watched.sweep_every();
        let for_holes = if self.logdir.files.has_holes() { SETTLED_AFTER / 10 } else { Duration::MAX };
        let pace = pace.map(|pace| pace.min(for_holes));
        self.schedule.next_sweep(&SweepReasons { pace, next_retry: self.logdir.files.next_retry() })
    }

    /// Notices that the logdir was removed or replaced by another directory, for which there is no hint, and closes files that
    /// are not being read.
    fn tidy(&mut self) {
        if !self.schedule.begins_tidying() {
            return;
        }
        let source = &self.logdir.source;
        source.close_unused(CLOSED_UNREAD_AFTER);
        let known = self.logdir.watched.root();
        if known.is_some() && source.directory(source.root()).ok() != known {
            self.sweep();
        }
    }

    /// When there is something to do if no message arrives before.
    fn next_turn(&self) -> Instant {
        if self.logdir.files.has_unfinished() {
            return Instant::now();
        }
        let index = &self.logdir.index;
        let next = self.next_sweep().min(index.rules.next_look()).min(self.schedule.next_tidying());
        index.next_turn().into_iter().chain(self.logdir.checkpoints.next_turn()).fold(next, Instant::min)
    }

    /// Notes whether the logdir is missing or not yet read to its end. When it is read, the background check begins.
    fn note_loading(&mut self) {
        let index = &mut self.logdir.index;
        if index.snapshot().watch == Mode::Waiting {
            self.is_read = false;
        } else if !self.logdir.files.has_unfinished() && !self.logdir.checkpoints.has_due() && !self.is_read {
            self.is_read = true;
            index.checker.begin();
        }
        index.publisher.set_loading(!self.is_read);
    }
}

#[cfg(test)]
mod tests;
