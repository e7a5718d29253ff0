//! A checkpoint that was opened while it was whole, and that says so when it changes.
//!
//! Most writers do not write atomically. So a checkpoint is read, and then looked at again: if one of its files changed meanwhile,
//! what was read is thrown away. File systems note the time of a change in steps of some milliseconds, so a file that was written
//! just now is looked at again only after such a step.

use std::{path::Path, time::Duration};

use super::{
    contents::{Contents, OpenError},
    files::{SourceFiles, Stamp},
    kinds,
    pieces::{self, Wanted},
    read_error::ReadError,
    spot::Spot,
};
use crate::{source::Source, tensor::Tensor};

/// A checkpoint whose head was read.
#[derive(Debug)]
pub struct Checkpoint {
    /// What it holds.
    pub contents: Contents,
    /// Its files, in the state in which they were read.
    pub stamps: Vec<Stamp>,
}

/// Within so much time after a change, another change may leave no trace in the time of the file.
const CLOCK_STEP: Duration = Duration::from_millis(20);
/// The same for file systems that note whole seconds.
const CLOCK_STEP_OF_SECONDS: Duration = Duration::from_millis(1_100);

/// What opening a checkpoint gave.
pub enum Opened {
    /// It was whole, and did not change meanwhile.
    Whole(Box<Checkpoint>),
    /// It changes just now: it has to be looked at again after this time.
    Changing(Duration),
    /// It cannot be read.
    Failed(OpenError),
}

impl Checkpoint {
    /// Reads the head of a checkpoint. `now_ns` is the time in nanoseconds since 1970.
    #[must_use]
    pub fn open(source: &dyn Source, path: &Path, now_ns: i128) -> Opened {
        let files = SourceFiles::new(source);
        let contents = kinds::open(&files, path);
        let stamps = files.opened();
        if let Some(wait) = stamps.iter().filter_map(|stamp| wait_for(stamp, now_ns)).max() {
            return Opened::Changing(wait);
        }
        if !stamps.iter().all(|stamp| stamp.holds(source)) {
            return Opened::Changing(CLOCK_STEP);
        }
        match contents {
            Ok(mut contents) => {
                shorten_remarks(&mut contents.remarks);
                Opened::Whole(Box::new(Self { contents, stamps }))
            }
            Err(error) => Opened::Failed(shortened(error)),
        }
    }

    /// Reads one of its tensors of up to `limit` bytes; `None` if one of its files changed since it was opened.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn tensor(&self, source: &dyn Source, spot: Spot, limit: u64) -> Result<Option<Tensor>, ReadError> {
        let files = SourceFiles::new(source);
        let read = pieces::read(&files, &Wanted { contents: &self.contents, number: spot.tensor(), limit });
        // What was opened is in the same state as before reading, and as when the head was read.
        let is_same = files.opened().iter().all(|stamp| self.stamps.contains(stamp))
            && self.stamps.iter().all(|stamp| stamp.holds(source));
        if is_same { read.map(Some) } else { Ok(None) }
    }

    /// The time of the last change of its files, in nanoseconds since 1970.
    #[must_use]
    pub fn mtime_ns(&self) -> i128 {
        self.stamps.iter().map(|stamp| stamp.mtime_ns).max().unwrap_or_default()
    }
}

/// The most letters of one sentence about a checkpoint. Names in a file may have millions.
const MOST_LETTERS: usize = 500;
/// The most sentences about what was not read of a checkpoint.
const MOST_REMARKS: usize = 3;

fn shorten_remarks(remarks: &mut Vec<String>) {
    let n_more = remarks.len().saturating_sub(MOST_REMARKS);
    remarks.truncate(MOST_REMARKS);
    remarks.iter_mut().for_each(shorten);
    if n_more > 0 {
        remarks.push(format!("and {n_more} more of this kind"));
    }
}

fn shortened(error: OpenError) -> OpenError {
    let short = |mut text: String| {
        shorten(&mut text);
        text
    };
    match error {
        OpenError::NotWhole(text) => OpenError::NotWhole(short(text)),
        OpenError::Damaged(text) => OpenError::Damaged(short(text)),
        OpenError::NotRead(text) => OpenError::NotRead(short(text)),
        error @ (OpenError::Io(_) | OpenError::Unknown) => error,
    }
}

/// Leaves out the middle of a long sentence: a name stands there.
fn shorten(text: &mut String) {
    let half = MOST_LETTERS / 2;
    let from = text.char_indices().nth(half).map(|(at, _)| at);
    let to = text.char_indices().nth_back(half).map(|(at, _)| at);
    if let (Some(from), Some(to)) = (from, to)
        && from < to
    {
        text.replace_range(from..to, " ... ");
    }
}

/// How long to wait until a change of a file would change its time.
fn wait_for(stamp: &Stamp, now_ns: i128) -> Option<Duration> {
    let is_whole_seconds = stamp.mtime_ns % 1_000_000_000 == 0;
    let step = if is_whole_seconds { CLOCK_STEP_OF_SECONDS } else { CLOCK_STEP };
    let age = u64::try_from(now_ns - stamp.mtime_ns).unwrap_or(0);
    let left = step.checked_sub(Duration::from_nanos(age))?;
    // A time in the future would never pass: a file from a clock that is ahead is taken as it is.
    let is_future = now_ns + 2_000_000_000 < stamp.mtime_ns;
    (!left.is_zero() && !is_future).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sentence_loses_its_middle() {
        let name = "n\u{e9}".repeat(1_000_000);
        let error = shortened(OpenError::Damaged(format!("its tensor {name} is impossible"))).to_string();
        assert!(
            error.starts_with("it is damaged: its tensor n") && error.ends_with(" is impossible"),
            "{error}"
        );
        assert!(error.chars().count() < 600);
        let mut remarks = vec![format!("{name} is not opened"); 1_000];
        shorten_remarks(&mut remarks);
        assert_eq!(remarks.len(), 4);
        assert_eq!(remarks[3], "and 997 more of this kind");
        assert!(remarks[0].ends_with(" is not opened") && remarks[0].chars().count() < 600);
    }

    #[test]
    fn a_file_is_trusted_after_a_step_of_the_clock() {
        let waits = |mtime_ns: i128, now_ns: i128| {
            let stamp = Stamp { path: "a".into(), identity: (0, 0), len: 1, mtime_ns };
            wait_for(&stamp, now_ns)
        };
        let second = 1_000_000_000;
        assert_eq!(waits(5 * second + 7, 5 * second + 7), Some(CLOCK_STEP));
        assert_eq!(waits(5 * second + 7, 5 * second + 15_000_007), Some(Duration::from_millis(5)));
        assert_eq!(waits(5 * second + 7, 5 * second + 20_000_007), None);
        // Perhaps the file system notes whole seconds only.
        assert_eq!(waits(5 * second, 6 * second), Some(Duration::from_millis(100)));
        assert_eq!(waits(5 * second, 7 * second), None);
        // The clock of the writer may be ahead.
        assert_eq!(waits(99 * second + 7, 5 * second), None);
        assert_eq!(waits(0, 99 * second), None);
    }
}
