//! Tensors -> NPZ files, `RUN/TAG.npz`: an archive of NPY files, one per step, which `numpy.load` opens.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};

use super::{
    error::ExportError,
    job::{Job, NamedSeries},
    manifest::{Entry, Manifest, TensorSource, partial_name},
    paths::Paths,
    writer::{Granularity, Held, Made, Writer},
    zip::Archive,
};

use crate::types::{RunName, digits};

const ENDING: &str = ".npz";

/// The files below a directory.
pub struct ArrayFiles {
    out: PathBuf,
    manifest: Manifest,
    paths: Paths,
    growing: Option<Growing>,
}

/// The file of a series while it is written, under a temporary name.
struct Growing {
    named: Arc<NamedSeries>,
    /// Relative to the directory.
    file: String,
    archive: Archive<Hashed>,
    steps: Vec<TensorSource>,
}

/// A file whose bytes are hashed as they are written.
struct Hashed {
    file: BufWriter<File>,
    digest: Sha256,
    len: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.digest.update(&bytes[..n]);
        self.len += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl ArrayFiles {
    /// Resumes the export into `out`, a directory that exists.
    ///
    /// # Errors
    /// A manifest that is not ours.
    pub fn open(out: &Path) -> Result<Self, ExportError> {
        let manifest = Manifest::open(out)?;
        let mut paths = Paths::default();
        for entry in manifest.entries() {
            if let Some(path) = entry.file.strip_suffix(ENDING) {
                paths.note(path, &entry.run, &entry.picture);
            }
        }
        Ok(Self { out: out.to_owned(), manifest, paths, growing: None })
    }

    fn growing(&mut self, job: &Job) -> Result<&mut Growing, ExportError> {
        let is_same = |growing: &Growing| {
            let (series, other) = (&growing.named.series, &job.named.series);
            (&series.run, &series.tag) == (&other.run, &other.tag)
        };
        if !self.growing.as_ref().is_some_and(is_same) {
            self.close()?;
            let series = &job.named.series;
            let file = self.paths.path(series.run.as_str(), series.tag.as_str()) + ENDING;
            let path = self.out.join(&file);
            let dir = path.parent().unwrap_or(&self.out);
            fs::create_dir_all(dir).map_err(ExportError::at(dir))?;
            let partial = partial_name(&path);
            let opened = File::create(&partial).map_err(ExportError::at(&partial))?;
            let hashed = Hashed { file: BufWriter::new(opened), digest: Sha256::new(), len: 0 };
            let (named, archive) = (Arc::clone(&job.named), Archive::new(hashed));
            self.growing = Some(Growing { named, file, archive, steps: Vec::new() });
        }
        Ok(self.growing.as_mut().expect("it was just made"))
    }

    /// Finishes the growing file and renames it to its final name.
    fn close(&mut self) -> Result<(), ExportError> {
        let Some(Growing { named, file, archive, steps }) = self.growing.take() else { return Ok(()) };
        let path = self.out.join(&file);
        let partial = partial_name(&path);
        let closed = archive.finish().and_then(|hashed| fs::rename(&partial, &path).map(|()| hashed));
        let Hashed { digest, len, .. } = closed.map_err(|error| {
            // Should this fail, the next export overwrites it.
            let _ = fs::remove_file(&partial);
            ExportError::Write { path, error }
        })?;
        let series = &named.series;
        self.manifest.add(Entry {
            file,
            bytes: len,
            sha256: digits(digest.finalize().as_slice()),
            run: series.run.to_string(),
            tag: series.tag.to_string(),
            picture: named.name.clone(),
            key: named.key.clone(),
            layer: series.facts.layer.clone(),
            role: series.facts.role.name().to_owned(),
            options: String::new(),
            drawn: None,
            steps,
        })
    }
}

impl Writer for ArrayFiles {
    fn held(&mut self, run: &RunName) -> Result<Held, ExportError> {
        Ok(self.manifest.held(run, "", ENDING))
    }

    fn write(&mut self, job: &Job, made: Made) -> Result<(), ExportError> {
        let Made::Array(npy, crc) = made else { return Ok(()) };
        let growing = self.growing(job)?;
        let added = growing.archive.add(format!("{}.npy", job.step), &npy, crc);
        growing.steps.push(TensorSource::of(job));
        let file = growing.file.clone();
        added.map_err(ExportError::at(self.out.join(file)))
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        self.close()?;
        self.manifest.save()
    }

    fn interrupt(&mut self) -> Result<(), ExportError> {
        if let Some(growing) = self.growing.take() {
            // Should this fail, the next export overwrites it.
            let _ = fs::remove_file(partial_name(&self.out.join(growing.file)));
        }
        self.manifest.save()
    }

    fn granularity(&self) -> Granularity {
        Granularity::Series
    }
}
