//! `convscope verify`: every record and every CRC of event files, and every checksum of checkpoints, as a table of faults.

mod checkpoints;

use std::{
    fmt::Write as _,
    io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use rayon::prelude::*;
use serde_json::{Value, json};

use self::checkpoints::CheckedCheckpoint;
use super::{
    exit::{FAULTS, UNREADABLE, failure},
    logdir,
};

use crate::{
    catalog::follow::SETTLED_AFTER,
    event::{
        outline::Outline,
        wire::{Span, WireError},
    },
    record::{
        check::{DamagedRange, Extent, FileCheck, Unfinished, Wrong, check},
        place::Place,
        scan::Broken,
    },
    source::{
        FileStat, Source, is_event_file_name,
        local::Local,
        stored::is_stored_name,
        stream::Stream,
        window::{Peek, Window},
    },
    terminal::{print, print_json},
    types::count::noun,
    types::printable::printable,
};

#[derive(Args)]
pub(super) struct VerifyArgs {
    /// Event files of any name, checkpoints, and directories with such files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Count an incomplete last record as a fault: nothing writes to these files any more
    #[arg(long)]
    strict: bool,
    /// The longest record that is read, in MiB; longer ones count as damaged
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    max_record_mb: u64,
}

/// An event file and what was found in it.
struct File {
    path: PathBuf,
    bytes: u64,
    found: io::Result<FileCheck>,
}

/// What was found in all files.
struct Report {
    files: Vec<File>,
    checkpoints: Vec<CheckedCheckpoint>,
    /// Directories that could not be listed, or hold nothing to check.
    unreadable: Vec<(PathBuf, String)>,
    strict: bool,
}

pub(super) fn verify(args: &VerifyArgs) -> anyhow::Result<()> {
    let (mut paths, mut unreadable) = (Vec::new(), Vec::new());
    for path in &args.paths {
        event_files(path, &mut paths, &mut unreadable);
    }
    // Only for reading: it keeps a few descriptors open for all files.
    let local = Local::new(PathBuf::new());
    let max_payload = args.max_record_mb << 20;
    let (stored, paths): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(|path| is_stored(path));
    let checkpoints: Vec<CheckedCheckpoint> =
        stored.par_iter().filter_map(|path| checkpoints::check(&local, path)).collect();
    // Below a directory, a name such as `a.index` may be that of anything.
    let is_unknown =
        |path: &&PathBuf| stored.contains(path) && !checkpoints.iter().any(|one| one.path == **path);
    unreadable.extend(args.paths.iter().filter(is_unknown).map(|path| (path.clone(), UNKNOWN.to_owned())));
    let files = paths.into_par_iter().map(|path| check_file(&local, path, max_payload)).collect();
    let report = Report { files, checkpoints, unreadable, strict: args.strict };
    if args.json {
        print_json(&serde_json::to_string_pretty(&report.json())?)?;
    } else {
        print(&report.text())?;
    }
    report.outcome()
}

const UNKNOWN: &str = "it is neither a checkpoint of a kind that is read nor an event file";

/// Whether a file is checked as a checkpoint: by its name, unless that is the name of an event file.
fn is_stored(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    is_stored_name(name) && !is_event_file_name(name) && path.is_file()
}

/// The event files and checkpoints that a path names, our own exports among them.
fn event_files(path: &Path, files: &mut Vec<PathBuf>, unreadable: &mut Vec<(PathBuf, String)>) {
    if let Some(words) = logdir::why_not_local(path) {
        unreadable.push((path.to_owned(), words));
        return;
    }
    if !path.is_dir() {
        files.push(path.to_owned());
        return;
    }
    match Local::new(path.to_owned()).list(&AtomicBool::new(false)) {
        Ok(listing) => {
            // A file with a second name by a link is checked once.
            let has_second_name =
                |file: &FileStat| file.path.ancestors().any(|dir| listing.second_names.contains_key(dir));
            let found = listing.files.iter().chain(&listing.exported).filter(|file| !has_second_name(file));
            let before = files.len();
            files.extend(found.chain(&listing.stored).map(|file| file.path.clone()));
            if files.len() == before && listing.troubles.is_empty() {
                let reason = "neither an event file nor a checkpoint lies below it: looked for names that contain \"tfevents\", and for checkpoints of safetensors, PyTorch, Keras, TensorFlow and JAX (Orbax, Flax)";
                unreadable.push((path.to_owned(), reason.to_owned()));
            }
            unreadable.extend(listing.troubles.into_iter().chain(listing.left_out));
        }
        Err(error) => unreadable.push((path.to_owned(), error.to_string())),
    }
}

fn check_file(local: &Local, path: PathBuf, max_payload: u64) -> File {
    let meta = match path.metadata() {
        Ok(meta) => meta,
        Err(error) => return File { path, bytes: 0, found: Err(error) },
    };
    let age = meta.modified().ok().and_then(|time| SystemTime::now().duration_since(time).ok());
    let is_settled =
        age.is_some_and(|age| age > SETTLED_AFTER) || meta.modified().is_ok_and(|t| t < UNIX_EPOCH);
    let extent = Extent { len: meta.len(), is_settled, max_payload };
    let mut outline = Outline::default();
    let found = check(&mut Stream::new(local, &path), extent, |stream, place| {
        if place.len <= MOST_IN_STREAM {
            why_no_event(&mut outline, stream, place)
        } else {
            why_no_event(&mut outline, &mut Window::new(local, &path), place)
        }
    });
    File { path, bytes: meta.len(), found }
}

/// A payload of up to this many bytes is still in the stream's buffer after its CRC was computed. Of a longer one a window
/// reads the few parts that an outline needs.
const MOST_IN_STREAM: u64 = 128 << 10;

/// Why a whole record is no event; `None` where it is one.
fn why_no_event(
    outline: &mut Outline,
    file: &mut impl Peek,
    place: Place,
) -> io::Result<Option<&'static str>> {
    let span = Span { at: place.payload(), end: place.payload() + place.len };
    match outline.read(file, span) {
        Ok(()) => Ok(None),
        Err(WireError::Malformed(reason)) => Ok(Some(reason)),
        Err(WireError::Io(error)) => Err(error),
    }
}

