//! What a directory of exported files holds, file by file: `manifest.json`.
//!
//! It is for programs that read the files, and for the next export: a file that is listed with the same options and size is not
//! made again. Files come into being whole, by renaming, and the manifest follows them; after an export that was killed, files
//! that were not yet noted are made again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{drawing::Legend, error::ExportError, job::Job, writer::Held};

use crate::{
    render::sheet::SheetLegend,
    types::{RunName, Step, digits},
};

const NAME: &str = "manifest.json";
const SAVE_EVERY: Duration = Duration::from_secs(2);
/// Writing a long manifest takes at most about one part in this many of the time.
const MOST_SHARE_OF_TIME: u32 = 20;

/// All of it as it is written.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Written {
    /// The version that wrote it.
    convscope: String,
    files: Vec<Entry>,
}

/// One exported file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Relative to the manifest, with `/` between the parts.
    pub(crate) file: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) run: String,
    /// The tag of the series.
    pub(crate) tag: String,
    /// The tag of the picture, which is that of the series or begins with the recipe's name.
    pub(crate) picture: String,
    pub(crate) key: String,
    pub(crate) layer: String,
    pub(crate) role: String,
    /// What was chosen; empty for the defaults.
    pub(crate) options: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drawn: Option<Drawn>,
    pub(crate) steps: Vec<TensorSource>,
}

/// How a sheet was drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Drawn {
    view: String,
    layout: String,
    cmap: String,
    range: String,
    scope: String,
    /// The numbers at the ends of the colours.
    lo: f64,
    hi: f64,
    /// Pixels.
    width: usize,
    height: usize,
}

/// A tensor that is in a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TensorSource {
    pub(crate) step: Step,
    pub(crate) wall_time: f64,
    /// The event file that it was read from, and the record's first byte.
    source: String,
    offset: u64,
}

impl Drawn {
    pub(crate) fn of(legend: &Legend) -> Self {
        let SheetLegend { geometry, scale, interval, .. } = &*legend.sheet;
        let (width, height) = geometry.size();
        Self {
            view: geometry.view.name().to_owned(),
            layout: geometry.layout.name().to_owned(),
            cmap: legend.paint.cmap.name().to_owned(),
            range: scale.range.text(),
            scope: scale.scope.name().to_owned(),
            lo: interval.lo,
            hi: interval.hi,
            width,
            height,
        }
    }
}

impl TensorSource {
    pub(crate) fn of(job: &Job) -> Self {
        let (path, offset) = match job.parts.first() {
            Some(part) => job.file.place_of(part.spot),
            None => (job.file.path.as_path(), 0),
        };
        Self { step: job.step, wall_time: job.wall_time(), source: path.display().to_string(), offset }
    }
}

/// A manifest that grows with what is exported.
pub(crate) struct Manifest {
    out: PathBuf,
    entries: BTreeMap<String, Entry>,
    is_saved: bool,
    saved: Instant,
    took: Duration,
}

impl Manifest {
    /// Reads what is there.
    ///
    /// # Errors
    /// A file of this name that no export wrote.
    pub(crate) fn open(out: &Path) -> Result<Self, ExportError> {
        let path = out.join(NAME);
        let written: Written = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Written::default(),
            bytes => serde_json::from_slice(&bytes.map_err(ExportError::at(&path))?).map_err(|error| {
                let message = format!("{} was not written by an export: {error}", path.display());
                ExportError::Refused(message)
            })?,
        };
        let mut entries: BTreeMap<String, Entry> =
            written.files.into_iter().map(|entry| (entry.file.clone(), entry)).collect();
        // An edited manifest must not make us read outside of this directory.
        entries.retain(|file, entry| is_below(file) && has_size(&out.join(file), entry.bytes));
        Ok(Self { out: out.to_owned(), entries, is_saved: true, saved: Instant::now(), took: Duration::ZERO })
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// What files that end like this hold of a run with these options.
    pub(crate) fn held(&self, run: &RunName, options: &str, ending: &str) -> Held {
        let mut held = Held::new();
        let of_run = |entry: &&Entry| {
            entry.run == run.as_str() && entry.options == options && entry.file.ends_with(ending)
        };
        for entry in self.entries().filter(of_run) {
            let steps = held.entry(entry.key.clone()).or_default();
            steps.extend(entry.steps.iter().map(|logged| (logged.step, logged.wall_time)));
        }
        held
    }

    /// Forgets the steps of a key of which some files are missing.
    pub(crate) fn forget_if_fewer(&mut self, run: &RunName, options: &str) {
        let mut counts: BTreeMap<(String, Step), usize> = BTreeMap::new();
        for entry in
            self.entries.values().filter(|entry| entry.run == run.as_str() && entry.options == options)
        {
            for logged in &entry.steps {
                *counts.entry((entry.key.clone(), logged.step)).or_default() += 1;
            }
        }
        let mut most: BTreeMap<String, usize> = BTreeMap::new();
        for ((key, _), count) in &counts {
            let most = most.entry(key.clone()).or_default();
            *most = (*most).max(*count);
        }
        let fewer: BTreeSet<(String, Step)> = counts
            .into_iter()
            .filter(|((key, _), count)| *count < most[key])
            .map(|(place, _)| place)
            .collect();
        self.entries.retain(|_, entry| {
            let step = entry.steps.first().map_or(0, |logged| logged.step);
            entry.run != run.as_str()
                || entry.options != options
                || !fewer.contains(&(entry.key.clone(), step))
        });
    }

    /// Notes a file, and writes the manifest if the last time is long enough ago.
    pub(crate) fn add(&mut self, entry: Entry) -> Result<(), ExportError> {
        self.entries.insert(entry.file.clone(), entry);
        self.is_saved = false;
        if self.saved.elapsed() > SAVE_EVERY.max(self.took * MOST_SHARE_OF_TIME) {
            self.save()
        } else {
            Ok(())
        }
    }

    /// Writes it, whole.
    pub(crate) fn save(&mut self) -> Result<(), ExportError> {
        if self.is_saved {
            return Ok(());
        }
        let begun = Instant::now();
        let files = self.entries.values().cloned().collect();
        let written = Written { convscope: env!("CARGO_PKG_VERSION").to_owned(), files };
        whole_file(&self.out.join(NAME), |file| {
            let mut file = BufWriter::new(file);
            serde_json::to_writer_pretty(&mut file, &written)?;
            file.write_all(b"\n")?;
            file.flush()
        })?;
        (self.is_saved, self.saved, self.took) = (true, Instant::now(), begun.elapsed());
        Ok(())
    }
}

fn is_below(file: &str) -> bool {
    !file.split('/').any(|part| matches!(part, "" | "." | ".."))
}

fn has_size(path: &Path, bytes: u64) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_file() && meta.len() == bytes)
}

/// Writes a file under another name first, so that nobody ever sees half of it.
pub(crate) fn whole_file(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), ExportError> {
    let partial = partial_name(path);
    let written = File::create(&partial)
        .and_then(|mut file| write(&mut file))
        .and_then(|()| fs::rename(&partial, path));
    written.map_err(|error| {
        // Should this fail, the next export overwrites it.
        let _ = fs::remove_file(&partial);
        ExportError::Write { path: path.to_owned(), error }
    })
}

/// The temporary name of a file while it is written.
pub(crate) fn partial_name(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".partial");
    path.with_file_name(name)
}

/// As 64 digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    digits(Sha256::digest(bytes).as_slice())
}
