//! The bundled recording of a real training, replayed into a temporary logdir so that it looks like a training that is running.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rust_embed::RustEmbed;
use tempfile::TempDir;

use crate::{
    event::{outline::Outline, retime::retimed, wire::Span},
    record::{
        scan::{ScanResult, Scanner},
        write::append_record,
    },
    types::WallTime,
};

#[derive(RustEmbed)]
#[folder = "demo/recording"]
struct Recording;

/// A running replay. Dropping it ends it and removes its logdir.
pub struct Replay {
    logdir: TempDir,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// An event and when it was logged.
struct RecordedEvent {
    payload: Vec<u8>,
    seconds: f64,
}

/// One file of the recording, open where it is replayed to.
struct Track {
    file: File,
    events: Vec<RecordedEvent>,
}

impl Replay {
    /// Begins to replay at `speed` times the speed of the training. What was logged before its first step is there at once.
    ///
    /// # Errors
    /// When the temporary logdir cannot be written.
    pub fn start(speed: f64) -> io::Result<Self> {
        let logdir = TempDir::with_prefix("convscope-demo-")?;
        let mut tracks =
            Recording::iter().map(|name| track(&name, logdir.path())).collect::<io::Result<Vec<_>>>()?;
        let began = tracks
            .iter()
            .flat_map(|track| &track.events)
            .map(|event| event.seconds)
            .fold(f64::INFINITY, f64::min);
        let mut queue: Vec<(f64, usize, Vec<u8>)> = Vec::new();
        for (track_idx, track) in tracks.iter_mut().enumerate() {
            queue.extend(
                track
                    .events
                    .drain(..)
                    .map(|event| ((event.seconds - began) / speed, track_idx, event.payload)),
            );
        }
        queue.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut files: Vec<File> = tracks.into_iter().map(|track| track.file).collect();
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = thread::Builder::new().name("demo".into()).spawn(move || {
            let start = Instant::now();
            for (after, track_idx, payload) in queue {
                let due = start + Duration::try_from_secs_f64(after).unwrap_or(Duration::ZERO);
                let pause = due.saturating_duration_since(Instant::now());
                if stopped.recv_timeout(pause) != Err(mpsc::RecvTimeoutError::Timeout) {
                    return;
                }
                if let Err(error) = append(&mut files[track_idx], &payload) {
                    tracing::warn!(%error, "the demo cannot go on");
                    return;
                }
            }
        })?;
        Ok(Self { logdir, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it is replayed to.
    #[must_use]
    pub fn logdir(&self) -> PathBuf {
        self.logdir.path().to_owned()
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        // The thread wakes because nobody can send any more.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn track(name: &str, logdir: &Path) -> io::Result<Track> {
    let bytes = Recording::get(name).map(|file| file.data).unwrap_or_default();
    let path = logdir.join(name);
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    Ok(Track { file: File::create(path)?, events: events(&bytes)? })
}

fn events(mut bytes: &[u8]) -> io::Result<Vec<RecordedEvent>> {
    let whole = bytes;
    let (mut scanner, mut outline, mut events) =
        (Scanner::new(bytes.len() as u64), Outline::default(), Vec::new());
    while let ScanResult::Record(place) = scanner.next(&mut bytes, whole.len() as u64, true)? {
        let span = Span { at: place.payload(), end: place.payload() + place.len };
        if outline.read(&mut bytes, span).is_ok() {
            let range = span.at as usize..span.end as usize;
            events.push(RecordedEvent { payload: whole[range].to_vec(), seconds: outline.wall_time });
        }
    }
    Ok(events)
}

fn append(file: &mut File, payload: &[u8]) -> io::Result<()> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = WallTime::new(since_1970.as_secs_f64()).expect("a duration is finite");
    let mut record = Vec::with_capacity(payload.len() + 32);
    append_record(&mut record, &retimed(payload, now));
    file.write_all(&record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recording_is_whole_and_begins_with_what_is_seen_first() {
        for name in Recording::iter() {
            let bytes = Recording::get(&name).unwrap().data;
            let events = events(&bytes).unwrap();
            let framed: usize = events.iter().map(|event| event.payload.len() + 16).sum();
            assert_eq!(framed, bytes.len(), "{name}");
            assert!(events.is_sorted_by(|a, b| a.seconds <= b.seconds), "{name}");
        }
        assert!(Recording::iter().next().is_some());
    }
}
