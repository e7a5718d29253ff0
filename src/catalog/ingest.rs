//! Hints and sweeps -> new snapshots: the one thread that knows every file.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rayon::prelude::*;
use tokio::sync::watch as channel;

use super::{
    Catalog,
    backoff::Backoff,
    batch::{Batch, FoundFault, payload_fault},
    checked::Progress,
    checker::{Checker, finding::Finding},
    damage::{BadValue, Damage, DamagedRecord, without_records, without_value},
    defect::contained,
    demand::Demand,
    facts::{Concluding, Haste, add_network},
    follow::Followed,
    graphs::{GraphError, Job, Jobs, Learned, learn_contained},
    health::{Fault, Health, Problem},
    merge::{Limits, merge},
    ruled::Ruled,
    snapshot::{FileId, Snapshot},
    watched::Watched,
};
use crate::{
    source::{
        FileStat, Listing, Source, at_and_below, checkpoint::MOST_CHECKPOINTS, is_event_file_name,
        stoppable::Stoppable,
    },
    types::RunName,
    watch::{Change, Mode},
};

/// The default cap for a record's payload in bytes.
pub const DEFAULT_MAX_PAYLOAD: u64 = 1 << 30;

/// Holes that nobody fills for so long are damage.
pub const SETTLED_AFTER: Duration = Duration::from_secs(30);
/// So long the end of the ingest thread is waited for.
const STOP_WITHIN: Duration = Duration::from_millis(50);
/// After so long another file gets its turn, and who waits for this thread an answer.
const TURN: Duration = Duration::from_millis(100);
/// A run that is read anew is shown when it is whole, or after so long.
const TURN_OF_BROKEN_RUNS: Duration = Duration::from_secs(2);
const PUBLISH_EVERY: Duration = Duration::from_millis(50);
const MISSING_LOGDIR_PACE: Duration = Duration::from_millis(500);
/// How often it is looked whether the logdir is still the same directory, and what nobody reads is closed.
const TIDY_EVERY: Duration = Duration::from_secs(1);
const CLOSED_UNREAD_AFTER: Duration = Duration::from_secs(2);
/// A sweep that a hint asks for waits for so many times as long as the last one took.
const PAUSE_FOR_A_HINT: u32 = 4;
/// Changes that come this close together are handled as one.
const MOST_CHANGES_AT_ONCE: usize = 4_096;

/// What the user chose.
#[derive(Clone, Debug)]
pub struct Options {
    /// Longer payloads are taken for damage, in bytes.
    pub max_payload: u64,
    /// Poll at this pace instead of asking for notifications.
    pub poll_every: Option<Duration>,
    /// A rules file, beside the logdir's own.
    pub rules: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_payload: DEFAULT_MAX_PAYLOAD, poll_every: None, rules: None }
    }
}

/// A reason for the ingest thread to do something.
pub enum Wake {
    /// A hint that something changed.
    Change(Change),
    /// A reader met damage.
    Bad(BadValue),
    /// The background check met something.
    Checked(Finding),
    /// A graph was read.
    Learned(Learned),
    /// The program ends.
    Stop,
}

/// The running ingest thread; dropping it stops the thread and waits for it, but not for long.
pub struct Running {
    wake: mpsc::Sender<Wake>,
    stop: Arc<AtomicBool>,
    /// `None` while it runs, its last words if it has ended unasked. Closed when it has ended.
    failure: channel::Receiver<Option<String>>,
    ended: mpsc::Receiver<()>,
}

impl Running {
    /// Why the thread has ended although nobody asked it to.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    /// Is ready when the thread has ended although nobody asked it to: nothing new would be seen any more.
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
        let _ = self.wake.send(Wake::Stop);
        // It only reads: one that a slow disk holds up can be left behind.
        let _ = self.ended.recv_timeout(STOP_WITHIN);
    }
}

/// Starts following everything in `source`.
///
/// # Errors
/// When the system gives no thread.
pub fn start(source: Arc<dyn Source>, options: Options) -> io::Result<(Catalog, Running)> {
    let (wake, wakes) = mpsc::channel();
    let (publish, snapshots) = channel::channel(Arc::new(Snapshot::empty()));
    let stop = Arc::new(AtomicBool::new(false));
    let mut ingest = Ingest::new(source, options, Arc::clone(&stop), Some(publish));
    let demand = Arc::new(Demand::default());
    let checked = Arc::clone(&ingest.checker.checked);
    let graphs = wake.clone();
    let report = move |learned| graphs.send(Wake::Learned(learned)).is_ok();
    ingest.graphs.start(Arc::clone(&ingest.source), Arc::clone(&checked), report)?;
    let findings = wake.clone();
    let report = move |finding| findings.send(Wake::Checked(finding)).is_ok();
    ingest.checker.start(Arc::clone(&ingest.source), Arc::clone(&demand), report)?;
    let changes = wake.clone();
    ingest.watched.hints = Some(Arc::new(move |change| {
        // The receiver is gone only when the thread has ended.
        let _ = changes.send(Wake::Change(change));
    }));
    let (fail, failure) = channel::channel(None);
    let (end, ended) = mpsc::channel();
    let run = move || {
        if let Err(panic) = contained(|| ingest.run(&wakes)) {
            fail.send_replace(Some(format!("the thread that follows the files met a defect: {panic}")));
        }
        drop(end);
    };
    thread::Builder::new().name("ingest".into()).spawn(run)?;
    let bad_values = wake.clone();
    let report = move |bad| {
        // An ingest thread that has ended needs no report.
        let _ = bad_values.send(Wake::Bad(bad));
    };
    let catalog = Catalog { snapshots, checked, demand, report: Arc::new(report) };
    Ok((catalog, Running { wake, stop, failure, ended }))
}