impl Report {
    fn checked(&self) -> impl Iterator<Item = (&File, &FileCheck)> {
        self.files.iter().filter_map(|file| Some((file, file.found.as_ref().ok()?)))
    }

    fn unreadable(&self) -> Vec<(&Path, String)> {
        let files = self.files.iter().filter_map(|file| {
            file.found.as_ref().err().map(|error| (file.path.as_path(), error.to_string()))
        });
        let others = self.unreadable.iter().map(|(path, reason)| (path.as_path(), reason.clone()));
        files.chain(others).collect()
    }

    fn n_faults(&self) -> u64 {
        let faults =
            |checked: &FileCheck| checked.n_faults + u64::from(self.strict && checked.unfinished.is_some());
        let of_checkpoints: usize = self.checkpoints.iter().map(|checked| checked.faults.len()).sum();
        self.checked().map(|(_, checked)| faults(checked)).sum::<u64>() + of_checkpoints as u64
    }

    fn totals(&self) -> (usize, u64, u64) {
        let records = self.checked().map(|(_, checked)| checked.records).sum();
        (self.checked().count(), records, self.checked().map(|(file, _)| file.bytes).sum())
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let rows: Vec<[String; 5]> =
            self.checked().flat_map(|(file, checked)| self.rows(file, checked)).collect();
        if !rows.is_empty() {
            table(&mut out, &rows);
        }
        for (file, checked) in self.checked() {
            let more = checked.n_faults - checked.faults.len() as u64;
            if more > 0 {
                line(&mut out, &format!("{}: {} more", file.path.display(), counted(more, "fault")));
            }
            if checked.unchecked > 0 {
                let records = counted(checked.unchecked, "record");
                line(
                    &mut out,
                    &format!(
                        "{}: its writer computes no CRCs: {records} could not be checked",
                        file.path.display()
                    ),
                );
            }
            if let (Some(end), false) = (checked.unfinished, self.strict) {
                let (what, offset) = (unfinished_text(end), thousands(end.offset));
                line(&mut out, &format!("{}: {what}, from byte {offset} on", file.path.display()));
            }
        }
        for checked in self.checkpoints.iter().flat_map(CheckedCheckpoint::lines) {
            line(&mut out, &checked);
        }
        for (path, reason) in self.unreadable() {
            line(&mut out, &format!("{}: cannot be read: {reason}", path.display()));
        }
        let ((files, records, bytes), faults) = (self.totals(), self.n_faults());
        let counts = [
            (files as u64 + self.checkpoints.len() as u64, "file"),
            (records, "record"),
            (bytes, "byte"),
            (faults, "fault"),
        ];
        let counts: Vec<String> = counts.into_iter().map(|(n, what)| counted(n, what)).collect();
        line(&mut out, &counts.join(", "));
        out
    }

    fn rows(&self, file: &File, checked: &FileCheck) -> Vec<[String; 5]> {
        let path = printable(&file.path.display().to_string()).into_owned();
        let row = |offset: u64, what: String, lost: u64, resumed: Option<u64>| {
            let resumed = resumed.map_or_else(|| "-".to_owned(), thousands);
            [path.clone(), thousands(offset), what, thousands(lost), resumed]
        };
        let mut rows: Vec<[String; 5]> = checked
            .faults
            .iter()
            .map(|fault| row(fault.offset, fault_text(fault), fault.lost_bytes, fault.resumed))
            .collect();
        let end = checked.unfinished.filter(|_| self.strict);
        rows.extend(end.map(|end| row(end.offset, unfinished_name(end).to_owned(), end.bytes, None)));
        rows
    }

