//! Records of pictures -> event files, one per run, which a later export continues.
//!
//! What was written is known by reading it back: each record of our file is checked, and a last one that
//! an interruption left incomplete is cut off. A record is written by one call, in the order of its run, so at any moment the file
//! holds the first so many records whole and at most a part of the next. A new file comes into being with its first record in
//! it, by renaming. Only files that carry our marker are ever touched.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::{
    error::ExportError,
    job::Job,
    paths::printable_part,
    summaries::{first_record, is_ours},
    writer::{Granularity, Held, Made, Writer},
};

use crate::{
    event::{
        outline::Outline,
        wire::{Span, WireError},
    },
    record::{
        frame::{FOOTER_BYTES, payload_holds},
        place::Place,
        scan::{ScanResult, Scanner},
    },
    source::{EXPORT_ENDING, Source as _, is_export_name, local::Local, window::Window},
    types::{RunName, text_of_bytes},
};

/// The runs' event files below a directory.
pub struct EventFiles {
    out: PathBuf,
    open: Option<Open>,
}

struct Open {
    run: RunName,
    path: PathBuf,
    file: File,
    len: u64,
}

impl EventFiles {
    /// Files below `out`, which exists.
    #[must_use]
    pub fn new(out: PathBuf) -> Self {
        Self { out, open: None }
    }

    fn dir(&self, run: &RunName) -> PathBuf {
        // A run's name is made of the names of directories, in which a file system allows nearly anything; `.` is not one.
        let parts = run.as_str().split('/').filter(|part| !matches!(*part, "" | "." | ".."));
        parts.fold(self.out.clone(), |dir, part| dir.join(&*printable_part(part)))
    }

    fn open(&mut self, job: &Job) -> Result<&mut Open, ExportError> {
        let run = &job.named.series.run;
        if self.open.as_ref().is_none_or(|open| open.run != *run) {
            let dir = self.dir(run);
            let path = match own_files(&dir)?.pop() {
                Some(path) => path,
                None => new_file(&dir, job.wall_time())?,
            };
            let file = OpenOptions::new().write(true).open(&path).map_err(ExportError::at(&path))?;
            let len = file.metadata().map_err(ExportError::at(&path))?.len();
            self.open = Some(Open { run: run.clone(), path, file, len });
        }
        Ok(self.open.as_mut().expect("it was just opened"))
    }
}

impl Writer for EventFiles {
    fn held(&mut self, run: &RunName) -> Result<Held, ExportError> {
        let mut held = Held::new();
        for path in own_files(&self.dir(run))? {
            read_back(&path, &mut held)?;
        }
        Ok(held)
    }

    fn write(&mut self, job: &Job, made: Made) -> Result<(), ExportError> {
        let Made::Record(record, _) = made else { return Ok(()) };
        let open = self.open(job)?;
        let written = open.file.write_all_at(&record, open.len);
        if let Err(error) = written {
            // Should this fail, the next export cuts off what follows the last whole record.
            let _ = open.file.set_len(open.len);
            return Err(ExportError::Write { path: open.path.clone(), error });
        }
        open.len += record.len() as u64;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        Ok(())
    }

    fn granularity(&self) -> Granularity {
        Granularity::Step
    }
}

/// Our event files in a directory, in order of their names.
fn own_files(dir: &Path) -> Result<Vec<PathBuf>, ExportError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(ExportError::at(dir))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.map_err(ExportError::at(dir))?;
        if is_export_name(entry.file_name().as_encoded_bytes()) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// Makes a file with its first record in it.
fn new_file(dir: &Path, wall_time: f64) -> Result<PathBuf, ExportError> {
    fs::create_dir_all(dir).map_err(ExportError::at(dir))?;
    let path = dir.join(format!("events.out.tfevents.{:010}{EXPORT_ENDING}", wall_time.max(0.0) as u64));
    // TensorBoard takes any name that holds "tfevents" for an event file.
    let new = dir.join(".convscope-new");
    let written = File::create(&new).and_then(|mut file| file.write_all(&first_record(wall_time)));
    written.map_err(ExportError::at(&new))?;
    fs::rename(&new, &path).map_err(ExportError::at(&path))?;
    Ok(path)
}