/// Reads everything in `source` once.
#[must_use]
pub fn index_once(source: Arc<dyn Source>, options: Options) -> Snapshot {
    let mut ingest = Ingest::new(source, options, Arc::default(), None);
    ingest.read_once();
    ingest.at_the_end()
}

/// Reads everything in `source` once and compares every payload with its CRC; `tell` hears how far that has come.
#[must_use]
pub fn index_checked(
    source: Arc<dyn Source>,
    options: Options,
    tell: &(dyn Fn(Progress) + Sync),
) -> (Snapshot, Progress) {
    let mut ingest = Ingest::new(source, options, Arc::default(), None);
    ingest.read_once();
    ingest.check_once(tell);
    let progress = ingest.checker.checked.progress();
    (ingest.at_the_end(), progress)
}

struct Ingest {
    source: Arc<dyn Source>,
    options: Options,
    stop: Arc<AtomicBool>,
    publish: Option<channel::Sender<Arc<Snapshot>>>,
    watched: Watched,
    files: BTreeMap<PathBuf, Followed>,
    backoff: Backoff,
    ruled: Ruled,
    graphs: Jobs,
    checker: Checker,
    damage: Damage,
    /// Files that the check cannot read.
    unreadable: BTreeSet<FileId>,
    /// Files of which more can be read at once.
    unfinished: BTreeSet<PathBuf>,
    /// Whether everything has been read to its end once since the logdir was there.
    is_read: bool,
    concluding: Concluding,
    next_file_id: u32,
    snapshot: Snapshot,
    health: Health,
    published: Instant,
    last_sweep: (Instant, Duration),
    /// A hint asks for a look at everything.
    wants_sweep: bool,
    tidied: Instant,
    /// Followed files that wait at a hole.
    at_holes: BTreeSet<PathBuf>,
}

impl Ingest {
    fn new(
        source: Arc<dyn Source>,
        options: Options,
        stop: Arc<AtomicBool>,
        publish: Option<channel::Sender<Arc<Snapshot>>>,
    ) -> Self {
        let now = Instant::now();
        Self {
            watched: Watched::new(options.poll_every, Arc::clone(&stop)),
            ruled: Ruled::new(options.rules.clone(), source.root()),
            graphs: Jobs::new(),
            checker: Checker::new(),
            damage: Damage::new(),
            unreadable: BTreeSet::new(),
            unfinished: BTreeSet::new(),
            is_read: false,
            concluding: Concluding::new(Arc::clone(&stop)),
            source: Arc::new(Stoppable::new(source, Arc::clone(&stop))),
            options,
            stop,
            publish,
            files: BTreeMap::new(),
            backoff: Backoff::default(),
            next_file_id: 0,
            snapshot: Snapshot::empty(),
            health: Health::default(),
            published: now,
            last_sweep: (now, Duration::ZERO),
            wants_sweep: false,
            tidied: now,
            at_holes: BTreeSet::new(),
        }
    }

    fn read_once(&mut self) {
        self.look_at_rules();
        self.sweep();
        while !self.unfinished.is_empty() {
            self.read_on();
        }
        for job in self.graphs.take() {
            let learned = learn_contained(&*self.source, &self.checker.checked, job);
            self.learn(learned);
        }
        self.conclude();
    }

    fn check_once(&mut self, tell: &(dyn Fn(Progress) + Sync)) {
        let (source, checked) = (Arc::clone(&self.source), Arc::clone(&self.checker.checked));
        let findings: Vec<Finding> = (self.checker.take().into_par_iter())
            .flat_map_iter(|work| work.check(&*source, &checked, tell))
            .collect();
        for finding in findings {
            self.take_finding(finding);
        }
        self.drop_damaged();
    }

    fn at_the_end(mut self) -> Snapshot {
        self.snapshot.loading = false;
        self.snapshot.problems = Arc::new(self.health.problems());
        self.snapshot
    }

