//! Where graphs and models are logged -> networks, read on a separate thread so that nothing waits for them.
//!
//! A graph may have hundreds of megabytes. It is read through a window and checked by its CRC piece by piece. Only the facts are
//! kept, and the result of the CRC, so that the background check need not read it again.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
};

use super::{
    batch::LoggedGraph,
    checked::{Checked, SMALL_PAYLOAD},
    defect::catch_panic,
    logged_value::FileId,
};

use crate::{
    event::{
        graph::{GraphForm, graph_in_event},
        wire::{Span, WireError},
    },
    model::{graph, keras, network::Network},
    record::{
        check::{Payload, check_payload},
        place::Place,
    },
    source::{Source, stream::Stream, window::Window},
    types::RunName,
};

/// The most graphs of a file that are read. Writers log their graph once per start.
const MOST_OF_A_FILE: usize = 16;

/// A graph to be read.
pub(super) struct Job {
    pub(super) run: RunName,
    pub(super) path: PathBuf,
    pub(super) graph: LoggedGraph,
}

/// What was read.
pub(super) struct GraphRead {
    pub(super) run: RunName,
    pub(super) file: FileId,
    pub(super) path: PathBuf,
    pub(super) place: Place,
    pub(super) network: Result<Network, GraphError>,
}

/// Why a logged graph could not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum GraphError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The record is damaged.
    #[error("its record is damaged")]
    Damaged,
    /// It is no graph.
    #[error("the graph at byte {0} cannot be understood: {1}")]
    Malformed(u64, String),
}

/// Reads one graph or model.
fn read(source: &dyn Source, checked: &Checked, job: Job) -> GraphRead {
    let Job { run, path, graph } = job;
    let network = network(source, checked, &path, graph);
    GraphRead { run, file: graph.file, path, place: graph.place, network }
}

/// As [`read`], but a failure of this program becomes an error, and the thread continues.
pub(super) fn read_or_report_panic(source: &dyn Source, checked: &Checked, job: Job) -> GraphRead {
    let (run, file, path) = (job.run.clone(), job.graph.file, job.path.clone());
    let place = job.graph.place;
    catch_panic(|| read(source, checked, job)).unwrap_or_else(|panic| {
        let reason = format!("a defect of ConvScope: {panic}");
        GraphRead { run, file, path, place, network: Err(GraphError::Malformed(place.offset, reason)) }
    })
}

fn network(
    source: &dyn Source,
    checked: &Checked,
    path: &Path,
    logged: LoggedGraph,
) -> Result<Network, GraphError> {
    let Place { offset, len } = logged.place;
    // A window would fill its buffer with zeros first, which takes a quarter of the time of a large graph.
    let payload = check_payload(&mut Stream::new(source, path), logged.place, |_, _| ())?;
    if len > SMALL_PAYLOAD {
        match payload {
            Payload::Right | Payload::Unchecked => {
                checked.note_right(logged.file, logged.place);
            }
            Payload::Wrong => {
                checked.note_wrong(logged.file, logged.place);
            }
            Payload::Cut => {}
        }
    }
    match payload {
        Payload::Right | Payload::Unchecked => {}
        Payload::Wrong => return Err(GraphError::Damaged),
        Payload::Cut => return Err(GraphError::Io(io::ErrorKind::UnexpectedEof.into())),
    }
    let mut window = Window::new(source, path);
    let event = Span { at: logged.place.payload(), end: logged.place.payload() + len };
    let malformed = |error: WireError| match error {
        WireError::Io(error) => GraphError::Io(error),
        WireError::Malformed(reason) => GraphError::Malformed(offset, reason.to_owned()),
    };
    let Some((form, span)) = graph_in_event(&mut window, event, logged.within).map_err(malformed)? else {
        return Ok(Network::default());
    };
    let network = if form == GraphForm::KerasModel {
        if span.len() > keras::LONGEST_MODEL as u64 {
            let reason = format!(
                "the model has {} bytes, of which more than {} are not read",
                span.len(),
                keras::LONGEST_MODEL
            );
            return Err(GraphError::Malformed(offset, reason));
        }
        let json = span.bytes(&mut window, keras::LONGEST_MODEL).map_err(malformed)?;
        keras::network(json).map_err(|error| GraphError::Malformed(offset, error))?
    } else {
        graph::network(&mut window, form, span).map_err(malformed)?
    };
    Ok(network)
}

/// Collects the graphs that are to be read: they are sent to the thread or, in a command that reads once, kept in a list.
pub(super) struct Graphs {
    to_thread: Option<mpsc::Sender<Job>>,
    waiting: Vec<Job>,
    of_file: HashMap<FileId, usize>,
}

impl Graphs {
    pub(super) fn new() -> Self {
        Self { to_thread: None, waiting: Vec::new(), of_file: HashMap::new() }
    }

    /// Starts the thread. `report` is called with what it reads and returns whether the receiver still exists.
    ///
    /// # Errors
    /// If the system cannot start a thread.
    pub(super) fn start(
        &mut self,
        source: Arc<dyn Source>,
        checked: Arc<Checked>,
        report: impl Fn(GraphRead) -> bool + Send + 'static,
    ) -> io::Result<()> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let work = move || {
            for job in inbox {
                if !report(read_or_report_panic(&*source, &checked, job)) {
                    return;
                }
            }
        };
        // It ends with the ingest thread. If it is reading a large graph then, nobody waits for it.
        thread::Builder::new().name("graphs".into()).spawn(work)?;
        self.to_thread = Some(jobs);
        Ok(())
    }

    pub(super) fn add(&mut self, job: Job) {
        let count = self.of_file.entry(job.graph.file).or_default();
        *count += 1;
        if *count > MOST_OF_A_FILE {
            return;
        }
        match &self.to_thread {
            Some(jobs) => {
                // The thread cannot have ended before this one.
                let _ = jobs.send(job);
            }
            None => self.waiting.push(job),
        }
    }

    /// Forgets a file.
    pub(super) fn forget(&mut self, file: FileId) {
        self.of_file.remove(&file);
    }

    /// Of how many files something is kept.
    #[cfg(test)]
    pub(super) fn n_kept(&self) -> usize {
        self.of_file.len()
    }

    /// Takes the jobs that are in the list.
    pub(super) fn take(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.waiting)
    }
}