    fn json(&self) -> Value {
        let (files, records, bytes) = self.totals();
        let file = |(file, checked): (&File, &FileCheck)| {
            json!({
                "file": file.path.display().to_string(),
                "bytes": file.bytes,
                "records": checked.records,
                "unchecked": checked.unchecked,
                "faults": checked.faults.iter().map(fault_json).collect::<Vec<_>>(),
                "fault_count": checked.n_faults,
                "unfinished": checked.unfinished.map(|end| json!({
                    "offset": end.offset, "bytes": end.bytes, "kind": if end.is_hole { "hole" } else { "cut" },
                })),
            })
        };
        let unreadable = |(path, reason): &(&Path, String)| json!({ "path": path.display().to_string(), "reason": reason });
        json!({
            "files": self.checked().map(file).collect::<Vec<_>>(),
            "checkpoints": self.checkpoints.iter().map(CheckedCheckpoint::json).collect::<Vec<_>>(),
            "unreadable": self.unreadable().iter().map(unreadable).collect::<Vec<_>>(),
            "total": { "files": files, "records": records, "bytes": bytes, "faults": self.n_faults() },
        })
    }

    /// A path that cannot be read is worse than a fault: its content is not known.
    fn outcome(&self) -> anyhow::Result<()> {
        let (unreadable, faults) = (self.unreadable().len(), self.n_faults());
        if unreadable > 0 {
            return Err(failure(UNREADABLE, format!("{} not checked", are(unreadable as u64, "path"))));
        }
        if faults > 0 {
            return Err(failure(FAULTS, format!("{} found", are(faults, "fault"))));
        }
        Ok(())
    }
}

fn are(n: u64, what: &str) -> String {
    format!("{} {}", counted(n, what), if n == 1 { "was" } else { "were" })
}

fn fault_text(fault: &DamagedRange) -> String {
    match fault.what {
        Wrong::PayloadCrc => "the CRC of the payload is wrong".to_owned(),
        Wrong::NotAnEvent(reason) => format!("the record is whole, but is no event: {reason}"),
        Wrong::Header(Broken::LengthCrc) if fault.offset == 0 => {
            "no record begins here: no event file?".to_owned()
        }
        Wrong::Header(Broken::LengthCrc) => "the CRC of the length is wrong".to_owned(),
        Wrong::Header(Broken::TooLong(len)) => {
            format!("a length of {} bytes, more than --max-record-mb allows", thousands(len))
        }
        Wrong::Header(Broken::NoEnd(len)) => {
            format!("a length of {} bytes, after which no record ends", thousands(len))
        }
        Wrong::Header(Broken::Hole) => "zeros where a record should begin".to_owned(),
    }
}

fn fault_json(fault: &DamagedRange) -> Value {
    let kind = match fault.what {
        Wrong::PayloadCrc => "bad_payload_crc",
        Wrong::NotAnEvent(_) => "not_an_event",
        Wrong::Header(Broken::LengthCrc | Broken::NoEnd(_)) => "bad_length_crc",
        Wrong::Header(Broken::TooLong(_)) => "too_long",
        Wrong::Header(Broken::Hole) => "hole",
    };
    json!({
        "offset": fault.offset, "kind": kind, "message": fault_text(fault),
        "lost_bytes": fault.lost_bytes, "resumed": fault.resumed,
    })
}

fn unfinished_name(end: Unfinished) -> &'static str {
    if end.is_hole { "zeros that nobody has filled yet" } else { "incomplete last record" }
}

fn unfinished_text(end: Unfinished) -> String {
    format!("{} (normal while a writer is running), {}", unfinished_name(end), counted(end.bytes, "byte"))
}

const HEADS: [&str; 5] = ["file", "offset", "fault", "lost bytes", "goes on at"];
/// Columns of numbers are aligned to the right.
const AT_THE_RIGHT: [bool; 5] = [false, true, false, true, true];

fn table(out: &mut String, rows: &[[String; 5]]) {
    let heads = HEADS.map(str::to_owned);
    let all = || std::iter::once(&heads).chain(rows);
    let widths: [usize; 5] =
        std::array::from_fn(|col| all().map(|row| row[col].chars().count()).max().unwrap_or(0));
    for row in all() {
        let cells: Vec<String> = (0..5)
            .map(|col| {
                let (cell, width) = (&row[col], widths[col]);
                if AT_THE_RIGHT[col] { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            })
            .collect();
        line(out, cells.join("  ").trim_end());
    }
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{}", printable(text)).expect("a String takes any text");
}

fn counted(n: u64, what: &str) -> String {
    format!("{} {}", thousands(n), noun(n, what))
}

/// 1234567 -> 1,234,567
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let texts = [0, 999, 1_000, 1_234_567].map(thousands);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