    fn run(&mut self, wakes: &mpsc::Receiver<Wake>) {
        self.look_at_rules();
        self.sweep();
        self.snapshot.loading = self.is_loading();
        self.publish();
        while !self.is_stopped() {
            let next = self.next_turn();
            match wakes.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(first) => {
                    let more = wakes.try_iter().take(MOST_CHANGES_AT_ONCE);
                    if self.handle(std::iter::once(first).chain(more).collect()).is_break() {
                        return;
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
            self.tidy();
            if Instant::now() >= self.next_sweep() {
                self.sweep();
            }
            self.read_on();
            self.look_at_rules();
            self.drop_damaged();
            self.snapshot.loading = self.is_loading();
            self.publish_if_changed();
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn handle(&mut self, wakes: Vec<Wake>) -> std::ops::ControlFlow<()> {
        let (mut touched, mut removed) = (BTreeSet::new(), BTreeSet::new());
        for wake in wakes {
            match wake {
                Wake::Stop => return std::ops::ControlFlow::Break(()),
                Wake::Bad(bad) => self.drop_value(&bad),
                Wake::Checked(finding) => self.take_finding(finding),
                Wake::Learned(learned) => self.learn(learned),
                Wake::Change(Change::Touched(path) | Change::Written(path)) => {
                    touched.extend(self.watched.second_names().of_place(&path));
                    touched.insert(path);
                }
                Wake::Change(Change::Removed(path)) => {
                    removed.extend(self.watched.second_names().of_place(&path));
                    removed.insert(path);
                }
                Wake::Change(Change::Rescan) => self.wants_sweep = true,
            }
        }
        self.look_at(&removed, touched);
        std::ops::ControlFlow::Continue(())
    }

    fn next_sweep(&self) -> Instant {
        let (done, took) = self.last_sweep;
        if self.wants_sweep {
            return done + took * PAUSE_FOR_A_HINT;
        }
        let Some(pace) = self.watched.sweep_every() else { return done + MISSING_LOGDIR_PACE };
        let pace = if self.at_holes.is_empty() { pace } else { pace.min(SETTLED_AFTER / 10) };
        // A sweep of a huge logdir must not become the only thing that is done.
        let next = done + pace.max(took * 20);
        self.backoff.next().map_or(next, |retry| retry.min(next))
    }

    /// Notices that the logdir was taken away or is another directory now, which nothing tells, and closes what nobody reads.
    fn tidy(&mut self) {
        if self.tidied.elapsed() < TIDY_EVERY {
            return;
        }
        self.tidied = Instant::now();
        self.source.close_unused(CLOSED_UNREAD_AFTER);
        let known = self.watched.root();
        if known.is_some() && self.source.directory(self.source.root()).ok() != known {
            self.sweep();
        }
    }

    /// When there is something to do, should nobody wake this thread before.
    fn next_turn(&self) -> Instant {
        if !self.unfinished.is_empty() {
            return Instant::now();
        }
        let next = self.next_sweep().min(self.ruled.next_look()).min(self.tidied + TIDY_EVERY);
        let others = [self.damage.due(), self.concluding.next_turn()];
        others.into_iter().flatten().fold(next, Instant::min)
    }

    /// Whether the logdir is not there, or was not read to its end yet.
    fn is_loading(&mut self) -> bool {
        if self.snapshot.watch == Mode::Waiting {
            self.is_read = false;
        } else if self.unfinished.is_empty() && !self.is_read {
            self.is_read = true;
            self.checker.begin();
        }
        !self.is_read
    }

    /// Gives each file that was not read to its end another turn.
    fn read_on(&mut self) {
        let unfinished = std::mem::take(&mut self.unfinished);
        if !unfinished.is_empty() {
            self.read(unfinished.into_iter().collect(), &BTreeSet::new());
        }
    }

    /// Looks at everything: lists the logdir, follows what is new, forgets what is gone, reads what grew.
    fn sweep(&mut self) {
        let begun = Instant::now();
        self.wants_sweep = false;
        let root = self.source.root().to_owned();
        if self.watched.root().is_none() && self.publish.is_some() {
            self.show_own_first(&root);
        }
        match self.list_and_watch() {
            Ok(stats) => self.compare(stats),
            Err(_) if self.is_stopped() => return,
            Err(error) => self.lose_root(&root, &error),
        }
        self.last_sweep = (Instant::now(), begun.elapsed());
    }

    /// Reads and shows what lies in a new logdir itself, before many directories are watched and links are followed, which may
    /// take long.
    fn show_own_first(&mut self, root: &Path) {
        // What is wrong the walk that follows will tell.
        let Ok(listing) = self.source.list_below(root, &self.stop) else { return };
        if listing.files.is_empty() {
            return;
        }
        self.watched.begin(root, listing.root);
        self.snapshot.watch.clone_from(self.watched.mode());
        self.health.retain(|problem| problem.fault != Fault::LogdirMissing);
        self.compare(listing.files);
        self.publish();
        let _ = self.watched.watch_new(&listing.dirs);
    }

    fn list_and_watch(&mut self) -> io::Result<Vec<FileStat>> {
        let before = self.watched.root();
        let listing = self.watched.list(&*self.source)?;
        if before.is_some_and(|before| before != listing.root) {
            self.forget_everything();
        }
        self.snapshot.watch.clone_from(self.watched.mode());
        self.health.retain(|problem| problem.fault != Fault::LogdirMissing);
        self.forget_listing_troubles(&listing);
        self.note_listing_troubles(&listing);
        self.note_exported(listing.exported.into_iter().map(|file| file.path).collect());
        let checkpoints = self.checkpoint_names(&listing.checkpoints);
        self.note_checkpoints(checkpoints);
        self.note_second_names();
        Ok(listing.files)
    }

    fn note_second_names(&mut self) {
        let root = self.source.root();
        let name = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
        let links = self.watched.second_names().links().iter();
        let links: BTreeMap<String, String> = links.map(|(link, first)| (name(link), name(first))).collect();
        if *self.snapshot.second_names != links {
            self.touch();
            self.snapshot.second_names = links.into();
        }
    }

    fn note_exported(&mut self, exported: Vec<PathBuf>) {
        if *self.snapshot.exported != *exported {
            self.touch();
            self.snapshot.exported = exported.into();
        }
    }

    fn checkpoint_names(&self, paths: &BTreeSet<PathBuf>) -> BTreeSet<String> {
        let root = self.source.root();
        let paths = paths.iter().map(|path| path.strip_prefix(root).unwrap_or(path));
        paths.map(|path| path.display().to_string()).collect()
    }

    fn note_checkpoints(&mut self, checkpoints: BTreeSet<String>) {
        if !self.snapshot.checkpoints.iter().eq(&checkpoints) {
            self.touch();
            self.snapshot.checkpoints = checkpoints.into_iter().take(MOST_CHECKPOINTS).collect();
        }
    }

    /// Forgets the troubles of earlier walks that are not in the newest.
    fn forget_listing_troubles(&mut self, listing: &Listing) {
        let told = listing.troubles.iter().chain(&listing.left_out);
        let told: BTreeSet<String> = told.map(|(path, _)| path.display().to_string()).collect();
        let unchecked = self.unreadable.iter().filter_map(|id| self.snapshot.files.get(id));
        let failed = self.backoff.paths().chain(unchecked.map(|path| path.as_path()));
        let failed: BTreeSet<String> = failed.map(file_name).collect();
        self.health.retain(|problem| match problem.fault {
            Fault::LeftOut | Fault::Unreadable if problem.is_of_logdir() => told.contains(&problem.file),
            Fault::Unreadable => failed.contains(&problem.file),
            _ => true,
        });
    }

    fn note_listing_troubles(&mut self, listing: &Listing) {
        let mut note = |fault, path: &Path, message| {
            let (run, file) = (RunName::from("."), path.display().to_string());
            self.health.set(Problem { run, file, offset: 0, fault, message, count: 1 });
        };
        for (path, reason) in &listing.troubles {
            note(Fault::Unreadable, path, format!("cannot be read: {reason}"));
        }
        for (path, reason) in &listing.left_out {
            note(Fault::LeftOut, path, reason.clone());
        }
    }

    fn lose_root(&mut self, root: &Path, error: &io::Error) {
        let message = if error.kind() == io::ErrorKind::NotFound {
            format!("{} does not exist yet: waiting for it", root.display())
        } else {
            format!("{} cannot be read: {error}", root.display())
        };
        self.lose_watch();
        self.forget_everything();
        self.snapshot.watch = Mode::Waiting;
        self.set_logdir_problem(Fault::LogdirMissing, message);
    }

    fn lose_watch(&mut self) {
        if self.watched.lose() {
            tracing::warn!(logdir = %self.source.root().display(), "the logdir is gone");
        }
    }

    /// Forgets all that was read, because the logdir is gone or another directory has its name.
    fn forget_everything(&mut self) {
        if !self.files.is_empty() || !self.snapshot.runs.is_empty() {
            self.touch();
        }
        self.source.close(self.source.root());
        for file in std::mem::take(&mut self.files).into_values() {
            self.forget_id(file.id);
        }
        self.at_holes.clear();
        self.unfinished.clear();
        self.backoff.clear();
        self.snapshot.runs = imbl::OrdMap::new();
        self.concluding.forget_all();
        self.snapshot.files = imbl::OrdMap::new();
        self.snapshot.scanned = super::snapshot::Scanned::default();
        self.health.retain(|_| false);
        self.note_exported(Vec::new());
        self.note_checkpoints(BTreeSet::new());
        self.note_second_names();
    }

    fn set_logdir_problem(&mut self, fault: Fault, message: String) {
        let problem =
            Problem { run: RunName::from("."), file: String::new(), offset: 0, fault, message, count: 1 };
        self.health.set(problem);
    }

    /// Says that there is no event file, as long as that is so.
    fn note_emptiness(&mut self) {
        if !self.files.is_empty() {
            self.health.retain(|problem| problem.fault != Fault::NoEventFiles);
            return;
        }
        let root = self.source.root().display();
        let mut message =
            format!("no event file lies below {root}: looked for names that contain \"tfevents\"");
        if !self.snapshot.exported.is_empty() {
            message += "; those that convscope export wrote are never read back: name the logdir that they were made from";
        }
        self.set_logdir_problem(Fault::NoEventFiles, message);
    }

    /// Brings what is followed in line with all the files that are there.
    fn compare(&mut self, stats: Vec<FileStat>) {
        let there: BTreeSet<&Path> = stats.iter().map(|stat| stat.path.as_path()).collect();
        let gone: Vec<PathBuf> =
            self.files.keys().filter(|path| !there.contains(path.as_path())).cloned().collect();
        let mut news = News::default();
        for path in gone {
            news.broken_runs.extend(self.forget_file(&path));
        }
        for stat in stats {
            self.meet(stat, &mut news);
        }
        self.read_news(news);
    }

    fn read_news(&mut self, news: News) {
        self.read(news.grown, &news.broken_runs);
        self.note_emptiness();
    }

    /// Looks at the places that hints named. What is neither followed nor watched costs a look into a map.
    fn look_at(&mut self, removed: &BTreeSet<PathBuf>, mut touched: BTreeSet<PathBuf>) {
        let mut news = News::default();
        for path in removed {
            if self.forget_below(path, &mut news) {
                // Something else may have the name by now.
                touched.insert(path.clone());
            }
        }
        // What is new has its first name before any other.
        let (others, firsts): (Vec<PathBuf>, Vec<PathBuf>) =
            touched.into_iter().partition(|path| self.watched.second_names().first_of(path).is_some());
        for path in firsts.iter().chain(&others) {
            if self.is_stopped() {
                return;
            }
            self.look_at_one(path, &mut news);
        }
        if news.is_any {
            self.read_news(news);
        }
    }

    fn look_at_one(&mut self, path: &Path, news: &mut News) {
        match self.source.stat(path) {
            Ok(stat) => self.meet(stat, news),
            Err(error) if error.kind() == io::ErrorKind::NotFound => drop(self.forget_below(path, news)),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => self.look_at_directory(path, news),
            // Other files are none of ours.
            Err(_) => {}
        }
    }

    fn look_at_directory(&mut self, dir: &Path, news: &mut News) {
        let Ok(identity) = self.source.directory(dir) else { return };
        if self.watched.knows(dir, identity) {
            return;
        }
        if let Some(first) = self.watched.second_names().first_of(dir) {
            // A walk from the root lists what is new below the first name under this one as well.
            let has_files = |dir: &Path| at_and_below(&self.files, dir).next().is_some();
            let leads_elsewhere = self.source.directory(&first).ok() != Some(identity);
            self.wants_sweep |= leads_elsewhere || (has_files(&first) && !has_files(dir));
            return;
        }
        // Under this name another one was watched.
        self.forget_below(dir, news);
        match self.watched.list_below(&*self.source, dir) {
            Ok(listing) => {
                // What was told of it before may be true no more.
                self.forget_told_below(dir);
                self.take_part(listing, news);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let troubles = vec![(dir.to_owned(), error.to_string())];
                self.note_listing_troubles(&Listing { troubles, ..Listing::default() });
            }
        }
    }

    /// Follows what a walk through a new directory found.
    fn take_part(&mut self, listing: Listing, news: &mut News) {
        self.watched.add_second_names(&listing.second_names);
        if !listing.second_names.is_empty() {
            self.note_second_names();
        }
        // A new link to runs gives them another name; one to a checkpoint, as trainings renew them, is nothing to us.
        let leads_to_runs = |first: &PathBuf| at_and_below(&self.files, first).next().is_some();
        self.wants_sweep |= listing.leads_out || listing.second_names.values().any(leads_to_runs);
        self.note_listing_troubles(&listing);
        if !listing.exported.is_empty() {
            let new = listing.exported.into_iter().map(|file| file.path);
            let exported: BTreeSet<PathBuf> = self.snapshot.exported.iter().cloned().chain(new).collect();
            self.note_exported(exported.into_iter().collect());
        }
        if !listing.checkpoints.is_empty() {
            let known = self.snapshot.checkpoints.iter().cloned();
            let checkpoints = known.chain(self.checkpoint_names(&listing.checkpoints)).collect();
            self.note_checkpoints(checkpoints);
        }
        self.snapshot.watch.clone_from(self.watched.mode());
        for stat in listing.files {
            self.meet(stat, news);
        }
    }

    /// Forgets what was followed and watched at `path` and below. Gives whether there was anything.
    fn forget_below(&mut self, path: &Path, news: &mut News) -> bool {
        if self.source.root().starts_with(path) {
            // What is made under its name is another directory, even if it gets the same number.
            self.lose_watch();
            self.forget_everything();
            self.wants_sweep = true;
            return false;
        }
        let files: Vec<PathBuf> = at_and_below(&self.files, path).map(|(file, _)| file.clone()).collect();
        for file in &files {
            news.broken_runs.extend(self.forget_file(file));
        }
        let was_watched = self.watched.forget_below(path);
        self.wants_sweep |= was_watched && self.watched.has_other_names();
        news.is_any |= was_watched || !files.is_empty();
        if was_watched || is_event_file(path) {
            self.forget_told_below(path);
        }
        was_watched || !files.is_empty()
    }

    /// Forgets exports and troubles at `path` and below.
    fn forget_told_below(&mut self, path: &Path) {
        if self.snapshot.exported.iter().any(|file| file.starts_with(path)) {
            let rest = self.snapshot.exported.iter().filter(|file| !file.starts_with(path));
            self.note_exported(rest.cloned().collect());
        }
        self.health.retain(|problem| {
            !matches!(problem.fault, Fault::Unreadable | Fault::LeftOut)
                || !Path::new(&problem.file).starts_with(path)
        });
    }

    /// Decides what the state of a file asks for: nothing, reading on, or reading its run anew.
    fn meet(&mut self, stat: FileStat, news: &mut News) {
        news.is_any = true;
        let Some(known) = self.files.get_mut(&stat.path) else {
            let id = new_file_id(&mut self.next_file_id);
            self.snapshot.files.insert(id, Arc::new(stat.path.clone()));
            self.snapshot.scanned.files += 1;
            news.grown.push(stat.path.clone());
            self.files.insert(stat.path.clone(), Followed::new(id, stat, self.options.max_payload));
            return;
        };
        let replaced = known.stat.identity != stat.identity || stat.len < known.stat.len;
        let retry = self.backoff.is_due(&stat.path, Instant::now());
        let is_written_over = !replaced && stat.len == known.stat.len && stat.mtime_ns != known.stat.mtime_ns;
        let changed = known.stat != stat || (known.waits_at_hole && is_settled(&stat)) || retry;
        if replaced {
            news.broken_runs.insert(stat.run.clone());
        } else if changed {
            news.grown.push(stat.path.clone());
        }
        if is_written_over {
            self.checker.doubt(known.id, &stat);
        }
        known.stat = stat;
    }

    fn forget_file(&mut self, path: &Path) -> Option<RunName> {
        let file = self.files.remove(path)?;
        self.source.close(path);
        self.at_holes.remove(path);
        self.backoff.forget(path);
        self.forget_id(file.id);
        self.snapshot.scanned.files -= 1;
        self.snapshot.scanned.bytes -= file.bytes;
        self.snapshot.scanned.records -= file.records;
        Some(file.stat.run)
    }

    /// Everything that is kept by the number of a file goes with it.
    fn forget_id(&mut self, id: FileId) {
        self.snapshot.files.remove(&id);
        self.checker.forget(id);
        self.damage.forget(id);
        self.graphs.forget(id);
        self.unreadable.remove(&id);
    }

    /// Reads on in the files that grew. Runs that lost or changed a file are dropped and read from the start, because
    /// what a file gave to a run cannot be told apart any more.
    fn read(&mut self, mut grown: Vec<PathBuf>, broken_runs: &BTreeSet<RunName>) {
        if !broken_runs.is_empty() {
            for run in broken_runs {
                self.snapshot.runs.remove(run);
                self.concluding.forget(run);
                self.health.retain(|problem| problem.run != *run || problem.is_of_logdir());
            }
            let mut forgotten = Vec::new();
            for (path, file) in &mut self.files {
                if broken_runs.contains(&file.stat.run) {
                    self.snapshot.scanned.bytes -= file.bytes;
                    self.snapshot.scanned.records -= file.records;
                    // A new number: what readers kept of the old file is never taken for the new one's.
                    let id = new_file_id(&mut self.next_file_id);
                    forgotten.push(file.id);
                    self.snapshot.files.insert(id, Arc::new(path.clone()));
                    *file = Followed::new(id, file.stat.clone(), self.options.max_payload);
                    grown.push(path.clone());
                }
            }
            for id in forgotten {
                self.forget_id(id);
            }
            self.touch();
        }
        grown.sort();
        grown.dedup();
        let mut work: Vec<Followed> = grown.iter().filter_map(|path| self.files.remove(path)).collect();
        let turn = if broken_runs.is_empty() { TURN } else { TURN_OF_BROKEN_RUNS };
        match work.as_mut_slice() {
            [] => {}
            [file] => read_for(turn, file, &*Arc::clone(&self.source), |file, batch| {
                self.take(file.id, &file.stat, batch);
            }),
            files => self.read_in_parallel(files, turn),
        }
        // While a run that lost a file is read again, nobody sees it half full.
        for file in work {
            if file.is_unfinished && !self.stop.load(Ordering::Relaxed) {
                self.unfinished.insert(file.stat.path.clone());
            }
            if file.waits_at_hole {
                self.at_holes.insert(file.stat.path.clone());
            } else {
                self.at_holes.remove(&file.stat.path);
            }
            self.files.insert(file.stat.path.clone(), file);
        }
    }

    fn read_in_parallel(&mut self, files: &mut [Followed], turn: Duration) {
        let source = Arc::clone(&self.source);
        let (give, take) = mpsc::sync_channel::<(FileId, FileStat, Batch)>(64);
        thread::scope(|scope| {
            scope.spawn(move || {
                files.par_iter_mut().for_each_with(give, |give, file| {
                    // The receiver is gone only when this thread's owner panicked.
                    read_for(turn, file, &*source, |file, batch| {
                        drop(give.send((file.id, file.stat.clone(), batch)));
                    });
                });
            });
            for (id, stat, batch) in take {
                self.take(id, &stat, batch);
                if self.snapshot.loading && self.published.elapsed() > PUBLISH_EVERY {
                    self.publish();
                }
            }
        });
    }

    fn take(&mut self, id: FileId, file: &FileStat, mut batch: Batch) {
        let name = file_name(&file.path);
        self.snapshot.scanned.bytes += batch.bytes;
        self.snapshot.scanned.records += batch.records;
        self.note_faults(file, &name, &mut batch);
        self.checker.add(id, file, &mut batch);
        let nothing_new = batch.records == 0 && self.snapshot.runs.contains_key(&file.run);
        if nothing_new {
            return;
        }
        let revision = self.touch();
        let run = self.snapshot.runs.entry(file.run.clone()).or_default();
        for graph in std::mem::take(&mut batch.graphs) {
            self.graphs.add(Job { run: file.run.clone(), path: file.path.clone(), graph });
        }
        let limits = Limits { revision, max_bytes: self.options.max_payload };
        let news = merge(Arc::make_mut(run), &file.run, batch, limits);
        self.concluding.change(&file.run, news);
    }

    fn look_at_rules(&mut self) {
        if self.ruled.look(&*self.source, &mut self.health) {
            self.concluding.change_rules();
        }
    }

    /// Takes what a graph says, if its file is still the one that it was read from.
    fn learn(&mut self, learned: Learned) {
        let Learned { run: name, file, path, place, network } = learned;
        if !self.snapshot.files.contains_key(&file) {
            return;
        }
        let network = match network {
            Ok(network) => network,
            Err(GraphError::Damaged) => return self.note_damage(&DamagedRecord { run: name, file, place }),
            Err(error) => {
                let (file, offset, message) = (file_name(&path), place.offset, error.to_string());
                let fault = Fault::BadGraph;
                self.health.add(Problem { run: name, file, offset, fault, message, count: 1 });
                return;
            }
        };
        let Some(run) = self.snapshot.runs.get_mut(&name).map(Arc::make_mut) else { return };
        if add_network(run, network) {
            self.concluding.look_again(name);
        }
    }

    /// Concludes on what is new to conclude from. The first scan ends when all is concluded.
    fn conclude(&mut self) {
        let ends_first_scan =
            self.publish.as_ref().is_none_or(|publish| publish.borrow().loading && !self.snapshot.loading);
        let haste = if ends_first_scan { Haste::All } else { Haste::Slice };
        if self.concluding.is_due(haste) {
            let (rules, revision) = (self.ruled.rules(), self.touch());
            self.concluding.work(&mut self.snapshot.runs, (&rules, revision), haste);
        }
    }

    fn note_faults(&mut self, file: &FileStat, name: &str, batch: &mut Batch) {
        self.health.clear(&file.run, name, Fault::Hole);
        for found in batch.faults.drain(..) {
            let problem = Problem {
                run: file.run.clone(),
                file: name.to_owned(),
                offset: found.offset,
                fault: found.fault,
                message: found.message,
                count: 1,
            };
            self.health.add(problem);
        }
        match batch.io_error.take() {
            Some(error) => {
                let pause = self.backoff.failed(&file.path, Instant::now());
                let message = format!("cannot be read: {error}; it is tried again in {} s", pause.as_secs());
                let (run, file) = (file.run.clone(), name.to_owned());
                self.health.set(Problem {
                    run,
                    file,
                    offset: 0,
                    fault: Fault::Unreadable,
                    message,
                    count: 1,
                });
            }
            None if self.backoff.forget(&file.path) => {
                self.health.clear(&file.run, name, Fault::Unreadable);
            }
            None => {}
        }
    }

    /// A reader met damage: the value goes at once, and with it, soon, what else lies in a damaged record.
    fn drop_value(&mut self, bad: &BadValue) {
        let logged = bad.logged;
        let revision = self.next_revision();
        let Some(run) = self.snapshot.runs.get_mut(&bad.run) else { return };
        if !without_value(Arc::make_mut(run), (&bad.tag, bad.step), &logged, revision) {
            return;
        }
        self.snapshot.revision = revision;
        self.concluding.look_again(bad.run.clone());
        let record = DamagedRecord { run: bad.run.clone(), file: logged.file, place: logged.place };
        if bad.fault == Fault::PayloadCrc {
            self.note_damage(&record);
        } else {
            self.add_problem(&record, bad.fault, bad.message.clone());
        }
    }

    fn take_finding(&mut self, finding: Finding) {
        if !self.snapshot.files.contains_key(&finding.file()) {
            return;
        }
        match finding {
            Finding::Damaged(record) => self.note_damage(&record),
            Finding::Defect(record, message) => self.add_problem(&record, Fault::Defect, message),
            Finding::Unreadable { run, file, message } => {
                self.unreadable.insert(file);
                let (file, fault) = (file_name(&self.snapshot.files[&file]), Fault::Unreadable);
                self.health.set(Problem { run, file, offset: 0, fault, message, count: 1 });
            }
            Finding::Readable { run, file } => {
                let path = &self.snapshot.files[&file];
                if self.unreadable.remove(&file) && !self.backoff.paths().any(|failed| *failed == **path) {
                    self.health.clear(&run, &file_name(path), Fault::Unreadable);
                }
            }
            // Where its records begin now nobody knows.
            Finding::Rewritten { run, .. } => self.read(Vec::new(), &BTreeSet::from([run])),
        }
    }

    fn note_damage(&mut self, record: &DamagedRecord) {
        // A file that was read anew has another number.
        if self.snapshot.files.contains_key(&record.file) && self.damage.note(record) {
            self.add_problem(record, Fault::PayloadCrc, payload_fault(record.place));
        }
    }

    fn add_problem(&mut self, record: &DamagedRecord, fault: Fault, message: String) {
        let file = self.snapshot.files.get(&record.file).map(|path| file_name(path)).unwrap_or_default();
        let (run, offset) = (record.run.clone(), record.place.offset);
        self.health.add(Problem { run, file, offset, fault, message, count: 1 });
    }

    /// Takes the values of damaged records out of the lists.
    fn drop_damaged(&mut self) {
        for (name, records) in self.damage.take_due() {
            let revision = self.next_revision();
            let Some(run) = self.snapshot.runs.get_mut(&name) else { continue };
            if without_records(Arc::make_mut(run), &records, revision) {
                self.snapshot.revision = revision;
                self.concluding.look_again(name);
            }
        }
    }

    /// Begins a new revision.
    fn touch(&mut self) -> u64 {
        self.snapshot.revision = self.next_revision();
        self.snapshot.revision
    }

    /// The revision of what changes now: one more than what was published.
    fn next_revision(&self) -> u64 {
        self.publish.as_ref().map_or(0, |publish| publish.borrow().revision) + 1
    }

    fn publish_if_changed(&mut self) {
        self.conclude();
        let Some(publish) = &self.publish else { return };
        let (same, problems) = {
            let published = publish.borrow();
            let problems = self.health.problems();
            let same = published.revision == self.snapshot.revision
                && published.watch == self.snapshot.watch
                && published.loading == self.snapshot.loading
                && *published.problems == problems;
            (same, problems)
        };
        if !same {
            self.touch();
            self.send(problems);
        }
    }

    fn publish(&mut self) {
        self.conclude();
        self.touch();
        let problems = self.health.problems();
        self.send(problems);
    }

    fn send(&mut self, problems: Vec<Problem>) {
        self.snapshot.problems = Arc::new(problems);
        self.published = Instant::now();
        if let Some(publish) = &self.publish {
            publish.send_replace(Arc::new(self.snapshot.clone()));
        }
    }
}

/// What looking at places brought.
#[derive(Default)]
struct News {
    /// Files that have more to read.
    grown: Vec<PathBuf>,
    /// Runs that lost or changed a file.
    broken_runs: BTreeSet<RunName>,
    /// Whether there was anything of ours.
    is_any: bool,
}

fn is_event_file(path: &Path) -> bool {
    is_event_file_name(path.file_name().unwrap_or_default().as_bytes())
}

fn new_file_id(next: &mut u32) -> FileId {
    *next += 1;
    FileId(*next - 1)
}

/// Reads on in a file, batch by batch, to its end or for so long. A program that stops ends it by the source.
fn read_for(
    turn: Duration,
    file: &mut Followed,
    source: &dyn Source,
    mut take: impl FnMut(&Followed, Batch),
) {
    let (began, settled) = (Instant::now(), is_settled(&file.stat));
    file.is_unfinished = !file.is_given_up;
    while file.is_unfinished && began.elapsed() < turn {
        let batch =
            contained(|| file.read_on(source, settled)).unwrap_or_else(|panic| given_up(file, &panic));
        file.is_unfinished = batch.more;
        take(file, batch);
    }
}

/// A file in which a defect of ours shows costs itself alone.
fn given_up(file: &mut Followed, panic: &str) -> Batch {
    file.is_given_up = true;
    let offset = file.offset();
    let message = format!(
        "ConvScope failed after byte {offset} of this file, which is a defect of ours ({panic}): what follows is not shown"
    );
    let mut batch = Batch::default();
    batch.faults.push(FoundFault { fault: Fault::Defect, offset, message });
    batch
}

/// Whether nobody has written to a file for so long that nobody will fill holes in it.
fn is_settled(stat: &FileStat) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let age_ns = i128::try_from(now.as_nanos()).unwrap_or(i128::MAX) - stat.mtime_ns;
    age_ns > i128::try_from(SETTLED_AFTER.as_nanos()).unwrap_or(i128::MAX)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