/// Notes what a file of ours holds, and cuts off an incomplete end.
fn read_back(path: &Path, held: &mut Held) -> Result<(), ExportError> {
    let at = || ExportError::at(path);
    let len = path.metadata().map_err(at())?.len();
    let local = Local::new(PathBuf::new());
    let mut window = Window::new(&local, path);
    let (mut scanner, mut outline) = (Scanner::new(len), Outline::default());
    let (mut whole, mut is_marked) = (0, false);
    while let ScanResult::Record(place) = scanner.next(&mut window, len, true).map_err(at())? {
        let Some(payload) = checked_payload(&local, path, place).map_err(at())? else { break };
        if place.offset == 0 {
            is_marked = is_ours(&payload);
        }
        if !is_marked {
            break;
        }
        note(&payload, &mut outline, held);
        whole = place.end();
    }
    if !is_marked {
        let path = path.display();
        let message = format!("{path} has the name of an export but was not written by one: move it away");
        return Err(ExportError::Refused(message));
    }
    if whole < len {
        if has_more_records(len, &mut scanner, &mut window) {
            let path = path.display();
            let message = format!("{path} is damaged at byte {whole}: remove it, and it is written again");
            return Err(ExportError::Refused(message));
        }
        let file = OpenOptions::new().write(true).open(path).map_err(at())?;
        file.set_len(whole).map_err(at())?;
    }
    Ok(())
}

/// Whether whole records follow the place at which a scan stopped: then the file was damaged by somebody else.
fn has_more_records(len: u64, scanner: &mut Scanner, window: &mut Window<'_>) -> bool {
    let mut next = scanner.next(window, len, true);
    while let Ok(ScanResult::Searching) = next {
        next = scanner.next(window, len, true);
    }
    matches!(next, Ok(ScanResult::Record(_) | ScanResult::Gap { resumed: Some(_), .. }))
}

/// The payload of a record, which lies within the file; `None` where its CRC is wrong.
fn checked_payload(local: &Local, path: &Path, place: Place) -> io::Result<Option<Vec<u8>>> {
    let len = usize::try_from(place.len).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut payload = vec![0; len + FOOTER_BYTES];
    let read = local.read_at(path, place.payload(), &mut payload)?;
    let footer = *payload.last_chunk::<FOOTER_BYTES>().expect("it ends with a footer");
    payload.truncate(len);
    let is_right = read == len + FOOTER_BYTES && payload_holds(&payload, footer);
    Ok(is_right.then_some(payload))
}

fn note(payload: &[u8], outline: &mut Outline, held: &mut Held) {
    let span = Span { at: 0, end: payload.len() as u64 };
    let read: Result<(), WireError> = outline.read(&mut &*payload, span);
    if read.is_err() {
        return;
    }
    for value in &outline.values {
        let tag = text_of_bytes(outline.tag(value));
        held.entry(tag).or_default().insert(outline.step, outline.wall_time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{export::summaries::Form, export::summaries::picture_record};

    fn file_with(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = new_file(dir.path(), 7.0).unwrap();
        fs::write(&path, [&first_record(7.0), bytes].concat()).unwrap();
        (dir, path)
    }

    #[test]
    fn a_cut_record_is_taken_off_at_every_length() {
        let record = picture_record(Form::Tf2, 3, 1.5, Vec::new());
        let head = first_record(7.0).len();
        for cut in 0..record.len() {
            let (_dir, path) = file_with(&[&record, &record[..cut]].concat());
            read_back(&path, &mut Held::new()).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().len(), (head + record.len()) as u64);
        }
    }

    #[test]
    fn files_that_are_not_ours_stay_as_they_are() {
        let (_dir, path) = file_with(b"");
        let foreign = crate::proto::Event { wall_time: 1.0, ..crate::proto::Event::default() };
        let mut bytes = Vec::new();
        crate::record::write::append_record(&mut bytes, &prost::Message::encode_to_vec(&foreign));
        bytes.extend(b"tail");
        fs::write(&path, &bytes).unwrap();
        assert!(matches!(read_back(&path, &mut Held::new()), Err(ExportError::Refused(_))));
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn damage_before_whole_records_is_not_cut_away() {
        let record = picture_record(Form::Tf2, 3, 1.5, Vec::new());
        let mut two = record.repeat(2);
        two[13] ^= 1;
        let (_dir, path) = file_with(&two);
        assert!(matches!(read_back(&path, &mut Held::new()), Err(ExportError::Refused(_))));
        let mut last = record.repeat(2);
        last[record.len() + 13] ^= 1;
        let (_dir, path) = file_with(&last);
        read_back(&path, &mut Held::new()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), (first_record(7.0).len() + record.len()) as u64);
    }
}
